"""An item as the numbers that a model reads: codes of tags, brand, price band and words, and its picture; the
same for all who describe it.
"""

import hashlib
import math
import re
import zlib

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.items import Item

TAGS = 16
CATEGORY_TAGS = 8
TAG_BUCKETS = 4_096
BRAND_BUCKETS = 1_024
PRICE_BANDS = 24
WORD_BUCKETS = 8_192
WORDS = 12
PICTURE = 128

# 512 signs that are the same for ever.
_SIGNS = np.where(np.unpackbits(np.frombuffer(hashlib.sha512(b"picture").digest(), np.uint8)), 1, -1)

# Latin words whole; Chinese, which has no spaces, by overlapping pairs of characters.
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")


def tags(item: Item) -> list[int]:
    """16 codes: up to 8 category levels, narrowest first, then attributes as "key=value"; 0 for nothing."""
    found = [bucket(category, TAG_BUCKETS) for category in item.categories[::-1][:CATEGORY_TAGS]]
    pairs = (f"{key}={value}" for key, values in sorted(item.attributes.items()) for value in values)
    found += [bucket(pair, TAG_BUCKETS) for pair in pairs]
    return _filled(found, TAGS)


def brand(item: Item) -> int:
    """A code of the brand, 0 for none."""
    return bucket(item.brand, BRAND_BUCKETS)


def band(item: Item) -> int:
    """Half octaves of the price in major units, 1 to 23; 0 where unknown."""
    if item.price is None or item.price.minor <= 0:
        return 0
    return min(max(round(2 * math.log2(item.price.major)) + 4, 1), PRICE_BANDS - 1)


def words(item: Item) -> list[int]:
    """Codes of the title's first 12 words, 0 for none."""
    return _filled([bucket(token, WORD_BUCKETS) for token in tokens(item.title)], WORDS)


def picture(item: Item) -> NDArray[np.float32]:
    """The picture's vector, folded to 128 numbers of length 1; zeros where there is none.

    Up to 128 numbers are only given other signs, so that their cosines stay. Of longer ones, the numbers 128
    apart are added up: their cosines are those of the vectors to about 0.09, without a table to learn first.
    """
    if not item.picture_vector:
        return np.zeros(PICTURE, np.float32)
    numbers = item.picture
    signed = numbers * _SIGNS[: len(numbers)]
    folded = np.pad(signed, (0, -len(signed) % PICTURE)).reshape(-1, PICTURE).sum(axis=0, dtype=np.float32)
    return np.asarray(folded / max(float(np.linalg.norm(folded)), 1e-6), np.float32)


def tokens(title: str) -> list[str]:
    """Words of a title in order, lower case; runs of Chinese characters as pairs."""
    found = []
    for match in _WORD.findall(title.casefold()):
        if match[0] < "\u3400" or len(match) == 1:
            found.append(match)
        else:
            found += [match[at : at + 2] for at in range(len(match) - 1)]
    return found


def bucket(text: str, buckets: int) -> int:
    """1 to buckets - 1, 0 for nothing."""
    return 1 + zlib.crc32(text.casefold().encode()) % (buckets - 1) if text else 0


def _filled(codes: list[int], count: int) -> list[int]:
    return codes[:count] + [0] * (count - len(codes))
