"""How the retrieval model's inputs and answers are read: the same when it serves and when it is examined."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]


def closed(
    items: NDArray[np.int32], kinds: NDArray[np.int32], gaps: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Histories [B, L] without holes: items that the model does not know (0) make room for padding, which
    goes to the left. It learnt from histories that have none.
    """
    order = np.argsort(items > 0, axis=1, kind="stable")
    items = np.take_along_axis(items, order, axis=1)
    known = items > 0
    return (
        items,
        np.take_along_axis(kinds, order, axis=1) * known,
        np.take_along_axis(gaps, order, axis=1) * known,
    )


def summed(
    rows: Ints, scores: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """The followers of one user's items, each once: rows in rising order, sums of their scores, and the index
    of the largest part of each sum (of equals the first). `rows` and `scores` [K] may name one several times;
    0 is no row.
    """
    order = np.lexsort((-scores, rows))
    order = order[np.searchsorted(rows[order], 1) :]
    own = rows[order]
    first = np.flatnonzero(np.diff(own, prepend=0))
    sums = np.add.reduceat(scores[order], first) if len(first) else np.empty(0)
    return own[first].astype(np.int64), sums.astype(np.float32), order[first]
