"""Events, items, decisions and small values: what goes over the wire comes back as it was."""

import math

import msgspec
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import money_pb2 as money_pb
from magpie_services.core import events as core_events
from magpie_services.core import items as core_items
from magpie_services.core.checks import LATEST_MS
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode, Span, Stage, Verdict
from magpie_services.core.events import Event, EventKind
from magpie_services.core.items import Item, Text
from magpie_services.core.money import Money
from magpie_services.wire import candidates, decisions, events, items, messages, values

NOW_MS = 1_760_000_000_000

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(1, LATEST_MS)
money = st.none() | st.builds(Money, st.sampled_from(["CNY", "JPY"]), st.integers(0, 2**63 - 1))
EVENTS = st.builds(
    Event,
    event_id=words,
    user_id=words,
    kind=st.sampled_from(EventKind),
    occurred_ms=times,
    received_ms=st.just(NOW_MS),
    item_id=words,
    category=words,
    query=words,
    dwell_seconds=st.integers(0, 86_400_000_000).map(lambda micros: micros / 1e6),
    quantity=st.integers(0, 2**31 - 1),
    unit_price=money,
    rating=st.floats(0, 5),
    text=words,
    platform=words,
    decision_id=words,
    campaign_id=words,
    attributes=st.dictionaries(words, words, max_size=3),
)
ITEMS = st.builds(
    Item,
    item_id=words,
    version=st.integers(0, 2**63 - 1),
    title=words,
    description=words,
    locale=words,
    translations=st.dictionaries(words, st.builds(Text, title=words, description=words), max_size=3),
    categories=st.lists(words, max_size=3),
    brand=words,
    vendor=words,
    price=money,
    list_price=money,
    stock=st.none() | st.integers(0, 2**63 - 1),
    attributes=st.dictionaries(words, st.lists(words, min_size=1, max_size=3), max_size=3),
    image_uri=words,
    link=words,
    rating=st.floats(0, 5),
    rating_count=st.integers(0, 2**63 - 1),
    published_ms=times | st.just(0),
    updated_ms=times | st.just(0),
    restock_ms=times | st.just(0),
    withdrawn=st.booleans(),
    picture_vector=st.lists(st.integers(-9, 9), max_size=20).map(core_items.pictured),
)
COPIES = st.builds(
    Copy,
    strategy=st.sampled_from(["", "plain", "price_drop", "new_arrival"]),
    tone=st.sampled_from(["", "plain", "playful"]),
    locale=words,
    title=words,
    body=words,
    description=words,
    image_uri=words,
    link=words,
    variant_id=words,
    propensity=st.floats(0, 1),
    safe_template=st.booleans(),
    spans=st.lists(
        st.builds(
            Span,
            part=st.sampled_from(["title", "body", "description"]),
            start=st.integers(0, 100),
            end=st.integers(0, 100),
            field=words,
            value=words,
            source=words,
            version=st.integers(0, 2**63 - 1),
        ),
        max_size=3,
    ),
)


@given(EVENTS)
def test_an_event_comes_back_as_it_went(event: Event) -> None:
    back = events.event_from_proto(
        event_pb.Event.FromString(events.event_to_proto(event).SerializeToString()), NOW_MS
    )
    assert back is not None
    assert math.isclose(back.dwell_seconds, event.dwell_seconds, abs_tol=1.5e-6)
    assert back == _with_dwell(event, back.dwell_seconds)


def _with_dwell(event: Event, seconds: float) -> Event:
    return msgspec.structs.replace(event, dwell_seconds=seconds)


@given(ITEMS)
def test_an_item_comes_back_as_it_went(item: Item) -> None:
    sent = items.item_to_proto(item).SerializeToString()
    assert items.item_from_proto(item_pb.Item.FromString(sent)) == item


@given(st.lists(st.floats(width=32), max_size=600))
def test_a_picture_is_a_direction_or_nothing_or_refused_by_its_place(numbers: list[float]) -> None:
    item = items.item_from_proto(item_pb.Item(item_id="i", picture_vector=numbers))
    faults = [
        fault.field for fault in core_items.violations(item) if fault.field.startswith("picture_vector")
    ]
    wild = [place for place, number in enumerate(numbers) if not math.isfinite(number)]
    if not any(numbers):
        assert item.picture_vector == ""
    elif len(numbers) > 512:
        assert faults == ["picture_vector"]
    elif wild:
        assert faults == [f"picture_vector[{wild[0]}]"]
    else:
        assert faults == []
        assert items.item_from_proto(items.item_to_proto(item)) == item
        kept = item.picture.astype(float)
        given = np.array(numbers) / np.abs(numbers).max()
        assert kept @ given == pytest.approx(np.linalg.norm(given), rel=3e-3)


