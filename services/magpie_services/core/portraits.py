"""What is known of a user, folded from their events one at a time, in any order.

Exact in any order: counts, firsts and lasts, the newest interactions, ratings, searches' counts, money.
Equal but for float rounding: decayed counters. Approximate when late or many: which items, categories and
searches fall out beyond their limits, which of two clicks within 1.5 s counts, and a bot's pace.
"""

import math
from bisect import bisect_left, insort
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from magpie_services.core import cleaning
from magpie_services.core.cleaning import Pace
from magpie_services.core.events import ITEM_KINDS, KIND_CODES, PRESENCE_KINDS, PUSH_KINDS, Event, EventKind
from magpie_services.core.memory import (
    DAY_MS,
    HOUR_MS,
    MAX_ITEM_DAYS,
    Amount,
    Count,
    Decayed,
    ItemMemory,
    Moment,
    PushMemory,
    PushRecord,
    Recent,
    Search,
    Spend,
    decay,
    earliest,
    newest_days,
)

MAX_RECENT = 50
MAX_ITEMS = 200
MAX_CATEGORIES = 50
MAX_SEARCHES = 20
MAX_PUSHES = 20
MAX_VARIANT_CHARS = 64
MAX_TRAITS = 20
MAX_TRAIT_CHARS = 64
CATEGORY_HALF_LIFE_DAYS = 14.0
HOURS_HALF_LIFE_DAYS = 28.0

# How much a kind of event says about liking a category.
CATEGORY_WEIGHTS: dict[EventKind, float] = {
    EventKind.VIEW_ITEM: 1.0,
    EventKind.VIEW_CATEGORY: 1.0,
    EventKind.SEARCH: 1.0,
    EventKind.ADD_TO_CART: 3.0,
    EventKind.ADD_TO_WISHLIST: 2.0,
    EventKind.PURCHASE: 5.0,
}


class Stage(StrEnum):
    """Where somebody is in their life with the shop."""

    NEW = "new"
    ACTIVE = "active"
    LOYAL = "loyal"
    LAPSING = "lapsing"
    DORMANT = "dormant"


