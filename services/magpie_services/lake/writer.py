"""The single writer: follows all streams and commits them to the tables in batches, every entry exactly once.

Where a stream stands is kept in the table itself, in the commit that adds its rows. A writer that dies
anywhere is followed by one that reads the places from the tables and goes on.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import pyarrow as pa
import structlog

from magpie_services.core import codec
from magpie_services.core.events import EventKind
from magpie_services.kit import metrics
from magpie_services.kit.errors import Unavailable
from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, store_errors
from magpie_services.lake import maintenance, places
from magpie_services.lake.delta import LakeTable, Stale
from magpie_services.lake.schemas import EVENTS, TableSpec
from magpie_services.lake.settings import LakeSettings

log = structlog.get_logger()

# Of one stream in one round: with decisions of some 10 kB, 16 streams of them stay within 40 MB.
_READ_ENTRIES = 250
_BATCH_BYTES = 64 << 20
_POLL_SECONDS = 0.1
_RETRY_SECONDS = 1.0
_MAX_DEAD_LETTERS = 10_000


class Entry(msgspec.Struct, frozen=True):
    """One entry of a stream as read."""

    stream: str
    place: int
    fields: dict[bytes, bytes]


class LeaseLost(Exception):
    """Another writer may be at work: stop at once."""


class Writer:
    """Writes while it holds the lease. Two at once write nothing twice but get in each other's way."""

    def __init__(self, redis: Redis, tables: Mapping[str, LakeTable], settings: LakeSettings) -> None:
        self._redis = redis
        self._tables = tables
        self._settings = settings
        self._lease = Lease(redis, "lake.writer", seconds=settings.lease_seconds)
        self._held_until = 0.0
        self._groups = places.streams()
        self._specs: dict[str, TableSpec] = {
            name: spec for group in self._groups for name, spec in group.items()
        }
        self._committed: dict[str, int] = {}
        self._read: dict[str, int] = {}
        # Whose rows are left out if they still come: a push or an outcome that was under way.
        self._erased: set[str] = set()
        self._erased_seen = True

    async def run(self) -> None:
        """Writes until cancelled; waits while another holds the lease, and while Redis is away."""
        while True:
            try:
                if not await self._lease.acquire():
                    await asyncio.sleep(min(_RETRY_SECONDS, self._settings.lease_seconds / 3))
                    continue
                self._held_until = time.monotonic() + self._settings.lease_seconds
                await self._hold()
            except Unavailable:
                log.warning("lake.store_away")
                await asyncio.sleep(_RETRY_SECONDS)
            except (Stale, LeaseLost) as error:
                log.warning("lake.overtaken", error=type(error).__name__)

    async def _hold(self) -> None:
        renewing = asyncio.create_task(self._renew())
        try:
            await asyncio.to_thread(self._refresh)
            await self._lift()
            log.info("lake.writing", fence=self._lease.fence)
            while True:
                entries = await self._collect()
                if entries:
                    await self._commit(entries)
                    await self._maintain()
                else:
                    await asyncio.sleep(_POLL_SECONDS)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._release()

    async def _renew(self) -> None:
        task = asyncio.current_task()
        # A cancellation that comes during a command may be swallowed by redis-py (Python 3.11's `wait_for`):
        # going on regardless would hold the lease for ever, and whoever waits for our end.
        while task is not None and not task.cancelling():
            await asyncio.sleep(self._settings.lease_seconds / 3)
            try:
                if await self._lease.renew():
                    self._held_until = time.monotonic() + self._settings.lease_seconds
                else:
                    self._held_until = 0.0
                    return
            except Unavailable:
                log.warning("lake.lease_not_renewed")

    async def _release(self) -> None:
        try:
            await self._lease.release()
        except Unavailable:
            log.info("lake.lease_left_to_expire")

    def _refresh(self) -> None:
        for table in self._tables.values():
            table.refresh()
        self._committed = {
            stream: self._tables[spec.name].place(stream) for stream, spec in self._specs.items()
        }
        self._read = dict(self._committed)
        self._erased = set(maintenance.erased(self._settings.folder)["user_id"].to_pylist())
        self._erased_seen = True  # whoever wrote before us may not have come to removing them

    async def _lift(self) -> None:
        """Sees to it that no stream gives out ids again that are behind its place in the table.

        A Redis that was restored from an older file, or a replica that lacked the last entries, goes back; if
        its clock is behind too, new entries would never be read, and then trimmed.
        """
        lifted = {s: end for s, end in self._committed.items() if end and places.trimmed(s)}
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for stream, end in lifted.items():
                    pipe.xadd(stream, {"lifted": "1"}, id=places.entry_id(end))  # refused where all is well
                answers = await pipe.execute(raise_on_error=False)
            for stream, answer in zip(lifted, answers, strict=True):
                if not isinstance(answer, Exception):
                    log.warning("lake.stream_went_back", stream=stream, place=places.entry_id(lifted[stream]))
                elif "equal or smaller" not in str(answer):
                    raise answer

    async def _collect(self) -> list[Entry]:
        """Entries beyond those read, until there are enough or the first has waited long enough."""
        entries: list[Entry] = []
        size = 0
        end = time.monotonic() + self._settings.batch_seconds
        while len(entries) < self._settings.batch_entries and size < _BATCH_BYTES and time.monotonic() < end:
            fresh = await self._read_once()
            entries += fresh
            size += sum(len(value) for entry in fresh for value in entry.fields.values())
            if not entries:
                return []
            if not fresh:
                await asyncio.sleep(_POLL_SECONDS)
        return entries

    async def _read_once(self) -> list[Entry]:
        entries = []
        for group in self._groups:
            positions: Any = {stream: places.entry_id(self._read[stream]) for stream in group}
            with store_errors():
                answer: Any = await self._redis.xread(positions, count=_READ_ENTRIES)
            for name, found in answer or ():
                stream = name.decode()
                entries += [Entry(stream, places.place_of(entry_id), fields) for entry_id, fields in found]
                self._read[stream] = entries[-1].place
        return entries

    async def _commit(self, entries: list[Entry]) -> None:
        by_table: dict[str, list[Entry]] = {}
        for entry in entries:
            by_table.setdefault(self._specs[entry.stream].name, []).append(entry)
        for name, mine in by_table.items():
            table = self._tables[name]
            rows, dead = await asyncio.to_thread(columns, table.spec, mine, self._erased)
            await self._bury(dead)
            moved = {entry.stream: (self._committed[entry.stream], entry.place) for entry in mine}
            if time.monotonic() > self._held_until:
                raise LeaseLost
            with metrics.LAKE_COMMIT_SECONDS.labels(name).time():
                await asyncio.to_thread(table.append, rows, moved, self._lease.fence)
            self._committed.update({stream: end for stream, (_, end) in moved.items()})
            metrics.LAKE_ROWS.labels(name).inc(rows.num_rows)
            if name == EVENTS.name and EventKind.ERASED in set(rows.column("kind").to_pylist()):
                self._erased_seen = True
            await self._trim(moved)
        newest = max(entry.place for entry in entries)
        metrics.LAKE_LAG_SECONDS.set(max(0.0, time.time() - places.time_ms(newest) / 1000))

    async def _maintain(self) -> None:
        settings = self._settings
        for table in self._tables.values():
            await asyncio.to_thread(table.tidy, settings.compact_after, settings.vacuum_hours)
        if self._erased_seen:
            self._erased |= await asyncio.to_thread(maintenance.purge, settings.folder, self._tables)
            self._erased_seen = False

    async def _trim(self, moved: Mapping[str, tuple[int, int]]) -> None:
        """Drops what is in the tables; the last entry stays, and so does everything after it."""
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for stream, (_, end) in moved.items():
                    if places.trimmed(stream):
                        pipe.xtrim(stream, minid=places.entry_id(end), approximate=False)
                await pipe.execute()

    async def _bury(self, dead: list[Entry]) -> None:
        """Keeps entries that cannot be read, for a person to look at; after a crash one may be kept twice."""
        for entry in dead:
            log.error("lake.dead_letter", stream=entry.stream, entry_id=places.entry_id(entry.place))
            metrics.LAKE_DEAD.inc()
            fields: Any = {**entry.fields, "stream": entry.stream, "entry_id": places.entry_id(entry.place)}
            with store_errors():
                await self._redis.xadd(places.dead_letters(entry.stream), fields, maxlen=_MAX_DEAD_LETTERS)


