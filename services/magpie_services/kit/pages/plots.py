"""Small plots as inline SVG that take their colours from the page, so that they fit light and dark."""

import math
from collections.abc import Callable, Sequence
from html import escape

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
    x, y = axes((first, last), (low, high))
    parts = [grid(x, y, ticks(first, last, whole=True), ticks(low, high), across, "")]
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
    return svg(parts, ", ".join(name for name, _ in series))


def band(
    points: Sequence[tuple[float, float, float, float]], across: str, name: str, *, percent: bool = False
) -> str:
    """A curve (x, y, low, high) within its band, and a line at 0. Empty without a point."""
    if not points:
        return ""
    low, high = _padded([0.0, *(value for point in points for value in point[1:])])
    low = min(low, 0.0)
    first, last = points[0][0], points[-1][0]
    x, y = axes((first, last), (low, high))
    parts = [grid(x, y, ticks(first, last, whole=True), ticks(low, high), across, "", percent=percent)]
    edge = [(at, top) for at, _, _, top in points] + [(at, bottom) for at, _, bottom, _ in reversed(points)]
    parts.append(f'<path class="band" d="M{" L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in edge)}Z"/>')
    parts.append(f'<path class="ideal" d="M{x(first):.1f} {y(0):.1f}L{x(last):.1f} {y(0):.1f}"/>')
    path = " L".join(f"{x(at):.1f} {y(value):.1f}" for at, value, _, _ in points)
    parts.append(f'<path class="line s0" d="M{path}"><title>{escape(name)}</title></path>')
    return svg(parts, name)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.14
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def axes(across: tuple[float, float], up: tuple[float, float]) -> tuple[Scale, Scale]:
    """Places in the picture of values from and to."""
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + wide * (
            (value - across[0]) / (across[1] - across[0]) if across[1] > across[0] else 0.5
        )

    def y(value: float) -> float:
        return _TOP + tall * (1 - (value - up[0]) / (up[1] - up[0]))

    return x, y


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
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


def grid(
    x: Scale,
    y: Scale,
    across: Sequence[float],
    up: Sequence[float],
    below: str,
    beside: str,
    *,
    percent: bool = False,
) -> str:
    """Lines and words of both axes."""
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


def svg(parts: Sequence[str], label: str) -> str:
    """The parts as one picture of that name."""
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
    return head + "".join(parts) + "</svg>"
