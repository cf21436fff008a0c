"""Typed facts: everything that a message may claim, each with where it comes from.

A phrase is what fills a slot of the grammar: facts with the words between them. A slot that has no phrase
cannot be filled, so a claim without a fact cannot be written.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from magpie_services.content import attributes, formats, names
from magpie_services.content.attributes import Kind
from magpie_services.content.cleaning import clean
from magpie_services.content.limits import columns
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait

MAX_VALUE_COLUMNS = 20
NEW_DAYS = 30
LOW_STOCK = 10
DAY_MS = 86_400_000


class Fact(NamedTuple):
    """One thing that is so: the words for it, and the field, value, holder and version it is from."""

    kind: Kind
    text: str
    field: str
    value: str
    source: str
    version: int


class Phrase:
    """What fills a slot: facts and the plain words between them; `columns` is its width."""

    __slots__ = ("columns", "number", "pieces")

    def __init__(self, *pieces: Fact | str, number: int = 0) -> None:
        self.pieces = pieces
        self.columns = sum(columns(piece if isinstance(piece, str) else piece.text) for piece in pieces)
        self.number = number

    @property
    def fact(self) -> Fact:
        """The first fact."""
        return next(piece for piece in self.pieces if isinstance(piece, Fact))


Slots = dict[str, Phrase]
Accepts = Callable[[str], bool]


class ItemFacts(msgspec.Struct, frozen=True):
    """What one version of an item offers in one language: phrases by slot, its names longest first."""

    names: tuple[Phrase, ...]
    slots: Slots


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """Facts beyond the items' own, by their keys in a brief.

    was_out_of_stock, in_cart, viewed, bought, is_new: "true" or "false". popular_rank (from 1) with
    trend_category; bought_days_ago (whole days); offer_ends (ISO date). Other keys are ignored.
    """

    was_out_of_stock: bool = False
    in_cart: bool = False
    viewed: bool = False
    bought: bool = False
    is_new: bool = False
    popular_rank: int = 0
    trend_category: str = ""
    bought_days_ago: int = 0
    offer_ends: date | None = None


NO_EXTRA = Extra()


def extra_facts(raw: Mapping[str, str]) -> Extra:
    """The known keys of a brief's facts, parsed. Raises ValueError(key, problem) for a malformed one."""
    known = {key: value.strip() for key, value in raw.items() if key in Extra.__struct_fields__}
    parsed: dict[str, bool | int | str | date] = {}
    for key, value in known.items():
        if key == "trend_category":
            parsed[key] = clean(value)
        elif key == "offer_ends":
            try:
                parsed[key] = date.fromisoformat(value)
            except ValueError:
                raise ValueError(key, "must be a date such as 2026-11-30") from None
        elif key in ("popular_rank", "bought_days_ago"):
            if not re.fullmatch("[0-9]{1,9}", value):
                raise ValueError(key, "must be a whole number")
            parsed[key] = int(value)
        elif value.casefold() not in ("true", "false", "1", "0"):
            raise ValueError(key, 'must be "true" or "false"')
        else:
            parsed[key] = value.casefold() in ("true", "1")
    return Extra(**parsed)  # type: ignore[arg-type]


def raw_money(amount: Money) -> str:
    """Money as spans give it: "1299.00 CNY"."""
    return f"{amount.amount} {amount.currency}"


def title_of(item: Item, language: str) -> tuple[str, str]:
    """The title to use in a language and its field: the translation of that language, else the own."""
    if item.locale and item.locale.split("-")[0].casefold() != language:
        for tag in sorted(item.translations):
            if tag.split("-")[0].casefold() == language and item.translations[tag].title:
                return item.translations[tag].title, f"item.translations[{tag}].title"
    return item.title, "item.title"


def item_facts(item: Item, language: str, accepts: Accepts) -> ItemFacts:
    """Everything about an item that does not depend on the user or the moment.

    `accepts` says which texts hold nothing banned: a value that fails is no fact.
    """
    from_item = _Maker("item", item.item_id, item.version)
    title, field = title_of(item, language)
    spoken = tuple(
        Phrase(from_item(Kind.TITLE, form, field, title)) for form in names.forms(clean(title), accepts)
    )
    slots: Slots = {}
    full_name = clean(title).casefold()

    def put(slot: str, phrase: Phrase) -> None:
        """Fills a slot; "slot~" too, the one used beside the item's name, unless the name says it already."""
        slots[slot] = phrase
        if phrase.fact.text.casefold() not in full_name:
            slots[f"{slot}~"] = phrase

    for slot, raw in (("brand", item.brand), ("category", item.category)):
        text = clean(raw)
        if not text or columns(text) > MAX_VALUE_COLUMNS or not accepts(text):
            continue
        if slot == "brand":
            put(slot, Phrase(from_item(Kind.BRAND, text, "brand", raw)))
        elif attributes.speaks(language, text):
            put(slot, Phrase(from_item(Kind.CATEGORY, text, "categories", raw)))
    _put_prices(item, language, from_item, slots)
    if item.stock is not None and item.stock > 0:
        evidence = from_item(Kind.COUNT, formats.count(item.stock, language), "stock", str(item.stock))
        slots["in_stock"] = Phrase(evidence)
        if item.stock <= LOW_STOCK:
            slots["stock"] = slots["few"] = Phrase(evidence, number=item.stock)
    if 1 <= item.rating <= 5 and item.rating_count > 0:
        slots["rating"] = Phrase(
            from_item(Kind.RATING, formats.rating(item.rating), "rating", f"{item.rating:g}")
        )
        slots["ratings"] = Phrase(
            from_item(
                Kind.COUNT, formats.count(item.rating_count, language), "rating_count", str(item.rating_count)
            ),
            number=item.rating_count,
        )
    _put_attributes(item, language, from_item, accepts, slots, full_name)
    return ItemFacts(spoken, slots)


