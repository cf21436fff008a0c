"""The supervisor: starts the suite's processes wave by wave, keeps them alive, stops them in reverse."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from magpie import Endpoints
from magpie_cli.suite import health, ports, redis, rooms
from magpie_cli.suite.lock import StateLock
from magpie_cli.suite.options import SuiteFailed, SuiteOptions
from magpie_cli.suite.process import Process
from magpie_cli.suite.secrets import load_secrets

GIVE_UP_RESTARTS = 3  # a process that dies so often before it was ever ready will not come up by itself
WATCH_SECONDS = 0.2
REDIS = "redis"


class Suite:
    """The whole suite for as long as the context lasts.

    Entering returns when every process is ready, or raises SuiteFailed and leaves nothing running. `changed`
    hears of every change of state of a process.
    """

    def __init__(self, options: SuiteOptions, changed: Callable[[Process], None] | None = None) -> None:
        self.options = options
        self.endpoints = Endpoints()
        self.redis_url = options.redis_url
        self.secrets: Mapping[str, str] = {}
        self._ports: dict[str, int] = {}
        self.processes: list[Process] = []
        self._waves: list[list[Process]] = []
        self._changed = changed or (lambda process: None)
        self._lock = StateLock(options.state)

    async def __aenter__(self) -> Self:
        self._prepare_folder()
        self._lock.acquire()
        try:
            self._plan()
            async with asyncio.timeout(self.options.start_seconds):
                for wave in self._waves:
                    await self._start(wave)
        except TimeoutError:
            late = [process.name for process in self.processes if not process.was_ready]
            await self._stop()
            raise SuiteFailed(
                f"not ready after {self.options.start_seconds:.0f} s: {', '.join(late)}; "
                f"see {self.options.state / 'logs'}"
            ) from None
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def pids(self) -> dict[str, int]:
        """Process id by name; 0 for one that is not running now."""
        return {process.name: process.pid for process in self.processes}

    def address(self, room: str) -> str:
        """Where a room serves gRPC: "host:port"."""
        return f"{ports.HOST}:{self._ports[room]}"

    def metrics_url(self, room: str) -> str:
        """Where a room's Prometheus metrics are."""
        return f"http://{ports.HOST}:{self._ports[f'{room}.metrics']}/metrics"

    def _prepare_folder(self) -> None:
        state = self.options.state
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("logs", REDIS, "lake", "models"):
                (state / name).mkdir(exist_ok=True)
        except OSError as error:
            raise SuiteFailed(f"cannot make the state folder {state}: {error.strerror}") from None

    def _plan(self) -> None:
        chosen = self._ports = ports.free() if self.options.auto_ports else ports.fixed()
        self.secrets = load_secrets(self.options.state)
        if not self.redis_url:
            self.redis_url = f"redis://{ports.HOST}:{chosen[REDIS]}/0"
            self._waves.append([self._redis(chosen[REDIS])])
        planned = rooms.plan(self.options, chosen, self.redis_url, self.secrets)
        for number in sorted({room.wave for room in planned}):
            self._waves.append([self._process(room) for room in planned if room.wave == number])
        self.processes = [process for wave in self._waves for process in wave]
        if not self.options.auto_ports:
            ports.check_free(_used(chosen, {process.name for process in self.processes}))
        self.endpoints = Endpoints(
            **{name: f"{ports.HOST}:{chosen[name]}" for name in Endpoints.__dataclass_fields__}
        )
        self.endpoints.save(self.options.state / "endpoints.json")
        self._write_down()

    def _write_down(self) -> None:
        """For people and `magpie doctor`: where everything is that is not a service."""
        parts = urlsplit(self.redis_url)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()  # a password stays out
        where = {"redis_url": shown, "ports": self._ports}
        (self.options.state / "suite.json").write_text(json.dumps(where, indent=2) + "\n", "utf-8")

    def _redis(self, port: int) -> Process:
        folder = (self.options.state / REDIS).resolve()
        return Process(
            name=REDIS,
            command=redis.command(redis.find_server(), port, folder),
            environment=dict(os.environ),
            log=self._log(REDIS),
            ready=lambda: redis.answers(self.redis_url),
            changed=self._changed,
        )

    def _process(self, room: rooms.Room) -> Process:
        async def ready() -> bool:
            return not room.services or await health.is_serving(room.probe, room.services)

        return Process(
            name=room.name,
            command=room.command,
            environment=room.environment,
            log=self._log(room.name),
            ready=ready,
            grace_seconds=room.grace_seconds,
            changed=self._changed,
        )

    def _log(self, name: str) -> Path:
        return self.options.state / "logs" / f"{name}.log"

    async def _start(self, wave: list[Process]) -> None:
        for process in wave:
            process.start()
        while not all(process.was_ready for process in wave):
            for process in self.processes:
                if process.restarts >= GIVE_UP_RESTARTS and not process.was_ready:
                    raise SuiteFailed(
                        f"{process.name} does not start; the end of {process.log}:\n{process.last_words()}"
                    )
            await asyncio.sleep(WATCH_SECONDS)

    async def _stop(self) -> None:
        for wave in reversed(self._waves):
            await asyncio.gather(*(process.stop() for process in wave))
        self._waves = []
        self._lock.release()


def _used(chosen: dict[str, int], names: set[str]) -> dict[str, int]:
    return {purpose: port for purpose, port in chosen.items() if purpose.partition(".")[0] in names}
