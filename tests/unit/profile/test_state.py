"""Consent and devices change by the rules of the contract."""

import pytest

from magpie_services.core.portraits import new_portrait
from magpie_services.profile.state import (
    MAX_DEVICES,
    Channel,
    Consent,
    Device,
    Purpose,
    UserState,
    device_violations,
)


def empty() -> UserState:
    return UserState(portrait=new_portrait("u1"))


def answer(granted: bool, at_ms: int) -> Consent:
    return Consent(purpose=Purpose.MARKETING_PUSH, granted=granted, at_ms=at_ms)


def device(name: str, at_ms: int = 0) -> Device:
    return Device(device_id=name, channel=Channel.FCM, address="token", updated_ms=at_ms)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], False),
        ([answer(True, 1)], True),
        ([answer(True, 1), answer(False, 2)], False),
        ([answer(False, 2), answer(True, 1)], False),
        ([answer(True, 1), answer(False, 1)], False),
    ],
)
def test_a_user_is_reachable_by_the_newest_answer(answers: list[Consent], expected: bool) -> None:
    state = empty()
    state.register(device("d1"))
    for given in answers:
        state.answer(given)
    assert state.reachable is expected


def test_the_device_refreshed_longest_ago_goes() -> None:
    state = empty()
    for n in range(MAX_DEVICES):
        state.register(device(f"d{n}", n + 1))
    state.register(device("d0", 100))
    state.register(device("new", 101))
    names = [held.device_id for held in state.devices]
    assert names[:2] == ["new", "d0"]
    assert len(names) == MAX_DEVICES
    assert "d1" not in names


def test_a_device_is_removed_unless_it_came_back() -> None:
    state = empty()
    state.register(device("d1", 10))
    assert not state.remove("d1", unless_updated_since_ms=9)
    assert not state.remove("d2")
    assert state.remove("d1", unless_updated_since_ms=10)
    assert state.devices == []


def test_a_device_needs_an_address_where_its_channel_does() -> None:
    bare = Device(device_id="d", channel=Channel.FCM)
    assert [fault.field for fault in device_violations("device", bare)] == ["device.address"]
    assert device_violations("device", Device(device_id="d", channel=Channel.WEBHOOK)) == []
