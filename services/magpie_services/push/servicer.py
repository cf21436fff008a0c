"""PushService over gRPC: messages in, messages out. What is decided is decided elsewhere."""

import uuid
from collections import defaultdict
from collections.abc import Set
from typing import Any

import grpc
import structlog

from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import push_service_pb2 as push_pb
from magpie.v1 import push_service_pb2_grpc as push_grpc
from magpie.v1 import ranking_service_pb2 as ranking_pb
from magpie_services.core.decisions import Decision, Mode
from magpie_services.core.events import EventKind
from magpie_services.kit.errors import MagpieError, NotFound
from magpie_services.kit.idempotency import fingerprint
from magpie_services.push import because, explain, replay_message, validation
from magpie_services.push.case import Ask
from magpie_services.push.clients import Services
from magpie_services.push.ledger import Ledger
from magpie_services.push.pipeline import Pipeline
from magpie_services.push.policy import Policy
from magpie_services.push.replayer import Replayer
from magpie_services.push.sending import Sender
from magpie_services.wire import decisions, events

log = structlog.get_logger()

Context = grpc.aio.ServicerContext[Any, Any]


class PushServicer(push_grpc.PushServiceServicer):
    """`default` is the policy of requests that bring none."""

    def __init__(
        self,
        pipeline: Pipeline,
        sender: Sender,
        ledger: Ledger,
        replayer: Replayer,
        services: Services,
        default: Policy,
    ) -> None:
        self._pipeline = pipeline
        self._sender = sender
        self._ledger = ledger
        self._replayer = replayer
        self._services = services
        self._default = default

    async def DecidePushes(
        self, request: push_pb.DecidePushesRequest, context: Context
    ) -> push_pb.DecidePushesResponse:
        targets = validation.targets_of(request.targets)
        policy = validation.policy_of(request.policy, self._default)
        given = validation.identifier_of("request_id", request.request_id, required=False)
        ask = Ask(policy=policy, request_id=given or uuid.uuid4().hex, mode=Mode.DRY_RUN)
        plans = await self._pipeline.decide(targets, ask)
        return push_pb.DecidePushesResponse(decisions=[decisions.to_proto(plan.decision) for plan in plans])

    async def SendPushes(
        self, request: push_pb.SendPushesRequest, context: Context
    ) -> push_pb.SendPushesResponse:
        targets = validation.targets_of(request.targets)
        policy = validation.policy_of(request.policy, self._default)
        ask = Ask(
            policy=policy,
            request_id=validation.identifier_of("request_id", request.request_id),
            mode=Mode.SHADOW if request.shadow else Mode.LIVE,
            campaign_id=validation.identifier_of("campaign_id", request.campaign_id, required=False),
        )
        await self._ledger.admit(ask.request_id, fingerprint(request))
        settled = await self._sender.send(targets, ask)
        return push_pb.SendPushesResponse(decisions=[decisions.to_proto(decision) for decision in settled])

    async def ExplainDecision(
        self, request: push_pb.ExplainDecisionRequest, context: Context
    ) -> push_pb.ExplainDecisionResponse:
        decision_id = validation.identifier_of("decision_id", request.decision_id)
        decision = await self._ledger.find(decision_id)
        if decision is None:
            raise NotFound(f"decision {decision_id} is not in the ledger")
        item = await self._item_explanation(decision)
        past = because.telling(_past(item)) if item else []
        names = await self._titles(decision, {one.item_id for one in past})
        told = explain.Explanation(decision, names)
        return push_pb.ExplainDecisionResponse(
            decision=decisions.to_proto(decision),
            summary=told.summary(),
            why=told.why() + because.lines(past, names),
            item=item,
            counterfactuals=[
                push_pb.Counterfactual(
                    change=what_if.change,
                    verdict=decision_pb.DecisionVerdict.ValueType(decisions.VERDICTS[what_if.verdict]),
                )
                for what_if in told.counterfactuals()
            ],
        )

    async def ReplayDecisions(
        self, request: push_pb.ReplayDecisionsRequest, context: Context
    ) -> push_pb.ReplayDecisionsResponse:
        span = validation.replay_span_of(request)
        policy = validation.policy_of(request.policy, self._default)
        return replay_message.to_proto(await self._replayer.compare(span, policy))

    async def _titles(self, decision: Decision, past: Set[str]) -> dict[str, str]:
        """Titles of the chosen item and the next best: as logged, else as the catalogue has them now."""
        known, other = explain.titles(decision), explain.runner_up(decision)
        named = {decision.item_id, other.item_id if other else "", *past} - {"", *known}
        try:
            facts = await self._services.items(sorted(named))
        except MagpieError as error:
            log.info("explain.without_titles", error=error.reason)
            facts = {}
        return {item_id: fact.item.title for item_id, fact in facts.items()} | known

    async def _item_explanation(self, decision: Decision) -> ranking_pb.Explanation | None:
        if decision.arm is None or not decision.arm.item_id:
            return None
        try:
            return await self._services.explain(decision.user_id, decision.arm)
        except MagpieError as error:
            log.info("explain.without_ranking", error=error.reason)
            return None


def _past(item: ranking_pb.Explanation) -> list[because.Past]:
    """The past items among the causes, with what the user did with them lately."""
    kinds = defaultdict[str, set[EventKind]](set)
    for event in item.events:
        if event.kind in events.KINDS:
            kinds[event.item_id].add(events.KINDS[event.kind])
    return [
        because.Past(one.cause, frozenset(kinds[one.cause]), one.click, one.purchase)
        for one in item.contributions
        if one.is_item
    ]
