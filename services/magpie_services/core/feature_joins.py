"""What a batch of users remembers, joined with the catalogue in whole arrays: the tables under `features`."""

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.columns import ItemColumns
from magpie_services.core.interest import interests
from magpie_services.core.memory import DAY_MS, ItemMemory
from magpie_services.core.portraits import Portrait

_NUMBERS = [name for name in ItemMemory.__struct_fields__ if name != "days"]
# And of the days on which it was bought: how many, as they fade with time and with the user's orders since.
_DAYS = ("bought_days", "fresh_days", "late_days")
MEMORY_FIELDS = {name: index for index, name in enumerate((*_NUMBERS, *_DAYS))}
FRESH_DAYS, LATE_ORDERS = 60.0, 0.9
_numbers = attrgetter(*_NUMBERS)
_OPENED = frozenset({"opened", "clicked"})


class Lookup:
    """Sums of values [n, V] by key [n], found again for keys of any shape; 0 for a key that is not there."""

    def __init__(self, keys: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        self._keys, self._values = keys, np.zeros((1, values.shape[1]))
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        self._keys = ordered[starts]
        self._values = np.zeros((len(starts) + 1, values.shape[1]))
        np.add.reduceat(values[order], starts, out=self._values[:-1])

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values [..., V] of keys [...]."""
        last = len(self._keys)
        if not last:
            return np.zeros((*keys.shape, self._values.shape[1]))
        at = np.searchsorted(self._keys, keys)
        absent = self._keys[np.minimum(at, last - 1)] != keys
        found: NDArray[np.float64] = self._values[np.where(absent, last, at)]
        return found


class Memory:
    """What all the users of a batch did with items, as one flat table joined with the catalogue.

    `order_days` int [B] is how many days with an order are known of each user, `fresh_orders` [B] the same
    with each counting half for every 60 days of age, `purchases` [B] the sum over all items.
    """

    def __init__(self, portraits: Sequence[Portrait], columns: ItemColumns, now_ms: int) -> None:
        held = [portrait.items for portrait in portraits]
        entries = [_numbers(memory) for items in held for memory in items.values()]
        table = np.zeros((len(entries), len(MEMORY_FIELDS)))
        if entries:
            table[:, : len(_NUMBERS)] = entries
        self._user = np.repeat(np.arange(len(held)), [len(items) for items in held])
        rows = columns.rows(item_id for items in held for item_id in items)
        self._catalogue = Items(columns, rows)
        interest = interests(
            table[:, MEMORY_FIELDS["views"]],
            table[:, MEMORY_FIELDS["purchases"]],
            table[:, MEMORY_FIELDS["rating"]],
        )
        total = np.bincount(self._user, interest, minlength=len(held))
        self._share = interest / np.maximum(total, 1e-9)[self._user]
        self.purchases = np.bincount(self._user, table[:, MEMORY_FIELDS["purchases"]], minlength=len(held))
        days = [portrait.spend.order_days for portrait in portraits]
        self.order_days = np.array([len(some) for some in days])
        ordered_on = np.fromiter(chain.from_iterable(days), np.int64)
        owners = np.repeat(np.arange(len(days)), self.order_days)
        self._order_days = keys_of(owners, ordered_on)
        self.fresh_orders = np.bincount(owners, _fresh(ordered_on, now_ms), minlength=len(days))
        table[:, len(_NUMBERS) :] = self._days(
            [memory.bought_on for items in held for memory in items.values()], now_ms
        )
        self._items = Lookup(keys_of(self._user, rows), table)

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """The memory of (user, item) keys [...]: [..., fields of ItemMemory]."""
        return self._items.find(keys)

    def orders_after(self, user: NDArray[np.integer], at_ms: NDArray[np.number]) -> NDArray[np.int64]:
        """Days with an order of the users after the day of a moment, all of them for 0; shapes that fit."""
        day = (at_ms // DAY_MS).astype(np.int64)
        after = np.searchsorted(self._order_days, keys_of(user, day), side="right")
        return np.asarray(np.cumsum(self.order_days)[user] - after)

    def _days(self, days: Sequence[Sequence[int]], now_ms: int) -> NDArray[np.float64]:
        """Of the days on which each remembered item was bought [n]: `_DAYS` [n, 3]."""
        count = np.array([len(some) for some in days], dtype=np.int64)
        bought_on, entry = (
            np.fromiter(chain.from_iterable(days), np.int64),
            np.repeat(np.arange(len(days)), count),
        )
        orders = self.orders_after(self._user[entry], bought_on * DAY_MS)
        fresh = np.bincount(entry, _fresh(bought_on, now_ms), minlength=len(days))
        return np.stack([count, fresh, np.bincount(entry, LATE_ORDERS**orders, minlength=len(days))], axis=1)

    def share(
        self, column: str, user: NDArray[np.integer], codes: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Share of the user's interest that goes to items with the same code in `column`; 0 for code 0."""
        keys = keys_of(self._user, self._catalogue.codes(column))
        found = Lookup(keys, self._share[:, None]).find(keys_of(user, codes))[..., 0]
        return np.where(codes > 0, found, 0.0)


def _fresh(days: NDArray[np.int64], now_ms: int) -> NDArray[np.float64]:
    return np.asarray(np.exp2(-np.maximum(now_ms / DAY_MS - days, 0.0) / FRESH_DAYS))


def pushed_of(portraits: Sequence[Portrait], columns: ItemColumns) -> Mapping[str, Lookup]:
    """Recent pushes by (user, item): times, last time, times not opened; and times by (user, category)."""
    newest: dict[tuple[int, str], list[float]] = {}
    for user, portrait in enumerate(portraits):
        for record in portrait.pushes.recent:
            told = newest.setdefault((user, record.item_id), [0.0, 0.0, 0.0])
            told[0] += 1
            told[1] = max(told[1], record.sent_ms)
            told[2] += record.outcome not in _OPENED
    users = np.array([user for user, _ in newest], dtype=np.int64)
    rows = columns.rows(item_id for _, item_id in newest)
    values = np.array(list(newest.values()), dtype=np.float64).reshape(len(newest), 3)
    categories = Items(columns, rows).codes("category")
    return {
        "item": Lookup(keys_of(users, rows), values),
        "category": Lookup(keys_of(users, categories), values[:, :1] * (categories > 0)[:, None]),
    }


def stated_of(portraits: Sequence[Portrait], columns: ItemColumns, now_ms: int) -> Lookup:
    """Share of a user's decayed category counts by (user, category code)."""
    keys, shares = [], []
    for user, portrait in enumerate(portraits):
        counts = portrait.category_counts(now_ms)
        total = sum(counts.values()) or 1.0
        for name, count in counts.items():
            if code := columns.category_code(name):
                keys.append((user << 32) + code)
                shares.append(count / total)
    return Lookup(np.array(keys, dtype=np.int64), np.array(shares, dtype=np.float64)[:, None])


def keys_of(user: NDArray[np.integer], code: NDArray[np.integer]) -> NDArray[np.int64]:
    """One integer for (user of the batch, row or code); -1 rows of different users stay apart."""
    return (user.astype(np.int64) << 32) + code


class Items:
    """What the catalogue knows of the items at rows [...], gathered once; at row -1 it means nothing."""

    def __init__(self, columns: ItemColumns, rows: NDArray[np.integer]) -> None:
        self._found, self._known = columns.at(rows), rows >= 0

    def floats(self, column: str) -> NDArray[np.float64]:
        """A column as floats: [...]."""
        return np.asarray(self._found[column], dtype=np.float64)

    def codes(self, column: str) -> NDArray[np.int64]:
        """Codes of a category or brand column: [...]; 0 for row -1."""
        return np.where(self._known, np.asarray(self._found[column], dtype=np.int64), 0)

    def buckets(self) -> NDArray[np.int32]:
        """Buckets of item, category and brand: [..., 3]; zeros for row -1."""
        return np.where(self._known[..., None], self._found["buckets"], 0).astype(np.int32)
