"""What a text may be held against: the facts of the items given, read straight from the catalogue.

Shares nothing with the grammar, so that a fault there cannot hide here.
"""

from datetime import UTC, datetime
from fractions import Fraction

import msgspec

from magpie_services.content import views
from magpie_services.content.facts.extra import Extra
from magpie_services.content.facts.moments import NEW_DAYS
from magpie_services.core.items import Item
from magpie_services.core.money import Money

DAY_MS = 86_400_000
SCARCE_STOCK = 10


class Source(msgspec.Struct, frozen=True):
    """The words of one item: `words` as a plain view, `squeezed` for Chinese."""

    words: str
    squeezed: str


class Evidence(msgspec.Struct, frozen=True):
    """Everything that supports a claim in one text."""

    sources: tuple[Source, ...]
    prices: frozenset[tuple[str, str]]
    item: Item
    extra: Extra
    flags: frozenset[str]
    dates: frozenset[tuple[int, int]]

    def says(self, phrase: str) -> bool:
        """Whether the catalogue (or the portrait) uses these very words."""
        return any(phrase in source.words for source in self.sources)

    def says_squeezed(self, phrase: str) -> bool:
        """The same on squeezed text."""
        return any(phrase in source.squeezed for source in self.sources)

    def has_number(self, token: str) -> bool:
        """Whether a number stands in the catalogue's words, and not as part of a longer one."""
        for source in self.sources:
            at = source.words.find(token)
            while at >= 0:
                before, after = source.words[at - 1 : at], source.words[at + len(token) :][:2]
                longer = after[:1].isdigit() or (after[:1] in (".", ",") and after[1:].isdigit())
                if not longer and not before.isdigit() and not (before == "." and token[0].isdigit()):
                    return True
                at = source.words.find(token, at + 1)
        return False

    @property
    def discount(self) -> Fraction:
        """Share taken off the list price; 0 when there is none."""
        price, full = self.item.price, self.item.list_price
        if (
            price is None
            or full is None
            or price.currency != full.currency
            or not 0 < price.minor < full.minor
        ):
            return Fraction(0)
        return 1 - Fraction(price.minor, full.minor)


def source_of(item: Item) -> Source:
    """The words of an item: titles and descriptions in all languages, brand, categories, attributes."""
    texts = [item.title, item.description, item.brand, item.vendor, *item.categories]
    for translation in item.translations.values():
        texts += [translation.title, translation.description]
    for values in item.attributes.values():
        texts += values
    return words_source(texts)


def words_source(texts: list[str]) -> Source:
    """Words that a text may use as they are."""
    whole = "\n".join(text[:20_000] for text in texts if text)
    return Source(" ".join(views.plain(whole).split(" ")), views.squeezed(whole))


def gather(
    item: Item,
    because: Item | None,
    traits: list[str],
    extra: Extra,
    now_ms: int,
) -> Evidence:
    """The evidence for a text about `item`."""
    sources: tuple[Source, ...] = (source_of(item),)
    if because is not None:
        sources = (*sources, source_of(because))
    prices: set[tuple[str, str]] = set()
    for role, money in _prices(item):
        prices.add((role, _amount(money)))
    if because is not None:
        prices |= {("because", _amount(money)) for role, money in _prices(because) if role == "price"}
    spoken = [*traits, extra.trend_category]
    if any(spoken):
        sources = (*sources, words_source(spoken))
    return Evidence(
        sources, frozenset(prices), item, extra, _flags(item, because, extra, now_ms), _dates(item, extra)
    )


def _prices(item: Item) -> list[tuple[str, Money]]:
    found: list[tuple[str, Money]] = []
    price, full = item.price, item.list_price
    if price is None or price.minor <= 0:
        return found
    found.append(("price", price))
    if full is not None and full.currency == price.currency and full.minor > price.minor:
        found += [("list", full), ("saved", Money(price.currency, full.minor - price.minor))]
    return found


def _amount(money: Money) -> str:
    return f"{money.currency} {money.amount.normalize():f}"


def _flags(item: Item, because: Item | None, extra: Extra, now_ms: int) -> frozenset[str]:
    price, full = item.price, item.list_price
    flags = {
        "discount": price is not None
        and full is not None
        and price.currency == full.currency
        and 0 < price.minor < full.minor,
        "new": extra.is_new or 0 < item.published_ms <= now_ms < item.published_ms + NEW_DAYS * DAY_MS,
        "back": extra.was_out_of_stock and item.stock != 0,
        "cart": extra.in_cart,
        "popular": extra.popular_rank > 0,
        "rated": item.rating_count > 0 and item.rating >= 1,
        "bought": extra.bought or extra.bought_days_ago > 0,
        "viewed": extra.viewed or because is not None or bool(extra.liked_category),
        "scarce": item.stock is not None and 0 < item.stock <= SCARCE_STOCK,
        "ends": extra.offer_ends is not None,
    }
    return frozenset(name for name, holds in flags.items() if holds)


def _dates(item: Item, extra: Extra) -> frozenset[tuple[int, int]]:
    dates = set()
    if extra.offer_ends is not None:
        dates.add((extra.offer_ends.month, extra.offer_ends.day))
    if item.published_ms > 0:
        published = datetime.fromtimestamp(item.published_ms / 1000, UTC)
        dates.add((published.month, published.day))
    return frozenset(dates)
