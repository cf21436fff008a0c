"""A worker as a real process, and the ReleaseService on a real socket."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Starter = Callable[[dict[str, str]], subprocess.Popen[bytes]]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Starter]:
    """Starts a worker with these settings and waits until it says that it is ready."""
    running: list[subprocess.Popen[bytes]] = []

    def start(settings: dict[str, str]) -> subprocess.Popen[bytes]:
        log = tmp_path / f"worker-{len(running)}.log"
        command = [sys.executable, "-m", "celery", "-A", "magpie_services.training.app", "worker"]
        queues = ["-Q", "train,publish,search", "-c", "1"]
        options = [*queues, "--without-gossip", "--without-mingle", "-l", "info"]
        with log.open("wb") as file:
            worker = subprocess.Popen(
                [*command, *options],
                env={**os.environ, **settings},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        running.append(worker)
        end = time.monotonic() + 30
        while "worker.ready" not in log.read_text():
            assert worker.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        return worker

    yield start
    for worker in running:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
