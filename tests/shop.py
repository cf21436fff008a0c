"""A small shop for tests of services: items of clustered tastes, customers who keep to one, their vectors."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.core import codec
from magpie_services.core.events import Event, EventKind
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS, HOUR_MS
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait, fold, new_portrait
from magpie_services.kit.redis import Redis, partition, stream_key

NOW_MS = 1_767_225_600_000
TASTES = 10


def item(number: int, **fields: Any) -> Item:
    """Item `i7` belongs to taste 7 % 10, which is its category."""
    shape: dict[str, Any] = {
        "item_id": f"i{number}",
        "title": f"Item {number}",
        "categories": [f"hall{number % 2}", f"taste{number % TASTES}"],
        "brand": f"brand{number % 7}",
        "vendor": f"vendor{number % 3}",
        "price": Money("CNY", 1_000 + 31 * number),
        "list_price": Money("CNY", 2_000 + 31 * number),
        "published_ms": NOW_MS - number * HOUR_MS,
        "stock": 5,
    }
    return Item(**(shape | fields))


def event(user_id: str, number: int, kind: EventKind, at_ms: int) -> Event:
    return Event(
        event_id=f"{user_id}-{kind}-{number}-{at_ms}",
        user_id=user_id,
        kind=kind,
        occurred_ms=at_ms,
        item_id=f"i{number}",
        category=f"taste{number % TASTES}",
        unit_price=Money("CNY", 1_000) if kind == EventKind.PURCHASE else None,
    )


def visits(user: int, items: int, count: int = 12) -> list[Event]:
    """What user `u7`, whose taste is 7 % 10, did lately: views, and every fourth time a purchase."""
    dice, taste = random.Random(user), user % TASTES
    done = []
    for at in range(count):
        number = taste + TASTES * dice.randrange(items // TASTES)
        kind = EventKind.PURCHASE if at % 4 == 3 else EventKind.VIEW_ITEM
        done.append(event(f"u{user}", number, kind, NOW_MS - (count - at) * 5 * HOUR_MS))
    return done


def portrait(user_id: str, events: Sequence[Event] = ()) -> Portrait:
    folded = new_portrait(user_id)
    for one in events:
        fold(folded, one)
    return folded


def vectors(items: int, size: int = 64) -> NDArray[np.float32]:
    """Unit vectors of `i0`, `i1` …, those of one taste near each other: float32 [items, size]."""
    generator = np.random.default_rng(7)
    centres = generator.normal(size=(TASTES, size))
    found = centres[np.arange(items) % TASTES] + 0.5 * generator.normal(size=(items, size))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


async def stock(redis: Redis, items: Sequence[Item]) -> None:
    """Puts items into Redis as candidate does."""
    for one in items:
        blob = codec.encode(one)
        await redis.hset("magpie:{items}:catalogue", mapping={one.item_id: blob})
        await redis.xadd("magpie:{items}:feed", {"v": blob})


async def record(redis: Redis, events: Sequence[Event]) -> None:
    """Puts events into Redis as profile does."""
    pipeline = redis.pipeline(transaction=False)
    for one in events:
        pipeline.xadd(stream_key("events", partition(one.user_id)), {"v": codec.encode(one)})
    await pipeline.execute()


__all__ = ["DAY_MS", "HOUR_MS", "NOW_MS", "event", "item", "portrait", "record", "stock", "vectors", "visits"]
