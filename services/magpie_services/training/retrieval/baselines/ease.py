"""EASE: item-to-item weights that rebuild every user's row best without its own column, in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.retrieval.baselines.interactions import counts
from magpie_services.training.retrieval.sequences import History

MAX_ITEMS = 16_000  # a square of float32 of so many is 1 GB; beyond it only the most popular are modelled


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
        """Inverts one matrix; see Baseline."""
        met = counts(history, size)
        met.data = met.data**self.power
        popular = np.asarray(met.sum(axis=0)).ravel()
        chosen = np.sort(np.argsort(-popular, kind="stable")[:MAX_ITEMS])
        gram = (met[:, chosen].T @ met[:, chosen]).toarray().astype(np.float32)
        gram[np.diag_indices(len(chosen))] += self.ridge
        inverse = np.linalg.inv(gram)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        return EaseScorer(chosen, weights, popular.astype(np.float32), self.power, self.half_life_days)


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
