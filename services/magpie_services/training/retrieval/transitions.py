"""What follows what: a sparse table from item to item, counted from pairs close to each other in histories.

It knows the very last steps better than a vector can, as the vector knows tastes better than it; the two are
blended by a weight found on validation (see blend.py). Pairs count less the farther apart they are, pairs
against the order of time count less than those along it, and popular items on either side are held back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from magpie_services.training.retrieval.sequences import History

DAY_MS = 86_400_000
_SMOOTHING = 3.0
_ROWS = 2_000_000

Csr: TypeAlias = Any  # scipy's csr_array, which has no types


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How pairs are counted: up to `window` steps apart, each step worth `decay` of the one before, pairs
    backwards `back` of those forwards; with times known, halved every `half_life_days` between the two (0:
    never). A count is divided by (first item's count + 3)^`power_from` · (second's)^`power_to`; of every item
    the `keep` highest stay.

    How they are read: the newest `steps` of a history, each step back worth `fading` of the one after it.
    """

    window: int = 8
    decay: float = 0.7
    back: float = 0.5
    half_life_days: float = 0.0
    power_from: float = 0.3
    power_to: float = 0.3
    keep: int = 100
    steps: int = 20
    fading: float = 0.7


FIRST = Settings()

# What is tried on validation: a field at a time in this order, twice. The ends are wide on purpose: shops and
# grocers lie far apart.
GRID: dict[str, tuple[float, ...]] = {
    "fading": (0.3, 0.5, 0.7, 0.85, 0.95),
    "power_to": (0.0, 0.1, 0.2, 0.3, 0.5, 0.7),
    "power_from": (0.0, 0.15, 0.3, 0.5, 0.7),
    "back": (0.0, 0.3, 0.6, 1.0),
    "decay": (0.5, 0.7, 0.85, 1.0),
    "window": (3, 8, 20, 50),
}
TIMED_GRID: dict[str, tuple[float, ...]] = {**GRID, "half_life_days": (0.0, 1.0, 7.0, 30.0)}
# Windows beyond which there would be more pairs than this are not tried: they would not fit into memory.
MAX_PAIRS = 30_000_000


@dataclass
class Pairs:
    """Counts of ordered pairs by distance, which the settings weigh; kept so that trying another is quick."""

    history: History
    size: int
    _distances: dict[tuple[int, float], Csr] = field(default_factory=dict)

    def at(self, distance: int, half_life_days: float) -> Csr:
        """How often the column's item came `distance` steps after the row's: [size, size]."""
        key = distance, half_life_days
        if key not in self._distances:
            self._distances[key] = self._counted(distance, half_life_days)
        return self._distances[key]

    def _counted(self, distance: int, half_life_days: float) -> Csr:
        history = self.history
        found = sparse.csr_array((self.size, self.size), dtype=np.float32)
        user = np.repeat(np.arange(len(history.users)), np.diff(history.offsets))
        for at in range(0, max(len(history) - distance, 0), _ROWS):
            first = np.arange(at, min(at + _ROWS, len(history) - distance))
            first = first[user[first] == user[first + distance]]
            second = first + distance
            weight = np.ones(len(first), np.float32)
            if half_life_days:
                days = (history.at_ms[second] - history.at_ms[first]) / DAY_MS
                weight *= np.exp2(-days / half_life_days).astype(np.float32)
            pairs = weight, (history.items[first], history.items[second])
            found = found + sparse.coo_array(pairs, shape=found.shape).tocsr()
        return found


@dataclass(frozen=True)
class Transitions:
    """A table [size, size] and how it is read; see Settings."""

    settings: Settings
    table: Csr

    def scores(self, asked: History) -> NDArray[np.float32]:
        """Sums of what follows the newest items of each user: float32 [users, size]; 0 where nothing does."""
        newest = self.newest(asked)
        rows, steps = np.nonzero(newest)
        weights = (self.settings.fading**steps).astype(np.float32)
        shape = len(newest), self.table.shape[0]
        read = sparse.coo_array((weights, (rows, newest[rows, steps])), shape=shape).tocsr()
        found: NDArray[np.float32] = (read @ self.table).toarray()
        return found

    def newest(self, asked: History) -> NDArray[np.int32]:
        """The newest items of each user, the newest first: int32 [users, steps], 0 for none."""
        rows = asked.offsets[1:, None] - 1 - np.arange(self.settings.steps)
        real = rows >= asked.offsets[:-1, None]
        items = asked.items if len(asked) else np.zeros(1, np.int32)
        return np.where(real, items[np.maximum(rows, 0)], 0).astype(np.int32)

    def padded(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """What follows each item and how strongly, int32 and float32 [size, keep], best first, 0 for none."""
        size, keep = self.table.shape[0], self.settings.keep
        items, weights = np.zeros((size, keep), np.int32), np.zeros((size, keep), np.float32)
        counts = np.diff(self.table.indptr)
        row = np.repeat(np.arange(size), counts)
        order = np.lexsort((-self.table.data, row))
        place = np.arange(len(row)) - np.repeat(self.table.indptr[:-1], counts)
        items[row, place] = self.table.indices[order]
        weights[row, place] = self.table.data[order]
        return items, weights


def fit(pairs: Pairs, settings: Settings) -> Transitions:
    """The table of some counts under some settings."""
    total = sparse.csr_array((pairs.size, pairs.size), dtype=np.float32)
    for distance in range(1, settings.window + 1):
        ahead = pairs.at(distance, settings.half_life_days)
        both = ahead + ahead.T.tocsr() * settings.back if settings.back else ahead
        total = total + both * settings.decay ** (distance - 1)
    counts = np.bincount(pairs.history.items, minlength=pairs.size) + _SMOOTHING
    total = total.tocoo()
    divisor = counts[total.row] ** settings.power_from * counts[total.col] ** settings.power_to
    weights = (total.data / divisor).astype(np.float32)
    return Transitions(settings, _strongest(weights, total.row, total.col, settings.keep, pairs.size))


def nothing(size: int) -> Transitions:
    """A table in which nothing follows anything."""
    return Transitions(Settings(keep=1, steps=1), sparse.csr_array((size, size), dtype=np.float32))


def tuned(
    pairs: Pairs,
    score: Callable[[Transitions], float],
    grid: dict[str, tuple[float, ...]] = GRID,
    log: Callable[[Settings, float], None] = lambda settings, found: None,
    first: Settings = FIRST,
    most: int = 1_000,
) -> Transitions:
    """The settings that score best, by two rounds over the fields from `first` on, at most `most` tries; each
    is told to `log`.
    """
    best = fit(pairs, first)
    highest = score(best)
    log(best.settings, highest)
    tried = {best.settings}
    for name, values in [*grid.items()] * 2:
        for value in values:
            settings = msgspec.structs.replace(best.settings, **{name: value})
            if settings in tried or settings.window * len(pairs.history) > MAX_PAIRS:
                continue
            if len(tried) >= most:
                return best
            tried.add(settings)
            made = fit(pairs, settings)
            found = score(made)
            log(settings, found)
            if found > highest:
                best, highest = made, found
    return best


def _strongest(
    weights: NDArray[np.float32], rows: NDArray[np.int32], columns: NDArray[np.int32], keep: int, size: int
) -> Csr:
    """A table with the `keep` highest of each row."""
    order = np.lexsort((-weights, rows))
    rows, columns, weights = rows[order], columns[order], weights[order]
    first = np.searchsorted(rows, np.arange(size))
    kept = np.arange(len(rows)) - first[rows] < keep
    return sparse.coo_array((weights[kept], (rows[kept], columns[kept])), shape=(size, size)).tocsr()
