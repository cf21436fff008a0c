"""Decisions of the ledger as messages. They are only ever read from outside, so there is one direction."""

from magpie.v1 import decision_pb2 as decision_pb
from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode, Stage, Verdict
from magpie_services.wire import candidates, messages, values

VERDICTS = values.numbers(DecisionVerdict, "DECISION_VERDICT", dict(decision_pb.DecisionVerdict.items()))
STAGES = values.numbers(Stage, "STAGE", dict(decision_pb.Stage.items()))
MODES = values.numbers(Mode, "DECISION_MODE", dict(decision_pb.DecisionMode.items()))


def to_proto(
    decision: Decision, *, with_features: bool = False, with_arms: bool = True
) -> decision_pb.Decision:
    """The decision as a message; features (bytes of every logged arm) only when asked for."""
    return decision_pb.Decision(
        decision_id=decision.decision_id,
        user_id=decision.user_id,
        verdict=decision_pb.DecisionVerdict.ValueType(VERDICTS[decision.verdict]),
        predicates=[_verdict_to_proto(verdict) for verdict in decision.reasons],
        arms=[_arm_to_proto(arm, with_features) for arm in decision.arms] if with_arms else [],
        chosen_arm=decision.chosen,
        explored=decision.explored,
        message=messages.copy_to_proto(decision.copy) if decision.copy else None,
        channel=messages.channel_number(decision.channel),
        device_id=decision.device_id,
        attribution_token=decision.attribution_token,
        decide_time=values.timestamp(decision.decided_ms),
        send_time=values.timestamp(decision.send_ms),
        provider_message_id=decision.provider_message_id,
        campaign_id=decision.campaign_id,
        policy_version=decision.policy_version,
        ranker_version=decision.ranker_version,
        retriever_version=decision.retriever_version,
        schema_hash=decision.schema_hash,
        degraded=decision.fallbacks,
        seed=decision.seed,
        mode=decision_pb.DecisionMode.ValueType(MODES[decision.mode]),
        assignments=[
            decision_pb.Assignment(experiment_id=one.experiment_id, arm=one.arm)
            for one in decision.assignments
        ],
    )


def _verdict_to_proto(verdict: Verdict) -> decision_pb.PredicateVerdict:
    return decision_pb.PredicateVerdict(
        stage=decision_pb.Stage.ValueType(STAGES[verdict.stage]),
        predicate=verdict.predicate,
        passed=verdict.passed,
        reason=verdict.reason,
        item_id=verdict.item_id,
    )


def _arm_to_proto(arm: Arm, with_features: bool) -> decision_pb.Arm:
    return decision_pb.Arm(
        item_id=arm.item_id,
        sources=candidates.sources_to_proto(arm.sources),
        probabilities=candidates.probabilities_to_proto(arm.probabilities),
        value=arm.value,
        propensity=arm.propensity,
        features=arm.features if with_features else b"",
        feature_inclusion=arm.inclusion,
        similarity=arm.similarity,
        because_item_id=arm.because_item_id,
        price=arm.price,
    )
