"""What every store of the catalogue promises; a new implementation is one more parameter."""

import asyncio
from collections.abc import Callable

import pytest
from tests import shop
from tests.fakes import FixedClock, MemoryCatalogue

from magpie_services.candidate.catalogue import Catalogue, Store
from magpie_services.candidate.redis_store import RedisStore
from magpie_services.core.items import Item
from magpie_services.kit.redis import Redis


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis: Redis) -> Store:
    stores: dict[str, Callable[[], Store]] = {
        "memory": MemoryCatalogue,
        "redis": lambda: RedisStore(redis),
    }
    return stores[request.param]()


def versioned(number: int, version: int) -> Item:
    return shop.item(number, version=version)


async def test_items_come_back_in_the_order_asked_for(store: Store) -> None:
    assert await store.put([versioned(1, 1), versioned(2, 1)])
    assert await store.get(["i2", "nothing", "i1"]) == [versioned(2, 1), None, versioned(1, 1)]
    assert await store.get([]) == []


async def test_a_put_is_all_or_nothing(store: Store) -> None:
    assert await store.put([versioned(1, 1)])
    assert not await store.put([versioned(2, 1), versioned(1, 1)])
    assert not await store.put([versioned(2, 1), versioned(1, 3)])
    assert await store.get(["i2", "i1"]) == [None, versioned(1, 1)]
    assert await store.put([versioned(2, 1), versioned(1, 2)])


async def test_pages_hold_everything(store: Store) -> None:
    items = [versioned(number, 1) for number in range(230)]
    assert await store.put(items)
    seen, cursor, pages = [], 0, 0
    while True:
        page, cursor = await store.page(cursor, 50)
        seen += page
        pages += 1
        if not cursor:
            break
    assert {one.item_id for one in seen} == {one.item_id for one in items}
    assert pages > 1


async def test_writers_at_the_same_time_lose_no_change(store: Store) -> None:
    catalogue = Catalogue(store, FixedClock(shop.NOW_MS))
    changed = await asyncio.gather(*(catalogue.upsert([shop.item(1, stock=stock)]) for stock in range(1, 4)))
    (held,) = await store.get(["i1"])
    assert held is not None
    assert changed == [1, 1, 1]
    assert held.version == 3


async def test_the_feed_tells_every_version_in_order(redis: Redis) -> None:
    store = RedisStore(redis)
    await store.put([versioned(1, 1), versioned(2, 1)])
    await store.put([versioned(1, 2)])
    assert await redis.xlen("magpie:{items}:feed") == 3
