"""BPR: factors of users and items learnt from pairs "this item rather than that one", by AdaGrad."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from magpie_services.training.retrieval.baselines.interactions import owners, positive
from magpie_services.training.retrieval.sequences import History

BATCH = 4_096

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Bpr:
    """Matrix factorisation with an item bias. Every row of the history is a positive, so that what is bought
    often counts often; its negative is an item that the user has not met.
    """

    factors: int = 64
    learning_rate: float = 0.1
    ridge: float = 0.01
    epochs: int = 30

    @property
    def name(self) -> str:
        return "bpr"

    @property
    def settings(self) -> dict[str, float]:
        return {
            "factors": self.factors,
            "learning_rate": self.learning_rate,
            "ridge": self.ridge,
            "epochs": self.epochs,
        }

    def fit(self, history: History, size: int, seed: int) -> "BprScorer":
        """Draws pairs; see Baseline."""
        rng = np.random.default_rng(seed)
        kept = positive(history)
        user, item = owners(history)[kept], history.items[kept].astype(np.int64)
        met = np.unique(user * size + item)
        # The last column of an item meets a constant 1 of the user: its bias.
        users = _Table(rng.normal(0, 0.1, (len(history.users), self.factors + 1)), self)
        users.values[:, -1] = 1.0
        items = _Table(rng.normal(0, 0.1, (size, self.factors + 1)), self)
        items.values[:, -1] = 0.0
        for _ in range(self.epochs):
            order = rng.permutation(len(user))
            for at in range(0, len(order), BATCH):
                rows = order[at : at + BATCH]
                other = rng.integers(1, max(size, 2), len(rows))
                fresh = ~_among(user[rows] * size + other, met)
                _step(users, items, user[rows][fresh], item[rows][fresh], other[fresh])
        index = {name: place for place, name in enumerate(history.users)}
        return BprScorer(index, users.values, items.values)


@dataclass(frozen=True)
class BprScorer:
    """Factors float32 [users, f + 1] and [size, f + 1]; the last column of items is their bias."""

    index: dict[str, int]
    users: Floats
    items: Floats

    def scores(self, asked: History) -> Floats:
        """Users who were not learnt from get the biases; see Scorer."""
        nobody = np.append(np.zeros(self.users.shape[1] - 1, np.float32), np.float32(1))
        table = np.concatenate([self.users, nobody[None]])
        places = np.array([self.index.get(name, len(self.users)) for name in asked.users], np.int64)
        return np.asarray(table[places] @ self.items.T, dtype=np.float32)


class _Table:
    """Rows with AdaGrad: the gradients of a batch are summed by row first."""

    def __init__(self, values: NDArray[np.float64], plan: Bpr) -> None:
        self.values: Floats = values.astype(np.float32)
        self._squares = np.full_like(self.values, 1e-2)
        self._rate, self._ridge = plan.learning_rate, plan.ridge

    def add(self, rows: Rows, ascent: Floats, columns: slice = slice(None)) -> None:
        """Climbs along `ascent` [n, f], of `rows` [n]."""
        touched, place = np.unique(rows, return_inverse=True)
        spread = sparse.csr_matrix((np.ones(len(rows), np.float32), (place, np.arange(len(rows)))))
        step = (spread @ ascent - self._ridge * self.values[touched])[:, columns]
        self._squares[touched, columns] += step**2
        self.values[touched, columns] += self._rate * step / np.sqrt(self._squares[touched, columns])


def _step(users: _Table, items: _Table, user: Rows, item: Rows, other: Rows) -> None:
    if not len(user):
        return
    mine, right, wrong = users.values[user], items.values[item], items.values[other]
    doubt = 1 / (1 + np.exp(np.einsum("nf,nf->n", mine, right - wrong)))
    users.add(user, doubt[:, None] * (right - wrong), slice(0, -1))
    pull = doubt[:, None] * mine
    items.add(np.concatenate([item, other]), np.concatenate([pull, -pull]))


def _among(keys: Rows, known: Rows) -> NDArray[np.bool_]:
    """Whether each key is in the sorted `known`."""
    if not len(known):
        return np.zeros(len(keys), np.bool_)
    return np.asarray(known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys)
