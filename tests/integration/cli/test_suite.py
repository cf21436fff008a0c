"""The supervisor with real processes: order, restarts, the lock, nothing left behind."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from magpie import Magpie
from magpie.v1 import event_pb2, profile_service_pb2
from magpie_cli.suite import Suite, SuiteFailed, SuiteOptions

ROOMS = frozenset({"profile"})


def options(folder: Path) -> SuiteOptions:
    return SuiteOptions(state=folder, auto_ports=True, rooms=ROOMS)


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Suite]:
    async with Suite(options(tmp_path)) as running:
        yield running


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def view(number: int) -> profile_service_pb2.RecordEventsRequest:
    event = event_pb2.Event(
        event_id=f"e{number}", user_id="u", kind=event_pb2.EVENT_KIND_VIEW_ITEM, item_id="i"
    )
    event.occur_time.GetCurrentTime()
    return profile_service_pb2.RecordEventsRequest(events=[event])


async def test_killed_processes_come_back_with_what_was_acknowledged(suite: Suite) -> None:
    async with Magpie(suite.endpoints, timeout_seconds=10) as magpie:
        assert (await magpie.profile.RecordEvents(view(1))).accepted_count == 1
        for name in ("profile", "redis"):
            process = next(process for process in suite.processes if process.name == name)
            before = process.pid
            os.kill(before, signal.SIGKILL)
            await until(lambda p=process, b=before: p.pid not in (0, b) and p.state == "up")  # type: ignore[misc]
            assert process.restarts == 1
        await until(lambda: all(process.state == "up" for process in suite.processes))
        again = await magpie.profile.RecordEvents(view(1), wait_for_ready=True)
        assert (again.accepted_count, again.duplicate_count) == (0, 1)


async def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    arguments = ["up", "--state", str(tmp_path), "--ports", "auto", "--only", "profile", "--json"]
    supervisor = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "magpie_cli.main", *arguments], stdout=subprocess.PIPE, text=True
    )
    pids: set[int] = set()
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        report = json.loads(line)
        pids.add(report.get("pid", 0))
        if report.get("ready"):
            break
    supervisor.kill()
    supervisor.wait(10)
    supervisor.stdout.close()
    pids.discard(0)
    assert len(pids) == 2
    await until(lambda: not any(alive(pid) for pid in pids))


async def test_one_suite_a_folder_stopped_cleanly_and_started_again_with_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    async with Suite(options(tmp_path)) as suite:
        with pytest.raises(SuiteFailed, match=f"already runs .*process {os.getpid()}"):
            async with Suite(options(tmp_path)):
                pass
        pids = suite.pids()
        assert all(alive(pid) for pid in pids.values())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        secrets = path.read_bytes()
        started = time.monotonic()
    assert time.monotonic() - started < 20
    assert not any(alive(pid) for pid in pids.values())
    async with Suite(options(tmp_path)):
        assert path.read_bytes() == secrets


async def test_a_process_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    bad = SuiteOptions(
        state=tmp_path, auto_ports=True, rooms=ROOMS, environment={"MAGPIE_PROFILE_KEY": "not a key"}
    )
    with pytest.raises(SuiteFailed, match=r"profile does not start(.|\n)*MAGPIE_PROFILE_KEY"):
        async with Suite(bad):
            pass
