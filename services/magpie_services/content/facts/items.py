"""What one version of an item offers in one locale, whoever reads it and whenever."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from magpie_services.content import attributes, formats, names
from magpie_services.content.attributes import Kind
from magpie_services.content.facts.phrases import Fact, Maker, Phrase, Phrases, filled, joined, worded
from magpie_services.content.limits import ELLIPSIS, columns
from magpie_services.content.measures import measure
from magpie_services.content.scripts import simplified, written
from magpie_services.content.seasons import SEASONS, Season, meant, told
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.untrusted import clean

MAX_VALUE_COLUMNS = 20
LOW_STOCK = 10
MAX_ATTRIBUTES = 3
# Marks below this, or of few, speak against the item.
GOOD_RATING = 4.0
FEW_RATINGS = 5
_TRADITIONAL = ("zh-TW", "zh-Hant", "zh-HK", "zh-MO", "zh-Hant-TW", "zh-Hant-HK")

Accepts = Callable[[str], bool]


class Extracted(NamedTuple):
    """An attribute read from a text of the item: `field` is that text, `value` the words of the catalogue."""

    name: str
    value: str
    field: str


class Occasion(NamedTuple):
    """A season or an occasion that the item is for, and the fact that says so."""

    season: Season
    fact: Fact


class ItemFacts:
    """What may be said of an item.

    `phrases` has all slots but those of describing words, `words` these, up to three. `names` are the item's,
    longest first: `telling` those that say all the describing words that the longest says, the others being
    `unsaid`; `bare` the whole ones that say none.
    """

    def __init__(
        self,
        locale: str,
        names: tuple[Phrase, ...],
        phrases: Phrases,
        words: tuple[Fact, ...],
        occasions: tuple[Occasion, ...],
    ) -> None:
        self._locale = locale
        self._described: dict[tuple[object, ...], Phrases] = {}
        self.names, self.phrases, self.words, self.occasions = names, phrases, words, occasions
        longest = names[0].text.casefold() if names else ""
        said = [word.text.casefold() for word in words if word.text.casefold() in longest]
        self.unsaid = tuple(word for word in words if word.text.casefold() not in longest)
        self.telling = tuple(name for name in names if all(word in name.text.casefold() for word in said))
        self.bare = tuple(
            name
            for name in names
            if not name.text.endswith(ELLIPSIS) and not any(word in name.text.casefold() for word in said)
        )
        self.filled = filled(phrases) | filled(self.described(words, loosely=False))

    def described(self, words: tuple[Fact, ...], *, loosely: bool) -> Phrases:
        """The slots that describing words fill, in this order."""
        key = (*words, loosely)
        found = self._described.get(key)
        if found is None:
            found = self._described[key] = _described(words, self._locale, loosely=loosely)
        return found


def title_of(item: Item, locale: str) -> tuple[str, str]:
    """The title to use in a locale and its field: the own or the translation nearest to it, else the own."""
    for tag in _tags(item, locale):
        if tag == item.locale:
            break
        if item.translations[tag].title:
            return item.translations[tag].title, f"translations[{tag}].title"
    return item.title, "title"


def item_facts(
    item: Item, locale: str, pack: str, accepts: Accepts, extracted: Sequence[Extracted] = ()
) -> ItemFacts:
    """Everything about an item that does not depend on the user or the moment.

    `accepts` says which texts hold nothing banned: a value that fails is no fact. `extracted` are attributes
    read from the item's texts, used where the catalogue itself gives no attribute of that kind.
    """
    language = locale.partition("-")[0]
    make = Maker("item", item.item_id, item.version)
    title, field = title_of(item, locale)
    spoken = written(clean(title), locale)
    phrases: Phrases = {}
    _put_names(item, locale, language, make, accepts, phrases)
    words = tuple(_attributes(item, locale, language, make, accepts, extracted))
    brand = phrases["brand"].text if "brand" in phrases else ""
    adjectives = [word.text for word in words]
    forms = tuple(
        Phrase(make(Kind.TITLE, form, field, title))
        for form in names.forms(spoken, accepts, brand, item.category, adjectives)
    )
    if forms:
        phrases["item"] = forms[0]
    _put_prices(item, locale, make, phrases)
    _put_counts(item, locale, make, phrases)
    if language == "zh":
        phrases["mw"] = Phrase(written(measure(item.title, item.category, pack), locale))
    return ItemFacts(locale, forms, phrases, words, _occasions(item, title, field, make))


def raw_money(amount: Money) -> str:
    """Money as spans give it: "1299.00 CNY"."""
    return f"{amount.amount} {amount.currency}"


def _tags(item: Item, locale: str) -> Iterable[str]:
    """The locales of the item's titles that speak the language, the nearest first."""
    language = locale.partition("-")[0]
    tags = [tag for tag in (item.locale, *sorted(item.translations)) if tag]
    same = [tag for tag in tags if tag.replace("_", "-").partition("-")[0].casefold() == language]
    if language != "zh":
        return same
    traditional = locale == "zh-TW"
    return sorted(same, key=lambda tag: tag.startswith(_TRADITIONAL) is not traditional)


