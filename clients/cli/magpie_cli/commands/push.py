"""`magpie push` and `magpie explain`: one decision, and why."""

import uuid
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.table import Table

from magpie.v1 import decision_pb2, push_service_pb2, ranking_service_pb2
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import BadInput, CommandFailed, give_up, run
from magpie_cli.render import print_json, wide_console

SHOWN_ARMS = 5
SHOWN_CONTRIBUTIONS = 8
_UNSENT = {decision_pb2.DECISION_VERDICT_FAILED}


def push(
    user: Annotated[list[str], typer.Option(help="The user; repeat for several.")],
    item: Annotated[str, typer.Option(help="Push this item and no other.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide only: nothing is sent or kept.")] = False,
    request_id: Annotated[str, typer.Option(help="The same id gives the same answer for a day.")] = "",
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Decide about users and push what is worth it."""

    async def work() -> None:
        if len(set(user)) < len(user):
            raise BadInput("--user: names a user twice")
        targets = [push_service_pb2.Target(user_id=user_id, item_id=item) for user_id in user]
        identity = request_id or f"cli-{uuid.uuid4().hex}"
        async with connect(state, endpoints) as magpie:
            if dry_run:
                ask = push_service_pb2.DecidePushesRequest(targets=targets, request_id=identity)
                decisions = (await magpie.push.DecidePushes(ask)).decisions
            else:
                order = push_service_pb2.SendPushesRequest(targets=targets, request_id=identity)
                decisions = (await magpie.push.SendPushes(order)).decisions
        if as_json:
            print_json({"decisions": [message(decision) for decision in decisions]})
        else:
            console = wide_console()
            for decision in decisions:
                _show(console, decision)
        if all(decision.verdict in _UNSENT for decision in decisions):
            give_up(CommandFailed("no push could be decided"), reported=as_json)

    run(work(), as_json=as_json)


def explain(
    decision_id: Annotated[str, typer.Argument(help="The decision, as `magpie push` prints it.")],
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Say why a decision came out as it did: whether, which item, which words, what would have changed it."""

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            answer = await magpie.push.ExplainDecision(
                push_service_pb2.ExplainDecisionRequest(decision_id=decision_id)
            )
        if as_json:
            print_json(message(answer))
            return
        console = wide_console()
        _show(console, answer.decision)
        console.print(answer.summary, style="bold", markup=False)
        for reason in answer.why:
            console.print(f"· {reason}", markup=False)
        if answer.HasField("item"):
            console.print(_contributions(answer.item))
        for other in answer.counterfactuals:
            console.print(f"{other.change} → {verdict_name(other.verdict)}", markup=False)

    run(work(), as_json=as_json)


def verdict_name(verdict: "decision_pb2.DecisionVerdict.ValueType") -> str:
    """A verdict in words, for example "no send"."""
    name = decision_pb2.DecisionVerdict.Name(verdict).removeprefix("DECISION_VERDICT_")
    return name.lower().replace("_", " ")


def message(value: Any) -> dict[str, Any]:
    """A message as JSON, with the names of the protos and without features."""
    fields: dict[str, Any] = MessageToDict(value, preserving_proto_field_name=True)
    for arm in fields.get("arms", fields.get("decision", {}).get("arms", ())):
        arm.pop("features", None)
    return fields


def _show(console: Console, decision: decision_pb2.Decision) -> None:
    table = Table(title=f"{decision.user_id}: {verdict_name(decision.verdict)}", show_header=False)
    table.add_row("decision", decision.decision_id)
    if decision.HasField("message"):
        table.add_row("title", decision.message.title)
        table.add_row("body", decision.message.body)
    for number, arm in enumerate(decision.arms[:SHOWN_ARMS]):
        chosen = "→ " if number == decision.chosen_arm else "  "
        odds = arm.probabilities
        table.add_row(
            f"{chosen}{arm.item_id or 'nothing'}",
            f"worth {arm.value:.4f}, click {odds.click:.4f}, purchase {odds.purchase:.4f}",
        )
    for verdict in decision.predicates:
        if not verdict.passed:
            table.add_row(f"refused by {verdict.predicate}", verdict.reason)
    table.add_row("models", f"ranker v{decision.ranker_version}, retriever v{decision.retriever_version}")
    if decision.degraded:
        table.add_row("answered in a lesser way", ", ".join(decision.degraded))
    console.print(table, markup=False)


def _contributions(explanation: ranking_service_pb2.Explanation) -> Table:
    how = "shared out from an average case" if explanation.integrated else "each taken away in turn"
    table = Table(title=f"what moved the score of {explanation.item_id} (groups: {how})")
    for field in ranking_service_pb2.Contribution.DESCRIPTOR.fields:
        table.add_column(field.name.replace("_", " "))
    for part in explanation.contributions[:SHOWN_CONTRIBUTIONS]:
        values = (getattr(part, field.name) for field in part.DESCRIPTOR.fields)
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values))
    return table
