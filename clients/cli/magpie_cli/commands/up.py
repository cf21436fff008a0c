"""`magpie up`: starts the whole suite on this machine and keeps it running until told to stop."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from magpie_cli.failures import BadInput, run
from magpie_cli.suite import Process, Suite, SuiteOptions
from magpie_cli.suite.rooms import ROOMS

REFRESH_SECONDS = 1.0
_STYLES = {"up": "green", "starting": "yellow", "restarting": "red"}


class Ports(StrEnum):
    """Where the services listen."""

    FIXED = "fixed"
    AUTO = "auto"


def up(
    state: Annotated[Path, typer.Option(help="Folder that holds all state.")] = Path(".magpie"),
    ports: Annotated[
        Ports, typer.Option(help="7001 and on, or free ones (see endpoints.json).")
    ] = Ports.FIXED,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Let callers set the time: never live.")] = False,
    webhook: Annotated[
        str, typer.Option(help="Address that pushes are posted to; empty writes them to logs/push.log.")
    ] = "",
    redis: Annotated[str, typer.Option(help="A Redis to use in place of one of its own.")] = "",
    without_worker: Annotated[bool, typer.Option("--without-worker", help="No Celery worker.")] = False,
    only: Annotated[str, typer.Option(help="Only these rooms, comma separated.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for every change.")] = False,
) -> None:
    """Start the whole suite on this machine: Redis, model server, services, lake writer, worker."""
    rooms = frozenset(name.strip() for name in only.split(",") if name.strip())
    options = SuiteOptions(
        state=state,
        auto_ports=ports is Ports.AUTO,
        sandbox=sandbox,
        webhook=webhook,
        worker=not without_worker,
        redis_url=redis,
        rooms=rooms,
    )
    run(_up(options, as_json), as_json=as_json)


async def _up(options: SuiteOptions, as_json: bool) -> None:
    if unknown := sorted(options.rooms - set(ROOMS)):
        raise BadInput(f"--only: no room is called {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    told = _stop_signals()
    console = Console()
    live = console.is_terminal and not as_json
    suite = Suite(options, None if live else _reporter(as_json))
    starting = asyncio.create_task(suite.__aenter__())
    stopping = asyncio.create_task(told.wait())
    try:
        if live:
            await _show(console, suite, starting, stopping)
        else:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                _announce(suite, as_json)
                await stopping
    finally:
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        elif starting.exception() is None:
            await suite.__aexit__(None, None, None)
    if live:
        console.print("stopped")


def _stop_signals() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _show(
    console: Console, suite: Suite, starting: "asyncio.Task[Suite]", stopping: "asyncio.Task[bool]"
) -> None:
    with Live(_table(suite), console=console, auto_refresh=False) as screen:
        while not stopping.done():
            if starting.done():
                starting.result()
            screen.update(_table(suite), refresh=True)
            await asyncio.wait({stopping}, timeout=REFRESH_SECONDS)
        console.print("stopping …")


def _table(suite: Suite) -> Table:
    table = Table(title=f"magpie: {suite.options.state}", caption="Ctrl-C stops everything")
    for title in ("process", "pid", "state", "restarts", "memory"):
        table.add_column(title, justify="left" if title in ("process", "state") else "right")
    total = 0
    for process in suite.processes:
        memory = process.memory_bytes()
        total += memory
        style = _STYLES.get(process.state, "dim")
        table.add_row(
            process.name,
            str(process.pid or ""),
            f"[{style}]{process.state}[/]",
            str(process.restarts),
            f"{memory >> 20} MiB",
        )
    table.add_section()
    table.add_row("together", "", "", "", f"{total >> 20} MiB")
    return table


def _reporter(as_json: bool) -> Callable[[Process], None]:
    def report(process: Process) -> None:
        if as_json:
            _line(process=process.name, pid=process.pid, state=str(process.state), restarts=process.restarts)
        else:
            pid = process.pid or ""
            print(f"{process.name:<14} {process.state:<10} {pid:>8}", flush=True)

    return report


def _announce(suite: Suite, as_json: bool) -> None:
    memory = sum(process.memory_bytes() for process in suite.processes)
    path = suite.options.state / "endpoints.json"
    if as_json:
        _line(ready=True, endpoints=str(path), memory_bytes=memory)
    else:
        print(f"ready: {len(suite.processes)} processes, {memory >> 20} MiB; addresses in {path}", flush=True)


def _line(**fields: object) -> None:
    print(json.dumps({"time": round(time.time(), 3), **fields}), flush=True)
