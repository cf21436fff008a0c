"""Users in Redis. The keys of a user and the stream of events share a slot: one script commits all.

magpie:{pNN}:user:<id>   hash: version, blob (sealed state), moved_to, erased_ms
magpie:{pNN}:key:<id>    the wrapped data key: without it the blob is noise
magpie:{pNN}:seen:<id>   sorted set: 8-byte hashes of event ids by the time they were received
magpie:{pNN}:users       sorted set of ids, all of score 0: walked in order of id
magpie:profile:key_check a data key that opens nothing, wrapped: tells whether ours is the right key
magpie:{pNN}:events      stream, one field `v`: a msgpack core.events.Event
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from magpie_services.core import codec
from magpie_services.core.events import Event
from magpie_services.kit.errors import CannotStart, Conflict
from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, Script, ScriptCall, partition, store_errors, stream_key, user_key
from magpie_services.profile.state import UserState
from magpie_services.profile.store import Change, Row
from magpie_services.profile.vault import Unreadable, Vault

SEEN_MS = 48 * 3_600_000
_KEY_CHECK = "magpie:profile:key_check"
_SCAN = 1_000
_LINKING_SECONDS = 30.0
_LINKING_TRIES = 100
_MAX_SCANNED = 20_000
#: Of one page of the log: it must fit into a message.
_PAGE_BYTES = 8 << 20

_LOAD = Script("""
local fields = redis.call('HMGET', KEYS[1], 'version', 'blob', 'moved_to', 'erased_ms')
fields[5] = redis.call('GET', KEYS[2])
if #ARGV > 0 then fields[6] = redis.call('ZMSCORE', KEYS[3], unpack(ARGV)) end
return fields
""")
_COMMIT = Script("""
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[1]) then return 0 end
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[2], ARGV[3])
  redis.call('ZADD', KEYS[4], 0, ARGV[2])