@given(COPIES)
def test_words_come_back_as_they_went(copy: Copy) -> None:
    assert messages.copy_from_proto(messages.copy_to_proto(copy)) == copy


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_any_time_can_be_read_and_an_absurd_one_is_refused_later(seconds: int, nanos: int) -> None:
    message = event_pb.Event(kind=event_pb.EVENT_KIND_SEARCH, event_id="e", user_id="u", query="q")
    message.occur_time.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    message.dwell.CopyFrom(Duration(seconds=seconds, nanos=nanos))
    event = events.event_from_proto(message, NOW_MS)
    assert event is not None
    told = {fault.field for fault in core_events.violations(event, NOW_MS)}
    assert ("occurred_ms" in told) == (not 946_684_800_000 <= event.occurred_ms <= NOW_MS + 300_000)
    assert ("dwell_seconds" in told) == (not 0 <= event.dwell_seconds <= 86_400)
    item = item_pb.Item(item_id="i", publish_time=message.occur_time)
    item.text.title = "t"
    faults = core_items.violations(items.item_from_proto(item))
    assert [fault.field for fault in faults] in ([], ["published_ms"])


@given(times)
def test_a_time_comes_back_to_the_millisecond(ms: int) -> None:
    stamp = values.timestamp(ms)
    assert stamp is not None
    assert values.milliseconds(stamp) == ms


def test_never_is_an_empty_time_and_an_unknown_price_an_empty_one() -> None:
    assert values.timestamp(0) is None
    assert values.milliseconds(Timestamp()) == 0
    assert values.money_from_proto(money_pb.Money()) is None
    assert values.money_from_proto(money_pb.Money(minor_units=5)) == Money("", 5), "the checks refuse it"


def test_a_kind_that_this_release_does_not_know_is_none() -> None:
    assert events.event_from_proto(event_pb.Event(kind=999), NOW_MS) is None  # type: ignore[arg-type]
    assert events.event_from_proto(event_pb.Event(), NOW_MS) is None


@pytest.mark.parametrize("fields", [events.FIELDS, items.FIELDS])
def test_violations_are_told_in_the_names_of_the_wire(fields: dict[str, str]) -> None:
    descriptor = (event_pb.Event if fields is events.FIELDS else item_pb.Item).DESCRIPTOR
    struct = Event if fields is events.FIELDS else Item
    for inside, outside in fields.items():
        assert inside.partition(".")[0] in struct.__struct_fields__
        holder, _, leaf = outside.partition(".")
        field = descriptor.fields_by_name[holder]
        assert not leaf or (field.message_type and leaf in field.message_type.fields_by_name)


def test_sources_and_probabilities() -> None:
    names = list(candidates.SOURCE_NUMBERS)
    assert candidates.sources_from_proto([*candidates.sources_to_proto(names), 999]) == names
    heads = [0.1, 0.2, 0.3, 0.4, 0.05, 0.15, 0.02]
    message = candidates.probabilities_to_proto(heads)
    assert message is not None
    assert candidates.probabilities_from_proto(message) == heads
    older = candidates.probabilities_to_proto(heads[:4])
    assert older is not None
    assert candidates.probabilities_from_proto(older) == [*heads[:4], 0, 0, 0]
    assert candidates.probabilities_to_proto([]) is None


def decision(**fields: object) -> Decision:
    shape: dict[str, object] = {
        "decision_id": "d",
        "user_id": "u",
        "mode": Mode.SHADOW,
        "verdict": DecisionVerdict.EXPIRED,
        "decided_ms": NOW_MS,
        "reasons": [Verdict(predicate="stock", passed=False, stage=Stage.TAKE, reason="gone", item_id="i")],
        "arms": [
            Arm(item_id="i", sources=["cart"], probabilities=[0.1] * 4, features=b"\0" * 8, propensity=0.75),
            Arm(propensity=0.25),
        ],
        "chosen": 0,
        "copy": Copy(title="t", strategy="plain"),
        "channel": "web_push",
    }
    return Decision(**(shape | fields))  # type: ignore[arg-type]


def test_a_decision_is_told_with_as_much_as_was_asked_for() -> None:
    told = decisions.to_proto(decision())
    assert (told.verdict, told.mode) == (
        decision_pb.DECISION_VERDICT_EXPIRED,
        decision_pb.DECISION_MODE_SHADOW,
    )
    assert (told.predicates[0].stage, told.predicates[0].reason) == (decision_pb.STAGE_TAKE, "gone")
    assert [(arm.item_id, arm.propensity, arm.features) for arm in told.arms] == [
        ("i", 0.75, b""),
        ("", 0.25, b""),
    ]
    assert told.arms[0].HasField("probabilities")
    assert not told.arms[1].HasField("probabilities")
    assert decisions.to_proto(decision(), with_features=True).arms[0].features == b"\0" * 8
    assert not decisions.to_proto(decision(), with_arms=False).arms


def test_nothing_sent_has_no_words_and_no_time() -> None:
    told = decisions.to_proto(decision(copy=None, channel="", chosen=-1, arms=[], send_ms=0))
    assert not told.HasField("message")
    assert not told.HasField("send_time")
    assert (told.chosen_arm, told.channel) == (-1, 0)
