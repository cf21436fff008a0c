"""Searches in Redis: a hash each, with a field for every trial: workers never write over each other."""

import msgspec

from magpie_services.kit.errors import Conflict, NotFound
from magpie_services.kit.redis import Redis, Script, store_errors
from magpie_services.training.search.records import Search, Trial, TrialState, Waiting

KEEP_SECONDS = 90 * 24 * 3_600
LEASE_MS = 60_000

_PREFIX = "magpie:{models}:"
_OPEN = f"{_PREFIX}searches"
_ADOPTED = f"{_PREFIX}adopted"

_WRITE = Script("""
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
""")
_LET_GO = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
""")


class SearchStore:
    """Searches, and the settings that were adopted. All methods raise Unavailable when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(self, search: Search) -> None:
        """Keeps a new search for 90 days."""
        with store_errors():
            pipe = self._redis.pipeline(transaction=True)
            pipe.hsetnx(_key(search.search_id), "v", msgspec.json.encode(search))
            pipe.expire(_key(search.search_id), KEEP_SECONDS)
            pipe.sadd(_OPEN, search.search_id)
            await pipe.execute()

    async def search(self, search_id: str) -> Search:
        """Raises NotFound."""
        with store_errors():
            held = await self._redis.hgetall(_key(search_id))
        if b"v" not in held:
            raise NotFound(f"there is no search {search_id}")
        trials = [msgspec.json.decode(blob, type=Trial) for name, blob in held.items() if name != b"v"]
        trials.sort(key=lambda trial: trial.number)
        search = msgspec.json.decode(held[b"v"], type=Search)
        return msgspec.structs.replace(search, trials={trial.number: trial for trial in trials})

    async def claim(self, search_id: str, number: int, worker: str) -> None:
        """Takes up a trial for a minute, renewed by every write. Raises Conflict where another is at it."""
        with store_errors():
            done = await self._redis.set(_lease(search_id, number), worker, px=LEASE_MS, nx=True)
        if not done:
            raise Conflict(f"another worker is at trial {number} of {search_id}")

    async def write(self, search_id: str, trial: Trial, worker: str) -> None:
        """Stores a claimed trial. Raises Conflict where the claim was lost."""
        with store_errors():
            done = await _WRITE(
                self._redis,
                keys=[_key(search_id), _lease(search_id, trial.number)],
                args=[worker, str(trial.number), msgspec.json.encode(trial), LEASE_MS],
            )
        if not done:
            raise Conflict(f"another worker has taken up trial {trial.number} of {search_id}")

    async def let_go(self, search_id: str, number: int, worker: str) -> None:
        """Ends the claim of a worker that stops."""
        with store_errors():
            await _LET_GO(self._redis, keys=[_lease(search_id, number)], args=[worker])

    async def idle(self) -> list[Waiting]:
        """Trials that have not ended and that no worker is at."""
        found = []
        with store_errors():
            names = await self._redis.smembers(_OPEN)
        for name in names:
            search_id = _text(name)
            try:
                search = await self.search(search_id)
            except NotFound:
                search = None
            if search is None or search.done:
                with store_errors():
                    await self._redis.srem(_OPEN, search_id)
                continue
            for number in range(search.wanted):
                trial = search.trials.get(number)
                if trial is not None and trial.ended:
                    continue
                with store_errors():
                    held = await self._redis.exists(_lease(search_id, number))
                if not held:
                    state = trial.state if trial else TrialState.RUNNING
                    found.append(Waiting(run_id=f"{search_id}/{number}", state=state))
        return found

    async def adopt(self, model: str, settings: dict[str, str | int | float | bool]) -> None:
        """Later retrainings learn with these settings; with none, with those of the service."""
        with store_errors():
            if settings:
                await self._redis.hset(_ADOPTED, model, msgspec.json.encode(settings))
            else:
                await self._redis.hdel(_ADOPTED, model)

    async def adopted(self) -> dict[str, dict[str, str | int | float | bool]]:
        """By model what was adopted."""
        with store_errors():
            held = await self._redis.hgetall(_ADOPTED)
        return {_text(model): msgspec.json.decode(blob) for model, blob in held.items()}

    async def forget_study(self, search_id: str) -> None:
        """Removes what only the search for better settings needed."""
        prefix = study_prefix(search_id)
        with store_errors():
            last = int(await self._redis.get(f"{prefix}:log_number") or -1)
            names = [f"{prefix}:log:{number}" for number in range(last + 1)]
            for at in range(0, len(names), 500):
                await self._redis.delete(*names[at : at + 500])
            await self._redis.delete(f"{prefix}:log_number", f"{prefix}:snapshot")


def study_prefix(search_id: str) -> str:
    """Where Optuna's journal of a search is in Redis."""
    return f"{_PREFIX}study:{search_id}"


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _key(search_id: str) -> str:
    return f"{_PREFIX}search:{search_id}"


def _lease(search_id: str, number: int) -> str:
    return f"{_PREFIX}search-lease:{search_id}:{number}"
