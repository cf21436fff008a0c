"""Runs and releases in Redis. Every step that reads and then writes is one script, fenced where workers
compete.
"""

import msgspec

from magpie_services.kit.errors import Conflict, NotAllowed, NotFound
from magpie_services.kit.redis import Redis, Script, store_errors
from magpie_services.training.records import ENDED, Release, ReleaseState, Run, RunState

KEEP_RUN_SECONDS = 90 * 24 * 3_600
LEASE_MS = 60_000

_PREFIX = "magpie:{models}:"
_RELEASES, _SERVED = f"{_PREFIX}releases", f"{_PREFIX}served"
_ROLLED_BACK, _VERSION = f"{_PREFIX}rolled_back", f"{_PREFIX}version"
_OPEN = f"{_PREFIX}open"  # runs that have not ended

# A run is a hash: `v` its record, `fence` who may write it; beside it a lease that says somebody does.
_CLAIM = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'fence', 1)
""")
_WRITE = Script("""
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
if ARGV[4] ~= '' then redis.call('SREM', KEYS[3], ARGV[4]) end
return 1
""")
_LET_GO = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
""")
_NEXT_VERSION = Script("""
local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + 1
redis.call('SET', KEYS[1], string.format('%d', next))
return next
""")
_PROMOTE = Script("""
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[1] then
  redis.call('LREM', KEYS[2], 0, ARGV[1])
  redis.call('LPUSH', KEYS[2], ARGV[1])
end
redis.call('SREM', KEYS[3], ARGV[1])
return 1
""")
# ARGV[1], where given, must be the one that serves: a late worker must not take back its successor.
_ROLL_BACK = Script("""
local now = redis.call('LINDEX', KEYS[1], 0)
if ARGV[1] ~= '' and now ~= ARGV[1] then return now or '0' end
if ARGV[1] == '' and redis.call('LLEN', KEYS[1]) < 2 then return '0' end
redis.call('SADD', KEYS[2], redis.call('LPOP', KEYS[1]))
return redis.call('LINDEX', KEYS[1], 0) or '0'
""")


