"""The plot of how well probabilities hold."""

from collections.abc import Sequence

from magpie_services.kit.pages.plots import axes, grid, svg, ticks
from magpie_services.training.report.findings import Bin


def calibration(bins: Sequence[Bin], title: str) -> str:
    """Share of positives over mean probability, with 90 % intervals and the diagonal where both are equal."""
    if not bins:
        return ""
    top = max(max(one.predicted, one.high) for one in bins) * 1.06 or 1.0
    x, y = axes((0.0, top), (0.0, top))
    marks = ticks(0.0, top)
    parts = [grid(x, y, marks, marks, "predicted", "happened", percent=True)]
    parts.append(f'<path class="ideal" d="M{x(0):.1f} {y(0):.1f}L{x(top):.1f} {y(top):.1f}"/>')
    for one in bins:
        words = f"predicted {one.predicted:.2%}, happened {one.observed:.2%} of {one.rows}"
        at = x(one.predicted)
        parts.append(f'<path class="whisker" d="M{at:.1f} {y(one.low):.1f}V{y(one.high):.1f}"/>')
        parts.append(
            f'<circle class="dot s0" cx="{at:.1f}" cy="{y(one.observed):.1f}" r="3.6">'
            f"<title>{words}</title></circle>"
        )
    return svg(parts, title)
