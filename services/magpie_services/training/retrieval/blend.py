"""One score out of several: the encoder's cosine, the transitions' sums, how popular an item is; with weights
that are found on validation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.retrieval.baselines import Scorer
from magpie_services.training.retrieval.sequences import History

# Weights of the second and the third score that are tried, where 1 gives it the spread of the first.
SHARES = ((0.0, 0.15, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0), (0.0, 0.05, 0.15, 0.4))
_USERS = 512


@dataclass(frozen=True)
class Popularity:
    """The same for everybody: the logarithm of how often an item was seen, plus one."""

    counts: NDArray[np.int64]

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer."""
        return np.tile(np.log1p(self.counts).astype(np.float32), (len(asked.users), 1))


@dataclass(frozen=True)
class Blend:
    """The sum of weighted scores."""

    scorers: tuple[Scorer, ...]
    weights: tuple[float, ...]

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer."""
        return weighted([scorer.scores(asked) for scorer in self.scorers], self.weights)


def weighted(scores: Sequence[NDArray[np.float32]], weights: Sequence[float]) -> NDArray[np.float32]:
    """The sum of `weights` · `scores`, a new array."""
    total = scores[0] * np.float32(weights[0])
    for one, weight in zip(scores[1:], weights[1:], strict=True):
        if weight:
            total += one * np.float32(weight)
    return total


def trials(scorers: Sequence[Scorer], sample: History) -> list[tuple[float, ...]]:
    """Weights to try: 1 for the first scorer, for the others shares of its spread over the users of
    `sample`. The first of them leaves the first scorer alone.
    """
    few = sample.of(np.arange(min(_USERS, len(sample.users))))
    first, *others = (max(spread(scorer.scores(few)), 1e-9) for scorer in scorers)
    steps = [[first / other * share for share in some] for other, some in zip(others, SHARES, strict=False)]
    return [(1.0, *some) for some in product(*steps)]


def blended(
    scorers: Sequence[Scorer],
    sample: History,
    score: Callable[[list[tuple[float, ...]]], Sequence[float]],
    log: Callable[[tuple[float, ...], float], None] = lambda weights, found: None,
) -> Blend:
    """The blend that scores best; `score` answers for many weights at once. Each try is told to `log`."""
    tried = trials(scorers, sample)
    found = score(tried)
    for weights, one in zip(tried, found, strict=True):
        log(weights, one)
    return Blend(tuple(scorers), tried[int(np.argmax(found))])


def spread(scores: NDArray[np.float32]) -> float:
    """By how much a user's best item is above their mean one."""
    return float(np.mean(scores[:, 1:].max(axis=1) - scores[:, 1:].mean(axis=1)))
