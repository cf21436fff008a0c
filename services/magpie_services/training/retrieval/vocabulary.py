"""The items a retriever knows, by index, with what its item tower reads of them."""

import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.items import Item

CATEGORY_BUCKETS = 1_024
BRAND_BUCKETS = 1_024
PRICE_BANDS = 24
WORD_BUCKETS = 8_192
WORDS = 12

# Latin words whole; Chinese, which has no spaces, by overlapping pairs of characters.
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")


@dataclass(frozen=True)
class Vocabulary:
    """Index 0 is padding. `categories`, `brands`, `bands` are int32 [n]; `words` int32 [n, 12], 0 padded."""

    ids: tuple[str, ...]
    index: dict[str, int]
    categories: NDArray[np.int32]
    brands: NDArray[np.int32]
    bands: NDArray[np.int32]
    words: NDArray[np.int32]

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
        index={item_id: index for index, item_id in enumerate(ids) if index},
        categories=_column(_bucket(item.category, CATEGORY_BUCKETS) for item in ordered),
        brands=_column(_bucket(item.brand, BRAND_BUCKETS) for item in ordered),
        bands=_column(_band(item) for item in ordered),
        words=np.array([_words(item.title) for item in ordered], dtype=np.int32).reshape(len(ordered), WORDS),
    )


def tokens(title: str) -> list[str]:
    """Words of a title in order, lower case; runs of Chinese characters as pairs."""
    found = []
    for match in _WORD.findall(title.casefold()):
        if match[0] < "\u3400" or len(match) == 1:
            found.append(match)
        else:
            found += [match[at : at + 2] for at in range(len(match) - 1)]
    return found


def _column(values: Iterable[int]) -> NDArray[np.int32]:
    return np.fromiter(values, dtype=np.int32)


def _bucket(text: str, buckets: int) -> int:
    """1 to buckets - 1, 0 for nothing."""
    return 1 + zlib.crc32(text.casefold().encode()) % (buckets - 1) if text else 0


def _band(item: Item) -> int:
    """Half octaves of the price in major units; 0 where unknown."""
    if item.price is None or item.price.minor <= 0:
        return 0
    return int(np.clip(round(2 * math.log2(item.price.major)) + 4, 1, PRICE_BANDS - 1))


def _words(title: str) -> Sequence[int]:
    codes = [_bucket(token, WORD_BUCKETS) for token in tokens(title)[:WORDS]]
    return codes + [0] * (WORDS - len(codes))
