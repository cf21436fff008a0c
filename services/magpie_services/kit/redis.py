"""Redis as the services use it: one way to connect, name keys, run a script and report that it is away."""

import asyncio
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from magpie_services.kit.errors import CannotStart, Unavailable

__all__ = [
    "PARTITIONS",
    "Redis",
    "Script",
    "ScriptCall",
    "connect",
    "items_key",
    "partition",
    "partitions",
    "store_errors",
    "stream_key",
    "user_key",
    "wait_until_ready",
]

log = structlog.get_logger()

#: Users are spread over this many hash tags. Fixed for the life of a deployment: it is part of every key.
PARTITIONS = 16
#: A reader that blocks (XREAD BLOCK) must block for less than this.
SOCKET_TIMEOUT_SECONDS = 5.0

_AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
)
#: Refusals that redis-py leaves as plain ResponseError: a full disk, a lost master, a moving cluster; and
#: all of them where a script met them ("Error running script ...: -OOM command not allowed").
_AWAY_TEXT = re.compile(
    r"(^|: -)(MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|READONLY|OOM|LOADING)\b"
)


def connect(url: str) -> Redis:
    """A client that answers bytes; the caller closes it with `aclose()`. Connects at the first command.

    A command whose connection breaks is sent again, up to three times: every write must be safe to run twice.
    """
    client: Redis = Redis.from_url(
        url,
        decode_responses=False,
        protocol=2,  # the shapes of answers must not change with the server's version
        health_check_interval=30,
        socket_connect_timeout=2.0,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 3, (exceptions.ConnectionError,)),
    )
    return client


def partition(user_id: str) -> str:
    """The user's partition, "p00" to "p15"."""
    return f"p{zlib.crc32(user_id.encode()) % PARTITIONS:02d}"


def partitions() -> list[str]:
    """All partitions in order."""
    return [f"p{number:02d}" for number in range(PARTITIONS)]


def user_key(kind: str, user_id: str) -> str:
    """`magpie:{p07}:<kind>:<user_id>`: in one slot with the user's stream, so a script can write both."""
    return f"magpie:{{{partition(user_id)}}}:{kind}:{user_id}"


def stream_key(kind: str, part: str) -> str:
    """`magpie:{p07}:<kind>`: the stream of a partition."""
    return f"magpie:{{{part}}}:{kind}"


def items_key(kind: str) -> str:
    """`magpie:{items}:<kind>`: what is about items rather than users, all of it in one slot."""
    return f"magpie:{{items}}:{kind}"


#: One call of a script: its keys and its arguments.
ScriptCall = tuple[Sequence[str | bytes], Sequence[str | bytes | int | float]]


class Script:
    """A Lua script, sent once to a server and then called by its hash; loads itself again after a restart."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._sha: str | None = None

    async def __call__(
        self,
        client: Redis,
        *,
        keys: Sequence[str | bytes] = (),
        args: Sequence[str | bytes | int | float] = (),
    ) -> Any:
        """The script's answer, as redis-py gives it. Raises redis-py's errors: wrap it in `store_errors`."""
        if self._sha is None:
            self._sha = _text_of(await client.script_load(self._text))
        try:
            return await client.evalsha(self._sha, len(keys), *keys, *args)
        except exceptions.NoScriptError:
            return await client.eval(self._text, len(keys), *keys, *args)

    async def many(self, client: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
        """The answers to many calls, in order, in one round trip; each call is atomic, all together are not.

        Raises the error of the first call that failed; the others have run.
        """
        if self._sha is None:
            self._sha = _text_of(await client.script_load(self._text))
        answers = await self._pipelined(client, calls)
        lost = [n for n, answer in enumerate(answers) if isinstance(answer, exceptions.NoScriptError)]
        if lost:
            await client.script_load(self._text)
            for n, answer in zip(lost, await self._pipelined(client, [calls[n] for n in lost]), strict=True):
                answers[n] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def _pipelined(self, client: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            for keys, args in calls:
                pipe.execute_command("EVALSHA", self._sha, len(keys), *keys, *args)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            return answers


@contextmanager
def store_errors() -> Iterator[None]:
    """Inside it, a Redis that is away raises Unavailable; a wrong command stays the bug that it is."""
    try:
        yield
    except _AWAY as error:
        raise Unavailable("the store is unavailable") from error
    except exceptions.ResponseError as error:
        if _AWAY_TEXT.search(str(error)):
            raise Unavailable("the store is unavailable") from error
        raise


async def wait_until_ready(client: Redis, *, timeout_seconds: float = 60.0) -> None:
    """Return once Redis answers; try once a second. Raises CannotStart after `timeout_seconds`."""
    end = time.monotonic() + timeout_seconds
    while True:
        try:
            await client.ping()
            return
        except exceptions.AuthenticationError as error:
            raise CannotStart("Redis refuses the user or the password of redis_url") from error
        except (*_AWAY, OSError) as error:
            where = _where(client)
            if time.monotonic() >= end:
                raise CannotStart(f"Redis at {where} does not answer; set redis_url or start it") from error
            log.warning("redis.waiting", address=where, error=type(error).__name__)
        await asyncio.sleep(min(1.0, max(0.05, end - time.monotonic())))


def _where(client: Redis) -> str:
    """The address without the password."""
    options = client.connection_pool.connection_kwargs
    return str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")


def _text_of(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