end
redis.call('HSET', KEYS[1], 'version', version + 1, 'blob', ARGV[4])
local last = 7 + tonumber(ARGV[7])
for i = 8, last do redis.call('ZADD', KEYS[3], ARGV[5], ARGV[i]) end
if last > 7 then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. (tonumber(ARGV[5]) - tonumber(ARGV[6])))
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
for i = last + 1, #ARGV do redis.call('XADD', KEYS[5], '*', 'v', ARGV[i]) end
return version + 1
""")
_MOVE = Script("""
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', version + 1, 'moved_to', ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[2])
return version + 1
""")
_WIPE = Script("""
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[1], 'blob')
redis.call('ZREM', KEYS[4], ARGV[1])
return 1
""")
_ERASE = Script("""
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[1], 'blob')
redis.call('HSET', KEYS[1], 'version', version + 1, 'erased_ms', ARGV[3])
redis.call('ZREM', KEYS[4], ARGV[2])
for i = 4, #ARGV do redis.call('XADD', KEYS[5], '*', 'v', ARGV[i]) end
return version + 1
""")


class RedisProfileStore:
    """See `store.ProfileStore`. Linking is guarded by a lease, so that two calls never link in a circle."""

    def __init__(self, redis: Redis, vault: Vault) -> None:
        self._redis = redis
        self._vault = vault

    async def check_key(self) -> None:
        """Raises CannotStart when the users here were sealed with another key than ours."""
        _, mine = self._vault.new_key(_KEY_CHECK)
        with store_errors():
            await self._redis.set(_KEY_CHECK, mine, nx=True)
            held: Any = await self._redis.get(_KEY_CHECK)
        try:
            self._vault.unwrap(held, _KEY_CHECK)
        except Unreadable as error:
            raise CannotStart("MAGPIE_PROFILE_KEY is not the key of the users in this Redis") from error

    async def load(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[Row]:
        calls: list[ScriptCall] = [
            (_keys(user_id)[:3], [_mark(event_id) for event_id in ids]) for user_id, ids in wanted
        ]
        with store_errors():
            answers = await _LOAD.many(self._redis, calls)
        return [self._row(user_id, answer) for (user_id, _), answer in zip(wanted, answers, strict=True)]

    def _row(self, user_id: str, fields: list[bytes | None]) -> Row:
        version, blob, moved_to, erased_ms, wrapped, *scores = fields
        row = Row(
            user_id=user_id,
            version=int(version or 0),
            moved_to=(moved_to or b"").decode(),
            erased_ms=int(erased_ms or 0),
            seen=[score is not None for score in scores[0] or ()] if scores else [],
        )
        if blob is not None and wrapped is not None:
            row.key = self._vault.unwrap(wrapped, user_id)
            row.state = codec.decode(UserState, self._vault.open(row.key, blob, user_id))
            row.state.portrait.version = row.version
        elif blob is not None:
            # Half a user is a user whose key was destroyed behind our back: never start afresh over it.
            raise Unreadable(f"a user of {partition(user_id)} has no data key")
        return row

    async def commit(self, changes: Sequence[Change], now_ms: int) -> list[bool]:
        with store_errors():
            answers = await _COMMIT.many(
                self._redis, [self._commit_call(change, now_ms) for change in changes]
            )
        return [bool(answer) for answer in answers]

    def _commit_call(self, change: Change, now_ms: int) -> ScriptCall:
        row, user_id, wrapped = change.row, change.row.user_id, b""
        key = row.key
        if not key:
            key, wrapped = self._vault.new_key(user_id)
        change.state.portrait.version = row.version + 1
        blob = self._vault.seal(key, codec.encode(change.state), user_id)
        marks = [*map(_mark, change.event_ids), *change.marks]
        entries = map(codec.encode, change.events)
        head: list[str | bytes | int] = [row.version, user_id, wrapped, blob, now_ms, SEEN_MS, len(marks)]
        return _keys(user_id), [*head, *marks, *entries]

    async def move(self, row: Row, to: str) -> bool:
        user, _, _, users, _ = _keys(row.user_id)
        with store_errors():
            return bool(await _MOVE(self._redis, keys=[user, users], args=[row.version, row.user_id, to]))

    async def marks_of(self, user_id: str) -> list[bytes]:
        with store_errors():
            marks: Any = await self._redis.zrange(user_key("seen", user_id), 0, -1)
        return list(marks)

    @asynccontextmanager
    async def linking(self) -> AsyncIterator[None]:
        lease = Lease(self._redis, "profile.linking", seconds=_LINKING_SECONDS)
        for _ in range(_LINKING_TRIES):
            if await lease.acquire():
                break
            await asyncio.sleep(0.05)
        else:
            raise Conflict("identities are being linked; try again")
        try:
            yield
        finally:
            await lease.release()

    async def wipe(self, user_id: str) -> None:
        with store_errors():
            await _WIPE(self._redis, keys=_keys(user_id)[:4], args=[user_id])

    async def erase(self, row: Row, events: Sequence[Event]) -> bool:
        head: list[str | bytes | int] = [row.version, row.user_id, events[0].occurred_ms]
        args = [*head, *map(codec.encode, events)]
        with store_errors():
            return bool(await _ERASE(self._redis, keys=_keys(row.user_id), args=args))

    async def user_ids(self, part: str, after: str, limit: int) -> list[str]:
        start = f"({after}" if after else "-"
        with store_errors():
            found: Any = await self._redis.zrangebylex(
                stream_key("users", part), start, "+", start=0, num=limit
            )
        return [user_id.decode() for user_id in found]

    async def logged(self, user_id: str, after: str, limit: int) -> tuple[list[Event], str]:
        stream, found, scanned, size = stream_key("events", partition(user_id)), list[Event](), 0, 0
        while scanned < _MAX_SCANNED:
            with store_errors():
                start = f"({after}" if after else "-"
                entries: Any = await self._redis.xrange(stream, start, "+", count=_SCAN)
            for entry_id, fields in entries:
                after = entry_id.decode()
                # What cannot be read is nobody's: the lake puts it aside.
                blob = fields.get(b"v", b"")
                for event in codec.readable(Event, [blob]):
                    if event.user_id == user_id:
                        found.append(event)
                        size += len(blob)
                if len(found) == limit or size >= _PAGE_BYTES:
                    return found, after
            scanned += len(entries)
            if len(entries) < _SCAN:
                return found, ""
        return found, after


def _keys(user_id: str) -> list[str]:
    part = partition(user_id)
    mine = [user_key(kind, user_id) for kind in ("user", "key", "seen")]
    return [*mine, stream_key("users", part), stream_key("events", part)]


def _mark(event_id: str) -> bytes:
    return hashlib.blake2b(event_id.encode(), digest_size=8).digest()
