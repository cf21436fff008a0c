"""`magpie train` and `magpie releases`: models, from request to release and back."""

import uuid
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from magpie.v1 import release_service_pb2
from magpie_cli import training
from magpie_cli.commands.push import message
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import BadInput, CommandFailed, give_up, run
from magpie_cli.render import print_json, progress_bar, when, wide_console

# Those that the gate looks at; --json has all of them.
MEASURES = ("ndcg_at_10", "recall_at_100", "purchase_logloss")

train = typer.Typer(
    help="Ask for a retraining; search for better settings, and adopt them.", invoke_without_command=True
)
releases = typer.Typer(help="List releases; promote one, or roll back.", invoke_without_command=True)


@train.callback()
def retrain(
    context: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run to its end.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Seed of every draw; 0 draws one.")] = 0,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Ask for a retraining. With --wait, exit code 1 says that the model was refused or training failed."""
    if context.invoked_subcommand:
        return

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            run_ = await training.request(magpie, seed=seed)
            if wait:
                with progress_bar(as_json) as progress:
                    task = progress.add_task("training", total=1.0, detail="")

                    def told(now: release_service_pb2.Run) -> None:
                        progress.update(task, completed=now.progress, detail=training.detail(now))

                    run_ = await training.follow(magpie, run_.run_id, told)
        if as_json:
            print_json(message(run_))
        else:
            _show_run(run_)
        if run_.state == release_service_pb2.RUN_STATE_REFUSED:
            give_up(CommandFailed(f"the new model was refused: {run_.reason}"), reported=as_json)

    run(work(), as_json=as_json)


@releases.callback()
def list_releases(
    context: typer.Context,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """List the newest 50 releases."""
    if context.invoked_subcommand:
        return

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            answer = await magpie.releases.ListReleases(release_service_pb2.ListReleasesRequest())
        if as_json:
            print_json(message(answer))
        else:
            wide_console().print(_table(list(answer.releases)))

    run(work(), as_json=as_json)


@releases.command()
def promote(
    version: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The release that shall serve.")],
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Let a published release serve."""

    async def work() -> None:
        request = release_service_pb2.PromoteReleaseRequest(version=version, request_id=_request_id())
        async with connect(state, endpoints) as magpie:
            answer = await magpie.releases.PromoteRelease(request)
        _show_release(answer.release, as_json)

    run(work(), as_json=as_json)


@releases.command()
def rollback(
    reason: Annotated[str, typer.Option(help="Words for the record.")] = "",
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Go back to the release that served before."""

    async def work() -> None:
        request = release_service_pb2.RollbackReleaseRequest(reason=reason, request_id=_request_id())
        async with connect(state, endpoints) as magpie:
            answer = await magpie.releases.RollbackRelease(request)
        _show_release(answer.release, as_json)

    run(work(), as_json=as_json)


@releases.command()
def report(
    version: Annotated[int, typer.Argument(min=0, max=2**63 - 1, help="The release; 0 with --run.")] = 0,
    run_id: Annotated[str, typer.Option("--run", help="A run, also one that was not released.")] = "",
    save: Annotated[str, typer.Option(help="Where to; empty: training-<run>.html in this folder.")] = "",
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Save the training report of a release or a run: one HTML page that needs nothing beside it."""

    async def work() -> None:
        request = release_service_pb2.GetTrainingReportRequest(run_id=run_id, version=version)
        async with connect(state, endpoints) as magpie:
            answer = await magpie.releases.GetTrainingReport(request)
        path = write_page(save or f"training-{answer.run_id}.html", answer.html)
        if as_json:
            print_json({"path": str(path), "runId": answer.run_id})
        else:
            print(path)
        if show:
            webbrowser.open(path.as_uri())

    run(work(), as_json=as_json)


def write_page(path: str, html: str) -> Path:
    """Writes a page; answers where it is. Raises BadInput where it cannot be."""
    found = Path(path).resolve()
    try:
        found.write_text(html, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--save: {found} cannot be written: {error.strerror}") from error
    return found


def _request_id() -> str:
    return f"cli-{uuid.uuid4().hex}"


def _show_run(run_: release_service_pb2.Run) -> None:
    console = Console()
    version = f" as version {run_.version}" if run_.version else ""
    console.print(f"{run_.run_id}: {training.state_name(run_)}{version} {run_.activity}", markup=False)
    for name, value in sorted(run_.metrics.items()):
        console.print(f"  {name} {value:.4f}", markup=False)
    if run_.state in training.ENDED and run_.metrics:
        console.print(f"its report: magpie releases report --run {run_.run_id}", markup=False)


def _show_release(release: release_service_pb2.Release, as_json: bool) -> None:
    if as_json:
        print_json(message(release))
    else:
        print(f"version {release.version} serves")


def _table(found: list[release_service_pb2.Release]) -> Table:
    table = Table(title="releases", caption="more about one: magpie releases report VERSION")
    for title in ("version", "state", "published", "learnt until", "from", "measures"):
        table.add_column(title)
    for release in found:
        table.add_row(
            str(release.version),
            release_service_pb2.ReleaseState.Name(release.state).removeprefix("RELEASE_STATE_").lower(),
            when(release.create_time),
            when(release.window_end_time),
            f"v{release.parent_version}" if release.parent_version else "",
            ", ".join(f"{name} {release.metrics[name]:.4f}" for name in MEASURES if name in release.metrics),
        )
    return table
