"""PushService through real gRPC and Redis: what is decided, sent, remembered, refused."""

import asyncio
import uuid
from typing import Any

import grpc
import msgspec
import pytest
from tests.integration.push.conftest import NOON_MS, Bench
from tests.push_neighbours import DAY_MS, FEATURES

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import push_service_pb2 as push_pb
from magpie_services.core import codec
from magpie_services.core.decisions import Decision
from magpie_services.kit import ledger_keys
from magpie_services.kit.redis import Redis, partition, partitions, stream_key
from magpie_services.push.delivery import Fate

HOUR_MS = 3_600_000
SENT = decision_pb.DECISION_VERDICT_SENT
QUEUED = decision_pb.DECISION_VERDICT_QUEUED
BLOCKED = decision_pb.DECISION_VERDICT_BLOCKED
NO_SEND = decision_pb.DECISION_VERDICT_NO_SEND
FAILED = decision_pb.DECISION_VERDICT_FAILED
EXPIRED = decision_pb.DECISION_VERDICT_EXPIRED


async def send(bench: Bench, at_ms: int, *user_ids: str, **fields: Any) -> Any:
    """Sends to users under a new request id; the first decision."""
    request = push_pb.SendPushesRequest(
        targets=[push_pb.Target(user_id=user_id) for user_id in user_ids],
        **({"request_id": uuid.uuid4().hex} | fields),
    )
    response = await bench.at(at_ms, bench.push.SendPushes, request)
    return response.decisions[0]


def words(**fields: str) -> push_pb.Target:
    """A target with words of the caller's own."""
    message = content_pb.Message(title="A kettle", **fields)  # type: ignore[arg-type]
    return push_pb.Target(user_id="ann", item_id="item3", message=message)


async def decide(bench: Bench, at_ms: int, target: push_pb.Target, **policy: Any) -> Any:
    request = push_pb.DecidePushesRequest(targets=[target], policy=push_pb.Policy(**policy))
    return (await bench.at(at_ms, bench.push.DecidePushes, request)).decisions[0]


def refusal(decision: Any) -> str:
    """Name of the predicate that said no."""
    return next((p.predicate for p in reversed(decision.predicates) if not p.passed), "")


async def logged(redis: Redis) -> list[Decision]:
    """The decisions in the stream."""
    found = []
    for part in partitions():
        entries: Any = await redis.xrange(stream_key("decisions", part))
        found += [codec.decode(Decision, fields[b"v"]) for _, fields in entries]
    return found


async def settled(bench: Bench, decision_id: str, *verdicts: int) -> Any:
    """The decision once the ledger has it with one of these verdicts."""
    for _ in range(200):
        response = await bench.push.ExplainDecision(
            push_pb.ExplainDecisionRequest(decision_id=decision_id), timeout=5
        )
        if response.decision.verdict in verdicts:
            return response.decision
        await asyncio.sleep(0.02)
    raise AssertionError(response.decision)


async def test_decides_the_same_again_and_without_effect(bench: Bench, redis: Redis) -> None:
    bench.around.profile.add("ann")
    request = push_pb.DecidePushesRequest(targets=[push_pb.Target(user_id="ann")], request_id="r")
    response = await bench.at(NOON_MS, bench.push.DecidePushes, request)
    (decision,) = response.decisions
    assert decision.verdict == SENT
    assert decision.arms[decision.chosen_arm].item_id == "item0"
    assert sum(arm.propensity for arm in decision.arms) == pytest.approx(1)
    assert decision.message.title == "Kettle 0"
    assert (decision.ranker_version, decision.retriever_version) == (7, 3)
    assert decision.mode == decision_pb.DECISION_MODE_DRY_RUN
    assert bench.provider.messages == []
    assert await redis.keys("magpie:*") == []
    assert await bench.at(NOON_MS, bench.push.DecidePushes, request) == response


async def test_a_request_id_never_sends_twice(bench: Bench, redis: Redis) -> None:
    bench.around.profile.add("ann")
    first = await send(bench, NOON_MS, "ann", request_id="r")
    second = await send(bench, NOON_MS + 1, "ann", request_id="r")
    assert first.verdict == SENT
    assert second == first
    assert [message.title for message in bench.provider.messages] == ["Kettle 0"]
    assert bench.around.profile.portraits["ann"].pushes.last_sent_ms == NOON_MS
    (entry,) = await logged(redis)
    assert entry.decision_id == first.decision_id
    assert entry.arms[0].features == FEATURES
    assert first.arms[0].features == b""
    counts = await redis.hgetall(ledger_keys.counts_key(partition("ann"), NOON_MS))
    assert counts == {b"all::sent": b"1", b"ranker:7:sent": b"1", b"strategy:plain:sent": b"1"}


