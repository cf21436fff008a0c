"""What the writer does beside writing: bury what it cannot read, stay alone, remove the erased."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from magpie_services.core import codec
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode, Stage, Verdict
from magpie_services.core.events import Event, EventKind
from magpie_services.core.items import Item
from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, items_key, partition, stream_key
from magpie_services.lake import places, readers
from magpie_services.lake.delta import LakeTable, Stale
from magpie_services.lake.schemas import EVENTS, TABLES
from magpie_services.lake.settings import LakeSettings
from magpie_services.lake.writer import Writer

NOW_MS = 1_760_000_000_000
OF_USERS = ("events", "decisions", "outcomes")
SAME_PART = next(user for n in range(2, 999) if partition(user := f"u{n}") == partition("u1"))


def event(event_id: str, user_id: str = "u1", **rest: Any) -> Event:
    facts: dict[str, Any] = {"kind": EventKind.SESSION_START, "occurred_ms": NOW_MS} | rest
    return Event(event_id=event_id, user_id=user_id, **facts)


async def add(redis: Redis, *events: Event) -> None:
    for one in events:
        await redis.xadd(stream_key("events", partition(one.user_id)), {"v": codec.encode(one)})


@asynccontextmanager
async def writing(redis: Redis, folder: Path) -> AsyncIterator["asyncio.Task[None]"]:
    settings = LakeSettings(folder=str(folder), batch_seconds=0.05, lease_seconds=1, metrics_listen="")
    tables = {name: LakeTable(str(folder), spec) for name, spec in TABLES.items()}
    task = asyncio.create_task(Writer(redis, tables, settings).run())
    try:
        yield task
    finally:
        while not task.done():  # redis-py may swallow a first cancellation
            task.cancel()
            await asyncio.wait([task], timeout=0.5)


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come about in time")


def ids(folder: Path) -> list[str]:
    found: list[str] = readers.read_events(str(folder), ["event_id"])["event_id"].to_pylist()
    return found


async def test_every_kind_of_row_lands_in_its_table(redis: Redis, tmp_path: Path) -> None:
    decision = Decision(
        decision_id="d1",
        user_id="u1",
        mode=Mode.LIVE,
        verdict=DecisionVerdict.SENT,
        decided_ms=NOW_MS,
        reasons=[Verdict(predicate="consent", passed=True, stage=Stage.TARGET)],
        arms=[Arm(item_id="i1", probabilities=[0.1, 0.2], features=b"\0\1"), Arm()],
        chosen=0,
        copy=Copy(strategy="new_arrival", title="新品"),
        seed=2**64 - 1,
    )
    part = partition("u1")
    await redis.xadd(stream_key("decisions", part), {"v": codec.encode(decision)})
    for version in (1, 2):
        item = Item(item_id="i1", version=version, title="A cup", updated_ms=NOW_MS)
        await redis.xadd(items_key("feed"), {"v": codec.encode(item)})
    folder = str(tmp_path)
    async with writing(redis, tmp_path):
        await eventually(lambda: readers.read_decisions(folder).num_rows == 1)
        await eventually(lambda: readers.read_items(folder).num_rows == 1)
    (row,) = readers.read_decisions(folder).to_pylist()
    assert (row["item_id"], row["copy_title"], row["seed"]) == ("i1", "新品", str(2**64 - 1))
    assert [arm["features"] for arm in row["arms"]] == [b"\0\1", b""]
    assert row["reasons"][0]["predicate"] == "consent"
    assert readers.read_items(folder, ["item_id", "version"]).to_pylist() == [{"item_id": "i1", "version": 2}]
    assert await redis.xlen(items_key("feed")) == 2  # the catalogue's, not ours to trim


async def test_what_cannot_be_read_is_buried_and_stops_nothing(redis: Redis, tmp_path: Path) -> None:
    stream = stream_key("events", partition("u1"))
    await redis.xadd(stream, {"v": b"\xc1 is never msgpack"})
    await redis.xadd(stream, {"other": b"field"})
    await redis.xadd(stream, {"v": codec.encode(event("not-utf-8")).replace(b"utf", b"u\xff\xff")})
    await add(redis, event("too much", quantity=2**63), event("no such day", occurred_ms=2**62))
    await add(redis, event("good"))
    async with writing(redis, tmp_path):
        await eventually(lambda: ids(tmp_path) == ["good"])
    dead: Any = await redis.xrange(stream_key("dead", partition("u1")))
    assert len(dead) == 5
    assert dead[0][1][b"v"] == b"\xc1 is never msgpack"
    assert dead[0][1][b"stream"] == stream.encode()


async def test_only_poison_moves_the_place_too(redis: Redis, tmp_path: Path) -> None:
    stream = stream_key("events", partition("u1"))
    poison = await redis.xadd(stream, {"v": b"\xc1"})
    async with writing(redis, tmp_path):
        await eventually(lambda: LakeTable(str(tmp_path), EVENTS).place(stream) > 0)
    assert poison is not None
    async with writing(redis, tmp_path):
        await add(redis, event("good"))
        await eventually(lambda: ids(tmp_path) == ["good"])
    assert await redis.xlen(stream_key("dead", partition("u1"))) == 1


async def test_two_writers_write_once(redis: Redis, tmp_path: Path) -> None:
    async with writing(redis, tmp_path), writing(redis, tmp_path):
        for n in range(20):
            await add(redis, event(f"e{n}", occurred_ms=NOW_MS + n))
            await asyncio.sleep(0.01)
        await eventually(lambda: len(ids(tmp_path)) == 20)
    assert LakeTable(str(tmp_path), EVENTS).count() == 20


async def test_a_cancellation_swallowed_while_renewing_lets_go_of_the_lease(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing = asyncio.Event()

    async def swallowing(_lease: Lease) -> bool:
        renewing.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return True

    monkeypatch.setattr(Lease, "renew", swallowing)
    async with writing(redis, tmp_path) as task:
        await asyncio.wait_for(renewing.wait(), 10)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.done()
    assert not await redis.exists("magpie:{lease:lake.writer}:holder")


def test_a_writer_that_was_overtaken_adds_nothing(tmp_path: Path) -> None:
    slow, quick = LakeTable(str(tmp_path), EVENTS), LakeTable(str(tmp_path), EVENTS)
    rows = EVENTS.batch([event("e1")], [5])
    quick.append(rows, {"s": (0, 5)}, fence=2)
    for _ in range(2):  # as it was read before, and as it is
        try:
            slow.append(rows, {"s": (0, 5)}, fence=1)
        except Stale:
            slow.refresh()
        else:
            raise AssertionError("the same entries were taken twice")
    assert slow.count() == 1


async def test_an_erased_user_leaves_the_tables(redis: Redis, tmp_path: Path) -> None:
    await add(redis, event("e1"), event("e2", "it's"), event("e3", "u3"))
    async with writing(redis, tmp_path):
        await eventually(lambda: len(ids(tmp_path)) == 3)
        await add(redis, event("gone", kind=EventKind.ERASED), event("gone", "it's", kind=EventKind.ERASED))
        await eventually(lambda: sorted(ids(tmp_path)) == ["e3", "gone", "gone"])
        await eventually(lambda: all(LakeTable(str(tmp_path), TABLES[name]).purged for name in OF_USERS))


async def test_what_comes_late_of_an_erased_user_is_left_out(redis: Redis, tmp_path: Path) -> None:
    await add(redis, event("gone", kind=EventKind.ERASED))
    for n in range(2):  # the writer that saw the erasure, and one that reads of it in the table
        async with writing(redis, tmp_path):
            await eventually(lambda: "gone" in ids(tmp_path))
            await eventually(lambda: LakeTable(str(tmp_path), EVENTS).purged > 0)
            await add(redis, event(f"late{n}"), event(f"other{n}", SAME_PART, occurred_ms=NOW_MS + n))
            await eventually(lambda last=f"other{n}": last in ids(tmp_path))  # type: ignore[misc]
    assert sorted(ids(tmp_path)) == ["gone", "other0", "other1"]


async def test_entries_of_a_redis_that_went_back_are_read(redis: Redis, tmp_path: Path) -> None:
    stream = stream_key("events", partition("u1"))
    ahead = places.place_of(b"4000000000000-0")  # written by a clock far ahead of the one that Redis has now
    LakeTable(str(tmp_path), EVENTS).append(EVENTS.batch([], []), {stream: (0, ahead)}, fence=1)
    async with writing(redis, tmp_path):
        for _ in range(200):
            if await redis.exists(stream):
                break
            await asyncio.sleep(0.02)
        await add(redis, event("e1"))
        await eventually(lambda: ids(tmp_path) == ["e1"])
