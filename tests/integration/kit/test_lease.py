"""A lease has one holder, runs out, numbers its holders upwards; a script survives a forgetful server."""

import asyncio

from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, Script


async def test_one_holds_at_a_time(redis: Redis) -> None:
    first, second = Lease(redis, "test", seconds=10), Lease(redis, "test", seconds=10)
    assert await first.acquire()
    assert not await second.acquire()
    assert await first.renew()
    await second.release()  # not its to give up
    assert not await second.acquire()
    await first.release()
    assert await second.acquire()


async def test_a_silent_holder_is_followed_by_one_of_a_higher_number(redis: Redis) -> None:
    silent, next_one = Lease(redis, "test", seconds=0.05), Lease(redis, "test", seconds=10)
    assert await silent.acquire()
    await asyncio.sleep(0.1)
    assert await next_one.acquire()
    assert next_one.fence > silent.fence
    assert not await silent.renew()


async def test_its_holder_may_take_it_again(redis: Redis) -> None:
    lease, other = Lease(redis, "test", seconds=10), Lease(redis, "test", seconds=10)
    assert await lease.acquire()
    number = lease.fence
    assert await lease.acquire(), "a client sends a command again when the answer got lost"
    assert lease.fence == number
    assert not await other.acquire()


async def test_many_calls_of_a_script_survive_a_server_that_forgot_it(redis: Redis) -> None:
    script = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    assert await script.many(redis, [(["n"], [1]), (["n"], [2])]) == [1, 3]
    await redis.script_flush()
    assert await script.many(redis, [(["n"], [3]), (["n"], [4])]) == [6, 10]
    assert await script.many(redis, []) == []
