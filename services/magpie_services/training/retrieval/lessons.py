"""Batches made ready for a training step: which items they need, and each as a place among those."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.plan import HISTORY
from magpie_services.training.retrieval.negatives import Sampler
from magpie_services.training.retrieval.retriever import Lesson
from magpie_services.training.retrieval.windows import Batch

# Where every shape is compiled anew, windows come in these lengths only.
_LENGTHS = (8, 16, 32, HISTORY)
_LEAST = 64


class Lessons:
    """Makes lessons out of batches."""

    def __init__(self, sampler: Sampler, size: int) -> None:
        """`size` is that of the vocabulary."""
        self._sampler = sampler
        self._all = np.concatenate([[0], sampler.known]).astype(np.int32)
        self._place = np.zeros(size, np.int32)
        self._place[self._all] = np.arange(len(self._all))

    def lesson(self, batch: Batch, rng: np.random.Generator) -> Lesson:
        """The lesson of a batch, with negatives drawn for it where the softmax is not over all items."""
        negatives: NDArray[Any] = np.zeros(0, np.int32)
        counts = np.zeros(0, np.float32)
        rows: NDArray[Any] = self._all
        items: NDArray[Any] = self._place[batch.items]
        targets: NDArray[Any] = self._place[batch.targets]
        if not self._sampler.full:
            drawn = self._sampler.draw(batch.targets, rng)
            parts = ([0], batch.items.ravel(), batch.targets, drawn.items.ravel())
            rows, places = np.unique(np.concatenate(parts), return_inverse=True)
            ends = np.cumsum([len(part) for part in parts])
            items = places[ends[0] : ends[1]].reshape(batch.items.shape)
            targets = places[ends[1] : ends[2]]
            negatives, counts = places[ends[2] :].reshape(drawn.items.shape), drawn.log_counts
        return Lesson(
            rows=rows.astype(np.int32),
            items=items.astype(np.int32),
            kinds=batch.kinds,
            gaps=batch.gaps,
            at=batch.at,
            targets=targets.astype(np.int32),
            since=batch.since,
            weights=batch.weights,
            negatives=negatives.astype(np.int32),
            log_counts=counts,
        )


def share_of(lesson: Lesson, member: int, members: int) -> Lesson:
    """Every so-manieth window of a lesson, with its positions: the shares of all members are the whole."""
    longest, own = lesson.items.shape[1], lesson.negatives.ndim > 1
    kept = np.flatnonzero(lesson.at // longest % members == member)
    return lesson._replace(
        items=lesson.items[member::members],
        kinds=lesson.kinds[member::members],
        gaps=lesson.gaps[member::members],
        at=(lesson.at[kept] // longest // members * longest + lesson.at[kept] % longest).astype(np.int32),
        targets=lesson.targets[kept],
        since=lesson.since[kept],
        weights=lesson.weights[kept],
        negatives=lesson.negatives[kept] if own else lesson.negatives,
        log_counts=lesson.log_counts[kept] if own else lesson.log_counts,
    )


def padded(lesson: Lesson) -> Lesson:
    """The same lesson in one of few shapes: what is added is padding or weighs nothing."""
    count, longest = lesson.items.shape
    length = next(length for length in _LENGTHS if length >= longest)
    more, wider = _power(count) - count, length - longest
    at = lesson.at // longest * length + lesson.at % longest + wider
    late = _power(len(at)) - len(at)
    rows = lesson.rows if not lesson.negatives.size else _longer(lesson.rows, _power(len(lesson.rows)))

    def windows(column: NDArray[Any]) -> NDArray[Any]:
        return np.pad(column, ((0, more), (wider, 0)))

    def positions(column: NDArray[Any]) -> NDArray[Any]:
        return np.pad(column, [(0, late)] + [(0, 0)] * (column.ndim - 1))

    own = lesson.negatives.ndim > 1
    return lesson._replace(
        rows=rows,
        items=windows(lesson.items),
        kinds=windows(lesson.kinds),
        gaps=windows(lesson.gaps),
        at=positions(at.astype(np.int32)),
        # Place 1 is always an item: padding may not ask for what does not exist.
        targets=np.pad(lesson.targets, (0, late), constant_values=1),
        since=positions(lesson.since),
        weights=positions(lesson.weights),
        negatives=positions(lesson.negatives) if own else lesson.negatives,
        log_counts=positions(lesson.log_counts) if own else lesson.log_counts,
    )


def _power(count: int) -> int:
    """The next power of two, at least 64."""
    return max(_LEAST, 1 << (count - 1).bit_length())


def _longer(rows: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    return np.pad(rows, (0, count - len(rows)))
