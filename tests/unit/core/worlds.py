"""Small seeded worlds for the tests of core: a catalogue, and the events of one user."""

import random
from collections.abc import Sequence
from typing import Any

from magpie_services.core.columns import ItemColumns
from magpie_services.core.events import ITEM_KINDS, PUSH_KINDS, Event, EventKind
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait, fold, new_portrait

NOW_MS = 1_760_000_000_000


def item(number: int, **fields: Any) -> Item:
    shape: dict[str, Any] = {
        "item_id": f"i{number}",
        "title": f"Item {number}",
        "categories": [f"b{number % 3}", f"c{number % 7}"],
        "brand": f"brand{number % 5}",
        "price": Money("CNY", 1_000 + 137 * number),
        "published_ms": NOW_MS - number * DAY_MS,
        "rating": 4.5,
        "rating_count": number,
    }
    return Item(**(shape | fields))


def catalogue(size: int = 40) -> ItemColumns:
    columns = ItemColumns()
    columns.upsert(item(number) for number in range(size))
    return columns


def event(number: int, kind: EventKind, at_ms: int = NOW_MS, **fields: Any) -> Event:
    shape: dict[str, Any] = {"event_id": f"e{number}", "user_id": "u", "kind": kind, "occurred_ms": at_ms}
    return Event(**(shape | fields))


def history(seed: int, size: int) -> list[Event]:
    """Events in order and at least 2 s apart: neither double clicks nor a bot."""
    dice, at_ms, events = random.Random(seed), NOW_MS - 60 * DAY_MS, []
    for number in range(size):
        at_ms += dice.randrange(2_000, DAY_MS)
        kind = dice.choice(tuple(EventKind))
        about_push, about_item = kind in PUSH_KINDS, kind in ITEM_KINDS
        form = {"variant_id": f"en:plain:plain:none:{number}"} if kind == EventKind.PUSH_SENT else {}
        events.append(
            event(
                number,
                kind,
                at_ms,
                item_id=f"i{dice.randrange(30)}" if about_item or about_push else "",
                category=f"c{dice.randrange(7)}" if about_item else "",
                query=f"q{dice.randrange(5)}" if kind == EventKind.SEARCH else "",
                decision_id=f"d{dice.randrange(10)}" if about_push else "",
                rating=dice.randrange(1, 6) if kind == EventKind.REVIEW else 0,
                dwell_seconds=float(dice.randrange(100)),
                quantity=dice.randrange(3),
                unit_price=Money("CNY", dice.randrange(1, 99_999)),
                platform=dice.choice(("", "android", "ios")),
                attributes={"timezone": dice.choice(("Asia/Shanghai", "Europe/Paris")), **form},
            )
        )
    return events


def folded(events: Sequence[Event], user_id: str = "u") -> Portrait:
    portrait = new_portrait(user_id)
    for one in events:
        fold(portrait, one)
    return portrait
