"""What a text may be held against: the facts of the items given, read straight from the catalogue.

Shares nothing with what writes, so that a fault there cannot hide here.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import msgspec

from magpie_services.content.facts.extra import Extra
from magpie_services.content.verifier import views
from magpie_services.content.verifier.currencies import is_money
from magpie_services.content.verifier.lexicon import cleared, lexicon
from magpie_services.content.verifier.numerals import Number, numbers
from magpie_services.content.verifier.spots import spot
from magpie_services.content.verifier.units import Quantity, quantity
from magpie_services.content.verifier.vocabulary import Vocabulary
from magpie_services.core.items import Item
from magpie_services.core.money import Money

DAY_MS = 86_400_000
SCARCE_STOCK = 10
NEW_DAYS = 30
BACK_DAYS = 14
POPULAR_RANK = 100
PRAISED_RATING = 4.0
READ_CHARS = 20_000

_COMPOUND = re.compile(r"(?<![a-z0-9])[a-z0-9]+(?:[-.][a-z0-9]+)+")
# 120×60×75 cm: the unit is that of all sides. Bounded, for titles may be digits without end.
_SIDES = re.compile(
    r"(?<![\d.])((?:\d{1,6}(?:\.\d{1,3})? ?(?:mm|cm|m|厘米|毫米|公分|米)? ?[x×*] ?){1,3}"
    r"\d{1,6}(?:\.\d{1,3})?) ?"
    r"(mm|cm|m|in|厘米|毫米|公分|米)(?![a-z])"
)
_NEXT_WORD = re.compile(r"[ -]?([a-z]{2,})")
# Words after a number that are not what it counts.
_FUNCTION_WORDS = frozenset(
    re.findall(
        "[a-z]+",
        "is are was were for in at now and or with by from to of off on the a an you your has have "
        "just still here back new only it its this that as but so if when while",
    )
)
_BY_ATTRIBUTE = {
    "colour": re.compile(r"colou?rs?|颜色|色彩|[配花主]色|色号"),
    "material": re.compile(r"materials?|fabric|[材面]料|材质|质地|成分|用料"),
}


_NOTHING = Item(item_id="")


class Dossier(msgspec.Struct, frozen=True):
    """What the words of one item say, worked out once a version."""

    item: Item
    plain: str
    squeezed: str
    spaced: str
    titles_squeezed: str
    titles_spaced: str
    tokens: frozenset[str]
    quantities: frozenset[tuple[Decimal, str]]
    concepts: frozenset[tuple[str, str]]


class Facts(msgspec.Struct, frozen=True):
    """Everything that supports a claim in one text at one moment."""

    item: Item
    dossiers: tuple[Dossier, ...]
    spoken: Dossier | None  # words about the user and the charts
    prices: dict[str, tuple[Money, ...]]
    discount: Fraction
    flags: frozenset[str]
    extra: Extra
    came: tuple[date, ...]
    now_ms: int
    strategy: str
    vocabulary: Vocabulary | None
    quantities: frozenset[tuple[Decimal, str]]

    def says(self, phrase: str) -> bool:
        """Whether the words of the facts hold this plain phrase."""
        return any(phrase in one.plain for one in self._all())

    def says_han(self, word: str) -> bool:
        """Whether they say a Chinese word, given as squeezed, and not its contrary."""
        return any(_unnegated(word, one.squeezed, "不非无未没免") for one in self._all())

    def says_latin(self, word: str) -> bool:
        """Whether they say an English word, given as in a spaced view but without its outer blanks."""
        return any(_affirmed(f" {word} ", one.spaced) for one in self._all())

    def names_token(self, token: str) -> bool:
        """Whether a whole English word or number stands in their words."""
        return any(token in one.tokens for one in self._all())

    def has_concept(self, kind: str, concept: str) -> bool:
        """Whether the item, or what is known of the user, names a thing of a kind or a narrower one."""
        held = (self.dossiers[0], self.spoken) if self.spoken is not None else self.dossiers[:1]
        return any((kind, concept) in one.concepts for one in held)

    def names_a(self, kind: str) -> bool:
        """Whether any thing of a kind is named."""
        return any(kind == one for each in self._all() for one, _ in each.concepts)

    def supports(self, said: Quantity, following: str) -> bool:
        """Whether the catalogue's words hold this number, counting the same."""
        known = self.quantities
        value = said.value
        if said in known or (value, "=") in known:
            return True
        if said.dimension:
            return said.dimension == "count" and ((value, "") in known or (value, "~") in known)
        word = _next_word(following)
        if not word:
            return (value, "") in known or (value, "~") in known or (value, "count") in known
        return (value, f"~{word}") in known or (value, "") in known

    def measures(self, number: Number, unit: str) -> bool:
        """Whether the catalogue's words hold this number with this unit."""
        return quantity(number.value, unit, 0, 0)[0] in self.quantities

    def day(self, hours: float = 0) -> date:
        """The date now, so many hours east of UTC."""
        return (datetime.fromtimestamp(self.now_ms / 1000, UTC) + timedelta(hours=hours)).date()

    def _all(self) -> Iterator[Dossier]:
        yield from self.dossiers
        if self.spoken is not None:
            yield self.spoken


