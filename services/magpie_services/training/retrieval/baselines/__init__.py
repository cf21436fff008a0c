"""Models without a deep encoder that every retriever must beat, behind one shape: fit, then score."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.retrieval.sequences import History


class Scorer(Protocol):
    """A fitted model."""

    def scores(self, asked: History) -> NDArray[np.float32]:
        """What the users of `asked` may want after the last row of each: float32 [users, size].

        Higher is better, any scale, all finite; column 0 is padding and never read. What a user already had
        keeps its score: whoever ranks decides whether it may come again. A user may have no rows.
        """
        ...


class Baseline(Protocol):
    """One setting of one model."""

    @property
    def name(self) -> str:
        """The model, "itemcf" say; the same for all its settings."""
        ...

    @property
    def settings(self) -> dict[str, float]:
        """What distinguishes this setting from the others of the model, for the tuning log."""
        ...

    def fit(self, history: History, size: int, seed: int) -> Scorer:
        """Learns from all rows; items are 1 to size - 1. Times are 0 throughout where only an order is
        known.
        """
        ...
