"""Portraits over the wire: lossless as a snapshot, close in readable form, harmless whoever made them."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.worlds import NOW_MS, catalogue, folded, history

from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie_services.core import codec, features
from magpie_services.core.portraits import MAX_ITEMS, MAX_RECENT, Portrait, Stage, new_portrait
from magpie_services.kit.errors import Invalid
from magpie_services.wire import portraits

COLUMNS, ROWS = catalogue(), np.arange(40)[None, :]


def computed(portrait: Portrait) -> list[Any]:
    """All that models read of a user."""
    return [
        features.user_features([portrait], NOW_MS),
        features.cross_features([portrait], COLUMNS, ROWS, NOW_MS),
        features.recent_buckets(portrait),
        *features.sequence(portrait, NOW_MS)[1:],
    ]


def by_fields(portrait: Portrait) -> portrait_pb.Portrait:
    message = portraits.to_proto(portrait, NOW_MS)
    message.ClearField("snapshot")
    return message


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 120))
def test_a_snapshot_loses_nothing(seed: int, size: int) -> None:
    portrait = folded(history(seed, size))
    portrait.version = size
    for message in (portraits.to_snapshot(portrait, NOW_MS), portraits.to_proto(portrait, NOW_MS)):
        assert portraits.from_proto(portrait_pb.Portrait.FromString(message.SerializeToString())) == portrait


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 120))
def test_the_readable_fields_come_back_as_they_went(seed: int, size: int) -> None:
    message = by_fields(folded(history(seed, size)))
    again = by_fields(portraits.from_proto(message))
    for name in ("user_id", "version", "locale", "timezone", "country", "platform", "traits", "recent"):
        assert getattr(again, name) == getattr(message, name)
    for name in ("items", "searches", "first_seen_time", "last_seen_time", "stage"):
        assert getattr(again, name) == getattr(message, name)
    assert list(again.hours) == pytest.approx(list(message.hours))
    assert dict(again.categories) == pytest.approx(dict(message.categories))
    assert again.pushes.recent == message.pushes.recent
    for window in ("day", "week", "month"):
        one, other = getattr(again.pushes, window), getattr(message.pushes, window)
        assert (one.sent, one.opened, one.clicked) == pytest.approx((other.sent, other.opened, other.clicked))
    assert again.spend.mean_log_price == pytest.approx(message.spend.mean_log_price)


def test_the_zero_portrait_travels_too() -> None:
    nobody = new_portrait("u")
    assert portraits.to_proto(nobody, NOW_MS).stage == portraits.STAGES[Stage.NEW]
    assert portraits.from_proto(portrait_pb.Portrait(user_id="u")) == nobody


@pytest.mark.parametrize("user_id", ["", "x" * 129, "a\nb"])
def test_whose_portrait_it_is_must_be_said(user_id: str) -> None:
    assert refused(portrait_pb.Portrait(user_id=user_id)) == "portraits[3].user_id"


def refused(message: portrait_pb.Portrait) -> str:
    with pytest.raises(Invalid) as caught:
        portraits.from_proto(message, "portraits[3]")
    return caught.value.violations[0][0]


def snapshot(**fields: Any) -> portrait_pb.Portrait:
    """A snapshot that encodes what our own structs never hold."""
    plain = {"user_id": "u", **fields}
    return portrait_pb.Portrait(user_id="u", snapshot=msgspec.msgpack.encode(plain))


@pytest.mark.parametrize(
    "message",
    [
        portrait_pb.Portrait(user_id="u", snapshot=b"\xc1"),
        portrait_pb.Portrait(user_id="u", snapshot=codec.encode(new_portrait("somebody else"))),
        snapshot(spend=[-5]),
        snapshot(spend=[1, 1, 0, 1, 1e300]),
        snapshot(spend=[1, 1, 0, 1, float("nan")]),
        snapshot(items={"i": [-1]}),
        snapshot(items={"i": [0, 0, 0, 0, 6.0]}),
        snapshot(items={"i": [0] * 15 + [[2**63]]}),
        snapshot(spend=[0] * 7 + [{}, 0, [2**63]]),
        snapshot(recent=[[NOW_MS, "i", 2**40]]),
        snapshot(recent=[[-1, "i", 1]]),
        snapshot(categories={"c": [float("inf"), 0]}),
        snapshot(utc_hours=[-1.0] * 24),
        snapshot(pushes=[[-1.0]]),
        snapshot(last_seen_ms="yesterday"),
    ],
)
def test_a_snapshot_that_we_never_made_is_refused(message: portrait_pb.Portrait) -> None:
    assert refused(message) == "portraits[3].snapshot"


MESSY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(Portrait.__struct_fields__[1:]), MESSY, max_size=4))
def test_whatever_a_snapshot_holds_it_is_refused_or_can_be_computed_with(fields: dict[str, Any]) -> None:
    try:
        portrait = portraits.from_proto(snapshot(**fields))
    except Invalid:
        return
    assert all(np.isfinite(table).all() for table in computed(portrait))


counts = st.integers(0, 2**40) | st.sampled_from([-1, 2**31 - 1, 2**62])
floats = st.floats() | st.floats(0, 100)
stamps = st.fixed_dictionaries({"seconds": st.integers(-(2**40), 2**40) | st.integers(0, 2**33)})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_the_fields_hold_they_are_refused_or_can_be_computed_with(data: st.DataObject) -> None:
    draw = data.draw
    push = {"decision_id": "d", "outcome": draw(st.integers(0, 30))}
    fields: dict[str, Any] = {
        "timezone": draw(st.sampled_from(["", "Asia/Shanghai", "../etc", "no/where"])),
        "first_seen_time": draw(stamps),
        "last_seen_time": draw(stamps),
        "recent": [{"item_id": "i1", "kind": draw(st.integers(-1, 30)), "time": draw(stamps)}],
        "items": [{"item_id": "i1", "views": draw(st.integers(-9, 2**31 - 1)), "rating": draw(floats)}],
        "categories": {"c1": draw(floats)},
        "searches": [{"query": "q", "time": draw(stamps), "count": draw(st.integers(-5, 5))}],
        "hours": [draw(floats)] * draw(st.sampled_from([0, 24])),
        "spend": {"orders": draw(counts), "units": draw(counts), "mean_log_price": draw(floats)},
        "pushes": {"day": {"sent": draw(floats)}, "recent": [push]},
        "counted_time": draw(stamps),
    }
    message = portrait_pb.Portrait(user_id="u", **fields)
    try:
        portrait = portraits.from_proto(message)
    except Invalid:
        return
    assert all(np.isfinite(table).all() for table in computed(portrait))
    portraits.to_proto(portrait, NOW_MS)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"last_seen_time": {"seconds": -1}}, "last_seen_time"),
        ({"counted_time": {"seconds": 2**60}}, "counted_time"),
        ({"recent": [{"item_id": "i", "time": {"seconds": 2**60}}]}, "recent[0].time"),
        ({"recent": [{}] * (MAX_RECENT + 1)}, "recent"),
        ({"items": [{}] * (MAX_ITEMS + 1)}, "items"),
        ({"items": [{"views": 1}, {"views": -1}]}, "items[1].views"),
        ({"items": [{"rating": 5.5}]}, "items[0].rating"),
        ({"spend": {"orders": -1}}, "spend.orders"),
        ({"spend": {"discount_share": 1.5}}, "spend.discount_share"),
        ({"pushes": {"week": {"opened": float("nan")}}}, "pushes.week.opened"),
        ({"pushes": {"recent": [{}] * 21}}, "pushes.recent"),
        ({"categories": {"shoes": -1.0}}, "categories[shoes]"),
        ({"traits": ["x" * 1_025]}, "traits[0]"),
        ({"hours": [1.0] * 23}, "hours"),
        ({"locale": "x" * 1_025}, "locale"),
    ],
)
def test_a_field_out_of_bounds_is_named(fields: dict[str, Any], field: str) -> None:
    assert refused(portrait_pb.Portrait(user_id="u", **fields)) == f"portraits[3].{field}"


def test_hours_of_the_callers_making_are_local() -> None:
    hours = [0.0] * 24
    hours[9] = 3.0
    message = portrait_pb.Portrait(user_id="u", timezone="Asia/Shanghai", hours=hours)
    message.counted_time.FromMilliseconds(NOW_MS)
    portrait = portraits.from_proto(message)
    assert portrait.local_hours(NOW_MS) == hours
    assert portrait.utc_hours[1] == 3.0


def test_an_outcome_that_is_none_of_a_push_says_nothing() -> None:
    message = portrait_pb.Portrait(user_id="u")
    message.pushes.recent.add(decision_id="d1", outcome=event_pb.EVENT_KIND_VIEW_ITEM)
    message.pushes.recent.add(decision_id="d2", outcome=event_pb.EVENT_KIND_PUSH_CLICKED)
    assert [push.outcome for push in portraits.from_proto(message).pushes.recent] == ["", "clicked"]