async def test_many_calls_at_once_with_one_request_id_send_once(bench: Bench) -> None:
    bench.around.profile.add("ann")
    answers = await asyncio.gather(*(send(bench, NOON_MS, "ann", request_id="r") for _ in range(8)))
    assert len(bench.provider.messages) == 1
    assert {answer.verdict for answer in answers} <= {SENT, QUEUED}


async def test_a_request_id_stands_for_one_request(bench: Bench) -> None:
    bench.around.profile.add("ann")
    await send(bench, NOON_MS, "ann", request_id="r")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await send(bench, NOON_MS, "ann", request_id="r", campaign_id="other")
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_opted_out_user_gets_nothing_but_their_own_matters(bench: Bench) -> None:
    bench.around.profile.add("ann", consent=False)
    decision = await send(bench, NOON_MS, "ann")
    assert (decision.verdict, refusal(decision)) == (BLOCKED, "consent")
    assert bench.provider.messages == []
    policy = push_pb.Policy(message_class=push_pb.MESSAGE_CLASS_TRANSACTIONAL)
    assert (await send(bench, NOON_MS, "ann", policy=policy)).verdict == SENT


async def test_whoever_does_not_want_to_be_known_is_not_described(bench: Bench) -> None:
    bench.around.profile.add("ann")
    bench.around.profile.agree("ann", device_pb.PURPOSE_PERSONALISATION, False)
    assert (await send(bench, NOON_MS, "ann")).verdict == SENT
    (request,) = bench.around.catalogue.seen
    assert request.portraits[0].user_id == "ann"
    assert request.portraits[0].snapshot == b""


@pytest.mark.parametrize(
    ("user", "reason"), [("nobody", "known_user"), ("mail", "device"), ("none", "device")]
)
async def test_who_cannot_be_reached_is_told_apart(bench: Bench, user: str, reason: str) -> None:
    bench.around.profile.add("mail", channel="email")
    bench.around.profile.add("none")
    bench.around.profile.devices["none"] = []
    decision = await send(bench, NOON_MS, user)
    assert (decision.verdict, refusal(decision)) == (BLOCKED, reason)


async def test_quiet_hours_queue_and_then_send(bench: Bench, redis: Redis) -> None:
    bench.around.profile.add("ann", timezone="Asia/Shanghai")
    late_ms = NOON_MS + 2 * HOUR_MS  # 22:00 in Shanghai
    decision = await send(bench, late_ms, "ann")
    assert decision.verdict == QUEUED
    assert decision.send_time.seconds * 1000 == NOON_MS + 12 * HOUR_MS  # 08:00 there
    await asyncio.sleep(0.1)
    assert bench.provider.messages == []
    assert await logged(redis) == []
    await decide(bench, NOON_MS + 12 * HOUR_MS, push_pb.Target(user_id="ann"))  # the sandbox's time moves
    sent = await settled(bench, decision.decision_id, SENT)
    assert sent.send_time.seconds * 1000 == NOON_MS + 12 * HOUR_MS
    assert [message.decision_id for message in bench.provider.messages] == [decision.decision_id]
    (entry,) = await logged(redis)
    assert entry.arms[0].features == FEATURES


async def test_quiet_hours_may_drop(bench: Bench) -> None:
    bench.around.profile.add("ann")
    at_ms = NOON_MS + 11 * HOUR_MS
    decision = await decide(bench, at_ms, push_pb.Target(user_id="ann"), drop_in_quiet_hours=True)
    assert (decision.verdict, refusal(decision)) == (BLOCKED, "quiet_hours")


@pytest.mark.parametrize("change", ["consent", "stock", "late"])
async def test_a_queued_push_is_checked_again(bench: Bench, change: str) -> None:
    around = bench.around
    around.profile.add("ann")
    decision = await send(bench, NOON_MS + 11 * HOUR_MS, "ann")
    assert decision.verdict == QUEUED
    item = around.catalogue.items["item0"]
    due_ms = NOON_MS + 20 * HOUR_MS
    match change:
        case "consent":
            around.profile.agree("ann", device_pb.PURPOSE_MARKETING_PUSH, False)
        case "stock":
            around.catalogue.items["item0"] = msgspec.structs.replace(item, stock=0)
        case "late":
            due_ms += 2 * DAY_MS
    await decide(bench, due_ms, push_pb.Target(user_id="ann"))
    closed = await settled(bench, decision.decision_id, EXPIRED, BLOCKED)
    expected = {"consent": "consent", "stock": "stock", "late": "expiry"}
    assert refusal(closed) == expected[change]
    assert bench.provider.messages == []


