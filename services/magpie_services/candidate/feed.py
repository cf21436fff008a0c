"""Keeps candidate's copies up to date: follows the catalogue's feed and the events of all users, never trims.

At the start it reads the whole catalogue and the newest snapshot of what was counted, then goes on from the
positions in the snapshot. Events that lie between a snapshot and the lake's trimming while no candidate ran
are lost to popularity and co-visitation, nothing else is.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from magpie_services.candidate.covisit import Covisits, Slice
from magpie_services.candidate.redis_store import CATALOGUE_KEY, FEED_KEY
from magpie_services.candidate.shelf import Shelf
from magpie_services.core import codec
from magpie_services.core.events import Event, EventKind
from magpie_services.core.items import Item
from magpie_services.core.mirror import Counted, Mirror
from magpie_services.kit.errors import Unavailable
from magpie_services.kit.redis import Redis, items_key, partitions, store_errors, stream_key
from magpie_services.kit.streams import START, Follower, hash_values, last_position

log = structlog.get_logger()

Struct = TypeVar("Struct", bound=msgspec.Struct)

POPULARITY_KEY = items_key("popularity")
COVISIT_KEY = items_key("covisit")
LEASE_KEY = items_key("counted-lease")


class CovisitState(msgspec.Struct, frozen=True, kw_only=True):
    """Co-visitation as stored: all that was counted up to `positions`."""

    positions: dict[str, str]
    newest_ms: int
    slices: list[Slice]


class Feed:
    """Mirror, shelf and co-visits of one process, filled from Redis."""

    def __init__(
        self, redis: Redis, mirror: Mirror, shelf: Shelf, covisits: Covisits, *, save_seconds: float
    ) -> None:
        self._redis = redis
        self._mirror = mirror
        self._shelf = shelf
        self._covisits = covisits
        self._save_seconds = save_seconds
        self._follower = Follower(redis, {}, self._apply)
        self._still = asyncio.Lock()  # held while counts change and while they are saved

    @property
    def caught_up(self) -> bool:
        """All that was there at the start has been read."""
        return self._follower.caught_up.is_set()

    @property
    def positions(self) -> dict[str, str]:
        """The last entry taken of every stream."""
        return dict(self._follower.positions)

    async def run(self) -> None:
        """Load, then follow until cancelled."""
        await self._load()
        await self._follower.run()

    async def save(self) -> None:
        """Store what was counted so far. Raises Unavailable."""
        async with self._still:
            positions = {s: at for s, at in self.positions.items() if s != FEED_KEY}
            slices = []
            for piece in self._covisits.slices():
                slices.append(piece)
                await asyncio.sleep(0)  # calls are served between pieces
            counted = Counted(positions=positions, popularity=self._mirror.columns.counted())
        covisit = CovisitState(positions=positions, newest_ms=self._covisits.newest_ms, slices=slices)
        blobs = {POPULARITY_KEY: codec.encode(counted), COVISIT_KEY: codec.encode(covisit)}
        with store_errors():
            await self._redis.mset(blobs)

    async def save_regularly(self) -> None:
        """Store what was counted every so often, until cancelled."""
        while True:
            await asyncio.sleep(self._save_seconds)
            try:
                with store_errors():
                    # Every replica counts the same: one of them is enough to write it down.
                    lease_ms = int(self._save_seconds * 900)
                    if self.caught_up and await self._redis.set(LEASE_KEY, b"1", nx=True, px=lease_ms):
                        await self.save()
            except Unavailable:
                log.warning("feed.not_saved")

    async def _load(self) -> None:
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
        log.info("feed.loaded", items=len(self._mirror.columns), covisited=len(self._covisits))

    async def _read(self) -> dict[str, str]:
        position = await last_position(self._redis, FEED_KEY)
        async for page in hash_values(self._redis, CATALOGUE_KEY):
            self._put(page)
        blobs: list[Any] = await self._redis.mget(POPULARITY_KEY, COVISIT_KEY)
        positions = {stream_key("events", part): START for part in partitions()}
        if all(blobs):
            states, stored = _readable(Counted, blobs[:1]), _readable(CovisitState, blobs[1:])
            for state, links in zip(states, stored, strict=False):
                if state.positions != links.positions:
                    continue
                self._mirror.columns.restore(state.popularity)
                self._covisits.restore(links.slices, links.newest_ms)
                positions |= state.positions
        # The feed first: an item and an event of it that come together are then applied in this order.
        return {FEED_KEY: position, **positions}

    async def _apply(self, stream: str, blobs: Sequence[bytes]) -> None:
        async with self._still:
            if stream == FEED_KEY:
                self._put(blobs)
            else:
                self._observe(blobs)

    def _put(self, blobs: Sequence[bytes]) -> None:
        items, rows = self._mirror.put(_readable(Item, blobs))
        self._shelf.put(items, rows)

    def _observe(self, blobs: Sequence[bytes]) -> None:
        events = _readable(Event, blobs)
        counted = {id(event) for event in self._mirror.observe(events)}
        for event in events:  # in their order: what comes after an erasure must not meet what was before it
            if event.kind == EventKind.ERASED:
                self._covisits.forget(event.user_id)
            elif id(event) in counted:
                self._covisits.observe((event,))


def _readable(kind: type[Struct], blobs: Sequence[bytes]) -> list[Struct]:
    """Entries of a newer release during a rolling upgrade must not stop this one."""
    found = codec.readable(kind, blobs)
    if len(found) < len(blobs):
        log.warning("feed.unreadable", of=kind.__name__, count=len(blobs) - len(found))
    return found
