"""Forgetting: the features of somebody without an event are those of somebody who never did it."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import shop

from magpie_services.core.columns import ItemColumns
from magpie_services.core.events import EventKind
from magpie_services.core.features import cross_features, recent_buckets, user_features
from magpie_services.core.forgetting import without_event, without_item
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait

ITEMS = 6
# Of these a portrait remembers all that features read.
EXACT = (
    EventKind.VIEW_ITEM,
    EventKind.ADD_TO_CART,
    EventKind.REMOVE_FROM_CART,
    EventKind.ADD_TO_WISHLIST,
)


@dataclass(frozen=True)
class Step:
    item: int
    kind: EventKind
    minutes: int


STEPS = st.lists(
    st.builds(Step, st.integers(0, ITEMS - 1), st.sampled_from(EXACT), st.integers(5, 3_000)),
    min_size=1,
    max_size=12,
)


def columns() -> ItemColumns:
    mirror = Mirror()
    mirror.put(shop.item(number, version=1) for number in range(ITEMS))
    return mirror.columns


def folded(steps: list[Step]) -> Portrait:
    at_ms, events = shop.NOW_MS - 40 * shop.DAY_MS, []
    for step in steps:
        at_ms += step.minutes * 60_000
        events.append(shop.event("u", step.item, step.kind, at_ms))
    return shop.portrait("u", events)


def seen_by_the_model(portrait: Portrait) -> np.ndarray:
    rows = np.arange(ITEMS, dtype=np.int32)[None]
    cross = cross_features([portrait], COLUMNS, rows, shop.NOW_MS)
    return np.concatenate([user_features([portrait], shop.NOW_MS).ravel(), cross.ravel()])


COLUMNS = columns()


@settings(max_examples=60, deadline=None)
@given(STEPS, st.data())
def test_without_an_event_is_as_if_it_never_happened(steps: list[Step], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(steps) - 1))
    # Times are fixed before one is left out, so that only that one is missing.
    whole = folded(steps)
    entry = whole.recent[at]
    merged = [
        Step(step.item, step.kind, step.minutes + (steps[at].minutes if place == at + 1 else 0))
        for place, step in enumerate(steps)
        if place != at
    ]
    found, never = without_event(whole, at), folded(merged)
    assert entry in whole.recent, "the portrait itself stays as it is"
    if len(steps) > 1 and at > 0:  # of the first, what stays is when the user was first there
        np.testing.assert_allclose(seen_by_the_model(found), seen_by_the_model(never), atol=2e-6)
    np.testing.assert_array_equal(recent_buckets(found), recent_buckets(never))


def test_without_its_only_order_a_user_has_none() -> None:
    view, order = EventKind.VIEW_ITEM, EventKind.PURCHASE
    events = [shop.event("u", 1, kind, shop.NOW_MS - n * shop.HOUR_MS) for n, kind in ((9, view), (5, order))]
    found = without_event(shop.portrait("u", events), 1)
    never = shop.portrait("u", events[:1])
    assert (found.spend.orders, found.spend.priced, found.spend.last_order_ms) == (0, 0, 0)
    assert found.items["i1"] == never.items["i1"]
    np.testing.assert_allclose(seen_by_the_model(found), seen_by_the_model(never), atol=2e-6)


def test_a_day_is_forgotten_with_the_last_purchase_on_it() -> None:
    ages = (72, 48, 47)
    events = [shop.event("u", 1, EventKind.PURCHASE, shop.NOW_MS - age * shop.HOUR_MS) for age in ages]
    whole = shop.portrait("u", events)
    first, second = (event.occurred_ms // shop.DAY_MS for event in events[:2])
    assert whole.items["i1"].days == [first, second]
    assert without_event(whole, 0).items["i1"].days == [second]
    assert without_event(whole, 1).items["i1"].days == [first, second]


def test_of_two_orders_the_one_left_has_the_average_price() -> None:
    events = [shop.event("u", n, EventKind.PURCHASE, shop.NOW_MS - n * shop.HOUR_MS) for n in (2, 1)]
    whole = shop.portrait("u", events)
    found = without_event(whole, 1)
    assert (found.spend.orders, found.spend.units, found.items["i2"].purchases) == (1, 1, 1)
    assert found.spend.mean_log_price == pytest.approx(whole.spend.mean_log_price)
    assert found.spend.last_order_ms == events[0].occurred_ms
    assert "i1" not in found.items


def test_without_an_item_nothing_speaks_of_it() -> None:
    events = [
        shop.event("u", n % 2, EventKind.VIEW_ITEM, shop.NOW_MS - (9 - n) * shop.HOUR_MS) for n in range(6)
    ]
    whole = shop.portrait("u", events)
    found = without_item(whole, "i1")
    never = shop.portrait("u", [event for event in events if event.item_id != "i1"])
    assert "i1" in whole.items
    assert found.items.keys() == {"i0"}
    assert found.categories.keys() == never.categories.keys() == {"taste0"}
    np.testing.assert_allclose(seen_by_the_model(found), seen_by_the_model(never), atol=2e-6)
