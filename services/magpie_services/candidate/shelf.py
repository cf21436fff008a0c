"""What filters ask of the catalogue, as columns beside `core.columns`: paths, merchants, withdrawal."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.columns import ItemColumns
from magpie_services.core.items import MAX_CATEGORIES, Item

Mask = NDArray[np.bool_]

_ROW = np.dtype(
    [
        ("path", np.int32, MAX_CATEGORIES),  # codes of the category path, 0 where it is shorter
        ("vendor", np.int32),
        ("withdrawn", np.bool_),
        ("lot", np.uint64),  # a hash of the id: what lots are drawn by, the same on every replica
    ]
)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items may be candidates; what is empty asks nothing, what is set must all hold."""

    item_ids: Sequence[str] = ()
    excluded_item_ids: Sequence[str] = ()
    categories: Sequence[str] = ()
    brands: Sequence[str] = ()
    vendors: Sequence[str] = ()
    min_discount: float = 0.0


class Shelf:
    """The rows are those of `columns`, which must have taken the items first."""

    def __init__(self, columns: ItemColumns) -> None:
        self._columns = columns
        self._table = np.zeros(256, dtype=_ROW)
        self._names: dict[str, int] = {}
        self._vendors: dict[str, int] = {}

    def put(self, items: Iterable[Item], rows: NDArray[np.int32]) -> None:
        """Takes items at their rows."""
        while len(self._columns) > len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        for item, row in zip(items, rows, strict=True):
            path = [self._names.setdefault(name, len(self._names) + 1) for name in item.categories]
            lot = int.from_bytes(blake2b(item.item_id.encode(), digest_size=8).digest(), "little")
            vendor = self._vendors.setdefault(item.vendor, len(self._vendors) + 1)
            path += [0] * (MAX_CATEGORIES - len(path))
            self._table[row] = (path[:MAX_CATEGORIES], vendor, item.withdrawn, lot)

    @property
    def lots(self) -> NDArray[np.uint64]:
        """A hash of each item's id: uint64 [len(columns)]."""
        lots: NDArray[np.uint64] = self._table["lot"][: len(self._columns)]
        return lots

    @property
    def offered(self) -> Mask:
        """Rows that are not withdrawn, sold out or not: bool [len(columns)]."""
        return np.asarray(~self._table["withdrawn"][: len(self._columns)])

    @property
    def size(self) -> int:
        """Items that are not withdrawn."""
        return int(self.offered.sum())

    def allowed(self, wanted: Filter) -> Mask:
        """Rows that are available and pass the filter: bool [len(columns)]."""
        columns, table = self._columns, self._table[: len(self._columns)]
        mask: Mask = columns["available"].astype(np.bool_)
        if wanted.item_ids:
            mask &= self._are(wanted.item_ids)
        if wanted.excluded_item_ids:
            mask &= ~self._are(wanted.excluded_item_ids)
        if wanted.categories:
            mask &= np.isin(table["path"], _codes(self._names, wanted.categories)).any(axis=1)
        if wanted.brands:
            # Code 0 is "no brand": nobody asks for that by name.
            codes = [code for name in wanted.brands if (code := columns.brand_code(name))]
            mask &= np.isin(columns["brand"], codes)
        if wanted.vendors:
            mask &= np.isin(table["vendor"], _codes(self._vendors, wanted.vendors))
        if wanted.min_discount > 0:
            mask &= columns["discount"] >= np.float32(wanted.min_discount)
        return mask

    def _are(self, item_ids: Sequence[str]) -> Mask:
        mask = np.zeros(len(self._columns), dtype=np.bool_)
        rows = self._columns.rows(item_ids)
        mask[rows[rows >= 0]] = True
        return mask


def _codes(known: dict[str, int], names: Sequence[str]) -> list[int]:
    return [known[name] for name in names if name in known]
