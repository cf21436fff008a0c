"""The catalogue in Redis: a hash of the items as they are, a stream of every change, written in one step."""

from collections.abc import Sequence
from typing import Any

from magpie_services.core import codec
from magpie_services.core.items import Item
from magpie_services.kit.redis import Redis, Script, items_key, store_errors

CATALOGUE_KEY = items_key("catalogue")
FEED_KEY = items_key("feed")

# KEYS: catalogue, feed. ARGV: then for each item its id, its new version and its blob.
# A change is written only where every item still is the version before; so two writers never both win.
_PUT = Script("""
for at = 1, #ARGV, 3 do
  local held = redis.call('HGET', KEYS[1], ARGV[at])
  local version = held and cmsgpack.unpack(held).version or 0
  if version + 1 ~= tonumber(ARGV[at + 1]) then return 0 end
end
for at = 1, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
  redis.call('XADD', KEYS[2], '*', 'v', ARGV[at + 2])
end
return 1
""")


class RedisStore:
    """The catalogue's store."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self, item_ids: Sequence[str]) -> list[Item | None]:
        if not item_ids:
            return []
        with store_errors():
            blobs: list[Any] = await self._redis.hmget(CATALOGUE_KEY, list(item_ids))
        return [codec.decode(Item, blob) if blob else None for blob in blobs]

    async def put(self, items: Sequence[Item]) -> bool:
        args = [arg for item in items for arg in (item.item_id, item.version, codec.encode(item))]
        with store_errors():
            return bool(await _PUT(self._redis, keys=[CATALOGUE_KEY, FEED_KEY], args=args))

    async def page(self, cursor: int, size: int) -> tuple[list[Item], int]:
        with store_errors():
            answer: Any = await self._redis.hscan(CATALOGUE_KEY, cursor, count=size)
        next_cursor, entries = answer
        return [codec.decode(Item, blob) for blob in entries.values()], int(next_cursor)
