"""Follow Redis streams from a position on while the process lives; read hashes whole. Never trims."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from magpie_services.kit.errors import Unavailable
from magpie_services.kit.redis import Redis, store_errors

log = structlog.get_logger()

START = "0-0"
FIELD = b"v"
BATCH = 500
BLOCK_MS = 1_000
RETRY_SECONDS = 1.0

Apply = Callable[[str, Sequence[bytes]], Awaitable[None]]


class Follower:
    """Hands the entries of some streams to `apply` in the order of each stream, batch by batch.

    `positions` maps a stream to the id of the last entry applied; it is up to date whenever `apply` is not
    running. `caught_up` is set once everything that was there at the start has been applied.
    """

    def __init__(self, redis: Redis, positions: Mapping[str, str], apply: Apply) -> None:
        self.positions = dict(positions)
        self.caught_up = asyncio.Event()
        self._redis = redis
        self._apply = apply

    async def run(self) -> None:
        """Follow until cancelled. Survives an absent Redis: tries again every second from where it was."""
        away = False
        while not _cancelled():
            try:
                with store_errors():
                    await self.step(block_ms=BLOCK_MS if self.caught_up.is_set() else None)
                if away:
                    log.info("streams.back")
                away = False
            except Unavailable:
                if not away:
                    log.warning("streams.away", streams=len(self.positions))
                away = True
                await asyncio.sleep(RETRY_SECONDS)

    async def step(self, *, block_ms: int | None = None) -> int:
        """Read and apply once; how many entries came. Waits up to `block_ms` for a first one."""
        positions: Any = self.positions
        answer: Any = await self._redis.xread(positions, count=BATCH, block=block_ms)
        total = 0
        for name, entries in answer or ():
            stream = name.decode()
            await self._apply(stream, [fields[FIELD] for _, fields in entries if FIELD in fields])
            self.positions[stream] = entries[-1][0].decode()
            total += len(entries)
            await asyncio.sleep(0)  # calls are served between batches
        if not total:
            self.caught_up.set()
        return total


def _cancelled() -> bool:
    """Whether this task was told to end: redis-py may swallow that (Python 3.11's `wait_for` does)."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def last_position(redis: Redis, stream: str) -> str:
    """The id of the newest entry; "0-0" of an empty stream."""
    newest: Any = await redis.xrevrange(stream, count=1)
    return str(newest[0][0].decode()) if newest else START


async def hash_values(redis: Redis, key: str) -> AsyncIterator[list[bytes]]:
    """All values of a hash in batches; one that changes meanwhile may come twice."""
    cursor = 0
    while True:
        answer: Any = await redis.hscan(key, cursor, count=BATCH)
        cursor, page = answer
        yield list(page.values())
        if not cursor:
            return
