"""EASE: item-to-item weights that rebuild every user's row best without its own column, in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from magpie_services.kit.errors import Invalid
from magpie_services.training.retrieval.baselines.interactions import counts
from magpie_services.training.retrieval.sequences import History

MAX_ITEMS = 16_000  # a square of float32 of so many is 1 GB; beyond it only the most popular are modelled
_BLOCK = 1_024


@dataclass(frozen=True)
class Ease:
    """`ridge` is the L2 weight; `power` bends counts (0: met or not); of the user's past, counts halve every
    `half_life_days` (0: never).
    """

    ridge: float = 300.0
    power: float = 0.0
    half_life_days: float = 0.0

    @property
    def name(self) -> str:
        return "ease"

    @property
    def settings(self) -> dict[str, float]:
        return {"ridge": self.ridge, "power": self.power, "half_life_days": self.half_life_days}

    def fit(self, history: History, size: int, seed: int) -> "EaseScorer":
        """Inverts one matrix; see Baseline. Raises Invalid where the ridge is too small for that."""
        met = counts(history, size)
        met.data = met.data**self.power
        popular = np.asarray(met.sum(axis=0)).ravel()
        chosen = np.sort(np.argsort(-popular, kind="stable")[:MAX_ITEMS])
        gram = (met[:, chosen].T @ met[:, chosen]).astype(np.float32).toarray(order="F")
        gram[np.diag_indices(len(chosen))] += self.ridge
        weights = _inverse(gram)
        weights /= -np.diag(weights).copy()
        np.fill_diagonal(weights, 0.0)
        return EaseScorer(chosen, weights, popular.astype(np.float32), self.power, self.half_life_days)


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of a symmetric positive definite matrix, in its own memory: half the work and a third of the memory of
    a general inversion.
    """
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if not failed:
        inverse, failed = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise Invalid("ridge", "is too small for a stable inverse")
    for start in range(0, len(inverse), _BLOCK):
        end = start + _BLOCK
        square = inverse[start:end, start:end]
        square += np.tril(square, -1).T
        inverse[start:end, end:] = inverse[end:, start:end].T
    return np.asarray(inverse)


@dataclass(frozen=True)
class EaseScorer:
    """`weights` float32 [chosen, chosen]: row = what was met, column = what may follow."""

    chosen: NDArray[np.int64]
    weights: NDArray[np.float32]
    popular: NDArray[np.float32]
    power: float
    half_life_days: float

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer. Items that are not modelled come last, by popularity."""
        past = counts(asked, len(self.popular), half_life_days=self.half_life_days)
        past.data = past.data ** (self.power if not self.half_life_days else max(self.power, 0.5))
        known = np.asarray(past[:, self.chosen] @ self.weights, dtype=np.float32)
        floor = float(known.min(initial=0.0)) - 2.0
        found = floor + self.popular / (self.popular.max(initial=0.0) + 1.0)
        found = np.repeat(found[None].astype(np.float32), len(asked.users), axis=0)
        found[:, self.chosen] = known
        return found
