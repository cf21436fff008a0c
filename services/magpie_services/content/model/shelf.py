"""The pool in Redis, which all processes share: texts by their ask, bounded in number and time."""

from collections.abc import Iterable, Sequence

import msgspec

from magpie_services.content.model.asks import Ask
from magpie_services.content.model.templates import Template
from magpie_services.kit.clock import Clock
from magpie_services.kit.redis import Redis, Script, items_key, store_errors

# So long one process has to answer an ask before another may try.
CLAIM_SECONDS = 300

# KEYS: texts, ends. ARGV: now, ask, texts, end, most entries. What has ended and what is too much goes.
_PUT = Script("""
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 1000)
local over = redis.call('ZCARD', KEYS[2]) - #gone - tonumber(ARGV[5])
if over > 0 then
  for _, ask in ipairs(redis.call('ZRANGE', KEYS[2], #gone, #gone + over - 1)) do gone[#gone + 1] = ask end
end
for _, ask in ipairs(gone) do
  redis.call('HDEL', KEYS[1], ask)
  redis.call('ZREM', KEYS[2], ask)
end
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
if last then
  redis.call('PEXPIRE', KEYS[1], math.max(1, last - ARGV[1]))
  redis.call('PEXPIRE', KEYS[2], math.max(1, last - ARGV[1]))
end
return #gone
""")


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """What the pool holds for one ask: titles and bodies as the model wrote them, until a moment (ms)."""

    end_ms: int
    texts: list[tuple[str, str]]


class Shelf:
    """The pool in Redis. Raises Unavailable from every method while the store is away."""

    def __init__(self, redis: Redis, clock: Clock, *, entries: int) -> None:
        self._redis = redis
        self._clock = clock
        self._entries = entries
        self._keys = [items_key("model:texts"), items_key("model:ends")]

    async def get(self, asks: Sequence[Ask]) -> list[Stored | None]:
        """What is there for each ask and has not ended."""
        if not asks:
            return []
        with store_errors():
            found = await self._redis.hmget(self._keys[0], [ask.key for ask in asks])
        return [self._read(blob) for blob in found]

    async def put(self, ask: Ask, texts: Iterable[Template], seconds: float) -> Stored:
        """Keeps texts for some time; none at all, too, so that nobody asks the model again."""
        now_ms = self._clock.now_ms()
        stored = Stored(now_ms + int(seconds * 1_000), [text.source for text in texts])
        blob = msgspec.json.encode(stored)
        with store_errors():
            await _PUT(
                self._redis, keys=self._keys, args=[now_ms, ask.key, blob, stored.end_ms, self._entries]
            )
        return stored

    async def claim(self, ask: Ask) -> bool:
        """Whether this process is the one to ask the model; nobody else is for CLAIM_SECONDS."""
        with store_errors():
            return bool(await self._redis.set(_claim(ask), b"1", nx=True, ex=CLAIM_SECONDS))

    async def release(self, ask: Ask) -> None:
        """Gives a claim back: the model was not asked."""
        with store_errors():
            await self._redis.delete(_claim(ask))

    def _read(self, blob: bytes | str | None) -> Stored | None:
        if blob is None:
            return None
        try:
            stored = msgspec.json.decode(blob, type=Stored)
        except (msgspec.DecodeError, UnicodeError):
            return None
        return stored if stored.end_ms > self._clock.now_ms() else None


def _claim(ask: Ask) -> str:
    return items_key(f"model:claim:{ask.key}")