@pytest.mark.parametrize("bench", [{"minimum_gap_seconds": 0.0, "daily_cap": 2}], indirect=True)
async def test_the_cap_is_exact_when_everybody_sends_at_once(bench: Bench) -> None:
    bench.around.profile.add("ann")
    decisions = await asyncio.gather(*(send(bench, NOON_MS, "ann") for _ in range(12)))
    assert len(bench.provider.messages) == 2
    sent = [decision for decision in decisions if decision.verdict == SENT]
    assert len(sent) == 2
    assert {refusal(d) for d in decisions if d.verdict == BLOCKED} <= {"frequency_cap", "repeat_of_item"}


async def test_the_gap_holds_even_at_once(bench: Bench) -> None:
    bench.around.profile.add("ann")
    decisions = await asyncio.gather(*(send(bench, NOON_MS, "ann") for _ in range(6)))
    assert sorted(d.verdict for d in decisions) == [SENT] + [BLOCKED] * 5
    later = await send(bench, NOON_MS + 4 * HOUR_MS, "ann")
    assert later.verdict == SENT
    assert later.arms[later.chosen_arm].item_id == "item1"  # item0 was pushed too short a time ago


async def test_a_dead_content_service_leaves_safe_words(bench: Bench) -> None:
    bench.around.profile.add("ann")
    bench.around.content.away = True
    decision = await send(bench, NOON_MS, "ann")
    assert decision.verdict == SENT
    assert decision.message.safe_template
    assert list(decision.degraded) == ["content"]
    assert bench.provider.messages[0].title == "Kettle 0"


@pytest.mark.parametrize("gone", ["catalogue", "ranking"])
async def test_without_candidates_or_scores_it_fails(bench: Bench, gone: str) -> None:
    bench.around.profile.add("ann")
    getattr(bench.around, gone).away = True
    decision = await send(bench, NOON_MS, "ann")
    expected = {"catalogue": "candidates", "ranking": "ranking"}
    assert (decision.verdict, refusal(decision)) == (FAILED, expected[gone])


async def test_without_profile_there_is_no_push(bench: Bench) -> None:
    bench.around.profile.away = True
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await send(bench, NOON_MS, "ann")
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_the_caller_may_name_an_item_and_words_which_are_checked(bench: Bench) -> None:
    bench.around.profile.add("ann")
    words = content_pb.Message(title="A kettle", body="v1", variant_id="en:premium:plain:none:none")
    target = push_pb.Target(user_id="ann", item_id="item3", message=words)
    decision = await decide(bench, NOON_MS, target)
    assert decision.verdict == SENT
    assert decision.message.title == "A kettle"
    assert decision.message.link == "app://item3"
    assert decision.message.variant_id == "", "they are no form of ours, and nothing is learnt of any by them"
    assert list(decision.arms[0].sources) == [candidate_pb.CANDIDATE_SOURCE_CALLER]
    target.message.title = "The best kettle"
    decision = await decide(bench, NOON_MS, target)
    assert (decision.verdict, refusal(decision)) == (BLOCKED, "copy_verified")
    decision = await decide(bench, NOON_MS, push_pb.Target(user_id="ann", item_id="nothing"))
    assert (decision.verdict, refusal(decision)) == (BLOCKED, "stock")


async def test_nothing_worth_it_sends_nothing(bench: Bench) -> None:
    bench.around.profile.add("ann")
    objective = push_pb.Objective(click=1.0, min_value=0.6)
    decision = await decide(bench, NOON_MS, push_pb.Target(user_id="ann"), objective=objective)
    assert (decision.verdict, refusal(decision)) == (NO_SEND, "value")
    assert decision.arms[decision.chosen_arm].item_id == ""


async def test_a_shadow_logs_features_and_sends_nothing(bench: Bench, redis: Redis) -> None:
    bench.around.profile.add("ann")
    first = await send(bench, NOON_MS, "ann", shadow=True, request_id="r")
    assert first.verdict == SENT
    assert first.mode == decision_pb.DECISION_MODE_SHADOW
    assert bench.provider.messages == []
    (entry,) = await logged(redis)
    assert entry.arms[0].features == FEATURES
    again = await send(bench, NOON_MS, "ann", shadow=True, request_id="r")
    assert (again.verdict, again.decision_id) == (SENT, first.decision_id)
    assert len(await logged(redis)) == 1


async def test_a_device_that_is_gone_is_reported(bench: Bench) -> None:
    bench.around.profile.add("ann")
    bench.provider.fates = [Fate.GONE]
    decision = await send(bench, NOON_MS, "ann")
    assert (decision.verdict, refusal(decision)) == (FAILED, "provider")
    (outcome,) = bench.around.feedback.outcomes
    assert (outcome.device_id, outcome.attribution_token) == ("ann-phone", decision.attribution_token)
    assert (await send(bench, NOON_MS, "ann")).verdict == SENT  # the slot was free again


async def test_a_busy_provider_is_tried_again(bench: Bench) -> None:
    bench.around.profile.add("ann")
    bench.provider.fates = [Fate.LATER]
    decision = await send(bench, NOON_MS, "ann")
    assert decision.verdict == QUEUED
    await decide(bench, NOON_MS + 60_000, push_pb.Target(user_id="ann"))
    await settled(bench, decision.decision_id, SENT)
    assert len(bench.provider.messages) == 1