class Portrait(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One user. `version` belongs to the store (compare and set); folding does not touch it.

    `utc_hours` has the decayed activity by hour of the day in UTC, as of `utc_hours_as_of_ms`; read it
    through `local_hours`, so that learning the time zone late, or moving, loses nothing.
    `stated_ms` has when locale, timezone, country, platform and traits were last stated.
    """

    user_id: str
    version: Count = 0
    locale: str = ""
    timezone: str = ""
    country: str = ""
    platform: str = ""
    traits: list[str] = []
    stated_ms: dict[str, int] = {}
    first_seen_ms: Moment = 0
    last_seen_ms: Moment = 0
    recent: list[Recent] = []
    items: dict[str, ItemMemory] = {}
    categories: dict[str, Decayed] = {}
    searches: list[Search] = []
    utc_hours: list[Amount] = []
    utc_hours_as_of_ms: Moment = 0
    spend: Spend = msgspec.field(default_factory=Spend)
    pushes: PushMemory = msgspec.field(default_factory=PushMemory)
    pace: Pace = msgspec.field(default_factory=Pace)

    def stage(self, now_ms: int) -> Stage:
        """Dormant after 90 silent days, lapsing after 30; loyal from 5 orders; new for 14 days under 2."""
        silent_days = (now_ms - self.last_seen_ms) / DAY_MS
        if not self.last_seen_ms:
            return Stage.NEW
        if silent_days > 90:
            return Stage.DORMANT
        if silent_days > 30:
            return Stage.LAPSING
        if self.spend.orders >= 5:
            return Stage.LOYAL
        if self.spend.orders < 2 and now_ms - self.first_seen_ms < 14 * DAY_MS:
            return Stage.NEW
        return Stage.ACTIVE

    def local_offset_ms(self, now_ms: int) -> int:
        """What to add to a UTC time to get the user's local time; 0 where their time zone is not known."""
        return zone_offset_ms(self.timezone, now_ms)

    def local_hours(self, now_ms: int) -> list[float]:
        """Decayed activity by local hour of the day, 24 values at `now_ms` (half-hour zones round down)."""
        shift = self.local_offset_ms(now_ms) // HOUR_MS
        left = decay(now_ms - self.utc_hours_as_of_ms, HOURS_HALF_LIFE_DAYS)
        hours = self.utc_hours if len(self.utc_hours) == 24 else [0.0] * 24
        return [hours[(hour - shift) % 24] * left for hour in range(24)]

    def category_counts(self, now_ms: int) -> dict[str, float]:
        """Decayed interest in each remembered category at `now_ms`."""
        return {name: count.at(now_ms, CATEGORY_HALF_LIFE_DAYS) for name, count in self.categories.items()}


def new_portrait(user_id: str) -> Portrait:
    """A portrait of somebody of whom nothing is known."""
    return Portrait(user_id=user_id)


def zone_offset_ms(timezone: str, now_ms: int) -> int:
    """UTC offset of an IANA time zone at `now_ms`, in milliseconds; 0 for an empty or unknown name."""
    if not timezone:
        return 0
    try:
        offset = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(timezone)).utcoffset()
    except (ValueError, OSError, OverflowError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return 0
    return int(offset.total_seconds() * 1000) if offset else 0


def price_sensitivity(portrait: Portrait, typical_log_price: float | None = None) -> float:
    """How much price matters to somebody, in [0, 1]; 0.5 where nothing is known.

    The share of orders at a discount, smoothed by two imaginary orders (one discounted); where the shop's
    mean log price is given, averaged with how far below it the user buys, as far as orders support it.
    """
    spend = portrait.spend
    share = (spend.discounted + 1.0) / (spend.orders + 2.0)
    if typical_log_price is None or not spend.priced:
        return share
    cheapness = 1.0 / (1.0 + math.exp(min(50.0, max(-50.0, spend.mean_log_price - typical_log_price))))
    trust = spend.priced / (spend.priced + 2.0)
    return 0.5 * share + 0.5 * (trust * cheapness + (1.0 - trust) * share)


def fold(portrait: Portrait, event: Event) -> bool:
    """Adds one event to a portrait, in place; False where it was noise and changed nothing but the pace.

    The caller folds an event once (by its id) and has checked it.
    """
    kind, at_ms = event.kind, event.occurred_ms
    if cleaning.impossible(event):
        return False
    if kind in cleaning.INTERACTIONS and portrait.pace.count(at_ms) > cleaning.BOT_INTERACTIONS:
        return False
    if kind in ITEM_KINDS and _double_click(portrait, event):
        return False
    _state(portrait, event)
    if kind in PRESENCE_KINDS:
        portrait.first_seen_ms = earliest(portrait.first_seen_ms, at_ms)
        portrait.last_seen_ms = max(portrait.last_seen_ms, at_ms)
        _add_hour(portrait, at_ms)
    if event.category and kind in CATEGORY_WEIGHTS:
        count = portrait.categories.setdefault(event.category, Decayed())
        count.add(CATEGORY_WEIGHTS[kind], at_ms, CATEGORY_HALF_LIFE_DAYS)
        _trim_categories(portrait)
    if kind in ITEM_KINDS:
        _fold_item(portrait, event)
    elif kind == EventKind.SEARCH:
        _fold_search(portrait, Search(" ".join(event.query.casefold().split()), at_ms))
    elif kind in PUSH_KINDS:
        _fold_push(portrait.pushes, event)
    return True


def told_again(portrait: Portrait, event: Event) -> Event:
    """The event as it is announced once it is known whose it is: a purchase says whether it is one of an item
    that the user bought on an earlier day.
    """
    memory = portrait.items.get(event.item_id) if event.kind == EventKind.PURCHASE else None
    first_ms = memory.first_purchase_ms if memory else 0
    again = first_ms > 0 and first_ms // DAY_MS < event.occurred_ms // DAY_MS
    return event if again == event.again else msgspec.structs.replace(event, again=again)


def merge(into: Portrait, other: Portrait) -> None:
    """Adds all that is known of `other` (the same person under another id) to `into`, in place."""
    for field, stated_ms in other.stated_ms.items():
        if stated_ms >= into.stated_ms.get(field, 0):
            setattr(into, field, getattr(other, field))
            into.stated_ms[field] = stated_ms
    into.first_seen_ms = earliest(into.first_seen_ms, other.first_seen_ms)
    into.last_seen_ms = max(into.last_seen_ms, other.last_seen_ms)
    into.recent = sorted([*into.recent, *other.recent])[-MAX_RECENT:]
    for item_id, memory in other.items.items():
        into.items.setdefault(item_id, ItemMemory()).absorb(memory)
    while len(into.items) > MAX_ITEMS:
        _evict_item(into)
    for name, count in other.categories.items():
        into.categories.setdefault(name, Decayed()).add(count.value, count.as_of_ms, CATEGORY_HALF_LIFE_DAYS)
    _trim_categories(into)
    for search in other.searches:
        _fold_search(into, search)
    _merge_hours(into, other.utc_hours, other.utc_hours_as_of_ms)
    into.spend.absorb(other.spend)
    into.pushes.absorb(other.pushes, MAX_PUSHES)


def _double_click(portrait: Portrait, event: Event) -> bool:
    if event.kind not in cleaning.GESTURES:
        return False
    code, at_ms, reach = KIND_CODES[event.kind], event.occurred_ms, cleaning.DOUBLE_CLICK_MS
    start = bisect_left(portrait.recent, at_ms - reach + 1, key=lambda entry: entry.at_ms)
    for entry in portrait.recent[start:]:
        if entry.at_ms >= at_ms + reach:
            return False
        if entry.item_id == event.item_id and entry.kind == code:
            return True
    return False


def _state(portrait: Portrait, event: Event) -> None:
    """Takes what the app states about the user; the newest statement stands."""
    stated: dict[str, str | list[str]] = {}
    if event.platform:
        stated["platform"] = event.platform
    for field in ("locale", "timezone", "country"):
        if event.attributes.get(field):
            stated[field] = event.attributes[field]
    if "traits" in event.attributes:
        traits = (trait.strip()[:MAX_TRAIT_CHARS] for trait in event.attributes["traits"].split(","))
        stated["traits"] = list(dict.fromkeys(trait for trait in traits if trait))[:MAX_TRAITS]
    for field, value in stated.items():
        if (event.occurred_ms, value) >= (portrait.stated_ms.get(field, 0), getattr(portrait, field)):
            setattr(portrait, field, value)
            portrait.stated_ms[field] = event.occurred_ms


def _add_hour(portrait: Portrait, at_ms: int) -> None:
    hours = [0.0] * 24
    hours[at_ms // HOUR_MS % 24] = 1.0
    _merge_hours(portrait, hours, at_ms)


def _merge_hours(portrait: Portrait, hours: list[float], at_ms: int) -> None:
    if not hours:
        return
    newest = max(at_ms, portrait.utc_hours_as_of_ms)
    old = decay(newest - portrait.utc_hours_as_of_ms, HOURS_HALF_LIFE_DAYS)
    new = decay(newest - at_ms, HOURS_HALF_LIFE_DAYS)
    held = portrait.utc_hours or [0.0] * 24
    portrait.utc_hours = [mine * old + theirs * new for mine, theirs in zip(held, hours, strict=True)]
    portrait.utc_hours_as_of_ms = newest


def _trim_categories(portrait: Portrait) -> None:
    while len(portrait.categories) > MAX_CATEGORIES:
        now_ms = max(count.as_of_ms for count in portrait.categories.values())
        values = portrait.category_counts(now_ms)
        del portrait.categories[min(values, key=lambda name: (values[name], name))]


def _evict_item(portrait: Portrait) -> None:
    items = portrait.items
    del items[min(items, key=lambda item_id: (items[item_id].worth_keeping_ms, item_id))]


def _fold_item(portrait: Portrait, event: Event) -> None:
    kind, at_ms, spend = event.kind, event.occurred_ms, portrait.spend
    insort(portrait.recent, Recent(at_ms, event.item_id, KIND_CODES[kind], event.category))
    del portrait.recent[:-MAX_RECENT]
    memory = portrait.items.setdefault(event.item_id, ItemMemory())
    memory.touch(at_ms)
    units = max(event.quantity, 1)
    match kind:
        case EventKind.VIEW_ITEM:
            memory.views += 1
            memory.dwell_seconds += cleaning.dwell_seconds(event.dwell_seconds)
        case EventKind.ADD_TO_CART:
            memory.carts += 1
            memory.last_cart_ms = max(memory.last_cart_ms, at_ms)
        case EventKind.REMOVE_FROM_CART:
            memory.last_uncart_ms = max(memory.last_uncart_ms, at_ms)
        case EventKind.ADD_TO_WISHLIST:
            memory.wishes += 1
        case EventKind.PURCHASE:
            memory.days = newest_days(memory.bought_on, [at_ms // DAY_MS], MAX_ITEM_DAYS)
            memory.purchases += 1
            memory.units += units
            memory.first_purchase_ms = earliest(memory.first_purchase_ms, at_ms)
            memory.last_purchase_ms = max(memory.last_purchase_ms, at_ms)
            _fold_purchase(spend, event, units)
        case EventKind.RETURN_ITEM:
            memory.returns += 1
            spend.returns += 1
    if event.rating:
        memory.rate(event.rating, at_ms)
    if len(portrait.items) > MAX_ITEMS:
        _evict_item(portrait)


def _fold_purchase(spend: Spend, event: Event, units: int) -> None:
    spend.orders += 1
    spend.units += units
    spend.last_order_ms = max(spend.last_order_ms, event.occurred_ms)
    spend.order_on([event.occurred_ms // DAY_MS])
    spend.discounted += event.attributes.get("discounted", "").lower() in ("true", "1")
    price = event.unit_price
    if price is None or price.minor <= 0:
        return
    spend.pay(price.currency, price.minor * units)
    log_price = math.log(price.major)
    spend.priced += 1
    spend.log_price_sum += log_price
    spend.log_price_squares += log_price * log_price


def _fold_search(portrait: Portrait, news: Search) -> None:
    for search in portrait.searches:
        if search.query == news.query:
            search.at_ms = max(search.at_ms, news.at_ms)
            search.count += news.count
            break
    else:
        portrait.searches.append(news)
    portrait.searches.sort(key=lambda search: (search.at_ms, search.query))
    del portrait.searches[:-MAX_SEARCHES]


def _fold_push(pushes: PushMemory, event: Event) -> None:
    at_ms, outcome = event.occurred_ms, event.kind.removeprefix("push_")
    match event.kind:
        case EventKind.PUSH_SENT:
            pushes.sent.add(at_ms)
            pushes.last_sent_ms = max(pushes.last_sent_ms, at_ms)
            outcome = ""
        case EventKind.PUSH_OPENED:
            pushes.opened.add(at_ms)
            pushes.last_opened_ms = max(pushes.last_opened_ms, at_ms)
        case EventKind.PUSH_CLICKED:
            pushes.clicked.add(at_ms)
            pushes.last_opened_ms = max(pushes.last_opened_ms, at_ms)
        case EventKind.PUSH_DISMISSED:
            pushes.dismissed.add(at_ms)
            pushes.last_dismissed_ms = max(pushes.last_dismissed_ms, at_ms)
        case EventKind.PUSH_UNSUBSCRIBED:
            pushes.last_unsubscribed_ms = max(pushes.last_unsubscribed_ms, at_ms)
    variant_id = event.attributes.get("variant_id", "")[:MAX_VARIANT_CHARS]
    news = PushRecord(event.decision_id, event.item_id, at_ms, outcome, event.campaign_id, variant_id)
    pushes.note(news, MAX_PUSHES)
