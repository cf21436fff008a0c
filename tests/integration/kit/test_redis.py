"""Names, scripts, errors and idempotent answers against a real Redis."""

import asyncio
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from redis.exceptions import ResponseError

from magpie_services.kit import idempotency
from magpie_services.kit.errors import CannotStart, DeadlineExceeded, Invalid, Unavailable
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.redis import Redis, Script, connect, store_errors, wait_until_ready

NOBODY = "redis://:secret@127.0.0.1:1/0"


async def test_a_script_survives_a_restart_of_the_server(redis: Redis) -> None:
    script = Script("return {KEYS[1], ARGV[1]}")
    assert await script(redis, keys=["k"], args=[1]) == [b"k", b"1"]
    await redis.script_flush()
    assert await script(redis, keys=["k"], args=[2]) == [b"k", b"2"]


async def test_many_calls_answer_in_order_and_survive_a_restart(redis: Redis) -> None:
    script = Script("return {KEYS[1], ARGV[1]}")
    calls = [(["a"], [1]), (["b"], [2])]
    assert await script.many(redis, calls) == [[b"a", b"1"], [b"b", b"2"]]
    await redis.script_flush()
    assert await script.many(redis, calls) == [[b"a", b"1"], [b"b", b"2"]]


async def test_a_store_that_is_away_is_unavailable() -> None:
    client = connect(NOBODY)
    with pytest.raises(Unavailable), store_errors():
        await client.get("k")
    await client.aclose()


async def test_a_store_that_is_full_is_unavailable_to_scripts_too(redis: Redis) -> None:
    await redis.config_set("maxmemory", 1)
    try:
        for write in (redis.set("k", "v"), Script("return redis.call('SET', 'k', 'v')")(redis)):
            with pytest.raises(Unavailable), store_errors():
                await write
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_wrong_command_stays_a_bug(redis: Redis) -> None:
    await redis.set("k", "text")
    with pytest.raises(ResponseError), store_errors():
        await redis.lpush("k", "v")


async def test_a_redis_absent_at_the_start_is_one_line_without_the_password() -> None:
    client = connect(NOBODY)
    with pytest.raises(CannotStart) as caught:
        await wait_until_ready(client, timeout_seconds=0)
    await client.aclose()
    assert "127.0.0.1:1" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_redis_that_is_there_is_ready(redis: Redis) -> None:
    await wait_until_ready(redis, timeout_seconds=0)


class Work:
    def __init__(self) -> None:
        self.times = 0
        self.error: Exception | None = None
        self.go = asyncio.Event()
        self.go.set()
        self.started = asyncio.Event()

    async def __call__(self) -> bytes:
        self.times += 1
        self.started.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return b"answer %d" % self.times


REQUEST = StringValue(value="send")


async def test_the_same_id_gives_the_same_answer_without_working_again(redis: Redis) -> None:
    work = Work()
    first = await Answers(redis).once("Send", "r1", REQUEST, work)
    again = await Answers(redis).once("Send", "r1", REQUEST, work)
    assert (first, again, work.times) == (b"answer 1", b"answer 1", 1)


async def test_ids_are_apart_by_method(redis: Redis) -> None:
    work = Work()
    await Answers(redis).once("Send", "r1", REQUEST, work)
    assert await Answers(redis).once("Create", "r1", REQUEST, work) == b"answer 2"


async def test_an_id_used_for_another_request_is_refused(redis: Redis) -> None:
    await Answers(redis).once("Send", "r1", REQUEST, Work())
    with pytest.raises(Invalid) as caught:
        await Answers(redis).once("Send", "r1", StringValue(value="other"), Work())
    assert caught.value.violations[0][0] == "request_id"


@pytest.mark.parametrize("request_id", ["", "x" * 129])
async def test_an_id_must_be_there_and_short(redis: Redis, request_id: str) -> None:
    with pytest.raises(Invalid):
        await Answers(redis).once("Send", request_id, REQUEST, Work())


async def test_a_second_call_while_the_first_works_is_told_to_come_again(redis: Redis) -> None:
    work = Work()
    work.go.clear()
    first = asyncio.create_task(Answers(redis).once("Send", "r1", REQUEST, work))
    await work.started.wait()
    with pytest.raises(Unavailable):
        await Answers(redis).once("Send", "r1", REQUEST, work)
    work.go.set()
    assert await first == b"answer 1"


async def test_a_failure_is_not_kept(redis: Redis) -> None:
    work = Work()
    work.error = Unavailable("away")
    with pytest.raises(Unavailable):
        await Answers(redis).once("Send", "r1", REQUEST, work)
    work.error = None
    assert await Answers(redis).once("Send", "r1", REQUEST, work) == b"answer 2"


async def test_a_cancelled_call_is_not_kept(redis: Redis) -> None:
    work = Work()
    work.go.clear()
    first = asyncio.create_task(Answers(redis).once("Send", "r1", REQUEST, work))
    await work.started.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    work.go.set()
    assert await Answers(redis).once("Send", "r1", REQUEST, work) == b"answer 2"


class SentAgain:
    """A script whose first answer is always lost, so that the client sends it a second time."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def __call__(self, client: Redis, **call: Any) -> Any:
        await self._script(client, **call)
        return await self._script(client, **call)


async def test_a_claim_that_is_sent_again_is_still_ours(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_CLAIM", SentAgain(idempotency._CLAIM))
    work = Work()
    assert await Answers(redis).once("Send", "r1", REQUEST, work) == b"answer 1"
    assert await Answers(redis).once("Send", "r1", REQUEST, work) == b"answer 1"


async def test_work_never_outlives_its_lease(redis: Redis) -> None:
    work = Work()
    work.go.clear()
    with pytest.raises(DeadlineExceeded):
        await Answers(redis, lease_seconds=0.05).once("Send", "r1", REQUEST, work)
    work.go.set()
    assert await Answers(redis).once("Send", "r1", REQUEST, work) == b"answer 2"
