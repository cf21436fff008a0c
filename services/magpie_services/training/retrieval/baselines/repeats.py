"""What the user had before: the last first, or the most frequent. After that, what is popular of late."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.retrieval.baselines.interactions import counts, owners, positive
from magpie_services.training.retrieval.baselines.popular import Popular
from magpie_services.training.retrieval.sequences import History


@dataclass(frozen=True)
class RepeatLast:
    """The newest items first; of one basket those met most often, then those that are popular of late."""

    @property
    def name(self) -> str:
        return "repeat_last"

    @property
    def settings(self) -> dict[str, float]:
        return {}

    def fit(self, history: History, size: int, seed: int) -> "RepeatScorer":
        """Only counts what is popular; see Baseline."""
        return RepeatScorer(_popular(history, size), newest_first=True)


@dataclass(frozen=True)
class MostFrequent:
    """The items met most often first, counts halving with age as in `counts`; of equals the newest, or where
    `newest` is False those that are popular of late.
    """

    half_life_days: float = 0.0
    newest: bool = True

    @property
    def name(self) -> str:
        return "most_frequent"

    @property
    def settings(self) -> dict[str, float]:
        return {"half_life_days": self.half_life_days, "newest": float(self.newest)}

    def fit(self, history: History, size: int, seed: int) -> "RepeatScorer":
        """Only counts what is popular; see Baseline."""
        return RepeatScorer(_popular(history, size), half_life_days=self.half_life_days, newest=self.newest)


@dataclass(frozen=True)
class RepeatScorer:
    """`popular` float32 [size], below 1: it orders what the user never had, and what nothing else tells
    apart.
    """

    popular: NDArray[np.float32]
    newest_first: bool = False
    half_life_days: float = 0.0
    newest: bool = True

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer."""
        size = len(self.popular)
        often = counts(asked, size, half_life_days=self.half_life_days).toarray()
        late = _recency(asked, size)
        first, second = (late, often) if self.newest_first else (often, late if self.newest else 0.0 * late)
        tie = (second + self.popular) / (second.max(axis=1, keepdims=True, initial=0.0) + 1.0)
        # Counts that halve are seldom equal: nearly equal ones count as a tie then.
        share = 0.01 if self.half_life_days else 1.0
        return np.where(often > 0, 1.0 + first + share * tie, self.popular).astype(np.float32)


def _recency(history: History, size: int) -> NDArray[np.float32]:
    """The place of the newest basket with the item among the user's baskets, 1 the first: [users, size].

    Equal times are one basket; in a log that knows only an order every row is one.
    """
    found = np.zeros((len(history.users), size), dtype=np.float32)
    if not len(history):
        return found
    owner = owners(history)
    timed = bool(history.at_ms.any())
    moment = history.at_ms if timed else np.arange(len(history))
    begins = np.append(True, (owner[1:] != owner[:-1]) | (moment[1:] != moment[:-1]))
    place = np.cumsum(begins)
    place = place - place[history.offsets[:-1].clip(max=len(history) - 1)][owner] + 1
    kept = positive(history)
    np.maximum.at(found, (owner[kept], history.items[kept]), place[kept])
    return found


def _popular(history: History, size: int) -> NDArray[np.float32]:
    """What was popular in the last week, below 1."""
    lately = Popular(days=7.0).fit(history, size, seed=0).counts
    return np.asarray(lately / (lately.max(initial=0.0) + 1.0), dtype=np.float32)
