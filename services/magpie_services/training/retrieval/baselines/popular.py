"""What everybody buys, the same for all: over all time, or in the newest days."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.retrieval.baselines.interactions import DAY_MS, positive
from magpie_services.training.retrieval.baselines.interactions import presence as present
from magpie_services.training.retrieval.sequences import History


@dataclass(frozen=True)
class Popular:
    """Ranks items by the number of users who met them in the newest `days` (0: ever)."""

    days: float = 0.0

    @property
    def name(self) -> str:
        return "popular_week" if self.days else "popular"

    @property
    def settings(self) -> dict[str, float]:
        return {"days": self.days} if self.days else {}

    def fit(self, history: History, size: int, seed: int) -> "PopularScorer":
        """Counts; see Baseline."""
        ever = np.asarray(present(history, size).sum(axis=0)).ravel()
        if not self.days or not len(history):
            return PopularScorer(ever.astype(np.float32))
        newest = _since(history, int(history.at_ms.max() - self.days * DAY_MS))
        lately = np.asarray(present(newest, size).sum(axis=0)).ravel()
        # Where nobody bought of late, those of all time decide: never by more than one buyer of late.
        return PopularScorer((lately + ever / (ever.max() + 1.0)).astype(np.float32))


@dataclass(frozen=True)
class PopularScorer:
    """`counts` float32 [size]."""

    counts: NDArray[np.float32]

    def scores(self, asked: History) -> NDArray[np.float32]:
        """The same row for everybody; see Scorer."""
        return np.broadcast_to(self.counts, (len(asked.users), len(self.counts)))


def _since(history: History, cut_ms: int) -> History:
    """The same users with only what speaks for an item and happened after `cut_ms`."""
    kept = (history.at_ms > cut_ms) & positive(history)
    before = np.concatenate([[0], np.cumsum(kept)])
    return History(
        history.users, before[history.offsets], history.items[kept], history.kinds[kept], history.at_ms[kept]
    )
