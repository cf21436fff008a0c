"""Pictures of the loop's benchmark: learning by round, gap closed by world, purchases won by pushes sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEIGHT, EDGE = 640, 400, 64
COLOURS = {
    "magpie": "#0072b2",
    "click-greedy": "#d55e00",
    "rules": "#009e73",
    "popular": "#cc79a7",
    "random": "#999999",
    "oracle": "#000000",
}
World = dict[str, Any]
Closed = Callable[[World, str], float]


@dataclass(frozen=True)
class Frame:
    """Axes from (0, low) to (right, high), with their names."""

    right: float
    low: float
    high: float
    across_name: str
    up_name: str

    def across(self, value: float) -> float:
        """Horizontal place."""
        return EDGE + (WIDTH - 2 * EDGE) * value / self.right

    def up(self, value: float) -> float:
        """Vertical place."""
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - self.low) / (self.high - self.low)

    def svg(self, parts: Sequence[str], across_ticks: Sequence[tuple[float, str]]) -> str:
        """The whole picture."""
        bottom = HEIGHT - EDGE
        found = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<path d="M{EDGE} {EDGE / 2}V{bottom}H{WIDTH - EDGE / 2}" fill="none" stroke="#444"/>',
            _text(WIDTH / 2, HEIGHT - 20, self.across_name),
            f'<text x="18" y="{HEIGHT / 2}" transform="rotate(-90 18 {HEIGHT / 2})" text-anchor="middle">'
            f"{self.up_name}</text>",
        ]
        found += [_text(self.across(value), bottom + 18, name) for value, name in across_ticks]
        for value in np.linspace(self.low, self.high, 5):
            found.append(_text(EDGE - 8, self.up(value) + 4, f"{value:.4g}", "end"))
        if self.low < 0 < self.high:
            found.append(f'<path d="M{EDGE} {self.up(0):.1f}H{WIDTH - EDGE / 2}" stroke="#bbb"/>')
        return "\n".join([*found, *parts, "</svg>", ""])


def draw(folder: Path, worlds: Sequence[World], closed: Closed) -> None:
    """Writes loop_rounds.svg, loop_worlds.svg and loop_frontier.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "loop_rounds.svg").write_text(rounds(worlds), "utf-8")
    (folder / "loop_worlds.svg").write_text(by_world(worlds, closed), "utf-8")
    (folder / "loop_frontier.svg").write_text(frontier(worlds), "utf-8")


def rounds(worlds: Sequence[World]) -> str:
    """Share of the gap closed in each round, all worlds together, ± a standard error over worlds."""
    names = ("magpie", "click-greedy", "rules", "popular")
    curves = {name: _by_round(worlds, name) for name in names}
    count = len(curves["magpie"])
    values = [
        value for curve in curves.values() for pair in curve for value in (pair[0] - pair[1], sum(pair))
    ]
    frame = Frame(count, min(0.0, *values), max(1.0, *values), "round", "share of the gap closed")
    parts = []
    for name, curve in curves.items():
        points = [(frame.across(number + 0.5), value, error) for number, (value, error) in enumerate(curve)]
        for (x, value, _), (further, next_value, _) in pairwise(points):
            parts.append(
                f'<path d="M{x:.1f} {frame.up(value):.1f}L{further:.1f} {frame.up(next_value):.1f}" '
                f'stroke="{COLOURS[name]}" stroke-width="2"/>'
            )
        for x, value, error in points:
            parts.append(
                f'<path d="M{x:.1f} {frame.up(value - error):.1f}V{frame.up(value + error):.1f}" '
                f'stroke="{COLOURS[name]}"/>'
            )
            parts.append(_dot(x, frame.up(value), name))
        parts.append(_label(points[-1][0], frame.up(points[-1][1]), name))
    return frame.svg(parts, [(number + 0.5, str(number + 1)) for number in range(count)])


