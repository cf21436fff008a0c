"""What the user had before: the last first, or the most frequent. After that, what is popular."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.retrieval.baselines.interactions import counts, owners, positive, presence
from magpie_services.training.retrieval.sequences import History


@dataclass(frozen=True)
class RepeatLast:
    """The newest items first; of one basket those bought most often."""

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
    """The items met most often first; of equals the newest. Counts may halve with age, see `counts`."""

    half_life_days: float = 0.0

    @property
    def name(self) -> str:
        return "most_frequent"

    @property
    def settings(self) -> dict[str, float]:
        return {"half_life_days": self.half_life_days}

    def fit(self, history: History, size: int, seed: int) -> "RepeatScorer":
        """Only counts what is popular; see Baseline."""
        return RepeatScorer(_popular(history, size), newest_first=False, half_life_days=self.half_life_days)


@dataclass(frozen=True)
class RepeatScorer:
    """`popular` float32 [size], below 1: it orders what the user never had."""

    popular: NDArray[np.float32]
    newest_first: bool
    half_life_days: float = 0.0

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer."""
        size = len(self.popular)
        often = counts(asked, size, half_life_days=self.half_life_days).toarray()
        late = _recency(asked, size)
        first, second = (late, often) if self.newest_first else (often, late)
        # Of 1 and more: what the first cannot tell apart the second decides.
        tie = second / (second.max(axis=1, keepdims=True, initial=1.0) + 1.0)
        smallest = 1.0 if self.newest_first or not self.half_life_days else 1e-3
        found = np.where(often > 0, 1.0 + first + smallest * tie, self.popular)
        return found.astype(np.float32)


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
    ever = np.asarray(presence(history, size).sum(axis=0)).ravel()
    return np.asarray(ever / (ever.max(initial=0.0) + 1.0), dtype=np.float32)
