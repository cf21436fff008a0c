"""One supervised process: started, probed, restarted with growing pauses, stopped with its children."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 10.0  # alive for so long, a process starts afresh with the shortest pause
STARTING_POLL_SECONDS = 0.15
RUNNING_POLL_SECONDS = 2.0
LOG_BYTES = 5 << 20
TAIL_BYTES = 4_000


class State(StrEnum):
    """What a process is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    UP = "up"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(eq=False)
class Process:
    """A process to keep alive. `ready` says whether it works; `changed` hears of every change of state."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    grace_seconds: float = 6.0
    changed: Callable[["Process"], None] = lambda process: None
    state: State = State.WAITING
    pid: int = 0
    restarts: int = 0
    was_ready: bool = False
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts it and keeps it alive from now on."""
        self._task = asyncio.create_task(self._keep_alive(), name=f"keep {self.name}")

    async def stop(self) -> None:
        """Asks it to end, kills what is left of it and of its children after the grace; never restarts it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._become(State.STOPPED)

    def memory_bytes(self) -> int:
        """Resident memory of the process and its children."""
        return sum(_resident(pid) for pid in _group(self.pid)) if self.pid else 0

    def last_words(self, lines: int = 8) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
                return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    async def _keep_alive(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            await self._live_once()
            if time.monotonic() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self.restarts += 1
            self._become(State.RESTARTING)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _live_once(self) -> None:
        _rotate(self.log)
        with self.log.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "magpie_cli.child", str(os.getpid())),
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                # A group of its own: Ctrl-C reaches the supervisor only, and children of it can be ended too.
                start_new_session=True,
            )
        self.pid = child.pid
        self._become(State.STARTING)
        probe = asyncio.create_task(self._probe())
        try:
            await child.wait()
        except asyncio.CancelledError:
            await self._end(child)
            raise
        finally:
            probe.cancel()
            _signal_group(child.pid, signal.SIGKILL)  # what it left behind
            self.pid = 0

    async def _probe(self) -> None:
        while True:
            _rotate(self.log)
            if await self.ready():
                self.was_ready = True
                self._become(State.UP)
            elif self.state is State.UP:
                self._become(State.STARTING)
            await asyncio.sleep(RUNNING_POLL_SECONDS if self.state is State.UP else STARTING_POLL_SECONDS)

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.grace_seconds):
                await child.wait()
        except TimeoutError:
            _signal_group(child.pid, signal.SIGKILL)
            await child.wait()

    def _become(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self.changed(self)


def _rotate(log: Path) -> None:
    """Keeps a log and its predecessor to LOG_BYTES each. The file stays the same one: who writes has it open,
    for appending, and goes on at its new end."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _group(group: int) -> list[int]:
    """The processes of a group: those of one supervised child."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                # Fields after the name, which may hold spaces: state, parent, group.
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # gone meanwhile
                continue
            if int(after_name[2]) == group:
                members.append(int(entry.name))
    return members


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
