"""What every store of users must do. One implementation so far; a second joins the list in `store`."""

import asyncio
import os

import pytest
from msgspec.structs import replace

from magpie_services.core.events import Event, EventKind
from magpie_services.core.portraits import new_portrait
from magpie_services.kit.redis import Redis, partition
from magpie_services.profile.redis_store import RedisProfileStore
from magpie_services.profile.state import UserState
from magpie_services.profile.store import Change, ProfileStore, Row
from magpie_services.profile.vault import Vault

NOW_MS = 1_760_000_000_000


@pytest.fixture(params=[RedisProfileStore])
def store(request: pytest.FixtureRequest, redis: Redis) -> ProfileStore:
    made: ProfileStore = request.param(redis, Vault(os.urandom(32)))
    return made


async def read(store: ProfileStore, user_id: str, *event_ids: str) -> Row:
    (row,) = await store.load([(user_id, event_ids)])
    return row


def event(user_id: str, event_id: str, kind: EventKind = EventKind.SESSION_START) -> Event:
    return Event(event_id=event_id, user_id=user_id, kind=kind, occurred_ms=NOW_MS)


def change(row: Row, *event_ids: str, locale: str = "zh-CN") -> Change:
    state = row.state or UserState(portrait=new_portrait(row.user_id))
    state.portrait.locale = locale
    events = [event(row.user_id, event_id) for event_id in event_ids]
    return Change(row=row, state=state, events=events, event_ids=list(event_ids))


async def test_a_user_never_seen_has_version_0_and_no_state(store: ProfileStore) -> None:
    assert await read(store, "u1", "e1") == Row(user_id="u1", seen=[False])


async def test_state_events_and_marks_are_committed_together(store: ProfileStore) -> None:
    assert await store.commit([change(await read(store, "u1"), "e1", "e2")], NOW_MS) == [True]
    row = await read(store, "u1", "e1", "e3", "e2")
    assert (row.version, row.seen) == (1, [True, False, True])
    assert row.state is not None
    assert (row.state.portrait.locale, row.state.portrait.version) == ("zh-CN", 1)
    logged, onwards = await store.logged("u1", "", 10)
    assert ([entry.event_id for entry in logged], onwards) == (["e1", "e2"], "")


async def test_a_change_at_an_old_version_changes_nothing(store: ProfileStore) -> None:
    old = await read(store, "u1")
    assert await store.commit([change(await read(store, "u1"), "e1")], NOW_MS) == [True]
    assert await store.commit([change(old, "e2", locale="en")], NOW_MS) == [False]
    row = await read(store, "u1", "e2")
    assert row.version == 1
    assert row.seen == [False]
    assert row.state is not None
    assert row.state.portrait.locale == "zh-CN"


async def test_of_many_who_change_one_user_at_a_version_one_wins(store: ProfileStore) -> None:
    rows = [await read(store, "u1") for _ in range(10)]
    done = await asyncio.gather(*(store.commit([change(row, f"e{n}")], NOW_MS) for n, row in enumerate(rows)))
    assert sum(won for (won,) in done) == 1


async def test_marks_are_forgotten_after_two_days(store: ProfileStore) -> None:
    await store.commit([change(await read(store, "u1"), "e1")], NOW_MS)
    await store.commit([change(await read(store, "u1"), "e2")], NOW_MS + 49 * 3_600_000)
    assert (await read(store, "u1", "e1", "e2")).seen == [False, True]


async def test_users_are_walked_in_order_of_id(store: ProfileStore) -> None:
    users = sorted(user for user in (f"u{n}" for n in range(200)) if partition(user) == "p03")
    for user in reversed(users):
        await store.commit([change(await read(store, user), "e")], NOW_MS)
    assert await store.user_ids("p03", "", 4) == users[:4]
    assert await store.user_ids("p03", users[3], 100) == users[4:]


async def test_a_moved_user_keeps_state_until_wiped_and_is_walked_no_more(store: ProfileStore) -> None:
    await store.commit([change(await read(store, "u1"), "e1")], NOW_MS)
    assert await store.move(await read(store, "u1"), "u2")
    moved = await read(store, "u1")
    assert moved.moved_to == "u2"
    assert moved.state is not None
    assert len(await store.marks_of("u1")) == 1
    assert await store.user_ids(partition("u1"), "", 10) == []
    await store.wipe("u1")
    wiped = await read(store, "u1", "e1")
    assert (wiped.moved_to, wiped.state, wiped.seen) == ("u2", None, [False])


async def test_an_erased_user_leaves_only_the_fact(store: ProfileStore) -> None:
    await store.commit([change(await read(store, "u1"), "e1")], NOW_MS)
    row = await read(store, "u1")
    assert await store.erase(row, [event("u1", "gone", EventKind.ERASED)])
    erased = await read(store, "u1", "e1")
    assert (erased.state, erased.erased_ms, erased.seen, erased.key) == (None, NOW_MS, [False], b"")
    assert await store.user_ids(partition("u1"), "", 10) == []
    assert await store.commit([change(row, "e2")], NOW_MS) == [False]


async def test_a_page_of_the_log_fits_into_a_message(store: ProfileStore) -> None:
    changed = change(await read(store, "u1"))
    changed.events = [replace(event("u1", f"e{n}"), text="x" * (3 << 20)) for n in range(4)]
    await store.commit([changed], NOW_MS)
    found, after = await store.logged("u1", "", 100)
    rest, end = await store.logged("u1", after, 100)
    assert ([len(found), len(rest)], end) == ([3, 1], "")


async def test_the_log_is_read_in_pages(store: ProfileStore) -> None:
    ids = [f"e{n}" for n in range(5)]
    await store.commit([change(await read(store, "u1"), *ids)], NOW_MS)
    found, after = await store.logged("u1", "", 3)
    rest, end = await store.logged("u1", after, 3)
    assert [entry.event_id for entry in found + rest] == ids
    assert end == ""
