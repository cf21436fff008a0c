"""Counts what is sent and answered, and learns from it: one process for all, the others learn what it found.

Who holds the lease follows the streams of decisions and outcomes. Counts and the place in the stream are
stored by one step, so that every entry is counted once whoever dies when. Entries that the lake has trimmed
meanwhile, and all of them where Redis has lost its counts, come from the lake's tables up to where the stream
goes on.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import structlog

from magpie_services.content.learning import entries, regression, tally
from magpie_services.content.learning.entries import Reply
from magpie_services.content.learning.record import Gap, Lake
from magpie_services.content.learning.redis_store import Overtaken, RedisStore
from magpie_services.content.learning.tally import Answer, Increments, Sent, Tally
from magpie_services.content.learning.thompson import Lesson
from magpie_services.core.memory import DAY_MS
from magpie_services.kit import ledger_keys, metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Unavailable
from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, partitions, store_errors, stream_key
from magpie_services.kit.streams import FIELD, START

log = structlog.get_logger()

_DECISIONS, _OUTCOMES = "decisions", "outcomes"
_READ_ENTRIES = 250
_POLL_SECONDS = 0.5
_RETRY_SECONDS = 1.0


class _Read(NamedTuple):
    """What a stream had after a place: entries, and whether some may have been trimmed before them."""

    stream: str
    start: str
    entries: Sequence[tuple[bytes, dict[bytes, bytes]]]
    trimmed: bool


class Feed:
    """The learning of one process; `learn` is told each new lesson, whoever made it."""

    def __init__(
        self,
        redis: Redis,
        lake: Lake | None,
        clock: Clock,
        learn: Callable[[Lesson], None],
        *,
        lesson_seconds: float,
        lease_seconds: float,
    ) -> None:
        """Without `lake`, what was trimmed before it was counted is lost to the counts, and said to be."""
        self._redis = redis
        self._store = RedisStore(redis)
        self._lake = lake
        self._clock = clock
        self._learn = learn
        self._lesson_seconds = lesson_seconds
        self._lease_seconds = lease_seconds
        self._lease = Lease(redis, "content.variants", seconds=lease_seconds)
        self._tally = Tally()
        self._places: dict[str, str] = {}
        self._posterior: regression.Posterior | None = None
        self._fresh = False
        self._known = 0
        self._streams = [
            stream_key(kind, part) for part in partitions() for kind in ("decisions", "outcomes")
        ]

    async def count(self) -> None:
        """Counts and teaches while it holds the lease, until cancelled; waits while Redis is away."""
        told = False
        while True:
            try:
                if await self._lease.acquire():
                    told = False
                    await self._hold()
                else:
                    await asyncio.sleep(self._lease_seconds / 3)
            except Unavailable:
                if not told:
                    log.warning("variants.store_away")
                told = True
                await asyncio.sleep(_RETRY_SECONDS)
            except Overtaken:
                log.warning("variants.overtaken")
                await asyncio.sleep(_RETRY_SECONDS)

    async def follow(self) -> None:
        """Learns each new lesson, until cancelled."""
        told = False
        while True:
            try:
                self._known, lesson = await self._store.lesson(self._known)
                if lesson is not None:
                    self._learn(lesson)
                    metrics.VARIANT_LESSON.set(self._known)
                told = False
            except Unavailable:
                if not told:
                    log.warning("variants.lessons_away")
                told = True
            await asyncio.sleep(self._lesson_seconds / 4)

    async def _hold(self) -> None:
        """Works until the lease is lost. Raises what the work does."""
        working = asyncio.create_task(self._work())
        try:
            # Renewed beside the work: a look into the lake alone may take longer than the lease lasts.
            while not working.done():
                await asyncio.wait([working], timeout=self._lease_seconds / 3)
                if not working.done() and not await self._lease.renew():
                    log.warning("variants.lease_lost")
                    return
            await working
        finally:
            while not working.done():  # redis-py may swallow a first cancellation
                working.cancel()
                await asyncio.wait([working], timeout=_POLL_SECONDS)
            _ = working.cancelled() or working.exception()  # else asyncio says that nobody looked at it
            await self._release()

    async def _work(self) -> None:
        await self._load()
        taught = time.monotonic()
        while True:
            came = await self._step()
            if self._fresh and time.monotonic() - taught >= self._lesson_seconds:
                await self._teach()
                taught = time.monotonic()
            if not came:
                await asyncio.sleep(_POLL_SECONDS)

    async def _release(self) -> None:
        try:
            await self._lease.release()
        except Unavailable:
            log.info("variants.lease_left_to_expire")

    async def _load(self) -> None:
        """Takes up where the last one stopped, and what went through since."""
        held = await self._store.places()
        self._places = {stream: held.get(stream, START) for stream in self._streams}
        self._tally = await asyncio.to_thread(Tally, await self._store.counts())
        self._fresh = True
        read = await self._read()
        await self._fill({one.stream: _gap(one) for one in read if one.trimmed})
        log.info("variants.counting", streams=len(held))

    async def _step(self) -> int:
        """Counts what has come; how many entries."""
        read = [one for one in await self._read() if one.entries]
        await self._fill({one.stream: _gap(one) for one in read if one.trimmed})
        for one in read:
            blobs = [fields[FIELD] for _, fields in one.entries if FIELD in fields]
            end = one.entries[-1][0].decode()
            sent: list[Sent] = []
            answers: list[Answer] = []
            if one.stream.endswith(_DECISIONS):
                sent = entries.sent(blobs)
            else:
                answers = await self._answers(entries.replies(blobs), _answered_since(one))
            await self._count(one.stream, end, tally.increments(sent, answers, self._since_ms()))
        return sum(len(one.entries) for one in read)

    async def _read(self) -> list[_Read]:
        """What each stream has after its place. Asked for the place itself last: if that is still there,
        nothing after it had been trimmed when the rest was read.
        """
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for stream in self._streams:
                    place = self._places[stream]
                    pipe.xrange(stream, min=f"({place}", count=_READ_ENTRIES)
                    pipe.xrange(stream, min=place, max=place, count=1)
                answers: Any = await pipe.execute()
        return [
            _Read(stream, self._places[stream], after, not itself)
            for stream, after, itself in zip(self._streams, answers[::2], answers[1::2], strict=True)
        ]

    async def _fill(self, gaps: dict[str, Gap]) -> None:
        """Counts what lies in gaps of the streams, from the lake."""
        if not gaps:
            return
        if self._lake is None:
            lost = [stream for stream, gap in gaps.items() if gap.after != START]
            if lost:
                metrics.VARIANTS_LOST.inc(len(lost))
                log.warning("variants.lost", streams=len(lost), reason="no lake is named")
            return
        decisions = {stream: gap for stream, gap in gaps.items() if stream.endswith(_DECISIONS)}
        outcomes = {stream: gap for stream, gap in gaps.items() if not stream.endswith(_DECISIONS)}
        if decisions:
            sent = await asyncio.to_thread(self._lake.sent, decisions, self._since_ms())
            for stream, (last, increments) in sent.items():
                await self._count(stream, last, increments)
        if outcomes:
            replies = await asyncio.to_thread(self._lake.replies, outcomes)
            for stream, (last, mine) in replies.items():
                answers = await self._answers(mine, 0)
                await self._count(stream, last, tally.increments((), answers, self._since_ms()))
        log.info("variants.from_the_lake", streams=len(gaps))

    def _since_ms(self) -> int:
        """What was sent before has waited long enough for an answer."""
        return self._clock.now_ms() - tally.WAITING_MS - tally.BUCKET_MS

    async def _answers(self, replies: list[Reply], since_ms: int) -> list[Answer]:
        """The replies with their pushes, by the ledger, or where that has forgotten them by what came into
        the lake since.
        """
        pushes = await self._pushes(list({reply.decision_id for reply in replies}), since_ms)
        return [
            Answer(push, reply.kind, reply.at_ms)
            for reply in replies
            if (push := pushes.get(reply.decision_id)) is not None
        ]

    async def _pushes(self, decision_ids: list[str], since_ms: int) -> dict[str, Sent | None]:
        found: dict[str, Sent | None] = {}
        for start in range(0, len(decision_ids), _READ_ENTRIES):
            some = decision_ids[start : start + _READ_ENTRIES]
            with store_errors():
                async with self._redis.pipeline(transaction=False) as pipe:
                    for decision_id in some:
                        pipe.hget(ledger_keys.decision_key(decision_id) or "", ledger_keys.DECISION_FIELD)
                    blobs = await pipe.execute()
            for decision_id, blob in zip(some, blobs, strict=True):
                if blob and (line := entries.kept(blob)) is not None:
                    found[decision_id] = line.push
        missing = [decision_id for decision_id in decision_ids if decision_id not in found]
        if missing and self._lake is not None:
            found |= await asyncio.to_thread(self._lake.find, missing, since_ms)
        return found

    async def _count(self, stream: str, end: str, increments: Increments) -> None:
        await self._store.count(stream, self._places[stream], end, increments)
        self._places[stream] = end
        if increments:
            self._tally.add(increments)
            self._fresh = True
        for (name, field), by in increments.items():
            if name == tally.COUNTS:
                metrics.VARIANTS_COUNTED.labels(field.rpartition("|")[2]).inc(by)

    async def _teach(self) -> None:
        now_ms = self._clock.now_ms()
        settled = self._tally.settled(now_ms)
        if settled:
            await self._store.forget(settled)
        # Seconds of work with many forms: messages are composed meanwhile. Nothing counts until it is done.
        self._posterior = await asyncio.to_thread(self._fitted, now_ms)
        await self._store.teach(self._posterior)
        # What has not answered yet weighs more by and by: learnt anew as long as there is any.
        self._fresh = self._tally.unsettled

    def _fitted(self, now_ms: int) -> regression.Posterior:
        return regression.fit(self._tally.evidence(now_ms), self._posterior)


def _gap(read: _Read) -> Gap:
    return Gap(read.start, read.entries[0][0].decode() if read.entries else None)


def _answered_since(read: _Read) -> int:
    """When (ms) pushes were written whose answers, just come, still count, with a day to spare. Without this
    bound the late answer to a push of long ago would have the whole lake read.
    """
    came_ms = int(read.entries[0][0].partition(b"-")[0])
    return max(0, came_ms - (tally.ANSWER_DAYS + 1) * DAY_MS)
