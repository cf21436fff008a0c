"""Following streams: in order, from a position on, through an absence of Redis."""

import asyncio
from collections.abc import Sequence

from magpie_services.kit.redis import Redis, connect
from magpie_services.kit.streams import START, Follower, hash_values, last_position


async def test_entries_come_in_order_each_once_and_live(redis: Redis) -> None:
    seen: list[tuple[str, bytes]] = []
    live = asyncio.Event()

    async def apply(stream: str, blobs: Sequence[bytes]) -> None:
        seen.extend((stream, blob) for blob in blobs)
        if b"live" in blobs:
            live.set()

    for number in range(1_200):
        await redis.xadd("a" if number % 2 else "b", {"v": str(number)})
    follower = Follower(redis, {"a": START, "b": START}, apply)
    running = asyncio.create_task(follower.run())
    await asyncio.wait_for(follower.caught_up.wait(), 5)
    await redis.xadd("a", {"v": "live"})
    await asyncio.wait_for(live.wait(), 5)
    running.cancel()
    await asyncio.wait([running])
    assert [int(blob) for stream, blob in seen if stream == "b"] == list(range(0, 1_200, 2))
    assert len(seen) == 1_201

    again: list[bytes] = []

    async def count(_: str, blobs: Sequence[bytes]) -> None:
        again.extend(blobs)

    await redis.xadd("b", {"v": "new"})
    await Follower(redis, follower.positions, count).step()
    assert again == [b"new"], "a follower goes on where another stopped"


async def test_a_redis_that_is_away_is_waited_for() -> None:
    away = connect("redis://127.0.0.1:1/0")

    async def apply(_: str, blobs: Sequence[bytes]) -> None:
        raise AssertionError

    running = asyncio.create_task(Follower(away, {"a": START}, apply).run())
    await asyncio.sleep(0.3)
    assert not running.done()
    running.cancel()
    await away.aclose()


async def test_hashes_are_read_whole_and_positions_are_known(redis: Redis) -> None:
    await redis.hset("h", mapping={str(number): "x" * 80 + str(number) for number in range(1_300)})
    values = [value async for page in hash_values(redis, "h") for value in page]
    assert len(set(values)) == 1_300
    assert await last_position(redis, "none") == START
    await redis.xadd("a", {"v": "1"}, id="7-3")
    assert await last_position(redis, "a") == "7-3"
