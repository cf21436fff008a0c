"""A lease in Redis: one holder of a name at a time, each with a fencing number larger than all before it."""

import secrets

from magpie_services.kit.redis import Redis, Script, store_errors

_ACQUIRE = Script("""
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2]) -- sent again: the answer to the first sending was lost
return tonumber(redis.call('GET', KEYS[2]))
""")
_RENEW = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")
_RELEASE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")


class Lease:
    """One would-be holder. Raises Unavailable from every method when the store is away."""

    def __init__(self, redis: Redis, name: str, *, seconds: float) -> None:
        self.fence = 0
        self._redis = redis
        self._keys = [f"magpie:{{lease:{name}}}:holder", f"magpie:{{lease:{name}}}:fence"]
        self._holder = secrets.token_hex(8)
        self._ms = int(seconds * 1000)

    async def acquire(self) -> bool:
        """Takes the lease if it is free or held already; `fence` then is the number of this holding."""
        with store_errors():
            self.fence = int(await _ACQUIRE(self._redis, keys=self._keys, args=[self._holder, self._ms]))
        return self.fence > 0

    async def renew(self) -> bool:
        """Holds on for the whole time again; False when the lease was lost."""
        with store_errors():
            return bool(await _RENEW(self._redis, keys=self._keys[:1], args=[self._holder, self._ms]))

    async def release(self) -> None:
        """Gives it up at once, if still held."""
        with store_errors():
            await _RELEASE(self._redis, keys=self._keys[:1], args=[self._holder])