@pytest.mark.parametrize(
    "bench",
    [{"claim_seconds": 0.2, "webhook_timeout_seconds": 0.01, "reservation_seconds": 0.5}],
    indirect=True,
)
async def test_profile_learns_of_a_push_even_when_it_was_away(bench: Bench) -> None:
    bench.around.profile.add("ann")

    async def taken_away(*_: Any) -> Any:
        bench.around.profile.away = True
        return await given(*_)

    given, bench.provider.send = bench.provider.send, taken_away  # type: ignore[method-assign,assignment]
    decision = await send(bench, NOON_MS, "ann")
    assert decision.verdict == SENT
    assert bench.around.profile.portraits["ann"].pushes.last_sent_ms == 0
    bench.around.profile.away = False
    for _ in range(100):
        if bench.around.profile.portraits["ann"].pushes.last_sent_ms:
            break
        await asyncio.sleep(0.02)
    assert bench.around.profile.portraits["ann"].pushes.last_sent_ms == NOON_MS
    assert len(bench.provider.messages) == 1


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"targets": []}, "targets"),
        ({"targets": [push_pb.Target()]}, "targets[0].user_id"),
        ({"targets": [push_pb.Target(user_id="a"), push_pb.Target(user_id="a")]}, "targets[1].user_id"),
        ({"policy": push_pb.Policy(exploration=1.5)}, "policy.exploration"),
        ({"policy": push_pb.Policy(exploration=0.6, no_send_share=0.6)}, "policy.exploration"),
        ({"policy": push_pb.Policy(candidate_limit=501)}, "policy.candidate_limit"),
        ({"policy": push_pb.Policy(objective=push_pb.Objective(dismiss=-1))}, "policy.objective.dismiss"),
        ({"request_id": ""}, "request_id"),
        ({"request_id": "r" * 129}, "request_id"),
        ({"targets": [words(link="javascript:alert(1)")]}, "targets[0].message.link"),
        ({"targets": [words(image_uri="../secret.png")]}, "targets[0].message.image_uri"),
    ],
)
async def test_a_faulty_request_is_told_its_field(
    bench: Bench, request_fields: dict[str, Any], field: str
) -> None:
    fields = {"targets": [push_pb.Target(user_id="ann")], "request_id": "r"} | request_fields
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await bench.at(NOON_MS, bench.push.SendPushes, push_pb.SendPushesRequest(**fields))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")


async def test_explains_from_the_ledger(bench: Bench) -> None:
    bench.around.profile.add("ann")
    decision = await send(bench, NOON_MS, "ann")
    request = push_pb.ExplainDecisionRequest(decision_id=decision.decision_id)
    answer = await bench.push.ExplainDecision(request, timeout=5)
    assert answer.summary == "Sent “Kettle 0” (item0): of the items for this user, it is worth most."
    assert answer.why[1].startswith(
        "The next best is “Kettle 1” (item1), worth 0.4 (chance of a click 40.00%)"
    )
    assert answer.item.item_id == "item0"
    assert answer.why[-1] == (
        "Because the user viewed “Kettle 1” (item1): without it, 18% less odds of a click"
    )
    assert answer.counterfactuals[0].verdict == NO_SEND
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await bench.push.ExplainDecision(push_pb.ExplainDecisionRequest(decision_id="p00-none"), timeout=5)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


async def test_replays_another_policy(bench: Bench) -> None:
    for user_id in ("ann", "bob"):
        bench.around.profile.add(user_id)
    await send(bench, NOON_MS, "ann", "bob")
    strict = push_pb.Policy(
        objective=push_pb.Objective(click=1, min_value=0.6), exploration=0, no_send_share=0
    )
    answer = await bench.push.ReplayDecisions(push_pb.ReplayDecisionsRequest(policy=strict), timeout=30)
    assert (answer.logged.decided_count, answer.logged.sent_count) == (2, 2)
    assert (answer.replayed.sent_count, answer.agreed_count) == (0, 0)
    assert len(answer.differing_decision_ids) == 2
    assert (answer.evaluated_count, answer.user_count) == (2, 2)
    assert [one.estimator for one in answer.logged.estimates] == [push_pb.ESTIMATOR_MEAN]
    assert {one.estimator for one in answer.replayed.estimates} == set(push_pb.Estimator.values()[2:])
    assert answer.summary[0].startswith(
        "The other policy would have decided 2 of 2 decisions otherwise (100%)"
    )
    request = push_pb.ReplayDecisionsRequest(policy=strict, ranker_version=2)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await bench.push.ReplayDecisions(request, timeout=5)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "ranker_version" in (error.value.details() or "")
