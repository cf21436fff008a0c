"""Keeps ranking's copy of the catalogue and its popularity up to date from Redis; writes nothing.

Popularity starts from what candidate stored last and goes on by the same rule, so both see the same numbers.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from magpie_services.core import codec
from magpie_services.core.events import Event
from magpie_services.core.items import Item
from magpie_services.core.mirror import Counted, Mirror
from magpie_services.kit.errors import Unavailable
from magpie_services.kit.redis import Redis, items_key, partitions, store_errors, stream_key
from magpie_services.kit.streams import START, Follower, hash_values, last_position

log = structlog.get_logger()

Struct = TypeVar("Struct", bound=msgspec.Struct)

CATALOGUE_KEY = items_key("catalogue")
FEED_KEY = items_key("feed")
POPULARITY_KEY = items_key("popularity")


class Feed:
    """The mirror of one process, filled from Redis."""

    def __init__(self, redis: Redis, mirror: Mirror) -> None:
        self._redis = redis
        self._mirror = mirror
        self._follower = Follower(redis, {}, self._apply)

    @property
    def caught_up(self) -> bool:
        """All that was there at the start has been read."""
        return self._follower.caught_up.is_set()

    async def run(self) -> None:
        """Load, then follow until cancelled."""
        waiting = False
        while True:
            try:
                with store_errors():
                    self._follower.positions = await self._read()
                break
            except Unavailable:
                if not waiting:
                    log.warning("feed.waiting_for_redis")
                waiting = True
                await asyncio.sleep(1.0)
        log.info("feed.loaded", items=len(self._mirror.columns))
        await self._follower.run()

    async def _read(self) -> dict[str, str]:
        position = await last_position(self._redis, FEED_KEY)
        async for page in hash_values(self._redis, CATALOGUE_KEY):
            self._mirror.put(_readable(Item, page))
        positions = {stream_key("events", part): START for part in partitions()}
        blob: Any = await self._redis.get(POPULARITY_KEY)
        for counted in _readable(Counted, [blob] if blob else []):
            self._mirror.columns.restore(counted.popularity)
            positions |= counted.positions
        return {FEED_KEY: position, **positions}

    async def _apply(self, stream: str, blobs: Sequence[bytes]) -> None:
        if stream == FEED_KEY:
            self._mirror.put(_readable(Item, blobs))
        else:
            self._mirror.observe(_readable(Event, blobs))


def _readable(kind: type[Struct], blobs: Sequence[bytes]) -> list[Struct]:
    """What can be read of it: entries of a newer release during a rolling upgrade must not stop this one."""
    found = codec.readable(kind, blobs)
    if len(found) < len(blobs):
        log.warning("feed.unreadable", of=kind.__name__, count=len(blobs) - len(found))
    return found
