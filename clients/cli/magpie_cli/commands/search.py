"""`magpie train search` and `magpie train adopt`: better settings for a model, found by the workers."""

import asyncio
import uuid
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from magpie.v1 import release_service_pb2
from magpie_cli.commands.push import message
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import run
from magpie_cli.render import print_json, progress_bar, wide_console

POLL_SECONDS = 1.0


class Model(StrEnum):
    """Whose settings."""

    RETRIEVER = "retriever"
    RANKER = "ranker"

    @property
    def number(self) -> release_service_pb2.Model.ValueType:
        return release_service_pb2.Model.Value(f"MODEL_{self.name}")


def search(
    model: Annotated[Model, typer.Option(help="Whose settings.")] = Model.RETRIEVER,
    trials: Annotated[int, typer.Option(min=1, max=1000, help="How many sets of settings to try.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Seed of every draw; 0 draws one.")] = 0,
    search_id: Annotated[str, typer.Option("--id", help="Look at this search; begin none.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow the search to its end.")] = False,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Search for better settings; `magpie train adopt` lets retrainings learn with them."""

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            if search_id:
                look = release_service_pb2.GetSearchRequest(search_id=search_id)
                found = (await magpie.releases.GetSearch(look)).search
            else:
                request = release_service_pb2.StartSearchRequest(
                    model=model.number, trials=trials, seed=seed, request_id=f"cli-{uuid.uuid4().hex}"
                )
                found = (await magpie.releases.StartSearch(request)).search
            with progress_bar(as_json) as progress:
                task = progress.add_task("search", total=found.wanted_trials, detail="")
                while wait and not found.done:
                    await asyncio.sleep(POLL_SECONDS)
                    look = release_service_pb2.GetSearchRequest(search_id=found.search_id)
                    found = (await magpie.releases.GetSearch(look)).search
                    progress.update(task, completed=_ended(found), detail=_best(found))
        if as_json:
            print_json(message(found))
        else:
            wide_console().print(_table(found))
            print(f"its best settings for later retrainings: magpie train adopt {found.search_id}")

    run(work(), as_json=as_json)


def adopt(
    search_id: Annotated[str, typer.Argument(help="The search whose best settings shall hold.")] = "",
    reset: Annotated[
        Model | None, typer.Option(help="Back to the settings that the service was started with.")
    ] = None,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Let later retrainings learn with the best settings of a search."""

    async def work() -> None:
        request = release_service_pb2.AdoptSearchRequest(
            search_id=search_id,
            model=reset.number if reset else release_service_pb2.MODEL_UNSPECIFIED,
            request_id=f"cli-{uuid.uuid4().hex}",
        )
        async with connect(state, endpoints) as magpie:
            answer = await magpie.releases.AdoptSearch(request)
        if as_json:
            print_json(message(answer))
        elif answer.settings:
            print(", ".join(f"{name} {value}" for name, value in sorted(answer.settings.items())))
        else:
            print("as the service was started")

    run(work(), as_json=as_json)


def _ended(found: release_service_pb2.Search) -> int:
    return sum(trial.state != release_service_pb2.TRIAL_STATE_RUNNING for trial in found.trials)


def _best(found: release_service_pb2.Search) -> str:
    if not found.HasField("best_trial"):
        return ""
    (best,) = (trial for trial in found.trials if trial.number == found.best_trial)
    return f"best {found.measure} {best.score:.4f}"


def _table(found: release_service_pb2.Search) -> Table:
    table = Table(title=f"{found.search_id}: {_ended(found)} of {found.wanted_trials} trials")
    for title in ("trial", "state", found.measure, "settings"):
        table.add_column(title)
    for trial in found.trials:
        best = found.HasField("best_trial") and trial.number == found.best_trial
        table.add_row(
            f"{trial.number}{' *' if best else ''}",
            release_service_pb2.TrialState.Name(trial.state).removeprefix("TRIAL_STATE_").lower(),
            f"{trial.score:.4f}" if trial.HasField("score") else "",
            trial.reason or ", ".join(f"{name} {value}" for name, value in sorted(trial.settings.items())),
        )
    return table
