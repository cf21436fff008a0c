"""FeedbackService on the wire: messages in, the domain asked, messages out."""

from typing import Any

import grpc

from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import feedback_service_pb2_grpc as feedback_grpc
from magpie_services.core import checks
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.feedback import domain, metrics
from magpie_services.feedback.domain import Outcomes, Receipt, Refusal
from magpie_services.feedback.metrics import CountStore, Group, Row
from magpie_services.kit import ledger_keys
from magpie_services.kit import metrics as kit_metrics
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid
from magpie_services.wire import values

MAX_OUTCOMES = 1_000
DAY_MS = 86_400_000

Context = grpc.aio.ServicerContext[Any, Any]

_KINDS = {
    number: kind
    for kind, number in values.numbers(
        OutcomeKind, "OUTCOME_KIND", dict(feedback_pb.OutcomeKind.items())
    ).items()
}
_FIELDS = {"occurred_ms": "occur_time", "value.minor": "value.minor_units"}
_GROUPS = {
    feedback_pb.METRIC_GROUP_UNSPECIFIED: Group.ALL,
    feedback_pb.METRIC_GROUP_CAMPAIGN: Group.CAMPAIGN,
    feedback_pb.METRIC_GROUP_RANKER_VERSION: Group.RANKER_VERSION,
    feedback_pb.METRIC_GROUP_STRATEGY: Group.STRATEGY,
}


class FeedbackServicer(feedback_grpc.FeedbackServiceServicer):
    """Outcomes in; figures out."""

    def __init__(
        self, outcomes: Outcomes, counts: CountStore, tokens: AttributionTokens, clock: Clock
    ) -> None:
        self._outcomes = outcomes
        self._counts = counts
        self._tokens = tokens
        self._clock = clock

    async def RecordOutcomes(
        self, request: feedback_pb.RecordOutcomesRequest, context: Context
    ) -> feedback_pb.RecordOutcomesResponse:
        if not 1 <= len(request.outcomes) <= MAX_OUTCOMES:
            raise Invalid("outcomes", f"must have 1 to {MAX_OUTCOMES:,} entries")
        for fault in checks.identifier("request_id", request.request_id, required=False):
            raise Invalid(fault.field, fault.reason)
        now_ms = self._clock.now_ms()
        good: list[Receipt] = []
        refusals: list[Refusal] = []
        for index, message in enumerate(request.outcomes):
            try:
                good.append(self._receipt(index, message, now_ms))
            except Invalid as problem:
                field, reason = problem.violations[0]
                refusals.append(Refusal(index, field, reason))
        recorded = await self._outcomes.record(good)
        kit_metrics.FEEDBACK_OUTCOMES.labels("accepted").inc(recorded.accepted)
        kit_metrics.FEEDBACK_OUTCOMES.labels("duplicate").inc(recorded.duplicates)
        kit_metrics.FEEDBACK_OUTCOMES.labels("refused").inc(len(refusals) + len(recorded.refusals))
        refusals = sorted([*refusals, *recorded.refusals], key=lambda refusal: refusal.index)
        return feedback_pb.RecordOutcomesResponse(
            accepted_count=recorded.accepted,
            duplicate_count=recorded.duplicates,
            refusals=[
                feedback_pb.OutcomeRefusal(
                    index=refusal.index,
                    field=f"outcomes[{refusal.index}].{refusal.field}",
                    reason=refusal.reason,
                )
                for refusal in refusals
            ],
        )

    def _receipt(self, index: int, message: feedback_pb.Outcome, now_ms: int) -> Receipt:
        """The outcome in the domain's words. Raises Invalid naming the field within it."""
        kind = _KINDS.get(message.kind)
        if kind is None:
            raise Invalid("kind", "is required")
        said = self._tokens.verify(message.attribution_token)
        if ledger_keys.decision_key(said.decision_id) is None:
            raise Invalid("attribution_token", "names no decision")
        receipt = Receipt(
            index=index,
            kind=kind,
            decision_id=said.decision_id,
            user_id=said.user_id,
            decided_ms=said.issued_ms,
            occurred_ms=values.milliseconds(message.occur_time),
            outcome_id=message.outcome_id,
            value=values.money_from_proto(message.value) if message.HasField("value") else None,
            device_id=message.device_id,
        )
        for fault in domain.violations(receipt, now_ms):
            raise Invalid(_FIELDS.get(fault.field, fault.field), fault.reason)
        return receipt

    async def GetMetrics(
        self, request: feedback_pb.GetMetricsRequest, context: Context
    ) -> feedback_pb.GetMetricsResponse:
        group = _GROUPS.get(request.group)
        if group is None:
            raise Invalid("group", "is not known")
        now_ms = self._clock.now_ms()
        end_ms = values.milliseconds(request.end_time) if request.HasField("end_time") else now_ms
        start_ms = (
            values.milliseconds(request.start_time) if request.HasField("start_time") else now_ms - DAY_MS
        )
        step_ms = int(values.seconds(request.step) * 1000) if request.HasField("step") else 0
        if step_ms < 0:
            raise Invalid("step", "is negative")
        found = await metrics.rows(self._counts, group, start_ms, end_ms, step_ms)
        return feedback_pb.GetMetricsResponse(rows=[_row_to_proto(row) for row in found])


def _row_to_proto(row: Row) -> feedback_pb.MetricRow:
    count = row.counts.get
    return feedback_pb.MetricRow(
        group=row.group,
        start_time=values.timestamp(row.start_ms),
        sent_count=count("sent", 0),
        delivered_count=count("delivered", 0),
        opened_count=count("opened", 0),
        clicked_count=count("clicked", 0),
        purchased_count=count("purchased", 0),
        dismissed_count=count("dismissed", 0),
        unsubscribed_count=count("unsubscribed", 0),
        no_send_count=count("no_send", 0),
        blocked_count=count("blocked", 0),
    )
