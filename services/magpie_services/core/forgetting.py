"""A portrait as it would be had something never happened: what an explanation asks about. Pure; copies.

Exact as far as a portrait remembers single events: counts, times, decayed counters, the newest interactions.
What it keeps as a sum only goes by the average: seconds on an item, units and prices of a purchase. When the
last event of a kind is taken away and an earlier one is no longer among the newest 50, the earlier one is
taken for as old as the first.
"""

from magpie_services.core import codec
from magpie_services.core.events import KIND_CODES, KINDS_BY_CODE, EventKind
from magpie_services.core.memory import DAY_MS, HOUR_MS, ItemMemory, Recent, Spend, decay
from magpie_services.core.portraits import (
    CATEGORY_HALF_LIFE_DAYS,
    CATEGORY_WEIGHTS,
    HOURS_HALF_LIFE_DAYS,
    Portrait,
)

_COUNTS = {
    EventKind.VIEW_ITEM: "views",
    EventKind.ADD_TO_CART: "carts",
    EventKind.ADD_TO_WISHLIST: "wishes",
    EventKind.PURCHASE: "purchases",
    EventKind.RETURN_ITEM: "returns",
}


def without_item(portrait: Portrait, item_id: str) -> Portrait:
    """Somebody who never met the item. What was paid for it, and the orders, stay."""
    copy = _copy(portrait)
    for entry in [entry for entry in copy.recent if entry.item_id == item_id]:
        _forget_moment(copy, entry)
        copy.recent.remove(entry)
    copy.items.pop(item_id, None)
    return copy


def without_event(portrait: Portrait, at: int) -> Portrait:
    """Somebody for whom the interaction `recent[at]` did not happen. Raises IndexError."""
    copy = _copy(portrait)
    entry = copy.recent.pop(at)
    _forget_moment(copy, entry)
    memory = copy.items.get(entry.item_id)
    if memory is not None:
        _forget_from_item(copy, memory, entry)
        counted = any(getattr(memory, name) for name in _COUNTS.values())
        if not counted and all(other.item_id != entry.item_id for other in copy.recent):
            del copy.items[entry.item_id]
    return copy


def _copy(portrait: Portrait) -> Portrait:
    return codec.decode(Portrait, codec.encode(portrait))


def _forget_moment(portrait: Portrait, entry: Recent) -> None:
    """Takes the event from the counters of categories and hours, and from when the user was last there."""
    kind = KINDS_BY_CODE.get(entry.kind)
    category = portrait.categories.get(entry.category)
    if category is not None and kind in CATEGORY_WEIGHTS:
        left = decay(category.as_of_ms - entry.at_ms, CATEGORY_HALF_LIFE_DAYS)
        category.value = max(0.0, category.value - CATEGORY_WEIGHTS[kind] * left)
        if category.value < 1e-9:
            del portrait.categories[entry.category]
    if portrait.utc_hours:
        hour, age_ms = entry.at_ms // HOUR_MS % 24, portrait.utc_hours_as_of_ms - entry.at_ms
        left = decay(age_ms, HOURS_HALF_LIFE_DAYS)
        portrait.utc_hours[hour] = max(0.0, portrait.utc_hours[hour] - left)
    if portrait.last_seen_ms == entry.at_ms:
        moments = [other.at_ms for other in portrait.recent if other is not entry]
        moments += [search.at_ms for search in portrait.searches]
        portrait.last_seen_ms = max([portrait.pushes.last_opened_ms, portrait.first_seen_ms, *moments])


def _forget_from_item(portrait: Portrait, memory: ItemMemory, entry: Recent) -> None:
    kind, counted = KINDS_BY_CODE.get(entry.kind), _COUNTS.get(KINDS_BY_CODE[entry.kind])
    before = getattr(memory, counted) if counted else 0
    if counted and before:
        setattr(memory, counted, before - 1)
    mine = [other for other in portrait.recent if other.item_id == entry.item_id]
    match kind:
        case EventKind.VIEW_ITEM if before:
            memory.dwell_seconds *= (before - 1) / before
        case EventKind.ADD_TO_CART:
            memory.last_cart_ms = _last(mine, kind, memory.first_ms if memory.carts else 0)
        case EventKind.REMOVE_FROM_CART:
            memory.last_uncart_ms = _last(mine, kind, 0)
        case EventKind.PURCHASE if before:
            memory.units -= memory.units // before
            earlier = memory.first_purchase_ms if memory.purchases else 0
            memory.last_purchase_ms = _last(mine, kind, earlier)
            if memory.purchases < 2:
                memory.first_purchase_ms = memory.last_purchase_ms
            _forget_item_day(memory, mine, entry.at_ms // DAY_MS)
            _forget_order(portrait.spend, _last(portrait.recent, kind, 0))
            _forget_order_day(portrait, entry.at_ms // DAY_MS)
        case EventKind.RETURN_ITEM if portrait.spend.returns:
            portrait.spend.returns -= 1
        case EventKind.REVIEW:
            memory.rating, memory.rated_ms = 0.0, 0
    if memory.last_ms == entry.at_ms:
        memory.last_ms = max((other.at_ms for other in mine), default=memory.first_ms)


def _forget_order(spend: Spend, last_order_ms: int) -> None:
    """One order less, of the average price and size."""
    if not spend.orders:
        return
    left = (spend.orders - 1) / spend.orders
    spend.orders -= 1
    spend.units = round(spend.units * left)
    spend.discounted = round(spend.discounted * left)
    if spend.priced:
        kept = (spend.priced - 1) / spend.priced
        spend.priced -= 1
        spend.log_price_sum *= kept
        spend.log_price_squares *= kept
    spend.last_order_ms = min(spend.last_order_ms, last_order_ms) if spend.orders else 0


def _forget_item_day(memory: ItemMemory, left: list[Recent], day: int) -> None:
    """The day is one on which the item was bought only as long as `left`, what is known of it, says so."""
    bought = KIND_CODES[EventKind.PURCHASE]
    if day in memory.days and all(entry.at_ms // DAY_MS != day for entry in left if entry.kind == bought):
        memory.days.remove(day)


def _forget_order_day(portrait: Portrait, day: int) -> None:
    """The day is one with an order only as long as something else is known to have been bought on it."""
    moments = {entry.at_ms for entry in portrait.recent if entry.kind == KIND_CODES[EventKind.PURCHASE]}
    for memory in portrait.items.values():
        moments |= {memory.first_purchase_ms, memory.last_purchase_ms}
    days = portrait.spend.order_days
    if day in days and all(at_ms // DAY_MS != day for at_ms in moments):
        days.remove(day)


def _last(entries: list[Recent], kind: EventKind, otherwise: int) -> int:
    """When something of this kind happened last; `otherwise` where none of the entries is."""
    return max((entry.at_ms for entry in entries if entry.kind == KIND_CODES[kind]), default=otherwise)
