"""Counts and the lesson learnt from them in Redis, all in one slot; nothing in it is about any user.

magpie:{variants}:places            hash: stream -> the last entry counted
magpie:{variants}:counts            hash: "<variant id>|<context>|<sent, clicked, ...>" -> count
magpie:{variants}:totals:<locale>   hash: "<variant id>|<sent, clicked, ...>" -> count
magpie:{variants}:waiting           hash: "<ten minutes>|<variant id>|<context>" -> pushes without an answer
magpie:{variants}:delays            hash: bin of minutes -> clicks that came as late
magpie:{variants}:lesson            hash: `version`, and `v`, a msgpack Record of that version
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import structlog

from magpie_services.content.learning import features, tally
from magpie_services.content.learning.regression import Posterior
from magpie_services.content.learning.tally import Increments, Statistics
from magpie_services.content.learning.thompson import Lesson
from magpie_services.core import codec
from magpie_services.kit.redis import Redis, Script, store_errors

log = structlog.get_logger()

_NAMES = (tally.COUNTS, tally.WAITING, tally.DELAYS)
_FORGET_AT_ONCE = 1_000
_PAGE = 1_000

# Counts the entries of a stream from one place to another, unless they are counted already. Sent again after
# a broken connection it finds the place that it would leave: it has been here, or another counted the same.
_COUNT = Script("""
local at = redis.call('HGET', KEYS[1], ARGV[1]) or '0-0'
if at == ARGV[3] then return 1 end
if at ~= ARGV[2] then return 0 end
for i = 4, #ARGV, 3 do redis.call('HINCRBY', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
""")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A lesson as stored, for releases with the same features: float32 draws [n, SIZE], float64 [SIZE]."""

    features: int
    mean: bytes
    deviation: bytes
    draws: bytes


class Overtaken(Exception):
    """Another process counted meanwhile: what is in memory here is not what is stored."""


class RedisStore:
    """What is counted and learnt. Every method raises Unavailable while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def places(self) -> dict[str, str]:
        """The id of the last entry counted of each stream of which any was."""
        with store_errors():
            found: Any = await self._redis.hgetall(_key("places"))
        return {stream.decode(): place.decode() for stream, place in found.items()}

    async def counts(self) -> dict[str, dict[str, int]]:
        """All counts but the totals, by name and field."""
        return {name: await self._hash(name) for name in _NAMES}

    async def totals(self, locale: str) -> list[Statistics]:
        """What became of each form in a language, in the order of their ids."""
        return tally.statistics(await self._hash(tally.totals(locale)))

    async def count(self, stream: str, start: str, end: str, increments: Increments) -> None:
        """Adds what the entries of a stream after `start` up to `end` come to, once. Raises Overtaken."""
        names = list(dict.fromkeys(name for name, _ in increments))
        numbers = {name: at for at, name in enumerate(names, start=2)}
        args: list[str | bytes | int | float] = [stream, start, end]
        for (name, field), by in increments.items():
            args += (numbers[name], field, by)
        with store_errors():
            done = await _COUNT(self._redis, keys=[_key("places"), *map(_key, names)], args=args)
        if not done:
            raise Overtaken

    async def forget(self, waiting: Sequence[str]) -> None:
        """Drops fields of WAITING."""
        with store_errors():
            for start in range(0, len(waiting), _FORGET_AT_ONCE):
                await self._redis.hdel(_key(tally.WAITING), *waiting[start : start + _FORGET_AT_ONCE])

    async def teach(self, posterior: Posterior) -> Lesson:
        """Makes a new lesson of a posterior for all processes to learn."""
        key = _key("lesson")
        with store_errors():
            held = await self._redis.hget(key, "version")
            version = int(held or 0) + 1
            lesson = await asyncio.to_thread(Lesson.of, posterior, version)
            record = Record(
                features=features.FINGERPRINT,
                mean=lesson.mean.tobytes(),
                deviation=lesson.deviation.tobytes(),
                draws=lesson.draws.tobytes(),
            )
            # One command: whoever reads finds both of the same version.
            mapping: Any = {"version": version, "v": codec.encode(record)}
            await self._redis.hset(key, mapping=mapping)
        return lesson

    async def lesson(self, known: int) -> tuple[int, Lesson | None]:
        """The newest version, and its lesson if it is not the one known and this release can use it."""
        key = _key("lesson")
        with store_errors():
            held = await self._redis.hget(key, "version")
            if held is None or int(held) == known:
                return known, None
            found: Any = await self._redis.hmget(key, ["version", "v"])
        records = codec.readable(Record, [found[1]] if found[1] else [])
        if not records or records[0].features != features.FINGERPRINT:
            return int(found[0]), None
        record = records[0]
        draws = np.frombuffer(record.draws, np.float32).reshape(-1, features.SIZE)
        lesson = Lesson(draws, np.frombuffer(record.mean), np.frombuffer(record.deviation))
        # Of figures that are none nothing would be the best, and all messages the safe template.
        if not all(np.isfinite(part).all() for part in lesson):
            log.error("variants.lesson_is_no_number", version=int(found[0]))
            return int(found[0]), None
        return int(found[0]), lesson

    async def _hash(self, name: str) -> dict[str, int]:
        """Page by page, since there may be hundreds of thousands: calls are served between the pages."""
        found: dict[str, int] = {}
        with store_errors():
            async for field, count in self._redis.hscan_iter(_key(name), count=_PAGE):
                found[field.decode()] = int(count)
        return found


def _key(name: str) -> str:
    return f"magpie:{{variants}}:{name}"
