"""PushService through real gRPC and Redis: what is decided, sent, remembered."""

from tests.integration.push.conftest import NOON_MS, Bench

from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import push_service_pb2 as push_pb


async def test_decides_without_effect(bench: Bench) -> None:
    bench.around.profile.add("ann")
    request = push_pb.DecidePushesRequest(targets=[push_pb.Target(user_id="ann")], request_id="r")
    response = await bench.at(NOON_MS, bench.push.DecidePushes, request)
    (decision,) = response.decisions
    assert decision.verdict == decision_pb.DECISION_VERDICT_SENT, decision
    assert decision.arms[decision.chosen_arm].item_id == "item0"
    assert abs(sum(arm.propensity for arm in decision.arms) - 1) < 1e-12
    assert decision.message.title == "Kettle 0"
    assert decision.ranker_version == 7
    assert bench.provider.messages == []
    again = await bench.at(NOON_MS, bench.push.DecidePushes, request)
    assert again == response


async def test_sends_once_for_a_request_id(bench: Bench) -> None:
    bench.around.profile.add("ann")
    request = push_pb.SendPushesRequest(targets=[push_pb.Target(user_id="ann")], request_id="r")
    first = await bench.at(NOON_MS, bench.push.SendPushes, request)
    second = await bench.at(NOON_MS + 1, bench.push.SendPushes, request)
    assert first.decisions[0].verdict == decision_pb.DECISION_VERDICT_SENT
    assert second == first
    assert [message.title for message in bench.provider.messages] == ["Kettle 0"]
    assert bench.around.profile.portraits["ann"].pushes.last_sent_ms == NOON_MS