def dossier(item: Item) -> Dossier:
    """What an item says: titles and descriptions in all languages, brand, categories, attributes."""
    titles = [item.title, *(text.title for text in item.translations.values())]
    values = [value for several in item.attributes.values() for value in several]
    names = [item.brand, item.vendor, *item.categories]
    long = [item.description, *(text.description for text in item.translations.values())]
    return _dossier(item, titles, [*names, *values], long, values)


def gather(
    item: Dossier,
    because: Dossier | None,
    traits: Sequence[str],
    extra: Extra,
    now_ms: int,
    *,
    strategy: str = "",
    vocabulary: Vocabulary | None = None,
) -> Facts:
    """The facts for a text about `item` now. `strategy` is the reason it gives, "" where nobody says."""
    own = item.item
    prices = _prices(own)
    words = [word for word in (*traits, extra.trend_category) if word]
    moments = (own.published_ms, own.restock_ms)
    return Facts(
        item=own,
        dossiers=(item,) if because is None else (item, because),
        spoken=_spoken(tuple(words)) if words else None,
        prices=prices,
        discount=_discount(own),
        flags=_flags(own, because is not None, extra, now_ms),
        extra=extra,
        came=tuple(datetime.fromtimestamp(at / 1000, UTC).date() for at in moments if at > 0),
        now_ms=now_ms,
        strategy=strategy,
        vocabulary=vocabulary,
        quantities=item.quantities if because is None else item.quantities | because.quantities,
    )


def _dossier(item: Item, titles: list[str], names: list[str], long: list[str], values: list[str]) -> Dossier:
    told = "\n".join(text[:READ_CHARS] for text in (*titles, *names) if text)
    whole = "\n".join(text[:READ_CHARS] for text in (told, *long) if text)
    plain, spaced = views.plain(whole), views.spaced(whole)
    heads = "\n".join(titles)
    return Dossier(
        item=item,
        plain=plain,
        squeezed=views.squeezed(whole),
        spaced=spaced,
        titles_squeezed=views.squeezed(heads),
        titles_spaced=views.spaced(heads),
        tokens=frozenset(spaced.split()) | frozenset(_COMPOUND.findall(plain)),
        quantities=frozenset(_quantities(plain, values)),
        concepts=_concepts(item, titles, names, long),
    )


@lru_cache(maxsize=4_096)
def _spoken(words: tuple[str, ...]) -> Dossier:
    return _dossier(_NOTHING, [], list(words), [], [])


def _quantities(plain: str, values: list[str]) -> Iterator[tuple[Decimal, str]]:
    for number in numbers(plain):
        where = spot(plain, number)
        value = number.value.normalize()
        if is_money(where.before, where.after):
            yield Quantity(value, "money")
            continue
        if where.after.lstrip().startswith(("%", "percent", "per cent")):
            yield Quantity(value, "%")
            continue
        found, end = quantity(number.value, plain, number.start, number.end)
        yield found
        if not found.dimension and (word := _next_word(plain[end : end + 24])):
            yield Quantity(value, "~")
            yield Quantity(value, f"~{word}")
    for sides in _SIDES.finditer(plain):
        for number in numbers(sides[1]):
            value = number.value.normalize()
            yield Quantity(value, "")
            yield quantity(value, sides[2].replace("in", "inch"), 0, 0)[0]
    for text in values:
        alone = views.plain(text).strip()
        for number in numbers(alone):
            if (number.start, number.end) == (0, len(alone)):
                yield Quantity(number.value.normalize(), "=")


