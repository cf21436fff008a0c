"""The live copy of the catalogue: order of versions, noise, and popularity that is stored and restored."""

import numpy as np
from tests import shop

from magpie_services.core import codec
from magpie_services.core.cleaning import BOT_INTERACTIONS
from magpie_services.core.columns import Popularity
from magpie_services.core.events import Event, EventKind
from magpie_services.core.mirror import Mirror


def mirror(size: int = 20) -> Mirror:
    made = Mirror()
    made.put(shop.item(number, version=1) for number in range(size))
    return made


def test_an_older_version_never_overwrites_a_newer_one() -> None:
    held = mirror()
    held.put([shop.item(1, version=3, stock=0)])
    taken, rows = held.put([shop.item(1, version=2), shop.item(2, version=1)])
    assert taken == []
    assert len(rows) == 0
    assert not held.columns["available"][1]


def test_a_bot_and_impossible_values_do_not_count() -> None:
    held = mirror()
    fast = [shop.event("bot", n % 20, EventKind.VIEW_ITEM, shop.NOW_MS + n) for n in range(500)]
    assert len(held.observe(fast)) == BOT_INTERACTIONS
    absurd = Event(
        event_id="e", user_id="u", kind=EventKind.PURCHASE, occurred_ms=1, item_id="i1", quantity=10**6
    )
    assert held.observe([absurd]) == []


def test_popularity_survives_storage_whatever_the_order_of_rows() -> None:
    first, second = mirror(), Mirror()
    second.put(shop.item(number, version=1) for number in reversed(range(20)))
    for user in range(10):
        first.observe(shop.visits(user, 20))
    second.columns.restore(codec.decode(Popularity, codec.encode(first.columns.counted())))
    ids = [f"i{number}" for number in range(20)]
    told = [
        one.columns.popularity(one.columns.rows(ids), shop.NOW_MS + shop.DAY_MS) for one in (first, second)
    ]
    assert told[0].any()
    assert np.array_equal(told[0], told[1])
    assert first.columns.mean_views(shop.NOW_MS) == second.columns.mean_views(shop.NOW_MS)
