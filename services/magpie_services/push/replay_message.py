"""A replay as a message."""

from magpie.v1 import push_service_pb2 as push_pb
from magpie_services.core.clustered import Interval
from magpie_services.core.off_policy import Estimator
from magpie_services.push import replay_summary
from magpie_services.push.replay import Comparison, Summary
from magpie_services.wire import values

_ESTIMATORS = values.numbers(Estimator, "ESTIMATOR", dict(push_pb.Estimator.items()))
_NOTHING = Interval(0.0, 0.0, 0.0, 0.0)


def to_proto(found: Comparison) -> push_pb.ReplayDecisionsResponse:
    """The comparison with its summary."""
    message = push_pb.ReplayDecisionsResponse(
        logged=_summary(found.logged),
        replayed=_summary(found.replayed),
        agreed_count=found.agreed,
        differing_decision_ids=found.differing,
        out_of_reach_count=found.out_of_reach,
        summary=replay_summary.lines(found),
    )
    evidence = found.evidence
    if evidence is None:
        return message
    message.evaluated_count, message.user_count = evidence.decisions, evidence.users
    message.rewarded_count, message.overlap = evidence.rewarded, evidence.overlap
    message.left_out.update(evidence.left_out)
    message.logged.estimates.append(_estimate(push_pb.ESTIMATOR_MEAN, evidence.earned, _NOTHING))
    message.replayed.estimates.extend(
        _estimate(push_pb.Estimator.ValueType(_ESTIMATORS[Estimator(one.estimator)]), one.value, one.gain)
        for one in evidence.estimates
    )
    snips = next(one for one in evidence.estimates if one.estimator == Estimator.SNIPS)
    for summary, interval, effective in (
        (message.logged, evidence.earned, float(evidence.decisions)),
        (message.replayed, snips.value, evidence.effective),
    ):
        summary.estimated_reward, summary.estimated_reward_error = interval.value, interval.error
        summary.effective_sample_size = effective
    return message


def _summary(summary: Summary) -> push_pb.ReplaySummary:
    return push_pb.ReplaySummary(
        decided_count=summary.decided,
        sent_count=summary.sent,
        value=summary.value,
        clicks=summary.clicks,
        purchases=summary.purchases,
        unsubscribes=summary.unsubscribes,
    )


def _estimate(
    estimator: "push_pb.Estimator.ValueType", value: Interval, gain: Interval
) -> push_pb.RewardEstimate:
    return push_pb.RewardEstimate(
        estimator=estimator,
        value=value.value,
        low=value.low,
        high=value.high,
        gain=gain.value,
        gain_low=gain.low,
        gain_high=gain.high,
    )
