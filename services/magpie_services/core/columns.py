"""The catalogue as columns: what features and filters read of many items at once, and how popular they are.

Rows are stable for the life of the object: a removed item keeps its row (and answers -1 until it is back),
so an index over rows never points at another item. Not safe for writing from several threads at once.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import repeat
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS

HASH_BUCKETS = 2**31 - 1  # wide: a model folds them into tables of its own size; bucket 0 is padding
UNKNOWN = -1
_HALF_LIVES_MS = np.array([7.0, 7.0, 28.0, 365.0, 365.0]) * DAY_MS
_VIEW, _PURCHASE = KIND_CODES[EventKind.VIEW_ITEM], KIND_CODES[EventKind.PURCHASE]
_COUNTED = np.zeros((max(KIND_CODES.values()) + 1, 5))
_COUNTED[_VIEW] = (1.0, 0.0, 0.0, 0.0, 0.0)
_COUNTED[_PURCHASE] = (0.0, 1.0, 1.0, 1.0, 1.0)
# Of an item that nobody bought: the share of purchases by people who had it before, worth four of them.
USUAL_AGAIN, _USUAL_PURCHASES = 0.25, 4.0

_ROW = np.dtype(
    [
        ("listed", np.bool_),  # upserted and not removed since
        ("available", np.bool_),
        ("priced", np.bool_),
        ("stocked", np.bool_),  # the stock is known
        ("price", np.float32),  # major units
        ("log_price", np.float32),
        ("price_percentile", np.float32),
        ("discount", np.float32),
        ("rating", np.float32),
        ("rating_count", np.float32),
        ("published_ms", np.int64),
        ("category", np.int32),  # narrowest; 0 is none
        ("broad_category", np.int32),
        ("brand", np.int32),
        ("buckets", np.int32, 3),
        # Views 7 d, purchases 7 d, 28 d and 365 d, of the last those made again, as of popular_ms.
        ("popular", np.float64, 5),
        ("popular_ms", np.int64),
    ]
)
_BYTES = np.dtype((np.void, _ROW.itemsize))


def bucket(kind: str, value: str) -> int:
    """The hash bucket of a value, in [1, HASH_BUCKETS); 0 for "". The same on every machine for ever."""
    return crc32(f"{kind}:{value}".encode()) % (HASH_BUCKETS - 1) + 1 if value else 0


class Popularity(msgspec.Struct, frozen=True, kw_only=True):
    """All that was counted, to store and restore: `counts` float64 [n, 5] as of `counted_ms` int64 [n]."""

    ids: list[str]
    counts: bytes
    counted_ms: bytes
    total_views: float
    total_ms: int


class ItemColumns:
    """A growing columnar catalogue. Read one column as `columns["log_price"]`, an array over all rows."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._table = np.zeros(256, dtype=_ROW)
        self._known: dict[str, int] = {}
        self._categories: dict[str, int] = {"": 0}
        self._brands: dict[str, int] = {"": 0}
        self._stale: set[int] = set()  # categories whose price percentiles must be ranked anew
        self._total_views, self._total_ms = 0.0, 0

    def __len__(self) -> int:
        """Number of rows, removed ones too."""
        return len(self.ids)

    def __getitem__(self, column: str) -> NDArray[np.generic]:
        """A read-only view of one column over all rows: [len(self), ...]."""
        if column == "price_percentile":
            self._rank_prices()
        view = self._table[: len(self.ids)][column]
        view.flags.writeable = False
        return view

    def at(self, rows: NDArray[np.integer]) -> NDArray[np.void]:
        """All columns at rows [...]: read one as `found["log_price"]`. At row -1 they mean nothing."""
        self._rank_prices()
        # As bytes: field by field, which is what numpy does else, takes five times as long.
        found: NDArray[np.void] = self._table.view(_BYTES)[rows].view(_ROW)
        return found

    def upsert(self, items: Iterable[Item]) -> NDArray[np.int32]:
        """Adds or replaces items (of two with one id the last given stands); answers their rows, int32 [n].

        A withdrawn item stays listed but not available.
        """
        return np.array([self._put(item) for item in items], dtype=np.int32)

    def remove(self, ids: Iterable[str]) -> None:
        """Unlists items; unknown ids are ignored."""
        for item_id in ids:
            row = self._known.get(item_id)
            if row is not None:
                self._table["listed"][row] = False
                self._table["available"][row] = False
                self._stale.add(int(self._table["category"][row]))

    def rows(self, ids: Iterable[str]) -> NDArray[np.int32]:
        """Rows of the ids, int32 [n]; -1 for an id that is unknown or removed."""
        rows = np.fromiter(map(self._known.get, ids, repeat(UNKNOWN)), dtype=np.int32)
        if len(rows):
            rows[~self._table["listed"][rows] | (rows < 0)] = UNKNOWN
        return rows

    def category_code(self, name: str) -> int:
        """The code of a category, 0 where no item has it."""
        return self._categories.get(name, 0)

    @property
    def category_names(self) -> list[str]:
        """The names of categories by code; the first, of code 0, is none."""
        return list(self._categories)

    def brand_code(self, name: str) -> int:
        """The code of a brand, 0 where no item has it."""
        return self._brands.get(name, 0)

    def observe(
        self, item_ids: Sequence[str], kinds: ArrayLike, at_ms: ArrayLike, again: ArrayLike = False
    ) -> None:
        """Counts events towards popularity, in any order; other kinds than views and purchases add nothing.

        kinds: int [n] codes of `KIND_CODES`; at_ms: int [n]; again: bool [n], of purchases those by people
        who had bought the item before. Events of unknown items are dropped.
        """
        rows = self.rows(item_ids)
        when = np.asarray(at_ms, dtype=np.int64)
        amounts = _COUNTED[np.asarray(kinds, dtype=np.int64)]
        amounts[:, 4] *= np.asarray(again, dtype=np.float64)
        counted = (rows >= 0) & amounts.any(axis=1)
        rows, when, amounts = rows[counted], when[counted], amounts[counted]
        if not len(rows):
            return
        popular, popular_ms = self._table["popular"], self._table["popular_ms"]
        touched = np.unique(rows)
        before = popular_ms[touched]
        np.maximum.at(popular_ms, rows, when)
        popular[touched] *= _decay(popular_ms[touched] - before)
        np.add.at(popular, rows, amounts * _decay(popular_ms[rows] - when))
        newest = max(self._total_ms, int(when.max()))
        self._total_views *= float(_decay(np.array(newest - self._total_ms))[0])
        self._total_views += float((amounts[:, 0] * _decay(newest - when)[:, 0]).sum())
        self._total_ms = newest

    def popularity(self, rows: NDArray[np.integer], now_ms: int) -> NDArray[np.float32]:
        """Decayed (views 7 d, purchases 7 d, purchases 28 d) at `now_ms`: [..., 3]; zeros for row -1."""
        return self._popular(rows, now_ms)[..., :3].astype(np.float32)

    def popularity_and_again(
        self, rows: NDArray[np.integer], now_ms: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same, and the share of an item's purchases by people who had bought it before: [...].

        The share has a half-life of a year and is smoothed: what nobody bought, and row -1, has a usual one.
        """
        popular = self._popular(rows, now_ms)
        again = popular[..., 4] + USUAL_AGAIN * _USUAL_PURCHASES
        share = again / (popular[..., 3] + _USUAL_PURCHASES)
        return popular[..., :3].astype(np.float32), share.astype(np.float32)

    def mean_views(self, now_ms: int) -> float:
        """Decayed 7-day views of the average row: what an item's views are compared with."""
        left = float(_decay(np.array(max(now_ms - self._total_ms, 0)))[0])
        return self._total_views * left / max(len(self.ids), 1)

    def counted(self) -> Popularity:
        """What `observe` has counted so far."""
        rows = np.flatnonzero(self["popular_ms"])
        return Popularity(
            ids=[self.ids[row] for row in rows],
            counts=self._table["popular"][rows].tobytes(),
            counted_ms=self._table["popular_ms"][rows].tobytes(),
            total_views=self._total_views,
            total_ms=self._total_ms,
        )

    def restore(self, popularity: Popularity) -> None:
        """Takes counts stored earlier in place of its own; those of unknown items are dropped.

        An earlier release stored fewer counts of each: the others begin at 0.
        """
        rows = self.rows(popularity.ids)
        known = rows >= 0
        counts = np.frombuffer(popularity.counts, dtype=np.float64)
        counts = counts.reshape(len(rows), len(counts) // max(len(rows), 1))
        self._table["popular"], self._table["popular_ms"] = 0.0, 0
        self._table["popular"][rows[known], : counts.shape[1]] = counts[known]
        self._table["popular_ms"][rows[known]] = np.frombuffer(popularity.counted_ms, dtype=np.int64)[known]
        self._total_views, self._total_ms = popularity.total_views, popularity.total_ms

    def _popular(self, rows: NDArray[np.integer], now_ms: int) -> NDArray[np.float64]:
        left = _decay(np.maximum(now_ms - self._table["popular_ms"][rows], 0))
        left[rows < 0] = 0.0
        return np.asarray(self._table["popular"][rows] * left)

    def _put(self, item: Item) -> int:
        row = self._known.get(item.item_id)
        if row is None:
            row = self._known[item.item_id] = len(self.ids)
            self.ids.append(item.item_id)
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        price = item.price.major if item.price and item.price.minor > 0 else 0.0
        broad = item.categories[0] if item.categories else ""
        entry = self._table[row]
        self._stale.add(int(entry["category"]))
        entry["listed"] = True
        entry["available"] = item.available
        entry["priced"] = price > 0
        entry["stocked"] = item.stock is not None
        entry["price"] = price
        entry["log_price"] = math.log(price) if price > 0 else 0.0
        entry["discount"] = item.discount
        entry["rating"] = item.rating
        entry["rating_count"] = item.rating_count
        entry["published_ms"] = item.published_ms
        entry["category"] = self._categories.setdefault(item.category, len(self._categories))
        entry["broad_category"] = self._categories.setdefault(broad, len(self._categories))
        entry["brand"] = self._brands.setdefault(item.brand, len(self._brands))
        entry["buckets"] = (
            bucket("item", item.item_id),
            bucket("category", item.category),
            bucket("brand", item.brand),
        )
        self._stale.add(int(entry["category"]))
        return row

    def _rank_prices(self) -> None:
        """Mid-rank of the price among the listed, priced items of the same narrowest category; else 0.5."""
        if not self._stale:
            return
        table = self._table[: len(self.ids)]
        stale = np.zeros(len(self._categories), dtype=np.bool_)
        stale[list(self._stale)] = True
        self._stale.clear()
        table["price_percentile"][stale[table["category"]]] = 0.5
        rows = np.flatnonzero(stale[table["category"]] & table["listed"] & table["priced"])
        rows = rows[np.lexsort((table["log_price"][rows], table["category"][rows]))]
        category, price = table["category"][rows], table["log_price"][rows]
        first, last = _runs(category[1:] != category[:-1])
        tie_first, tie_last = _runs((category[1:] != category[:-1]) | (price[1:] != price[:-1]))
        middle = (tie_first + tie_last) / 2 - first
        table["price_percentile"][rows] = (middle + 0.5) / (last - first + 1)


def _decay(age_ms: NDArray[np.integer]) -> NDArray[np.float64]:
    """What is left after `age_ms` [...] for each of the half-lives: [..., 5]."""
    return np.asarray(np.exp2(-age_ms[..., None] / _HALF_LIVES_MS), dtype=np.float64)


def _runs(breaks: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last index of the run of each of n elements; breaks [n - 1] says where a new run starts."""
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    lengths = np.diff(np.append(starts, len(breaks) + 1))
    first = np.repeat(starts, lengths)
    return first, first + np.repeat(lengths, lengths) - 1