def _put_names(
    item: Item, locale: str, language: str, make: Maker, accepts: Accepts, phrases: Phrases
) -> None:
    brand, category = written(clean(item.brand), locale), written(clean(item.category), locale)
    if brand and columns(brand) <= MAX_VALUE_COLUMNS and accepts(brand):
        phrases["brand"] = Phrase(make(Kind.BRAND, brand, "brand", item.brand))
    if (
        category
        and columns(category) <= MAX_VALUE_COLUMNS
        and bool(attributes.HAN.search(category)) is (language == "zh")
        and attributes.speaks(language, category)
        and accepts(category)
    ):
        phrases["category"] = phrases["topic"] = Phrase(
            make(Kind.CATEGORY, category, "categories", item.category)
        )


def _put_prices(item: Item, locale: str, make: Maker, phrases: Phrases) -> None:
    price, full = item.price, item.list_price
    if price is None or price.minor <= 0 or not (shown := formats.money(price, locale)):
        return
    phrases["price"] = Phrase(make(Kind.MONEY, shown, "price", raw_money(price)))
    if full is None or full.currency != price.currency or full.minor <= price.minor:
        return
    value = f"{raw_money(full)} -> {raw_money(price)}"
    saved = formats.money(Money(price.currency, full.minor - price.minor), locale)
    phrases["drop"] = make.evidence("discount", value)
    phrases["was"] = Phrase(make(Kind.MONEY, formats.money(full, locale), "list_price", raw_money(full)))
    phrases["saved"] = Phrase(make(Kind.MONEY, saved, "discount", value))
    percent = formats.percent_off(price.minor, full.minor)
    if 3 <= percent <= 95:
        phrases["off"] = Phrase(make(Kind.PERCENT, f"{percent}%", "discount", value))
        if locale != "en":
            text = f"{formats.zhe(price.minor, full.minor)} 折"
            phrases["zhe"] = Phrase(make(Kind.PERCENT, text, "discount", value))


def _put_counts(item: Item, locale: str, make: Maker, phrases: Phrases) -> None:
    if item.stock is not None and 0 < item.stock <= LOW_STOCK:
        left = make(Kind.COUNT, formats.count(item.stock, locale), "stock", str(item.stock))
        phrases["stock"] = phrases["few"] = Phrase(left, number=item.stock)
    if GOOD_RATING <= item.rating <= 5 and item.rating_count >= FEW_RATINGS:
        stars = make(Kind.RATING, formats.rating(item.rating), "rating", f"{item.rating:g}")
        many = make(
            Kind.COUNT, formats.count(item.rating_count, locale), "rating_count", str(item.rating_count)
        )
        phrases["rating"] = Phrase(stars)
        phrases["ratings"] = Phrase(many, number=item.rating_count)


