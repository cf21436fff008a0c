"""Facts of one user with one item at one moment, most of them evidence for plain words."""

from datetime import UTC, date, datetime

from magpie_services.content import formats, seasons
from magpie_services.content.attributes import HAN, Kind
from magpie_services.content.facts.extra import Extra
from magpie_services.content.facts.items import MAX_VALUE_COLUMNS, ItemFacts, Occasion
from magpie_services.content.facts.phrases import Maker, Phrase, Phrases
from magpie_services.content.limits import columns
from magpie_services.content.scripts import written
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS
from magpie_services.core.portraits import Portrait

NEW_DAYS = 30
RESTOCKED_DAYS = 7


def moment_phrases(
    item: Item,
    known: ItemFacts,
    because: Item | None,
    portrait: Portrait,
    extra: Extra,
    locale: str,
    now_ms: int,
) -> Phrases:
    """The slots filled by what the caller says, by the portrait's memory of the items, and by the clock."""
    phrases: Phrases = {}
    given = Maker("facts", item.item_id, item.version)
    own = Maker("item", item.item_id, item.version)
    told = Maker("portrait", "portrait", portrait.version)
    memory = portrait.items.get(item.item_id)
    if extra.in_cart:
        phrases["cart"] = given.evidence("in_cart", "true")
    elif memory is not None and memory.in_cart:
        phrases["cart"] = told.evidence(f"items[{item.item_id}].carts", str(memory.carts))
    if memory is not None and memory.views > 0:
        phrases["seen"] = told.evidence(f"items[{item.item_id}].views", str(memory.views))
    if item.available and extra.was_out_of_stock:
        phrases["back"] = given.evidence("was_out_of_stock", "true")
    elif item.available and 0 < item.restock_ms <= now_ms < item.restock_ms + RESTOCKED_DAYS * DAY_MS:
        phrases["back"] = own.evidence("restock_time", _moment(item.restock_ms))
    if extra.is_new:
        phrases["new"] = given.evidence("is_new", "true")
    elif 0 < item.published_ms <= now_ms < item.published_ms + NEW_DAYS * DAY_MS:
        phrases["new"] = own.evidence("publish_time", _moment(item.published_ms))
    if 1 <= extra.popular_rank <= 100:
        _put_rank(extra, locale, given, phrases)
    _put_purchases(item, portrait, extra, now_ms, given, told, phrases)
    if extra.offer_ends is not None and extra.offer_ends >= _day(now_ms):
        text = formats.day(extra.offer_ends, locale)
        phrases["ends"] = Phrase(given(Kind.DATE, text, "offer_ends", extra.offer_ends.isoformat()))
    if because is not None:
        past = portrait.items.get(because.item_id)
        field = f"items[{because.item_id}]"
        if extra.viewed or (past is not None and past.views > 0):
            phrases["viewed"] = told.evidence(f"{field}.views", str(past.views) if past else "true")
        if extra.bought or (past is not None and past.purchases > 0):
            phrases["bought"] = told.evidence(f"{field}.purchases", str(past.purchases) if past else "true")
    if known.occasions:
        _put_season(known.occasions, portrait, locale, now_ms, phrases)
    return phrases


def _put_rank(extra: Extra, locale: str, given: Maker, phrases: Phrases) -> None:
    rank = Phrase(given(Kind.COUNT, str(extra.popular_rank), "popular_rank", str(extra.popular_rank)))
    phrases["popular"] = rank
    if extra.popular_rank > 1:  # "number one" is a superlative even when it is true
        phrases["rank"] = rank
    topic = written(extra.trend_category, locale)
    if topic and columns(topic) <= MAX_VALUE_COLUMNS and bool(HAN.search(topic)) is (locale != "en"):
        phrases["topic"] = Phrase(given(Kind.CATEGORY, topic, "trend_category", extra.trend_category))


def _put_purchases(
    item: Item, portrait: Portrait, extra: Extra, now_ms: int, given: Maker, told: Maker, phrases: Phrases
) -> None:
    """That the user bought the item before, and how many days ago."""
    memory = portrait.items.get(item.item_id)
    if extra.bought_days_ago > 0:
        days = str(extra.bought_days_ago)
        phrases["days"] = Phrase(
            given(Kind.COUNT, days, "bought_days_ago", days), number=extra.bought_days_ago
        )
        phrases["again"] = phrases["days"]
        return
    if memory is None or not memory.purchases:
        return
    if memory.purchases > 1:  # bought once is not yet used up and bought again
        phrases["again"] = told.evidence(f"items[{item.item_id}].purchases", str(memory.purchases))
    days_ago = (now_ms - memory.last_purchase_ms) // DAY_MS if memory.last_purchase_ms else 0
    if days_ago > 0:
        text = str(days_ago)
        field = f"items[{item.item_id}].last_purchase_time"
        fact = told(Kind.COUNT, text, field, _moment(memory.last_purchase_ms))
        phrases["days"] = Phrase(fact, number=days_ago)


def _put_season(
    occasions: tuple[Occasion, ...], portrait: Portrait, locale: str, now_ms: int, phrases: Phrases
) -> None:
    today = _day(now_ms + portrait.local_offset_ms(now_ms))
    south = seasons.southern(portrait.country, portrait.timezone)
    for season, fact in occasions:
        if seasons.at_hand(season, today, southern=south):
            # The catalogue's own word where it is of the language, else what the language calls it.
            own = written(fact.text, locale)
            if locale == "en":
                text = season.names[1]
            else:
                text = own if HAN.search(own) else written(season.names[0], locale)
            phrases["season"] = Phrase(fact._replace(text=text))
            return


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
