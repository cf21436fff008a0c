"""The windows that a sequence model learns from: batches of windows of like length, each position with what
it should have foretold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.plan import HISTORY
from magpie_services.training.retrieval.sequences import HOUR_MS, KIND_WEIGHTS, WEEK_MS, History


@dataclass(frozen=True)
class Drawn:
    """For rows of a history [T]: a later item each, how much it counts (0: nothing follows), and log1p hours
    from the row until one might ask.
    """

    targets: NDArray[np.int32]
    weights: NDArray[np.float32]
    since: NDArray[np.float32]


class Objective(Protocol):
    """What the position of a row should foretell."""

    shift: int
    """The newest windows end up to so many rows early, so that all places learn."""

    idle: int
    """So many of a history's newest rows foretell nothing."""

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Drawn:
        """One target for each row [T]."""
        ...


class NextItem:
    """The very next item of the same user; needs no times."""

    shift = 0
    idle = 1

    def __init__(self, history: History) -> None:
        self._items = np.append(history.items[1:], 0).astype(np.int32)
        self._weights = np.ones(len(history), np.float32)
        self._weights[history.offsets[1:][np.diff(history.offsets) > 0] - 1] = 0.0

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Drawn:
        weights = self._weights[rows]
        targets = np.where(weights > 0, self._items[rows], 0).astype(np.int32)
        return Drawn(targets, weights, np.zeros(len(rows), np.float32))


class FollowingWeek:
    """One interaction of the week that began with the next one, purchases counting most."""

    shift = HISTORY // 2
    idle = 0  # a basket may end a history: which rows are idle is known row by row only

    def __init__(self, history: History) -> None:
        self._history = history
        at_ms, lengths = history.at_ms, np.diff(history.offsets)
        user = np.repeat(np.arange(len(lengths)), lengths)
        span = int(at_ms.max() - at_ms.min()) + 2 * WEEK_MS if len(at_ms) else WEEK_MS
        key = user * span + (at_ms - (at_ms.min() if len(at_ms) else 0))
        # Equal times are one basket: none of it is the future of the rest.
        self._start = np.searchsorted(key, key, side="right")
        last = history.offsets[1:][user]
        self._has_next = self._start < last
        next_key = key[np.minimum(self._start, max(len(key) - 1, 0))]
        self._end = np.minimum(np.searchsorted(key, next_key + WEEK_MS, side="right"), last)

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Drawn:
        history, usable = self._history, self._has_next[rows]
        start, end = np.where(usable, self._start[rows], 0), self._end[rows]
        drawn = start + (rng.random(len(rows)) * np.maximum(end - start, 1)).astype(np.int64)
        drawn = np.where(usable, np.minimum(drawn, len(history) - 1), 0)
        wait = np.where(usable, np.maximum(history.at_ms[start] - history.at_ms[rows], 0), 0)
        return Drawn(
            np.where(usable, history.items[drawn], 0).astype(np.int32),
            np.where(usable, KIND_WEIGHTS[history.kinds[drawn]], 0.0).astype(np.float32),
            np.log1p(rng.random(len(rows)) * wait / HOUR_MS).astype(np.float32),
        )


@dataclass(frozen=True)
class Batch:
    """Windows of the batch's longest length L, right-aligned: items, kinds int32 [B, L], gaps float32 [B, L].

    `at` int32 [T] are the positions that learn, counted through the flattened windows, with their `targets`,
    `since` and `weights` (all above 0).
    """

    items: NDArray[np.int32]
    kinds: NDArray[np.int32]
    gaps: NDArray[np.float32]
    at: NDArray[np.int32]
    targets: NDArray[np.int32]
    since: NDArray[np.float32]
    weights: NDArray[np.float32]


class Windows:
    """All histories, cut into windows of at most 50."""

    def __init__(self, history: History, objective: Objective) -> None:
        self._history = history
        self._objective = objective

    def epoch(self, batch: int, tokens: int, rng: np.random.Generator) -> Iterator[Batch]:
        """All histories once, in random order: at most `batch` windows and `tokens` positions at a time.

        Windows of like length go together, so that little of a batch is padding.
        """
        starts, ends = self._cut(rng)
        # Sorting by a length that is blurred keeps batches from being the same every time.
        order = np.argsort((ends - starts) * rng.uniform(0.9, 1.1, len(ends)), kind="stable")
        starts, ends = starts[order], ends[order]
        batches = _groups(ends - starts, batch, tokens)
        for number in rng.permutation(len(batches)).tolist():
            low, high = batches[number]
            made = self._batch(starts[low:high], ends[low:high], rng)
            if len(made.at):
                yield made

    def _cut(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last (exclusive) rows of windows, 50 long if there is so much; seams move each time."""
        first = self._history.offsets[:-1]
        last = np.maximum(self._history.offsets[1:] - self._objective.idle, first)
        lengths = last - first
        most = np.minimum(self._objective.shift, np.maximum(lengths - 1, 0))
        newest = last - (rng.random(len(last)) * most).astype(np.int64)
        # The newest window of a long history may be short, so that the seams move.
        seam = np.where(
            newest - first > HISTORY,
            newest - rng.integers(HISTORY // 2, HISTORY + 1, len(last)),
            first,
        )
        if self._objective.shift:
            seam = np.maximum(newest - HISTORY, first)
        starts, ends = [seam], [newest]
        rest = seam
        while (rest > first).any():
            first, rest = first[rest > first], rest[rest > first]
            starts.append(np.maximum(rest - HISTORY, first))
            ends.append(rest)
            rest = starts[-1]
        start, end = np.concatenate(starts), np.concatenate(ends)
        kept = end > start
        return start[kept], end[kept]

    def _batch(self, starts: NDArray[np.int64], ends: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        history, longest = self._history, int((ends - starts).max())
        rows = ends[:, None] + np.arange(-longest, 0)
        real = rows >= starts[:, None]
        rows = np.where(real, rows, starts[:, None])
        hours = (history.at_ms[ends - 1][:, None] - history.at_ms[rows]) / HOUR_MS
        at = np.flatnonzero(real)
        drawn = self._objective.draw(rows.ravel()[at], rng)
        learns = drawn.weights > 0
        return Batch(
            np.where(real, history.items[rows], 0).astype(np.int32),
            np.where(real, history.kinds[rows], 0).astype(np.int32),
            np.where(real, np.log1p(hours), 0.0).astype(np.float32),
            at[learns].astype(np.int32),
            drawn.targets[learns],
            drawn.since[learns],
            drawn.weights[learns],
        )


def _groups(lengths: NDArray[np.int64], batch: int, tokens: int) -> list[tuple[int, int]]:
    """Ranges over windows that are about sorted by length, each within both limits."""
    found, low, longest = [], 0, 0
    for place, length in enumerate(lengths.tolist()):
        longest = max(longest, length)
        if place > low and (place - low >= batch or longest * (place - low + 1) > tokens):
            found.append((low, place))
            low, longest = place, length
    if len(lengths) > low:
        found.append((low, len(lengths)))
    return found