def _attributes(
    item: Item, locale: str, language: str, make: Maker, accepts: Accepts, extracted: Sequence[Extracted]
) -> list[Fact]:
    """Up to three words that describe the item, styles first."""
    found: dict[Kind, list[Fact]] = {}
    seen: set[str] = set()

    def take(name: str, raw: str, field: str) -> None:
        text = written(clean(raw), locale)
        kind = attributes.kind_of(name, simplified(text))
        if not text or text.casefold() in seen or columns(text) > MAX_VALUE_COLUMNS:
            return
        if kind is Kind.FEATURE and not attributes.describes(name, text):
            return
        if not attributes.speaks(language, text) or not accepts(text):
            return
        seen.add(text.casefold())
        if language == "en" and text[1:].islower() and " " not in text:
            text = text[0].lower() + text[1:]
        found.setdefault(kind, []).append(make(kind, text, field, raw))

    for name, values in item.attributes.items():
        for raw in values[:8]:
            take(name, raw, f"attributes.{name}")
    given = set(found)
    for one in extracted:
        if attributes.kind_of(one.name, one.value) not in given:
            take(one.name, one.value, one.field.removeprefix("text."))
    for kind in (Kind.COLOUR, Kind.MATERIAL):
        if len(found.get(kind, ())) > 1:  # it comes in several: none of them is its colour
            del found[kind]
    order = ((Kind.STYLE, 2), (Kind.COLOUR, 1), (Kind.MATERIAL, 1), (Kind.FEATURE, 2))
    return [fact for kind, most in order for fact in found.get(kind, [])[:most]][:MAX_ATTRIBUTES]


def _described(facts: Sequence[Fact], locale: str, *, loosely: bool) -> Phrases:
    """The slots that describing words fill."""
    phrases: Phrases = {}
    if not facts:
        return phrases
    english = not locale.startswith("zh")
    if len(facts) > 1:
        phrases["several"] = Phrase()
    phrases["attrs"] = _fragment(facts, loosely=loosely) if english else joined(facts, locale)
    styles = [fact for fact in facts if fact.kind is Kind.STYLE]
    if styles:
        phrases["styles"] = joined(styles, locale)
        phrases["style"] = Phrase(styles[0])
    for fact in facts:
        if fact.kind is Kind.COLOUR:
            phrases["colour"] = Phrase(fact)
        elif fact.kind is Kind.MATERIAL:
            phrases["material"] = _material(fact) if english else Phrase(*worded(fact, locale))
    # Style and colour together name all there is to name: no third attribute is left out.
    if not english and styles and "colour" in phrases and len(styles) + 1 == len(facts):
        phrases["look"] = Phrase(*joined(styles, locale).pieces, "的", phrases["colour"].fact)
    return phrases


def _fragment(facts: Sequence[Fact], *, loosely: bool) -> Phrase:
    """All describing words in English, in their order as far as English lets them: "minimalist and artsy, in
    brick red linen", "brick red linen, minimalist", "light, with hyaluronic acid".
    """
    thing = [fact for kind in (Kind.COLOUR, Kind.MATERIAL) for fact in facts if fact.kind is kind]
    added = (
        thing.pop()
        if thing and thing[-1].kind is Kind.MATERIAL and not attributes.made_of(thing[-1].text)
        else None
    )
    words = [fact for fact in facts if fact not in thing and fact is not added]
    made = Phrase(*thing[:1], *(piece for fact in thing[1:] for piece in (" ", fact))).pieces
    first = facts[0] in thing and thing[0].kind is Kind.COLOUR
    pieces: list[Fact | str] = [*made] if first else []
    if words:
        pieces += [", "] if first else []
        pieces += joined(words, "en", loosely=loosely).pieces
    if thing and not first:
        bare = loosely and thing[0].kind is Kind.COLOUR
        pieces += [(", " if bare else ", in ") if words else "in ", *made]
    if added is not None:
        pieces += [", with " if pieces else "with ", added]
    return Phrase(*pieces)


def _material(fact: Fact) -> Phrase:
    """ "in linen", but "with hyaluronic acid"."""
    return Phrase("in " if attributes.made_of(fact.text) else "with ", fact)


def _occasions(item: Item, title: str, field: str, make: Maker) -> tuple[Occasion, ...]:
    """The seasons and occasions that an attribute names, else the one in the title."""
    found = [
        Occasion(season, make(Kind.DATE, clean(raw), f"attributes.{name}", raw))
        for name, values in item.attributes.items()
        if attributes.names_season(name)
        for raw in values
        if (season := meant(clean(raw))) is not None
    ]
    if not found and (named := told(clean(title))) is not None:
        found = [Occasion(named[0], make(Kind.DATE, named[1], field, title))]
    return tuple(sorted(found, key=lambda one: SEASONS.index(one.season)))
