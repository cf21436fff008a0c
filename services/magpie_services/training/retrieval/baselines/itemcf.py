"""ItemCF: items that the same users met, by cosine with shrinkage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from magpie_services.training.retrieval.baselines.interactions import counts, presence
from magpie_services.training.retrieval.sequences import History


@dataclass(frozen=True)
class ItemCF:
    """The cosine of two items is damped by `shrinkage` imaginary users who met only one of them; the
    `neighbours` best are kept. With `own` an item is its own neighbour too: right where people buy again. The
    user's past halves every `half_life_days` (0: never).
    """

    shrinkage: float = 10.0
    neighbours: int = 100
    half_life_days: float = 0.0
    own: bool = False

    @property
    def name(self) -> str:
        return "itemcf"

    @property
    def settings(self) -> dict[str, float]:
        return {
            "shrinkage": self.shrinkage,
            "neighbours": self.neighbours,
            "half_life_days": self.half_life_days,
            "own": float(self.own),
        }

    def fit(self, history: History, size: int, seed: int) -> "ItemToItem":
        """Counts pairs; see Baseline."""
        met = presence(history, size)
        together = (met.T @ met).tocsr()
        norm = np.sqrt(together.diagonal())
        if not self.own:
            together.setdiag(0.0)
            together.eliminate_zeros()
        rows = np.repeat(np.arange(size), np.diff(together.indptr))
        together.data /= norm[rows] * norm[together.indices] + self.shrinkage
        return ItemToItem(_best(together, self.neighbours), self.half_life_days)


@dataclass(frozen=True)
class ItemToItem:
    """`links` [size, size]: row = what was met, column = what may follow."""

    links: sparse.csr_matrix
    half_life_days: float = 0.0

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer."""
        size = self.links.shape[0]
        past = counts(asked, size, half_life_days=self.half_life_days)
        past.data = np.log1p(past.data)
        return np.asarray((past @ self.links).toarray(), dtype=np.float32)


def _best(links: sparse.csr_matrix, limit: int) -> sparse.csr_matrix:
    """The `limit` largest of each row."""
    rows = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr))
    order = np.lexsort((-links.data, rows))
    place = np.arange(len(rows)) - links.indptr[rows]
    kept = order[place < limit]
    return sparse.csr_matrix((links.data[kept], (rows[kept], links.indices[kept])), shape=links.shape)