class _Maker:
    """Makes facts of one holder."""

    def __init__(self, prefix: str, source: str, version: int) -> None:
        self._prefix, self._source, self._version = prefix, source, version

    def __call__(self, kind: Kind, text: str, field: str, value: str) -> Fact:
        path = field if field.startswith(f"{self._prefix}.") else f"{self._prefix}.{field}"
        return Fact(kind, text, path, value, self._source, self._version)


def _put_prices(item: Item, language: str, make: _Maker, slots: Slots) -> None:
    price, full = item.price, item.list_price
    if price is None or price.minor <= 0 or not (shown := formats.money(price, language)):
        return
    slots["price"] = Phrase(make(Kind.MONEY, shown, "price", raw_money(price)))
    if full is None or full.currency != price.currency or full.minor <= price.minor:
        return
    value = f"{raw_money(full)} -> {raw_money(price)}"
    saved = formats.money(Money(price.currency, full.minor - price.minor), language)
    slots["drop"] = Phrase(make(Kind.EVIDENCE, "", "discount", value))
    slots["was"] = Phrase(make(Kind.MONEY, formats.money(full, language), "list_price", raw_money(full)))
    slots["saved"] = Phrase(make(Kind.MONEY, saved, "discount", value))
    percent = formats.percent_off(price.minor, full.minor)
    if 3 <= percent <= 95:
        slots["off"] = Phrase(make(Kind.PERCENT, f"{percent}%", "discount", value))
        slots["zhe"] = Phrase(
            make(Kind.PERCENT, f"{formats.zhe(price.minor, full.minor)} 折", "discount", value)
        )


def _put_attributes(
    item: Item, language: str, make: _Maker, accepts: Accepts, slots: Slots, full_name: str
) -> None:
    found: dict[Kind, list[Fact]] = {}
    seen: set[str] = set()
    for name, values in item.attributes.items():
        for raw in values[:8]:
            text = clean(raw)
            kind = attributes.kind_of(name, text)
            if not text or text.casefold() in seen or columns(text) > MAX_VALUE_COLUMNS:
                continue
            if not attributes.speaks(language, text) or not accepts(text):
                continue
            seen.add(text.casefold())
            if language == "en" and text[1:].islower() and " " not in text:
                text = text[0].lower() + text[1:]
            found.setdefault(kind, []).append(make(kind, text, f"attributes.{name}", raw))
    ordered = [
        fact
        for kind, most in ((Kind.STYLE, 2), (Kind.COLOUR, 1), (Kind.MATERIAL, 1), (Kind.FEATURE, 2))
        for fact in found.get(kind, [])[:most]
    ][:3]
    beside = [fact for fact in ordered if fact.text.casefold() not in full_name]
    for suffix, facts in (("", ordered), ("~", beside)):
        if facts:
            slots[f"attrs{suffix}"] = joined(facts, language)
        styles = [fact for fact in facts if fact.kind is Kind.STYLE]
        if styles:
            slots[f"styles{suffix}"] = joined(styles, language)
            slots[f"style{suffix}"] = Phrase(styles[0])
        for kind in (Kind.COLOUR, Kind.MATERIAL):
            ofkind = [fact for fact in facts if fact.kind is kind]
            if ofkind:
                slots[f"{kind}{suffix}"] = Phrase(ofkind[0])
        # Style and colour together name all there is to name: no third attribute is left out.
        if len(styles) + sum(fact.kind is Kind.COLOUR for fact in facts) == len(facts) > len(styles) > 0:
            slots[f"look{suffix}"] = _look(styles, facts[-1], language)


def _look(styles: list[Fact], colour: Fact, language: str) -> Phrase:
    """ "时尚、简约的蓝色" or "simple, stylish blue"."""
    if language == "zh":
        return Phrase(*joined(styles, language).pieces, "的", colour)
    pieces: list[Fact | str] = []
    for style in styles:
        pieces += [style, ", "]
    return Phrase(*pieces[:-1], " ", colour)


def joined(facts: list[Fact], language: str) -> Phrase:
    """Facts as a list: "时尚、简约、蓝色" or "modern, simple and blue"."""
    between, last = ("、", "、") if language == "zh" else (", ", " and ")
    pieces: list[Fact | str] = []
    for at, fact in enumerate(facts):
        if at:
            pieces.append(last if at == len(facts) - 1 else between)
        pieces.append(fact)
    return Phrase(*pieces)