def columns(
    spec: TableSpec, entries: list[Entry], erased: Collection[str] = ()
) -> tuple[pa.RecordBatch, list[Entry]]:
    """The entries' rows in columns without those of `erased` users, and the entries that make none."""
    good, rows, dead = [], [], []
    for entry in entries:
        try:
            row = codec.decode(spec.row, entry.fields[b"v"])
        except (KeyError, msgspec.DecodeError):
            dead.append(entry)
            continue
        if getattr(row, "user_id", "") in erased and getattr(row, "kind", "") != EventKind.ERASED:
            continue
        good.append(entry)
        rows.append(row)
    try:
        return spec.batch(rows, [entry.place for entry in good]), dead
    except (ValueError, OverflowError, pa.ArrowException):
        return _one_by_one(spec, rows, good, dead)


def _one_by_one(
    spec: TableSpec, rows: list[Any], entries: list[Entry], dead: list[Entry]
) -> tuple[pa.RecordBatch, list[Entry]]:
    """As `columns`, where some value fits no column: finds out whose."""
    batches = [spec.batch([], [])]
    for row, entry in zip(rows, entries, strict=True):
        try:
            batches.append(spec.batch([row], [entry.place]))
        except (ValueError, OverflowError, pa.ArrowException):
            dead.append(entry)
    return pa.concat_batches(batches), dead
