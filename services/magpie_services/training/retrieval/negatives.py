"""What a wanted item is compared with: all items where they are few, else drawn ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.plan import RetrieverPlan


@dataclass(frozen=True)
class Negatives:
    """`items` int32 [N], or [T, K] with own ones for each position; `log_counts` float32 of the same shape is
    the logarithm of how often each was expected to be drawn, 0 where nothing is to be corrected.
    """

    items: NDArray[np.int32]
    log_counts: NDArray[np.float32]


class Sampler:
    """Draws from the items that were seen: an item that never was must not be pushed away for it."""

    def __init__(self, plan: RetrieverPlan, counts: NDArray[np.int64], full: bool | None = None) -> None:
        """`counts` [n] says how often each item was seen; `full` None lets the plan decide."""
        self._plan = plan
        self.known = (np.flatnonzero(counts[1:] > 0) + 1).astype(np.int32)
        self._shares = counts / max(1, counts.sum())
        few = len(self.known) <= max(plan.full_below, plan.negatives)
        self.full = (plan.objective == "softmax" and few) if full is None else full
        """Whether the softmax is over all known items, and nothing is drawn."""

    def draw(self, targets: NDArray[np.int32], rng: np.random.Generator) -> Negatives:
        """Negatives against the targets [T] of a batch."""
        plan, size = self._plan, len(self.known)
        shape = (plan.negatives,) if plan.shared else (len(targets), plan.negatives)
        items = self.known[rng.integers(0, size, shape)]
        if plan.mixed:
            own = targets[rng.integers(0, len(targets), shape)]
            items = np.where(rng.random(shape) < plan.mixed, own, items)
        if not plan.logq:
            return Negatives(items, np.zeros(shape, np.float32))
        chance = (1 - plan.mixed) / size + plan.mixed * self._shares[items]
        return Negatives(items, np.log(plan.negatives * chance).astype(np.float32))
