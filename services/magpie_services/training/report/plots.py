"""Small plots as inline SVG that take their colours from the page, so that they fit light and dark."""

import math
from collections.abc import Callable, Sequence
from html import escape

from magpie_services.training.report.findings import Bin

WIDTH, HEIGHT = 380, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 34

Points = Sequence[tuple[float, float]]
Scale = Callable[[float], float]


def lines(series: Sequence[tuple[str, Points]], across: str, best: tuple[float, float] | None = None) -> str:
    """Curves over a common axis, each (name, points); `best` is marked. Empty without a point."""
    points = [point for _, curve in series for point in curve]
    if not points:
        return ""
    low, high = _padded([y for _, y in points])
    first, last = min(p[0] for p in points), max(p[0] for p in points)
    x, y = _axes((first, last), (low, high))
    parts = [_grid(x, y, _ticks(first, last, whole=True), _ticks(low, high), across, "")]
    for number, (name, curve) in enumerate(series):
        path = " ".join(f"{'L' if at else 'M'}{x(a):.1f} {y(b):.1f}" for at, (a, b) in enumerate(curve))
        parts.append(f'<path class="line s{number}" d="{path}"><title>{escape(name)}</title></path>')
        parts += [
            f'<circle class="dot s{number}" cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.6">'
            f"<title>{escape(across)} {a:g}: {b:.4g}</title></circle>"
            for a, b in curve
        ]
    if best is not None:
        a, b = best
        # The word stays within the plot: left of a point that is far right.
        anchor = "end" if x(a) > WIDTH * 0.8 else "start" if x(a) < WIDTH * 0.25 else "middle"
        parts.append(f'<circle class="best" cx="{x(a):.1f}" cy="{y(b):.1f}" r="5.5"/>')
        parts.append(
            f'<text class="mark" x="{x(a):.1f}" y="{y(b) - 10:.1f}" text-anchor="{anchor}">{b:.4g}</text>'
        )
    return _svg(parts, ", ".join(name for name, _ in series))


def calibration(bins: Sequence[Bin], title: str) -> str:
    """Share of positives over mean probability, with 90 % intervals and the diagonal where both are equal."""
    if not bins:
        return ""
    top = max(max(one.predicted, one.high) for one in bins) * 1.06 or 1.0
    x, y = _axes((0.0, top), (0.0, top))
    ticks = _ticks(0.0, top)
    parts = [_grid(x, y, ticks, ticks, "predicted", "happened", percent=True)]
    parts.append(f'<path class="ideal" d="M{x(0):.1f} {y(0):.1f}L{x(top):.1f} {y(top):.1f}"/>')
    for one in bins:
        words = f"predicted {one.predicted:.2%}, happened {one.observed:.2%} of {one.rows}"
        at = x(one.predicted)
        parts.append(f'<path class="whisker" d="M{at:.1f} {y(one.low):.1f}V{y(one.high):.1f}"/>')
        parts.append(
            f'<circle class="dot s0" cx="{at:.1f}" cy="{y(one.observed):.1f}" r="3.6">'
            f"<title>{words}</title></circle>"
        )
    return _svg(parts, title)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.14
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def _axes(across: tuple[float, float], up: tuple[float, float]) -> tuple[Scale, Scale]:
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + wide * (
            (value - across[0]) / (across[1] - across[0]) if across[1] > across[0] else 0.5
        )

    def y(value: float) -> float:
        return _TOP + tall * (1 - (value - up[0]) / (up[1] - up[0]))

    return x, y


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """About five round numbers between two."""
    if high <= low:
        return [low]
    rough = (high - low) / 4
    step = 10 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough)
    if whole:
        step = max(1, round(step))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _grid(
    x: Scale,
    y: Scale,
    across: Sequence[float],
    up: Sequence[float],
    below: str,
    beside: str,
    *,
    percent: bool = False,
) -> str:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    digits = 1 if percent and max(up, default=0.0) < 0.05 else 0
    parts = []
    for value in up:
        words = f"{value:.{digits}%}" if percent else f"{value:.4g}"
        parts.append(f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 7}" y="{y(value) + 3.5:.1f}" text-anchor="end">{words}</text>')
    for value in across:
        words = f"{value:.{digits}%}" if percent else f"{value:g}"
        parts.append(f'<text x="{x(value):.1f}" y="{bottom + 15}" text-anchor="middle">{words}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {bottom}H{right}"/>')
    parts.append(f'<text class="name" x="{right}" y="{HEIGHT - 3}" text-anchor="end">{escape(below)}</text>')
    if beside:
        parts.append(f'<text class="name" x="{_LEFT + 5}" y="{_TOP + 7}">{escape(beside)}</text>')
    return "".join(parts)


def _svg(parts: Sequence[str], label: str) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
    return head + "".join(parts) + "</svg>"
