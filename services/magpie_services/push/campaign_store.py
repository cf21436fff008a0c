"""Campaigns in Redis: state moves by compare and set, progress is written only by who holds the lease."""

from collections.abc import Iterable, Sequence
from typing import Any

from magpie_services.core import codec
from magpie_services.core.decisions import Decision
from magpie_services.kit.errors import NotFound
from magpie_services.kit.redis import Redis, Script, store_errors
from magpie_services.push import campaigns
from magpie_services.push.campaigns import Campaign, Progress, Spec, State

_TAG = "magpie:{campaigns}"
_INDEX = f"{_TAG}:index"
_RUNNING = f"{_TAG}:running"
_LATEST = 20
_LATEST_SECONDS = 86_400

# KEYS: campaign, index. ARGV: id, spec, progress, now.
_CREATE = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'state', 'draft', 'progress', ARGV[3], 'updated', ARGV[4])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
end
return 1
""")
# KEYS: campaign, running. ARGV: id, to, now, error, from... Answers the state that stood, "" when none did.
_MOVE = Script("""
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return '' end
for i = 5, #ARGV do
  if ARGV[i] == state then
    redis.call('HSET', KEYS[1], 'state', ARGV[2], 'updated', ARGV[3], 'error', ARGV[4])
    if ARGV[2] == 'running' then redis.call('SADD', KEYS[2], ARGV[1])
    else redis.call('SREM', KEYS[2], ARGV[1]) end
  end
end
return state
""")
# KEYS: campaign, lease. ARGV: owner, progress, now, lease ms. Only the holder writes; answers the state.
_SAVE = Script("""
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return '' end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[1], 'progress', ARGV[2], 'updated', ARGV[3])
return redis.call('HGET', KEYS[1], 'state')
""")
# KEYS: lease. ARGV: owner, lease ms. Takes a free lease or renews one's own.
_LEASE = Script("""
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")
_YIELD = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1")


class CampaignStore:
    """All campaigns. Every call raises Unavailable when Redis is away."""

    def __init__(self, redis: Redis, *, lease_seconds: float) -> None:
        self._redis = redis
        self._lease_ms = int(lease_seconds * 1000)

    async def create(self, spec: Spec) -> Campaign:
        """Creates a draft; the one that is there already stands."""
        keys = [_key(spec.campaign_id), _INDEX]
        args: list[str | bytes | int] = [
            spec.campaign_id,
            codec.encode(spec),
            codec.encode(Progress()),
            spec.created_ms,
        ]
        with store_errors():
            await _CREATE(self._redis, keys=keys, args=args)
        return await self.get(spec.campaign_id)

    async def get(self, campaign_id: str) -> Campaign:
        """The campaign as it stands. Raises NotFound."""
        with store_errors():
            fields: Any = await self._redis.hgetall(_key(campaign_id))
        if not fields:
            raise NotFound(f"there is no campaign {campaign_id}")
        return Campaign(
            spec=codec.decode(Spec, fields[b"spec"]),
            state=State(fields[b"state"].decode()),
            progress=codec.decode(Progress, fields[b"progress"]),
            updated_ms=int(fields[b"updated"]),
            error=fields.get(b"error", b"").decode(),
        )

    async def newest(self, start: int, count: int) -> list[Campaign]:
        """Campaigns from position `start` on, newest first."""
        with store_errors():
            ids: Any = await self._redis.zrevrange(_INDEX, start, start + count - 1)
        return [await self.get(campaign_id.decode()) for campaign_id in ids]

    async def move(self, campaign_id: str, move: str, now_ms: int) -> Campaign:
        """Starts, pauses, resumes or cancels. Raises NotFound, or NotAllowed in a state that forbids it."""
        allowed, to = campaigns.MOVES[move]
        state = await self.set_state(campaign_id, to, now_ms, allowed)
        if state is None:
            raise NotFound(f"there is no campaign {campaign_id}")
        if state not in allowed:
            raise campaigns.refuse(move, state)
        return await self.get(campaign_id)

    async def set_state(
        self, campaign_id: str, to: State, now_ms: int, allowed: Iterable[State], error: str = ""
    ) -> State | None:
        """Sets the state if it is one of `allowed`; gives the state that stood before."""
        keys = [_key(campaign_id), _RUNNING]
        with store_errors():
            state = await _MOVE(self._redis, keys=keys, args=[campaign_id, to, now_ms, error, *allowed])
        return State(state.decode()) if state else None

    async def running(self) -> list[Campaign]:
        """Campaigns that are running, the highest priority first."""
        with store_errors():
            ids: Any = await self._redis.smembers(_RUNNING)
        found = [await self.get(campaign_id.decode()) for campaign_id in ids]
        return sorted(found, key=lambda campaign: (-campaign.spec.priority, campaign.spec.created_ms))

    async def take(self, campaign_id: str, owner: str) -> bool:
        """Takes the lease when it is free, or renews it."""
        with store_errors():
            return bool(await _LEASE(self._redis, keys=[_lease(campaign_id)], args=[owner, self._lease_ms]))

    async def give_up(self, campaign_id: str, owner: str) -> None:
        """Lets another take the lease at once."""
        with store_errors():
            await _YIELD(self._redis, keys=[_lease(campaign_id)], args=[owner])

    async def save(self, campaign_id: str, owner: str, progress: Progress, now_ms: int) -> State | None:
        """Writes progress and renews the lease; gives the state. None when the lease went to another."""
        keys = [_key(campaign_id), _lease(campaign_id)]
        args: list[str | bytes | int] = [owner, codec.encode(progress), now_ms, self._lease_ms]
        with store_errors():
            state = await _SAVE(self._redis, keys=keys, args=args)
        return State(state.decode()) if state else None

    async def show(self, campaign_id: str, decisions: Sequence[Decision]) -> None:
        """Keeps the newest decisions, without arms, for those who watch."""
        if not decisions:
            return
        key = f"{_TAG}:latest:{campaign_id}"
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.lpush(key, *(codec.encode(decision) for decision in decisions[-_LATEST:]))
            pipe.ltrim(key, 0, _LATEST - 1)
            pipe.expire(key, _LATEST_SECONDS)
            with store_errors():
                await pipe.execute()

    async def latest(self, campaign_id: str) -> list[Decision]:
        """The newest decisions, newest first."""
        with store_errors():
            blobs: Any = await self._redis.lrange(f"{_TAG}:latest:{campaign_id}", 0, _LATEST - 1)
        return [codec.decode(Decision, blob) for blob in blobs]

    async def states(self, campaign_ids: Iterable[str]) -> dict[str, State]:
        """How these stand, as far as they are campaigns of ours."""
        ids = list(campaign_ids)
        if not ids:
            return {}
        async with self._redis.pipeline(transaction=False) as pipe:
            for campaign_id in ids:
                pipe.hget(_key(campaign_id), "state")
            with store_errors():
                states = await pipe.execute()
        return {i: State(state.decode()) for i, state in zip(ids, states, strict=True) if state}


def _key(campaign_id: str) -> str:
    return f"{_TAG}:campaign:{campaign_id}"


def _lease(campaign_id: str) -> str:
    return f"{_TAG}:lease:{campaign_id}"
