"""`magpie demo`: the whole loop on this machine, in a marketplace or over a real log."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from magpie.v1 import release_service_pb2
from magpie_cli.connection import DEFAULT_STATE, AsJson
from magpie_cli.demo import marketplace, replay, tables
from magpie_cli.demo.folder import empty
from magpie_cli.failures import BadInput, run
from magpie_cli.importing import online_retail
from magpie_cli.importing.table import open_table
from magpie_cli.render import wide_console
from magpie_cli.suite import Suite, SuiteOptions
from magpie_cli.training import state_name


def demo(
    events: Annotated[
        Path | None,
        typer.Option(help="A real log (UCI Online Retail, CSV or CSV.gz) in place of the marketplace."),
    ] = None,
    state: Annotated[
        Path, typer.Option(help="The demo lives in demo/ below it, fresh each time.")
    ] = DEFAULT_STATE,
    users: Annotated[int, typer.Option(min=0, help="Users; 0: 600 in the marketplace, all of a log.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of pushing and learning.")] = 3,
    days: Annotated[int, typer.Option(min=1, help="Days a round.")] = 7,
    warm_days: Annotated[int, typer.Option(min=1, help="Days of exploring before the first training.")] = 10,
    start: Annotated[str, typer.Option(help="With --events: day on which deciding begins.")] = "2011-10-01",
    weeks: Annotated[int, typer.Option(min=1, help="With --events: weeks to decide.")] = 10,
    warm_weeks: Annotated[
        int, typer.Option(min=0, help="With --events: weeks of logged decisions before.")
    ] = 5,
    seed: Annotated[int, typer.Option(help="Seed of every draw.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Run the whole loop: behaviour, training, pushes, feedback, retraining; print what came of it."""
    folder = state / "demo"
    if events is None:
        plan = marketplace.Plan(users or 600, 300, warm_days, rounds, days, seed)
        run(_marketplace(folder, plan, as_json), as_json=as_json)
    else:
        begin = replay.Plan(events, _moment_ms(start), weeks, warm_weeks, users, seed)
        run(_replay(folder, begin, as_json), as_json=as_json)


def _moment_ms(date: str) -> int:
    try:
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise typer.BadParameter(
            f"{date!r} is no date, for example 2011-10-01", param_hint="--start"
        ) from None


async def _marketplace(folder: Path, plan: marketplace.Plan, as_json: bool) -> None:
    options, listen = marketplace.options_for(folder)
    with _Screen(as_json).live() as screen:
        screen.stage("starting the suite")
        async with Suite(options) as suite:
            market = marketplace.Marketplace(suite, plan, listen, screen.stage, screen.share, screen.run)
            await market.run()
            screen.stage("stopping the suite")
    if as_json:
        print(
            json.dumps(tables.rounds_json(market.rounds, market.words, market.explained), ensure_ascii=False)
        )
        return
    console = wide_console()
    console.print(tables.rounds_table(market.rounds))
    console.print(tables.words_table(market.words))
    for one in market.explained:
        console.print(tables.push_panel(one))


async def _replay(folder: Path, plan: replay.Plan, as_json: bool) -> None:
    with open_table(plan.path) as table:  # a file of another kind is found out before anything starts
        table.require(online_retail.COLUMNS)
    empty(folder)
    options = SuiteOptions(state=folder, auto_ports=True, sandbox=True, environment=replay.ENVIRONMENT)
    with _Screen(as_json).live() as screen:
        screen.stage("starting the suite")
        async with Suite(options) as suite:
            past = replay.Replay(suite, plan, screen.stage, screen.run)
            weeks = await past.run()
            screen.stage("stopping the suite")
    if not weeks:
        raise BadInput(f"{plan.path}: has no lines after --start")
    cleaned, returns = past.cleaned, past.cleaner.returns
    if as_json:
        found = {"cleaned": cleaned, "returns": returns, **tables.weeks_json(weeks)}
        print(json.dumps(found, ensure_ascii=False))
        return
    console = wide_console()
    console.print("left out: " + ", ".join(f"{reason} {count}" for reason, count in cleaned.items()))
    console.print(f"taken as returns: {returns}")
    console.print(tables.weeks_table(weeks))
    console.print(tables.weeks_table(weeks, new=True))


class _Screen:
    """What is going on: a live line on a terminal, plain lines with the time elsewhere (on stderr)."""

    def __init__(self, as_json: bool) -> None:
        self._console = Console(stderr=True)
        self._plain = as_json or not self._console.is_terminal
        self._began = time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=self._plain,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0, detail="")
        self._activity = ""

    @contextmanager
    def live(self) -> Iterator["_Screen"]:
        """Shows the line for as long as the context lasts."""
        with self._progress:
            yield self

    def stage(self, text: str) -> None:
        """A new step begins."""
        if self._plain:
            self._line(text)
        self._progress.reset(self._task, description=text, total=None, detail="")

    def share(self, share: float, detail: str) -> None:
        """How much of the step is done, 0 to 1."""
        self._progress.update(self._task, total=1.0, completed=share, detail=detail)

    def run(self, run: release_service_pb2.Run) -> None:
        """How far a training is."""
        self.share(run.progress, f"{state_name(run)} {run.activity}")
        if self._plain and state_name(run) in ("released", "refused") and run.run_id != self._activity:
            self._activity = run.run_id
            self._line(f"{state_name(run)} {f'v{run.version}' if run.version else run.reason}")

    def _line(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:7.1f} s  {text}", markup=False, highlight=False)
