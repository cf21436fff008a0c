"""A history as a sparse matrix of users by items: what the baselines without order read."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from magpie_services.training.retrieval.sequences import KIND_WEIGHTS, History

DAY_MS = 86_400_000


def owners(history: History) -> NDArray[np.int64]:
    """The position of the user of each row: int64 [n]."""
    return np.repeat(np.arange(len(history.users)), np.diff(history.offsets))


def positive(history: History) -> NDArray[np.bool_]:
    """Rows that speak for their item, bool [n]: not what was given back. Kind 0 is a log without kinds."""
    known = np.minimum(history.kinds, len(KIND_WEIGHTS) - 1)
    return np.asarray((history.kinds == 0) | (KIND_WEIGHTS[known] > 0))


def counts(history: History, size: int, *, half_life_days: float = 0.0) -> sparse.csr_matrix:
    """In how many baskets (equal times are one) each user met each item, float32 [users, size]; a count
    halves every `half_life_days` before the newest row of the history (0: never).
    """
    kept = positive(history) & ~_again(history)
    weight = np.ones(len(history), dtype=np.float32)
    if half_life_days and len(history):
        age_ms = history.at_ms.max() - history.at_ms
        weight = np.exp2(-age_ms / (half_life_days * DAY_MS)).astype(np.float32)
    shape = (len(history.users), size)
    found = sparse.csr_matrix((weight[kept], (owners(history)[kept], history.items[kept])), shape=shape)
    found.sum_duplicates()
    return found


def presence(history: History, size: int) -> sparse.csr_matrix:
    """1 where a user met an item: float32 [users, size]."""
    found = counts(history, size)
    found.data[:] = 1.0
    return found


def _again(history: History) -> NDArray[np.bool_]:
    """Rows that say of one basket what an earlier one said; none where only an order is known."""
    found = np.zeros(len(history), np.bool_)
    if not history.at_ms.any():
        return found
    owner = owners(history)
    order = np.lexsort((history.items, history.at_ms, owner))
    same = np.ones(len(order) - 1, np.bool_)
    for column in (owner, history.at_ms, history.items):
        same &= column[order][1:] == column[order][:-1]
    found[order[1:]] = same
    return found