def by_world(worlds: Sequence[World], closed: Closed) -> str:
    """A bar a world, sorted; the click model's as a dot."""
    ordered = sorted(worlds, key=lambda world: closed(world, "magpie"))
    bars = [closed(world, "magpie") for world in ordered]
    dots = [closed(world, "click-greedy") for world in ordered]
    low, high = min(0.0, *bars, *dots), max(1.0, *bars, *dots)
    frame = Frame(len(ordered), low, high, "world (seed)", "share of the gap closed")
    wide = 0.7 * (frame.across(1) - frame.across(0))
    parts = []
    for number, (bar, dot) in enumerate(zip(bars, dots, strict=True)):
        x, top, bottom = frame.across(number + 0.5), frame.up(max(0.0, bar)), frame.up(min(0.0, bar))
        parts.append(
            f'<rect x="{x - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{bottom - top:.1f}" '
            f'fill="{COLOURS["magpie"]}"/>'
        )
        parts.append(_dot(x, frame.up(dot), "click-greedy"))
    parts += [
        _label(EDGE + 6, EDGE / 2, "magpie", "start"),
        _label(EDGE + 66, EDGE / 2, "click-greedy", "start"),
    ]
    return frame.svg(parts, [(number + 0.5, str(world["seed"])) for number, world in enumerate(ordered)])


def frontier(worlds: Sequence[World]) -> str:
    """Purchases beyond those without pushes, by pushes; per 1,000 users and day, all worlds together."""
    user_days = sum(world["users"] * sum(world["compared"]["round_days"]) for world in worlds)

    def point(figures: Sequence[World]) -> tuple[float, float]:
        none = sum(world["compared"]["senders"]["none"]["total"]["purchases"] for world in worlds)
        pushes, purchases = (sum(each[name] for each in figures) for name in ("pushes", "purchases"))
        return 1_000 * pushes / user_days, 1_000 * (purchases - none) / user_days

    volumes = zip(*(world["compared"]["click_greedy"]["volumes"] for world in worlds), strict=True)
    curve = [(0.0, 0.0), *(point(figures) for figures in volumes)]
    single = {
        name: point([world["compared"]["senders"][name]["total"] for world in worlds])
        for name in ("magpie", "rules", "popular", "random", "oracle")
    }
    every = [*curve, *single.values()]
    right = 1.05 * max(pushes for pushes, _ in every)
    heights = [height for _, height in every]
    frame = Frame(
        right,
        min(0.0, *heights),
        1.05 * max(heights),
        "pushes per 1,000 users and day",
        "purchases won per 1,000 users and day",
    )
    path = "L".join(f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in curve)
    parts = [f'<path d="M{path}" fill="none" stroke="{COLOURS["click-greedy"]}" stroke-width="2"/>']
    parts += [_dot(frame.across(x), frame.up(y), "click-greedy") for x, y in curve[1:]]
    parts.append(_label(frame.across(curve[-1][0]), frame.up(curve[-1][1]), "click-greedy", "end"))
    for name, (x, y) in single.items():
        parts += [_dot(frame.across(x), frame.up(y), name), _label(frame.across(x), frame.up(y), name)]
    return frame.svg(parts, [(tick, f"{tick:.0f}") for tick in np.linspace(0, right, 6)])


def _by_round(worlds: Sequence[World], name: str) -> list[tuple[float, float]]:
    """Mean and standard error of the share closed in each round: sums over worlds, errors by jackknife."""
    found = []
    for number in range(len(worlds[0]["compared"]["round_days"])):
        rewards = np.array(
            [
                [
                    world["compared"]["senders"][sender]["rounds"][number]["reward"]
                    for sender in (name, "random", "oracle")
                ]
                for world in worlds
            ]
        )
        mean = _share(rewards.sum(axis=0))
        without = (
            np.array([_share(rewards.sum(axis=0) - row) for row in rewards]) if len(worlds) > 1 else None
        )
        error = 0.0 if without is None else float(np.sqrt((len(worlds) - 1) * without.var()))
        found.append((mean, error))
    return found


def _share(sums: Any) -> float:
    mine, random, oracle = sums
    return float((mine - random) / (oracle - random))


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _dot(x: float, y: float, name: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[name]}"/>'


def _label(x: float, y: float, name: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x + (8 if anchor == "start" else -8):.1f}" y="{y - 8:.1f}" text-anchor="{anchor}" '
        f'fill="{COLOURS[name]}">{name}</text>'
    )
