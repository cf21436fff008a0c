"""Charts: the place of an item among those of its narrowest category, by what was viewed and bought."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate.shelf import Shelf
from magpie_services.candidate.sources import demand
from magpie_services.core.columns import ItemColumns

PLACES = 100
LEAST = 10.0  # ten views or two purchases: less is nothing to speak of, even where the others have none
FRESH_MS = 60_000


class Place(NamedTuple):
    """A rank from 1 within a category; "" is the whole shop."""

    rank: int
    category: str


class Charts:
    """Places of the items in the shop, worked out anew when they are a minute old."""

    def __init__(self, columns: ItemColumns, shelf: Shelf) -> None:
        self._columns = columns
        self._shelf = shelf
        self._places: dict[str, Place] = {}
        self._made_ms = -FRESH_MS

    def at(self, now_ms: int) -> dict[str, Place]:
        """By item id; who is not of the first hundred, or in less demand than the average, has none."""
        if abs(now_ms - self._made_ms) >= FRESH_MS:
            self._places, self._made_ms = self._drawn_up(now_ms), now_ms
        return self._places

    def _drawn_up(self, now_ms: int) -> dict[str, Place]:
        rows = np.flatnonzero(self._shelf.offered)
        if not len(rows):
            return {}
        demanded = demand(self._columns, now_ms)[rows]
        category = self._columns["category"][rows].astype(np.int64)
        ranks = _ranks(demanded, category)
        alone = category == 0
        ranks[alone] = _ranks(demanded, np.zeros_like(category))[alone]
        names, ids = self._columns.category_names, self._columns.ids
        return {
            ids[rows[at]]: Place(int(ranks[at]), names[category[at]])
            for at in np.flatnonzero((ranks > 0) & (ranks <= PLACES)).tolist()
        }


def _ranks(demanded: NDArray[np.float32], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ranks from 1 within each group, 0 for what is in too little demand; all [n].

    Equals share the last of their places: no item is told to stand higher than it does.
    """
    order = np.lexsort((-demanded, group))
    sorted_group, sorted_demand = group[order], demanded[order]
    begins = np.append(True, sorted_group[1:] != sorted_group[:-1])
    differs = begins | np.append(True, sorted_demand[1:] != sorted_demand[:-1])
    first = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    ends = np.append(np.flatnonzero(differs)[1:], len(order))
    ranks = np.empty_like(group)
    ranks[order] = np.repeat(ends, np.diff(ends, prepend=0)) - first
    mean = np.bincount(group, demanded) / np.maximum(np.bincount(group), 1)
    ranks[(demanded < LEAST) | (demanded <= mean[group])] = 0
    return ranks
