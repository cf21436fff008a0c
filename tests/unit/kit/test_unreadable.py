"""A request that cannot be parsed is refused by the name of the field at fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie.v1 import event_pb2, money_pb2, profile_service_pb2
from magpie_services.kit.unreadable import MAX_DEPTH, Unreadable, fault, reading

BATCH = profile_service_pb2.RecordEventsRequest
GOOD = event_pb2.Event(event_id="a", unit_price=money_pb2.Money(currency="EUR", minor_units=300))


def sized(number: int, piece: bytes) -> bytes:
    """One length-delimited field on the wire; pieces of under 128 bytes."""
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 128 else bytes([tag & 0x7F | 0x80, tag >> 7])) + bytes([len(piece)]) + piece


def test_names_the_text_that_is_not_utf8() -> None:
    bad = sized(1, b"b") + sized(7, b"caf\xe9")
    data = BATCH(events=[GOOD]).SerializeToString() + sized(1, bad)
    assert fault(BATCH.DESCRIPTOR, data) == ("events[1].query", "is not valid UTF-8")


def test_names_the_entry_of_a_map() -> None:
    data = sized(1, sized(16, sized(1, b"locale") + sized(2, b"\xff")))
    assert fault(BATCH.DESCRIPTOR, data) == ("events[0].attributes[0].value", "is not valid UTF-8")


def test_says_what_is_cut_short() -> None:
    data = BATCH(events=[GOOD]).SerializeToString()
    assert fault(BATCH.DESCRIPTOR, data[:-1]) == ("request", "is cut short or damaged")


def test_nesting_has_an_end() -> None:
    data = b""
    for _ in range(MAX_DEPTH + 20):
        length = len(data)
        head = bytes([length & 0x7F | 0x80, length >> 7]) if length > 127 else bytes([length])
        data = b"\x1a" + head + data  # Audience.not
    found = fault(profile_service_pb2.Audience.DESCRIPTOR, data)
    assert found is not None
    assert found[1] == "is nested too deep"


def test_a_good_message_comes_through() -> None:
    parse = reading(BATCH.FromString)
    assert parse is not None
    batch = BATCH(events=[GOOD], request_id="é")
    assert parse(batch.SerializeToString()) == batch
    assert fault(BATCH.DESCRIPTOR, batch.SerializeToString()) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    parse = reading(BATCH.FromString)
    assert parse is not None
    parsed = parse(data)
    assert isinstance(parsed, BATCH | Unreadable)


@pytest.mark.parametrize("data", [b"\x0b", b"\xff" * 12, b"\x0a\x05ab"])
def test_garbage_is_refused(data: bytes) -> None:
    parse = reading(BATCH.FromString)
    assert parse is not None
    assert isinstance(parse(data), Unreadable)
