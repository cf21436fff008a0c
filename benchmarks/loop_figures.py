"""The figures of the loop's benchmark from its worlds' reports, as loop.py defines them. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
World = dict[str, Any]


def total(world: World, sender: str, figure: str) -> float:
    """A figure of a sender over all rounds."""
    return float(world["compared"]["senders"][sender]["total"][figure])


def closed(world: World, sender: str) -> float:
    """Share of the gap in reward between random and the oracle that a sender closes."""
    low, high = total(world, "random", "reward"), total(world, "oracle", "reward")
    return (total(world, sender, "reward") - low) / (high - low)


def closed_expected(world: World, sender: str) -> float:
    """The same share in what pushes could be expected to earn by themselves."""
    found = world["compared"]["senders"]
    low, high = found["random"]["true_value"], found["oracle"]["true_value"]
    return float((found[sender]["true_value"] - low) / (high - low))


def incremental(world: World, figures: World) -> float:
    """Purchases beyond those in the fork where nothing is sent."""
    return float(figures["purchases"]) - total(world, "none", "purchases")


def pushes_saved(worlds: Sequence[World]) -> float:
    """As loop.py defines it."""
    ours = sum(total(world, "magpie", "pushes") for world in worlds)
    won = sum(incremental(world, world["compared"]["senders"]["magpie"]["total"]) for world in worlds)
    pushes, purchases = [0.0], [0.0]
    for volumes in zip(*(world["compared"]["click_greedy"]["volumes"] for world in worlds), strict=True):
        pushes.append(sum(volume["pushes"] for volume in volumes))
        gained = sum(incremental(world, volume) for world, volume in zip(worlds, volumes, strict=True))
        purchases.append(max(purchases[-1], gained))
    theirs = needed(won, pushes, purchases)
    return (theirs - ours) / max(theirs, ours, 1.0)


def needed(won: float, pushes: Sequence[float], purchases: Sequence[float]) -> float:
    """The least pushes for so many purchases on a curve that never falls; its last where that is too few."""
    for left in range(len(pushes) - 1):
        if won <= purchases[left + 1] and purchases[left + 1] > purchases[left]:
            share = max(0.0, won - purchases[left]) / (purchases[left + 1] - purchases[left])
            return pushes[left] + share * (pushes[left + 1] - pushes[left])
    return pushes[-1]


def optouts_change(worlds: Sequence[World]) -> float:
    """As loop.py defines it."""
    ours, theirs = (
        sum(total(world, name, figure) for world in worlds for figure in ("opted_out", "silently_opted_out"))
        for name in ("magpie", "rules, same volume")
    )
    return (ours - theirs) / max(theirs, 1.0)


def figures(worlds: Sequence[World]) -> dict[str, float]:
    """All figures with their intervals."""
    gaps = np.array([closed(world, "magpie") for world in worlds])
    expected = np.array([closed_expected(world, "magpie") for world in worlds])
    measures: dict[str, Callable[[NDArray[np.int64]], float]] = {
        "gap_closed": lambda some: float(gaps[some].mean()),
        "gap_closed_worst_decile": lambda some: float(np.quantile(gaps[some], 0.1)),
        "gap_closed_expected": lambda some: float(expected[some].mean()),
        "pushes_saved": lambda some: pushes_saved([worlds[number] for number in some]),
        "optouts_change": lambda some: optouts_change([worlds[number] for number in some]),
    }
    rng, count = np.random.default_rng(1), len(worlds)
    drawn = rng.integers(0, count, (RESAMPLES if count > 1 else 0, count))
    found = {}
    for name, measure in measures.items():
        found[name] = round(measure(np.arange(count)), 4)
        if count > 1:
            low, high = np.quantile([measure(some) for some in drawn], [0.025, 0.975])
            found |= {f"{name}_low": round(float(low), 4), f"{name}_high": round(float(high), 4)}
    return found
