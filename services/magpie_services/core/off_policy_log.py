"""A log of decisions as arrays, checked: what off-policy estimates are made from. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.clustered import Floats, Ints

SUM_TOLERANCE = 1e-6
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Log:
    """n decisions with m arms in all.

    `user` [n] numbers who each decision is about, `reward` [n] what the drawn arm earned, `drawn` [n] its
    place among the m arms. Of each arm: `owner` [m] its decision (rising), `logging` [m] and `target` [m] the
    chances in [0, 1] that the policy which decided, and the one to judge, choose it, `model` [m] its worth as
    foretold before anything was known of it. An arm that was not possible has `logging` 0.
    """

    user: Ints
    reward: Floats
    drawn: Ints
    owner: Ints
    logging: Floats
    target: Floats
    model: Floats

    def __post_init__(self) -> None:
        """Raises ValueError that names what does not fit together."""
        decisions, arms = len(self.user), len(self.owner)
        for name, size in (("user", decisions), ("reward", decisions), ("drawn", decisions)):
            if getattr(self, name).shape != (size,):
                raise ValueError(f"{name}: must be one number a decision, not {getattr(self, name).shape}")
        for name in ("owner", "logging", "target", "model"):
            if getattr(self, name).shape != (arms,):
                raise ValueError(f"{name}: must be one number an arm, not {getattr(self, name).shape}")
        if arms and ((np.diff(self.owner) < 0).any() or self.owner[0] < 0 or self.owner[-1] >= decisions):
            raise ValueError("owner: must rise and name decisions")
        if not ((self.drawn >= 0) & (self.drawn < arms)).all():
            raise ValueError("drawn: must name arms")
        if (self.owner[self.drawn] != np.arange(decisions)).any():
            raise ValueError("drawn: must be an arm of its own decision")


class Rows(NamedTuple):
    """The n usable decisions, arrays [n]: whose, what the drawn arm earned, target / logging and logging of
    it, its reward less its modelled worth, and what the model thinks the target worth.
    """

    user: Ints
    reward: Floats
    weight: Floats
    logging: Floats
    residual: Floats
    direct: Floats


class Arms(NamedTuple):
    """Their m arms, arrays [m]: chances under both policies, modelled worth, and target / logging, which is
    infinite where only the target is possible."""

    logging: Floats
    target: Floats
    model: Floats
    ratio: Floats


def usable(log: Log) -> tuple[Rows, Arms, dict[str, int]]:
    """What can be used of a log, and how many decisions cannot, by the first reason that holds.

    "propensity": the drawn arm had no chance, or none that is a number. "chances": of either policy some are
    not in [0, 1], the target's do not sum to 1, or the logged ones to more. "reward", "model": no number.
    """
    count = len(log.user)
    with np.errstate(invalid="ignore"):
        strange = ~((log.logging >= 0) & (log.logging <= 1) & (log.target >= 0) & (log.target <= 1))
    logged, wanted = (
        np.bincount(log.owner, np.where(strange, 0.0, chances), count)
        for chances in (log.logging, log.target)
    )
    unfit = np.bincount(log.owner, strange, count) > 0
    unfit |= (logged > 1 + SUM_TOLERANCE) | (np.abs(wanted - 1) > SUM_TOLERANCE)
    bad = {
        "propensity": ~(log.logging[log.drawn] > 0),
        "chances": unfit,
        "reward": ~np.isfinite(log.reward),
        "model": np.bincount(log.owner, ~np.isfinite(log.model), count) > 0,
    }
    kept, left_out = np.ones(count, np.bool_), dict[str, int]()
    for reason, some in bad.items():
        if (some & kept).any():
            left_out[reason] = int((some & kept).sum())
        kept &= ~some
    return *_arrays(log, kept), left_out


def _arrays(log: Log, kept: Bools) -> tuple[Rows, Arms]:
    of_kept = kept[log.owner]
    owner = (np.cumsum(kept) - 1)[log.owner[of_kept]]
    drawn = (np.cumsum(of_kept) - 1)[log.drawn[kept]]
    logging, target, model = (
        column[of_kept].astype(np.float64) for column in (log.logging, log.target, log.model)
    )
    never = np.where(target > 0, np.inf, 0.0)
    ratio = np.divide(target, logging, out=never, where=logging > 0)
    reward = log.reward[kept].astype(np.float64)
    rows = Rows(
        user=log.user[kept],
        reward=reward,
        weight=ratio[drawn],
        logging=logging[drawn],
        residual=reward - model[drawn],
        direct=np.bincount(owner, target * model, len(reward)).astype(np.float64),
    )
    return rows, Arms(logging, target, model, ratio)
