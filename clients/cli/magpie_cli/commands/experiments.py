"""`magpie experiments`: which there are, what they have shown, and their end."""

import webbrowser
from typing import Annotated

import typer
from rich.table import Table

from magpie.v1 import experiment_service_pb2 as experiment_pb
from magpie_cli.commands.push import message
from magpie_cli.commands.train import write_page
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import run
from magpie_cli.render import print_json, when, wide_console

LONGEST_SECONDS = 300.0

experiments = typer.Typer(help="Experiments on policies: how they stand.", no_args_is_help=False)

ExperimentId = Annotated[str, typer.Argument(help="The experiment.")]


@experiments.callback(invoke_without_command=True)
def list_(
    context: typer.Context,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """List the experiments."""
    if context.invoked_subcommand:
        return

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            answer = await magpie.experiments.ListExperiments(experiment_pb.ListExperimentsRequest())
        if as_json:
            print_json(message(answer))
            return
        table = Table(title="experiments", caption="more about one: magpie experiments report ID")
        for title in ("id", "layer", "users", "from", "to", "arms", "decided by", "state"):
            table.add_column(title)
        for one in answer.experiments:
            table.add_row(
                *(one.experiment_id, one.layer, f"{one.first:.0%} to {one.first + one.share:.0%}"),
                *(when(one.start_time), when(one.end_time), ", ".join(one.arms), _metric(one.metric)),
                f"stopped: {one.stop_reason}"
                if one.stop_reason
                else "runs"
                if one.running
                else "does not run",
            )
        wide_console().print(table)

    run(work(), as_json=as_json)


@experiments.command()
def report(
    experiment_id: ExperimentId,
    save: Annotated[str, typer.Option(help="Where to; empty: experiment-<id>.html in this folder.")] = "",
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Say what an experiment has shown so far, and save it as one HTML page. Look as often as you like."""

    async def work() -> None:
        request = experiment_pb.GetExperimentReportRequest(experiment_id=experiment_id)
        async with connect(state, endpoints, timeout_seconds=LONGEST_SECONDS) as magpie:
            answer = await magpie.experiments.GetExperimentReport(request)
        path = write_page(save or f"experiment-{experiment_id}.html", answer.html)
        if as_json:
            found = message(answer)
            found.pop("html", None)
            print_json({**found, "path": str(path)})
        else:
            console = wide_console()
            for line in answer.summary:
                console.print(line, markup=False)
            console.print(_readings(answer))
            print(path)
        if show:
            webbrowser.open(path.as_uri())

    run(work(), as_json=as_json)


@experiments.command()
def stop(
    experiment_id: ExperimentId,
    reason: Annotated[str, typer.Option(help="Words for the record.")] = "",
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Stop an experiment for good: its users are decided about as if there were none."""

    async def work() -> None:
        request = experiment_pb.StopExperimentRequest(experiment_id=experiment_id, reason=reason)
        async with connect(state, endpoints) as magpie:
            answer = await magpie.experiments.StopExperiment(request)
        if as_json:
            print_json(message(answer.experiment))
        else:
            print(f"{experiment_id}: {answer.experiment.stop_reason}")

    run(work(), as_json=as_json)


def _state(one: experiment_pb.Experiment) -> str:
    if one.stop_reason:
        return f"stopped: {one.stop_reason}"
    return "runs" if one.running else "does not run"


def _metric(metric: "experiment_pb.ExperimentMetric.ValueType") -> str:
    name = experiment_pb.ExperimentMetric.Name(metric).removeprefix("EXPERIMENT_METRIC_")
    return name.lower().replace("_", "-")


def _readings(answer: experiment_pb.GetExperimentReportResponse) -> Table:
    users = ", ".join(f"{arm.name} {arm.user_count:,} ({arm.whole_count:,})" for arm in answer.arms)
    table = Table(title="a user whose days are over", caption=f"users (with their days over): {users}")
    for title in ("arm", "metric", "control", "arm's", "difference", "from", "to", "p"):
        table.add_column(title, justify="left" if title in ("arm", "metric") else "right")
    for one in answer.readings:
        figures = (one.control_mean, one.arm_mean, one.difference, one.low, one.high)
        table.add_row(one.arm, _metric(one.metric), *(f"{figure:.4g}" for figure in figures), f"{one.p:.2g}")
    return table
