"""The items a retriever knows, by index, with what its item tower reads of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.core import item_codes
from magpie_services.core.item_codes import BRAND_BUCKETS, PRICE_BANDS, TAG_BUCKETS, WORD_BUCKETS
from magpie_services.core.items import Item

__all__ = ["BRAND_BUCKETS", "PRICE_BANDS", "WORD_BUCKETS", "Vocabulary", "build", "plain"]


@dataclass(frozen=True)
class Vocabulary:
    """Index 0 is padding. `tags` int32 [n, k] (below `tag_buckets`), `brands`, `bands` int32 [n], `words`
    int32 [n, 12], all 0 for nothing; `pictures` float32 [n, 128], [n, 0] where no item has one.
    """

    ids: tuple[str, ...]
    index: dict[str, int]
    tags: NDArray[np.int32]
    brands: NDArray[np.int32]
    bands: NDArray[np.int32]
    words: NDArray[np.int32]
    pictures: NDArray[np.float32]
    tag_buckets: int = TAG_BUCKETS

    def __len__(self) -> int:
        return len(self.ids)

    def codes(self, item_ids: Iterable[str]) -> NDArray[np.int32]:
        """Indices of items, 0 where unknown."""
        return np.fromiter((self.index.get(item_id, 0) for item_id in item_ids), dtype=np.int32)


def build(catalogue: Iterable[Item], members: Iterable[str]) -> Vocabulary:
    """The items named by `members`, described by the catalogue as far as it has them."""
    listed = {item.item_id: item for item in catalogue}
    known = {item_id: listed.get(item_id) or Item(item_id=item_id) for item_id in members}
    ordered = [Item(item_id=""), *(known[item_id] for item_id in sorted(known) if item_id)]
    ids = tuple(item.item_id for item in ordered)
    return Vocabulary(
        ids=ids,
        index=_index(ids),
        tags=_table([item_codes.tags(item) for item in ordered]),
        brands=_table([item_codes.brand(item) for item in ordered]),
        bands=_table([item_codes.band(item) for item in ordered]),
        words=_table([item_codes.words(item) for item in ordered]),
        pictures=_pictures(ordered),
    )


def plain(members: Iterable[str], attributes: Mapping[str, Sequence[int]]) -> Vocabulary:
    """Items of which only ids and lists of attribute numbers are known, as public data sets give them."""
    ids = ("", *sorted({item_id for item_id in members if item_id}))
    lists = [tuple(dict.fromkeys(attributes.get(item_id, ()))) for item_id in ids]
    # Numbers as they come may be anything: they are counted anew from 1.
    codes = {number: code for code, number in enumerate(sorted({n for some in lists for n in some}), start=1)}
    tags = np.zeros((len(ids), max((len(some) for some in lists), default=0)), np.int32)
    for row, some in enumerate(lists):
        tags[row, : len(some)] = [codes[number] for number in some]
    nothing = np.zeros(len(ids), np.int32)
    return Vocabulary(
        ids=ids,
        index=_index(ids),
        tags=tags,
        brands=nothing,
        bands=nothing,
        words=np.zeros((len(ids), item_codes.WORDS), np.int32),
        pictures=np.zeros((len(ids), 0), np.float32),
        tag_buckets=len(codes) + 1,
    )


def _index(ids: tuple[str, ...]) -> dict[str, int]:
    return {item_id: index for index, item_id in enumerate(ids) if index}


def _pictures(items: Sequence[Item]) -> NDArray[np.float32]:
    if not any(item.picture_vector for item in items):
        return np.zeros((len(items), 0), np.float32)
    return np.stack([item_codes.picture(item) for item in items])


def _table(codes: Sequence[int | list[int]]) -> NDArray[np.int32]:
    return np.array(codes, dtype=np.int32)
