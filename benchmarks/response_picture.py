"""A reliability diagram as SVG: what was foretold against what happened, in bins of equally many contacts."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, EDGE = 480, 440, 60
_COLOURS = ("#1a6fb0", "#d1651a", "#3c8d40", "#7a4fa0")


def draw(file: Path, labels: NDArray[np.float64], said: Mapping[str, NDArray[np.float64]], bins: int) -> None:
    """Writes the picture; each of `said` [R] are a model's probabilities of `labels` [R]."""
    points = {name: reliability(labels, one, bins) for name, one in said.items()}
    most = 1.05 * max(float(max(x.max(), y.max())) for x, y in points.values())

    def place(x: float, y: float) -> tuple[float, float]:
        across = EDGE + (WIDTH - 1.5 * EDGE) * x / most
        return round(across, 1), round(HEIGHT - EDGE - (HEIGHT - 1.5 * EDGE) * y / most, 1)

    (left, low), (right, high) = place(0, 0), place(most, most)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Share that redeemed against the chance foretold">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<path d="M{left} {high}V{low}H{right}" fill="none" stroke="#444"/>',
        f'<path d="M{left} {low}L{right} {high}" stroke="#aaa" stroke-dasharray="4 4"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 15}" text-anchor="middle">chance foretold</text>',
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">redeemed</text>',
    ]
    for tick in np.arange(0.1, most, 0.1):
        (x, _), (_, y) = place(tick, 0), place(0, tick)
        parts.append(f'<text x="{x}" y="{low + 18}" text-anchor="middle">{tick:.1f}</text>')
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{tick:.1f}</text>')
    for number, (name, (said_at, seen_at)) in enumerate(points.items()):
        colour, at = _COLOURS[number % len(_COLOURS)], high + 18 * (number + 1)
        where = [place(a, b) for a, b in zip(said_at.tolist(), seen_at.tolist(), strict=True)]
        line = " ".join(f"{a},{b}" for a, b in where)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{a}" cy="{b}" r="3.5" fill="{colour}"/>' for a, b in where]
        parts.append(f'<text x="{left + 14}" y="{at}" fill="{colour}">{name}</text>')
    file.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")


def reliability(
    labels: NDArray[np.float64], said: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean chance foretold and share of positives of each bin, least likely first."""
    parts = np.array_split(np.argsort(said, kind="stable"), bins)
    return np.array([said[part].mean() for part in parts]), np.array([labels[part].mean() for part in parts])
