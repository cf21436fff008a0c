"""Folding: what is counted, that order does not matter, and that identities merge."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.worlds import NOW_MS, event, folded, history

from magpie_services.core.codec import decode, encode
from magpie_services.core.events import EventKind
from magpie_services.core.memory import (
    DAY_MS,
    HOUR_MS,
    MAX_ITEM_DAYS,
    MAX_ORDER_DAYS,
    ItemMemory,
    PushRecord,
)
from magpie_services.core.money import Money
from magpie_services.core.portraits import (
    MAX_ITEMS,
    MAX_RECENT,
    Portrait,
    Stage,
    fold,
    merge,
    new_portrait,
    price_sensitivity,
    told_again,
)


def exact(portrait: Portrait) -> Portrait:
    """Without the parts that are equal only but for rounding, or estimated."""
    plain = decode(Portrait, encode(portrait))
    plain.categories, plain.utc_hours = {}, []
    plain.spend.log_price_sum = plain.spend.log_price_squares = 0.0
    for windows in (plain.pushes.sent, plain.pushes.opened, plain.pushes.clicked, plain.pushes.dismissed):
        windows.day = windows.week = windows.month = 0.0
    plain.pace = new_portrait("").pace
    return plain


def rounded(portrait: Portrait) -> list[float]:
    counts = portrait.category_counts(NOW_MS)
    pushes = portrait.pushes
    return [
        *(counts[name] for name in sorted(counts)),
        *portrait.local_hours(NOW_MS),
        portrait.spend.mean_log_price,
        portrait.spend.variance_log_price,
        *(value for windows in (pushes.sent, pushes.opened, pushes.clicked) for value in windows.at(NOW_MS)),
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_shuffled_history_gives_the_same_portrait(seed: int, size: int, dice: random.Random) -> None:
    events = history(seed, size)
    shuffled = events[:]
    dice.shuffle(shuffled)
    one, other = folded(events), folded(shuffled)
    assert exact(other) == exact(one)
    assert rounded(other) == pytest.approx(rounded(one), rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_merging_two_identities_gives_the_portrait_of_one_person(seed: int, size: int) -> None:
    events = history(seed, size)
    whole, phone, tablet = folded(events), folded(events[::2]), folded(events[1::2], "tablet")
    merge(phone, tablet)
    assert exact(phone) == exact(whole)
    assert rounded(phone) == pytest.approx(rounded(whole), rel=1e-9, abs=1e-9)


def test_a_portrait_survives_the_codec_and_stays_small() -> None:
    portrait = folded(history(3, 2_000))
    blob = encode(portrait)
    assert decode(Portrait, blob) == portrait
    assert len(blob) < 8_000


def test_absurd_sums_of_money_never_make_a_portrait_that_cannot_be_stored() -> None:
    price = Money("CNY", 2**63 - 1)
    rich = folded(
        [event(n, EventKind.PURCHASE, item_id="i", quantity=9_999, unit_price=price) for n in range(3)]
    )
    merge(rich, decode(Portrait, encode(rich)))
    assert decode(Portrait, encode(rich)) == rich
    assert rich.spend.paid == {"CNY": 2**63 - 1}


def test_a_late_event_does_not_move_last_seen_back() -> None:
    portrait = folded([event(1, EventKind.SESSION_START, NOW_MS)])
    fold(portrait, event(2, EventKind.SEARCH, NOW_MS - DAY_MS, query="boots"))
    assert (portrait.first_seen_ms, portrait.last_seen_ms) == (NOW_MS - DAY_MS, NOW_MS)


def test_being_sent_a_push_is_not_being_there() -> None:
    portrait = folded([event(1, EventKind.PUSH_SENT, NOW_MS, decision_id="d", item_id="i")])
    assert portrait.last_seen_ms == 0
    assert portrait.pushes.last_sent_ms == NOW_MS


def test_an_outcome_that_overtakes_its_push_joins_it() -> None:
    portrait = folded(
        [
            event(1, EventKind.PUSH_CLICKED, NOW_MS + 500, decision_id="d"),
            event(2, EventKind.PUSH_SENT, NOW_MS, decision_id="d", item_id="i"),
            event(3, EventKind.PUSH_DELIVERED, NOW_MS + 100, decision_id="d", item_id="i"),
        ]
    )
    [record] = portrait.pushes.recent
    assert (record.item_id, record.sent_ms, record.outcome) == ("i", NOW_MS, "clicked")


def test_the_form_of_words_of_a_push_is_kept_and_is_bounded() -> None:
    events = [
        event(1, EventKind.PUSH_DELIVERED, NOW_MS + 100, decision_id="d"),
        event(
            2, EventKind.PUSH_SENT, NOW_MS, decision_id="d", attributes={"variant_id": "en:plain:plain:a:b"}
        ),
        event(3, EventKind.PUSH_SENT, NOW_MS, decision_id="e", attributes={"variant_id": "x" * 1_000}),
    ]
    portrait = folded(events)
    assert [push.variant_id for push in portrait.pushes.recent] == ["en:plain:plain:a:b", "x" * 64]
    assert decode(Portrait, encode(portrait)) == portrait


def test_a_push_remembered_before_forms_were_has_none() -> None:
    before = msgspec.msgpack.encode(["d", "i", NOW_MS, "clicked", "c"])
    assert msgspec.msgpack.decode(before, type=PushRecord).variant_id == ""


def test_what_waits_in_the_cart() -> None:
    cart = [event(1, EventKind.ADD_TO_CART, NOW_MS, item_id="i")]
    assert folded(cart).items["i"].in_cart
    for kind in (EventKind.PURCHASE, EventKind.REMOVE_FROM_CART):
        assert not folded([*cart, event(2, kind, NOW_MS + 9_000, item_id="i")]).items["i"].in_cart


def test_the_newest_stars_stand() -> None:
    stars = [event(n, EventKind.REVIEW, NOW_MS - n, item_id="i", rating=n + 1) for n in range(3)]
    assert folded(stars).items["i"].rating == folded(stars[::-1]).items["i"].rating == 1


def test_memory_is_bounded_and_keeps_what_was_bought() -> None:
    start = NOW_MS - 300 * HOUR_MS
    bought = event(0, EventKind.PURCHASE, start, item_id="bought")
    views = [event(n, EventKind.VIEW_ITEM, start + n * HOUR_MS, item_id=f"i{n}") for n in range(1, 300)]
    portrait = folded([bought, *views])
    assert (len(portrait.items), len(portrait.recent)) == (MAX_ITEMS, MAX_RECENT)
    assert "bought" in portrait.items
    assert "i1" not in portrait.items
    assert portrait.recent[-1].item_id == "i299"


def test_days_with_an_order_are_remembered_once_and_the_newest_kept() -> None:
    days = list(range(20_000, 20_000 + MAX_ORDER_DAYS + 5))
    for order in (days, days[::-1]):
        buys = [event(n, EventKind.PURCHASE, day * DAY_MS, item_id="i1") for n, day in enumerate(order * 2)]
        assert folded(buys).spend.order_days == days[5:]


def test_days_on_which_an_item_was_bought_are_remembered_once_and_the_newest_kept() -> None:
    days = list(range(20_000, 20_000 + MAX_ITEM_DAYS + 5))
    for order in (days, days[::-1]):
        buys = [event(n, EventKind.PURCHASE, day * DAY_MS, item_id="i1") for n, day in enumerate(order * 2)]
        assert folded(buys).items["i1"].days == days[5:]
        one, other = folded(buys[::2]), folded(buys[1::2])
        merge(one, other)
        assert one.items["i1"].days == days[5:]


def test_of_a_memory_without_days_the_first_and_the_last_are_known() -> None:
    memory = ItemMemory(purchases=3, first_purchase_ms=DAY_MS * 20_000, last_purchase_ms=DAY_MS * 20_009)
    assert memory.bought_on == [20_000, 20_009]
    memory.absorb(ItemMemory(purchases=1, days=[20_004]))
    assert memory.days == [20_000, 20_004, 20_009]


def test_searches_are_one_however_they_are_typed() -> None:
    portrait = folded(
        [
            event(n, EventKind.SEARCH, NOW_MS + n * 9_000, query=query)
            for n, query in enumerate((" Red  Shoes", "red shoes"))
        ]
    )
    [search] = portrait.searches
    assert (search.query, search.count) == ("red shoes", 2)


def test_hours_are_local_even_when_the_time_zone_comes_later() -> None:
    nine_in_shanghai = NOW_MS // DAY_MS * DAY_MS + 1 * HOUR_MS
    portrait = folded(
        [
            event(1, EventKind.SESSION_START, nine_in_shanghai),
            event(2, EventKind.DEVICE_REGISTERED, NOW_MS, attributes={"timezone": "Asia/Shanghai"}),
        ]
    )
    hours = portrait.local_hours(nine_in_shanghai)
    assert hours.index(max(hours)) == 9


def test_what_the_app_states_is_kept_until_it_states_something_newer() -> None:
    newer = event(
        1, EventKind.SESSION_START, NOW_MS, attributes={"traits": "年轻, 时尚,年轻", "timezone": "x"}
    )
    older = event(2, EventKind.SESSION_START, NOW_MS - 1, attributes={"traits": "旧", "country": "CN"})
    portrait = folded([newer, older])
    assert (portrait.traits, portrait.country) == (["年轻", "时尚"], "CN")
    assert portrait.local_offset_ms(NOW_MS) == 0  # an unknown zone is no zone


@pytest.mark.parametrize(
    ("first_days", "last_days", "orders", "stage"),
    [
        (3, 0, 0, Stage.NEW),
        (20, 1, 0, Stage.ACTIVE),
        (3, 0, 2, Stage.ACTIVE),
        (60, 5, 5, Stage.LOYAL),
        (90, 31, 9, Stage.LAPSING),
        (300, 91, 9, Stage.DORMANT),
    ],
)
def test_stages_of_life(first_days: int, last_days: int, orders: int, stage: Stage) -> None:
    portrait = new_portrait("u")
    portrait.first_seen_ms, portrait.last_seen_ms = NOW_MS - first_days * DAY_MS, NOW_MS - last_days * DAY_MS
    portrait.spend.orders = orders
    assert portrait.stage(NOW_MS) == stage
    assert new_portrait("nobody").stage(NOW_MS) == Stage.NEW


def test_bargain_hunters_are_more_price_sensitive() -> None:
    def buyer(discounted: str, minor: int) -> Portrait:
        return folded(
            [
                event(
                    n,
                    EventKind.PURCHASE,
                    NOW_MS + n,
                    item_id="i",
                    unit_price=Money("CNY", minor),
                    attributes={"discounted": discounted},
                )
                for n in range(6)
            ]
        )

    assert price_sensitivity(new_portrait("u")) == price_sensitivity(new_portrait("u"), 5.0) == 0.5
    hunter, spender = buyer("true", 1_000), buyer("false", 900_000)
    assert 0 <= price_sensitivity(spender, 5.0) < 0.5 < price_sensitivity(hunter, 5.0) <= 1
    assert hunter.spend.paid == {"CNY": 6_000}


def test_a_purchase_tells_whether_the_item_was_bought_on_an_earlier_day() -> None:
    portrait = folded([event(1, EventKind.PURCHASE, NOW_MS, item_id="i1")])
    later = NOW_MS + DAY_MS

    def told(item_id: str, at_ms: int, kind: EventKind = EventKind.PURCHASE, *, again: bool = False) -> bool:
        return told_again(portrait, event(2, kind, at_ms, item_id=item_id, again=again)).again

    assert told("i1", later)
    assert not told("i1", NOW_MS + 1)
    assert not told("i1", NOW_MS - DAY_MS)
    assert not told("i2", later, again=True)  # nobody else is believed
    assert not told("i1", later, EventKind.VIEW_ITEM)
