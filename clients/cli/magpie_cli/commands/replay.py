"""`magpie replay`: logged decisions under another policy: what it would have done, and earned."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table

from magpie.v1 import push_service_pb2 as push_pb
from magpie_cli.commands.push import message
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import BadInput, run
from magpie_cli.render import print_json, wide_console

LONGEST_SECONDS = 300.0
_WORTH = {
    "click": 1.0,
    "purchase": 20.0,
    "dismiss": 0.1,
    "unsubscribe": 30.0,
    "min_value": 0.0,
    "margin": 0.0,
}
_NAMES = {
    push_pb.ESTIMATOR_MEAN: "as logged",
    push_pb.ESTIMATOR_IPS: "inverse propensity",
    push_pb.ESTIMATOR_SNIPS: "self-normalised",
    push_pb.ESTIMATOR_DR: "doubly robust",
    push_pb.ESTIMATOR_SNDR: "doubly robust, self-normalised",
    push_pb.ESTIMATOR_SWITCH_DR: "doubly robust, switching",
    push_pb.ESTIMATOR_DM: "by the scores alone",
}


def replay(
    day: Annotated[
        str, typer.Option(help="Decisions of that day in UTC: yesterday, today, 2026-11-30.")
    ] = "",
    since: Annotated[str, typer.Option(help="From then on, as 2026-11-30T08:00, in UTC.")] = "",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    click: Annotated[float | None, typer.Option(help="Worth of a click (1).")] = None,
    purchase: Annotated[float | None, typer.Option(help="Worth of a purchase (20).")] = None,
    dismiss: Annotated[float | None, typer.Option(help="Cost of a dismissal (0.1).")] = None,
    unsubscribe: Annotated[float | None, typer.Option(help="Cost of an opt-out (30).")] = None,
    min_value: Annotated[float | None, typer.Option(help="A push must be worth more than this (0).")] = None,
    margin: Annotated[
        float | None, typer.Option(help="Share of its price that a purchase is worth (0).")
    ] = None,
    exploration: Annotated[float | None, typer.Option(min=0, max=1, help="Share drawn to learn.")] = None,
    no_send_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share not sent, to learn.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 10_000,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Run logged decisions against another policy: nothing is sent. What is not given stays as the service
    has it, but one worth that is given brings the others' defaults with it.
    """
    policy = push_pb.Policy(exploration=exploration, no_send_share=no_send_share)
    worth = {
        "click": click,
        "purchase": purchase,
        "dismiss": dismiss,
        "unsubscribe": unsubscribe,
        "min_value": min_value,
        "margin": margin,
    }
    given = {name: value for name, value in worth.items() if value is not None}
    if given:
        policy.objective.CopyFrom(push_pb.Objective(**{**_WORTH, **given}))
    policy.SetInParent()

    async def work() -> None:
        start, end = span_of(day, since, until, datetime.now(UTC))
        request = push_pb.ReplayDecisionsRequest(start_time=start, end_time=end, policy=policy, limit=limit)
        async with connect(state, endpoints, timeout_seconds=LONGEST_SECONDS) as magpie:
            answer = await magpie.push.ReplayDecisions(request)
        if as_json:
            print_json(message(answer))
            return
        console = wide_console()
        for line in answer.summary:
            console.print(line, markup=False)
        if answer.logged.decided_count:
            console.print(_sides(answer))
        if answer.replayed.estimates:
            console.print(_estimates(answer))
        for reason, count in answer.left_out.items():
            console.print(f"{count:,} decisions could not be used: {reason}", markup=False)
        if answer.differing_decision_ids:
            console.print(
                f"differs, for example: magpie explain {answer.differing_decision_ids[0]}", markup=False
            )

    run(work(), as_json=as_json)


def span_of(day: str, since: str, until: str, now: datetime) -> tuple[Timestamp | None, Timestamp | None]:
    """Start and end of what is asked for, None where open. Raises BadInput."""
    if day and (since or until):
        raise BadInput("--day: not together with --since or --until")
    if not day:
        return _moment("--since", since), _moment("--until", until)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    begin = named.get(day) or _parsed("--day", day)
    return _timestamp(begin), _timestamp(begin + timedelta(days=1))


def _moment(option: str, text: str) -> Timestamp | None:
    return _timestamp(_parsed(option, text)) if text else None


def _parsed(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{option}: {text} is no time, such as 2026-11-30 or 2026-11-30T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _timestamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def _sides(answer: push_pb.ReplayDecisionsResponse) -> Table:
    table = Table(title="by the scores of then")
    for title in ("", "pushes", "clicks expected", "purchases", "opt-outs", "worth"):
        table.add_column(title, justify="right" if title else "left")
    for name, side in (("as logged", answer.logged), ("the other policy", answer.replayed)):
        expected = (f"{value:,.1f}" for value in (side.clicks, side.purchases, side.unsubscribes, side.value))
        table.add_row(name, f"{side.sent_count:,}", *expected)
    return table


def _estimates(answer: push_pb.ReplayDecisionsResponse) -> Table:
    table = Table(title="by what came of them: worth a decision, with 95 % intervals")
    for title in ("", "worth", "from", "to", "more than logged", "from", "to"):
        table.add_column(title, justify="right" if title else "left")
    for one in (*answer.logged.estimates, *answer.replayed.estimates):
        figures = [one.value, one.low, one.high]
        if one.estimator != push_pb.ESTIMATOR_MEAN:
            figures += [one.gain, one.gain_low, one.gain_high]
        table.add_row(_NAMES.get(one.estimator, "another"), *(f"{figure:.4g}" for figure in figures))
    return table
