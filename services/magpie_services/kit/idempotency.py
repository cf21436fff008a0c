"""Every write that carries a `request_id` is done once: the same id gives the same answer for a day."""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable

import structlog
from google.protobuf.message import Message

from magpie_services.kit.errors import DeadlineExceeded, Invalid, Unavailable
from magpie_services.kit.redis import Redis, Script, store_errors

log = structlog.get_logger()

KEEP_SECONDS = 24 * 3600
LEASE_SECONDS = 60
MAX_REQUEST_ID_LENGTH = 128

# Stored is either "L" fingerprint token (a first call is at work) or "A" fingerprint answer (it is done).
_CLAIM = Script("""
local stored = redis.call('GET', KEYS[1])
if stored == ARGV[1] then return false end -- sent again: the answer to the first sending was lost
if stored then return stored end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
""")
# Only the holder of the lease may end it: it may have run out while the work was given up, and another begun.
_FINISH = Script("""
local stored = redis.call('GET', KEYS[1])
if stored and stored ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1
""")

_MARK = 1
_FINGERPRINT = 16


def fingerprint(request: Message) -> bytes:
    """16 bytes that two requests share only when they say the same."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()[:_FINGERPRINT]


class Answers:
    """The answers given in the last day, in Redis, by method and request id."""

    def __init__(self, redis: Redis, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """Work is given up after `lease_seconds`, or two of the same id could be at work at once."""
        self._redis = redis
        self._lease_seconds = lease_seconds

    async def once(
        self, method: str, request_id: str, request: Message, work: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """The stored answer of `request_id`, or that of `work`, which then is stored for a day.

        A `work` that raises is forgotten: the next try works again. Raises Invalid("request_id") when the id
        is empty, too long or was used for another request; Unavailable while a first call is at work;
        DeadlineExceeded when the work outlives its lease.
        """
        if not request_id or len(request_id) > MAX_REQUEST_ID_LENGTH:
            raise Invalid("request_id", f"must be 1 to {MAX_REQUEST_ID_LENGTH} characters")
        mark = fingerprint(request)
        key = _key(method, request_id)
        lease = b"L" + mark + secrets.token_bytes(8)
        with store_errors():
            stored = await _CLAIM(self._redis, keys=[key], args=[lease, round(self._lease_seconds * 1000)])
        if isinstance(stored, bytes):
            return _answer(stored, mark)
        lapse = asyncio.timeout(self._lease_seconds)
        try:
            async with lapse:
                answer = await work()
        except BaseException as error:
            await self._finish(key, lease, b"")
            if lapse.expired() and isinstance(error, TimeoutError):
                raise DeadlineExceeded from None
            raise
        await self._finish(key, lease, b"A" + mark + answer)
        return answer

    async def _finish(self, key: str, lease: bytes, value: bytes) -> None:
        """The work is done or failed already: a store that is away now must not hide which."""
        try:
            with store_errors():
                await _FINISH(self._redis, keys=[key], args=[lease, value, KEEP_SECONDS])
        except Unavailable:
            log.warning("answer.not_kept", kept=bool(value))


def _key(method: str, request_id: str) -> str:
    # Hashed: the id is the caller's text and must not choose the slot or break the key.
    return f"magpie:answer:{hashlib.sha256(f'{method} {request_id}'.encode()).hexdigest()}"


def _answer(stored: bytes, mark: bytes) -> bytes:
    if stored[_MARK : _MARK + _FINGERPRINT] != mark:
        raise Invalid("request_id", "was used for another request in the last day")
    if stored[:_MARK] == b"L":
        raise Unavailable("the same request is being worked on", reason="REQUEST_IN_PROGRESS")
    return stored[_MARK + _FINGERPRINT :]
