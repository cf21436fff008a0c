"""What can be recommended: a product, an article, a course, a check-up; one immutable version an item."""

from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core import checks, money
from magpie_services.core.checks import Violation
from magpie_services.core.money import Money

MAX_TITLE_CHARS = 5_000
MAX_DESCRIPTION_CHARS = 50_000
MAX_URI_CHARS = 2_048
MAX_TRANSLATIONS = 32
MAX_CATEGORIES = 8
MAX_ATTRIBUTES = 64
MAX_VALUES = 32
MAX_VALUE_CHARS = 256
MAX_PICTURE_NUMBERS = 512
_PICTURE = np.dtype("<f2")
_ROUNDED = 2e-3  # by how much rounding may change the length of a picture's vector


class Text(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The words of an item in one locale."""

    title: str = ""
    description: str = ""


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of an item.

    `categories` is a path from broad to narrow; `translations` is keyed by BCP 47 locale; `stock` None means
    unknown (and counts as in stock); `rating` is the mean of `rating_count` stars, 0 where nobody rated;
    `restock_ms` is when it last came back from being sold out, 0 where it never was.
    `picture_vector` is made by `pictured`: text, for the msgpack of Redis's scripts knows no binary.
    """

    item_id: str
    version: int = 0
    title: str = ""
    description: str = ""
    locale: str = ""
    translations: dict[str, Text] = {}
    categories: list[str] = []
    brand: str = ""
    vendor: str = ""
    price: Money | None = None
    list_price: Money | None = None
    stock: int | None = None
    attributes: dict[str, list[str]] = {}
    image_uri: str = ""
    link: str = ""
    rating: float = 0.0
    rating_count: int = 0
    published_ms: int = 0
    updated_ms: int = 0
    restock_ms: int = 0
    withdrawn: bool = False
    picture_vector: str = ""

    @property
    def picture(self) -> NDArray[np.float32]:
        """What `picture_vector` holds: float32 [n] of length 1, empty where there is none."""
        return np.frombuffer(b64decode(self.picture_vector), _PICTURE).astype(np.float32)

    @property
    def available(self) -> bool:
        """May be recommended: not withdrawn and not known to be out of stock."""
        return not self.withdrawn and self.stock != 0

    @property
    def category(self) -> str:
        """The narrowest category, "" where there is none."""
        return self.categories[-1] if self.categories else ""

    @property
    def discount(self) -> float:
        """Share taken off the list price, in [0, 1]; 0 where unknown or the currencies differ."""
        price, full = self.price, self.list_price
        if price is None or full is None or price.currency != full.currency or full.minor <= 0:
            return 0.0
        return min(1.0, max(0.0, 1.0 - price.minor / full.minor))


def pictured(numbers: Sequence[float]) -> str:
    """A picture's vector as an item keeps it: at length 1, as base64 of float16; zeros are none.

    Of a vector that is not finite only that is kept, for `violations` to name the place.
    """
    vector = np.array(numbers, np.float64)
    length = float(np.sqrt(vector @ vector))
    if not length:
        return ""
    if not np.isfinite(length):
        vector = np.where(np.isfinite(vector), 0.0, np.nan)
    elif abs(length - 1.0) > _ROUNDED:  # else it may be one that we gave, which must stay as it is to the bit
        vector = vector / length
    return b64encode(vector.astype(_PICTURE).tobytes()).decode()


def violations(item: Item) -> list[Violation]:
    """Everything that is wrong with an item as it came in; empty when it may be kept."""
    found = [
        *checks.identifier("item_id", item.item_id),
        *checks.identifier("brand", item.brand, required=False),
        *checks.identifier("vendor", item.vendor, required=False),
        *checks.text("title", item.title, MAX_TITLE_CHARS),
        *checks.text("description", item.description, MAX_DESCRIPTION_CHARS),
        *checks.text("image_uri", item.image_uri, MAX_URI_CHARS),
        *checks.text("link", item.link, MAX_URI_CHARS),
        *checks.identifier("locale", item.locale, required=False),
        *(checks.within("rating", item.rating, 1, 5) if item.rating else []),
        *money.violations("price", item.price),
        *money.violations("list_price", item.list_price),
    ]
    if not item.title and not item.withdrawn:
        found.append(Violation("title", "is required"))
    if item.price and item.list_price and item.price.currency != item.list_price.currency:
        found.append(Violation("list_price.currency", "differs from the currency of price"))
    if item.stock is not None and item.stock < 0:
        found.append(Violation("stock", "is negative"))
    if item.rating_count < 0:
        found.append(Violation("rating_count", "is negative"))
    if len(item.categories) > MAX_CATEGORIES:
        found.append(Violation("categories", f"has more than {MAX_CATEGORIES} levels"))
    for category in item.categories:
        found += checks.identifier("categories", category)
    if not 0 <= item.published_ms <= checks.LATEST_MS:
        found.append(Violation("published_ms", "is not between 1970 and 9999"))
    if len(item.translations) > MAX_TRANSLATIONS:
        found.append(Violation("translations", f"has more than {MAX_TRANSLATIONS} languages"))
    for locale, words in item.translations.items():
        found += checks.identifier("translations.locale", locale)
        field = f"translations[{locale[:20]}]"
        if not words.title:
            found.append(Violation(f"{field}.title", "is required"))
        found += checks.text(f"{field}.title", words.title, MAX_TITLE_CHARS)
        found += checks.text(f"{field}.description", words.description, MAX_DESCRIPTION_CHARS)
    return found + _picture_violations(item.picture) + _attribute_violations(item.attributes)


def _picture_violations(numbers: NDArray[np.float32]) -> list[Violation]:
    if len(numbers) > MAX_PICTURE_NUMBERS:
        return [Violation("picture_vector", f"has more than {MAX_PICTURE_NUMBERS} numbers")]
    wild = np.flatnonzero(~np.isfinite(numbers))
    return [Violation(f"picture_vector[{wild[0]}]", "is not a finite number")] if len(wild) else []


def _attribute_violations(attributes: dict[str, list[str]]) -> list[Violation]:
    found = []
    if len(attributes) > MAX_ATTRIBUTES:
        found.append(Violation("attributes", f"has more than {MAX_ATTRIBUTES} entries"))
    for key, values in attributes.items():
        found += checks.identifier("attributes.key", key)
        if not 1 <= len(values) <= MAX_VALUES:
            found.append(Violation(f"attributes[{key[:40]}]", f"must have 1 to {MAX_VALUES} values"))
        for value in values:
            if not value:
                found.append(Violation(f"attributes[{key[:40]}]", "has an empty value"))
            found += checks.text(f"attributes[{key[:40]}]", value, MAX_VALUE_CHARS)
    return found