def _next_word(following: str) -> str:
    found = _NEXT_WORD.match(following)
    return "" if found is None or found[1] in _FUNCTION_WORDS else found[1].rstrip("s")


def _concepts(item: Item, titles: list[str], names: list[str], long: list[str]) -> frozenset[tuple[str, str]]:
    """Things named by titles, names and attributes; by descriptions only those of kinds named nowhere else.

    Where an attribute names the colour, a description's "also in red" is another item's.
    """
    found = _things("\n".join([*titles, *names]))
    declared = set()
    for key, several in item.attributes.items():
        kind = next(
            (kind for kind, keys in _BY_ATTRIBUTE.items() if keys.fullmatch(views.plain(key).strip())), None
        )
        if kind is not None:
            declared.add(kind)
            found |= {(kind, views.squeezed(value)) for value in several}
            # A material that is a bare 木 is that of 木质.
            found |= _things("\n".join(f"{value}质" for value in several if len(value) == 1))
    kinds = {kind for kind, _ in found} | declared
    found |= {
        one
        for one in _things("\n".join(text[:READ_CHARS] for text in long))
        if one[0] not in kinds or one[0] not in ("colour", "material")
    }
    known = lexicon()
    return frozenset((kind, wider) for kind, concept in found for wider in known.closure(concept))


def _things(text: str) -> set[tuple[str, str]]:
    known = lexicon()
    squeezed = views.squeezed(text)
    hits = cleared([*known.han(squeezed)]) + cleared(known.latin(views.spaced(text)))
    found = {(hit.entry.check, hit.entry.concept) for hit in hits if hit.entry.concept}
    # A value that is a bare 蓝 means the colour; inside a word it may mean anything.
    for line in squeezed.split("\n"):
        bare = line.removesuffix("色")
        if 1 <= len(line) <= 2:
            found |= {
                (hit.entry.check, hit.entry.concept)
                for hit in cleared(known.han(f"{bare}色"))
                if hit.entry.concept
            }
    return found


def _prices(item: Item) -> dict[str, tuple[Money, ...]]:
    price, full = item.price, item.list_price
    if price is None or price.minor <= 0:
        return {}
    found: dict[str, tuple[Money, ...]] = {"price": (price,)}
    if _discount(item) and full is not None:
        found |= {"list": (full,), "saved": (Money(full.currency, full.minor - price.minor),)}
    return found


def _discount(item: Item) -> Fraction:
    """Share taken off the list price; 0 when there is none."""
    price, full = item.price, item.list_price
    if price is None or full is None or price.currency != full.currency or not 0 < price.minor < full.minor:
        return Fraction(0)
    return 1 - Fraction(price.minor, full.minor)


def _flags(item: Item, because: bool, extra: Extra, now_ms: int) -> frozenset[str]:
    def lately(moment_ms: int, days: int) -> bool:
        return 0 < moment_ms <= now_ms < moment_ms + days * DAY_MS

    rated = item.rating_count > 0 and item.rating >= 1
    flags = {
        "discount": bool(_discount(item)),
        "new": extra.is_new or lately(item.published_ms, NEW_DAYS),
        "back": item.stock != 0 and (extra.was_out_of_stock or lately(item.restock_ms, BACK_DAYS)),
        "cart": extra.in_cart,
        "popular": 1 <= extra.popular_rank <= POPULAR_RANK,
        "rated": rated,
        "praised": rated and item.rating >= PRAISED_RATING,
        "bought": extra.bought or extra.bought_days_ago > 0,
        "viewed": extra.viewed,
        "liked": bool(extra.liked_category),
        "because": because,
        "scarce": item.stock is not None and 0 < item.stock <= SCARCE_STOCK,
        "in_stock": item.stock != 0,
        "ends": extra.offer_ends is not None,
    }
    return frozenset(name for name, holds in flags.items() if holds)


def _unnegated(word: str, words: str, contrary: str) -> bool:
    at = words.find(word)
    while at >= 0:
        if not at or words[at - 1] not in contrary:
            return True
        at = words.find(word, at + 1)
    return False


def _affirmed(word: str, words: str) -> bool:
    at = words.find(word)
    while at >= 0:
        if not words[:at].endswith((" not", " non", " no", " isnt", " without")):
            return True
        at = words.find(word, at + 1)
    return False