def is_new(item: Item, now_ms: int, extra: Extra) -> bool:
    """Whether an item may be called new: the caller says so, or it came within the last 30 days."""
    return extra.is_new or 0 < item.published_ms <= now_ms < item.published_ms + NEW_DAYS * DAY_MS


def portrait_slots(portrait: Portrait, item: Item, language: str, now_ms: int, accepts: Accepts) -> Slots:
    """What of the portrait may be said aloud: traits, and a category that the user keeps visiting."""
    make = _Maker("portrait", "portrait", portrait.version)
    slots: Slots = {}
    spoken: list[tuple[str, Fact]] = []
    for raw in portrait.traits:
        text = clean(raw)
        form = attributes.trait_form(language, text) if text else ""
        if form and accepts(text):
            spoken.append((form, make(Kind.TRAIT, text, "traits", raw)))
    if spoken:
        # Quality first: it is what the premium strategy stands on.
        form, fact = next((one for one in spoken if attributes.minds_quality([one[1].text])), spoken[-1])
        if language == "zh":
            slots["you"] = Phrase(fact, "的你")
            traits = [one for _, one in spoken][:3]
            slots["all_you"] = Phrase(*joined(traits, language).pieces, "的你")
        else:
            slots["someone"] = Phrase("someone who " if form == "verb" else "someone ", fact)
    if item.category in portrait.categories:
        text = clean(item.category)
        often = portrait.category_counts(now_ms)[item.category] >= 3
        if (
            often
            and attributes.speaks(language, text)
            and columns(text) <= MAX_VALUE_COLUMNS
            and accepts(text)
        ):
            slots["liked"] = Phrase(make(Kind.CATEGORY, text, "categories", item.category))
    return slots


def moment_slots(
    item: Item, because: Item | None, portrait: Portrait, extra: Extra, language: str, now_ms: int
) -> Slots:
    """Facts of this user with these items at this moment, most of them evidence for plain words."""
    slots: Slots = {}
    given = _Maker("facts", item.item_id, item.version)
    told = _Maker("portrait", "portrait", portrait.version)
    memory = portrait.items.get(item.item_id)

    def evidence(slot: str, fact: Fact) -> None:
        slots[slot] = Phrase(fact)

    if extra.in_cart:
        evidence("cart", given(Kind.EVIDENCE, "", "in_cart", "true"))
    elif memory is not None and memory.in_cart:
        evidence("cart", told(Kind.EVIDENCE, "", f"items[{item.item_id}].carts", str(memory.carts)))
    if extra.was_out_of_stock and item.stock != 0:
        evidence("back", given(Kind.EVIDENCE, "", "was_out_of_stock", "true"))
    if extra.is_new:
        evidence("new", given(Kind.EVIDENCE, "", "is_new", "true"))
    elif is_new(item, now_ms, extra):
        moment = datetime.fromtimestamp(item.published_ms / 1000, UTC).isoformat()
        evidence("new", _Maker("item", item.item_id, item.version)(Kind.EVIDENCE, "", "publish_time", moment))
    if 1 <= extra.popular_rank <= 100:
        rank = given(Kind.COUNT, str(extra.popular_rank), "popular_rank", str(extra.popular_rank))
        slots["popular"] = Phrase(rank)
        if extra.popular_rank > 1:  # "number one" is a superlative even when it is true
            slots["rank"] = Phrase(rank)
        if extra.trend_category and columns(extra.trend_category) <= MAX_VALUE_COLUMNS:
            slots["topic"] = Phrase(
                given(Kind.CATEGORY, extra.trend_category, "trend_category", extra.trend_category)
            )
    if extra.bought_days_ago > 0:
        days = str(extra.bought_days_ago)
        slots["days"] = Phrase(given(Kind.COUNT, days, "bought_days_ago", days), number=extra.bought_days_ago)
        slots["again"] = slots["days"]
    elif memory is not None and memory.purchases > 1:  # bought once is not yet used up and bought again
        evidence("again", told(Kind.EVIDENCE, "", f"items[{item.item_id}].purchases", str(memory.purchases)))
    if extra.offer_ends is not None and extra.offer_ends >= datetime.fromtimestamp(now_ms / 1000, UTC).date():
        text = formats.day(extra.offer_ends, language)
        slots["ends"] = Phrase(given(Kind.DATE, text, "offer_ends", extra.offer_ends.isoformat()))
    if because is not None:
        past = portrait.items.get(because.item_id)
        if extra.viewed or (past is not None and past.views > 0):
            count = str(past.views) if past is not None and past.views else "true"
            evidence("viewed", told(Kind.EVIDENCE, "", f"items[{because.item_id}].views", count))
        if extra.bought or (past is not None and past.purchases > 0):
            count = str(past.purchases) if past is not None and past.purchases else "true"
            evidence("bought", told(Kind.EVIDENCE, "", f"items[{because.item_id}].purchases", count))
    return slots