class RedisStore:
    """Runs and releases. All methods raise Unavailable when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(self, run: Run) -> None:
        """Keeps a new run for 90 days; a run that is there already stays as it is."""
        with store_errors():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hsetnx(_run(run.run_id), "v", msgspec.json.encode(run))
            pipe.expire(_run(run.run_id), KEEP_RUN_SECONDS)
            pipe.sadd(_OPEN, run.run_id)
            await pipe.execute()

    async def run(self, run_id: str) -> Run:
        """Raises NotFound."""
        with store_errors():
            blob, fence = await self._redis.hmget(_run(run_id), ["v", "fence"])
        if blob is None:
            raise NotFound(f"there is no run {run_id}")
        return msgspec.structs.replace(msgspec.json.decode(blob, type=Run), fence=int(fence or 0))

    async def claim(self, run_id: str, worker: str) -> Run:
        """Takes up a run for a minute, renewed by every write. Raises NotFound, Conflict where another is at
        it.
        """
        with store_errors():
            fence = await _CLAIM(self._redis, keys=[_run(run_id), _lease(run_id)], args=[worker, LEASE_MS])
        if fence == -1:
            raise NotFound(f"there is no run {run_id}")
        if fence == 0:
            raise Conflict(f"another worker is at run {run_id}")
        return msgspec.structs.replace(await self.run(run_id), fence=int(fence))

    async def let_go(self, run_id: str, worker: str) -> None:
        """Ends the lease of a worker that stops."""
        with store_errors():
            await _LET_GO(self._redis, keys=[_lease(run_id)], args=[worker])

    async def write(self, run: Run, *, lease_ms: int = LEASE_MS) -> None:
        """Stores a claimed run and renews its lease. Raises Conflict when another has taken it up."""
        with store_errors():
            done = await _WRITE(
                self._redis,
                keys=[_run(run.run_id), _lease(run.run_id), _OPEN],
                args=[
                    run.fence,
                    msgspec.json.encode(run),
                    lease_ms,
                    run.run_id if run.state in ENDED else "",
                ],
            )
        if not done:
            raise Conflict(f"another worker has taken up run {run.run_id}")

    async def idle(self) -> list[Run]:
        """Runs that have not ended and that no worker is at."""
        found = []
        with store_errors():
            for run_id in await self.open():
                if await self._redis.exists(_lease(run_id)):
                    continue
                try:
                    run = await self.run(run_id)
                except NotFound:
                    run = None
                if run is None or run.state in ENDED:
                    await self._redis.srem(_OPEN, run_id)
                else:
                    found.append(run)
        return found

    async def open(self) -> set[str]:
        """Ids of the runs that have not ended."""
        with store_errors():
            names = await self._redis.smembers(_OPEN)
        return {name.decode() if isinstance(name, bytes) else name for name in names}

    async def next_version(self, floor: int) -> int:
        """A version above all given out before and above `floor`."""
        with store_errors():
            return int(await _NEXT_VERSION(self._redis, keys=[_VERSION], args=[floor]))

    async def add_release(self, release: Release) -> None:
        """Keeps a published release; again for the same version changes nothing."""
        with store_errors():
            await self._redis.hsetnx(_RELEASES, str(release.version), msgspec.json.encode(release))

    async def release(self, version: int) -> Release:
        """Raises NotFound."""
        for release in await self.releases():
            if release.version == version:
                return release
        raise NotFound(f"there is no release {version}")

    async def releases(self) -> list[Release]:
        """All releases, newest first, each with its state."""
        with store_errors():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hvals(_RELEASES)
            pipe.lrange(_SERVED, 0, -1)
            pipe.smembers(_ROLLED_BACK)
            blobs, served, taken_back = await pipe.execute()
        stack, undone = [int(version) for version in served], {int(version) for version in taken_back}
        found = [msgspec.json.decode(blob, type=Release) for blob in blobs]
        found = [msgspec.structs.replace(one, state=_state(one.version, stack, undone)) for one in found]
        return sorted(found, key=lambda release: -release.version)

    async def served(self) -> list[int]:
        """Versions that serve (first) and served before, without those taken back."""
        with store_errors():
            return [int(version) for version in await self._redis.lrange(_SERVED, 0, -1)]

    async def promote(self, version: int) -> None:
        """Lets a release serve. Raises NotFound."""
        with store_errors():
            done = await _PROMOTE(self._redis, keys=[_RELEASES, _SERVED, _ROLLED_BACK], args=[version])
        if not done:
            raise NotFound(f"there is no release {version}")

    async def roll_back(self) -> int:
        """Takes back what serves; answers what serves now. Raises NotAllowed where nothing served before."""
        with store_errors():
            version = int(await _ROLL_BACK(self._redis, keys=[_SERVED, _ROLLED_BACK], args=[""]))
        if not version:
            raise NotAllowed("no release served before this one", reason="NO_EARLIER_RELEASE")
        return version

    async def withdraw(self, version: int) -> int:
        """Takes back `version` if it serves; answers what serves now, 0 for none."""
        with store_errors():
            return int(await _ROLL_BACK(self._redis, keys=[_SERVED, _ROLLED_BACK], args=[str(version)]))


def _state(version: int, stack: list[int], undone: set[int]) -> ReleaseState:
    if stack and stack[0] == version:
        return ReleaseState.STABLE
    if version in stack:
        return ReleaseState.RETIRED
    return ReleaseState.ROLLED_BACK if version in undone else ReleaseState.STAGED


def _run(run_id: str) -> str:
    return f"{_PREFIX}run:{run_id}"


def _lease(run_id: str) -> str:
    return f"{_PREFIX}lease:{run_id}"


def open_run(run_id: str, as_of_ms: int, seed: int, now_ms: int) -> Run:
    """A run that waits for a worker."""
    return Run(
        run_id=run_id,
        state=RunState.QUEUED,
        activity="waits for a worker",
        as_of_ms=as_of_ms,
        seed=seed,
        created_ms=now_ms,
        updated_ms=now_ms,
    )
