"""FeedbackService keeps its promises on a real socket, beside a real ProfileService, on a real Redis."""

import os
import time
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import SecretStr

from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import feedback_service_pb2_grpc as feedback_grpc
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.core import codec
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import Outcome
from magpie_services.feedback.domain import Outcomes
from magpie_services.feedback.profile_client import ProfileClient
from magpie_services.feedback.redis_store import RedisOutcomeStore
from magpie_services.feedback.servicer import FeedbackServicer
from magpie_services.feedback.settings import FeedbackSettings
from magpie_services.kit import ledger_keys, serving
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.channels import open_channel
from magpie_services.kit.clock import SystemClock
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.redis import Redis, partition, stream_key
from magpie_services.kit.settings import ServiceSettings
from magpie_services.profile.domain import Profiles
from magpie_services.profile.redis_store import RedisProfileStore
from magpie_services.profile.servicer import ProfileServicer
from magpie_services.profile.vault import Vault

Feedback: TypeAlias = "feedback_grpc.FeedbackServiceAsyncStub"
Profile: TypeAlias = "profile_grpc.ProfileServiceAsyncStub"
TOKENS = AttributionTokens(b"a secret of the tests")
TIMEOUT = 10.0
DECIDED_MS = int(time.time() * 1000) - 600_000
CLICKED, PURCHASED = feedback_pb.OUTCOME_KIND_CLICKED, feedback_pb.OUTCOME_KIND_PURCHASED


@pytest.fixture
async def profile(redis: Redis) -> AsyncIterator[tuple[str, Profile]]:
    clock, store = SystemClock(), RedisProfileStore(redis, Vault(os.urandom(32)))
    servicer = ProfileServicer(Profiles(store, clock.now_ms), store, Answers(redis), clock)
    async with serving.running(
        ServiceSettings(),
        lambda server: profile_grpc.add_ProfileServiceServicer_to_server(servicer, server),
    ) as address:
        channel = open_channel(address)
        yield address, profile_grpc.ProfileServiceStub(channel)
        await channel.close()


@pytest.fixture
async def feedback(redis: Redis, profile: tuple[str, Profile]) -> AsyncIterator[Feedback]:
    settings = FeedbackSettings(
        listen="127.0.0.1:0", metrics_listen="", attribution_secret=SecretStr("a secret of the tests")
    )
    clock, store, people_channel = SystemClock(), RedisOutcomeStore(redis), open_channel(profile[0])
    outcomes = Outcomes(store, ProfileClient(people_channel, 5.0), clock.now_ms)
    servicer = FeedbackServicer(outcomes, store, AttributionTokens(*settings.secrets()), clock)
    async with serving.running(
        settings, lambda server: feedback_grpc.add_FeedbackServiceServicer_to_server(servicer, server)
    ) as address:
        channel = open_channel(address)
        yield feedback_grpc.FeedbackServiceStub(channel)
        await channel.close()
    await people_channel.close()


async def decide(redis: Redis, request_id: str = "r1", user_id: str = "u1", **facts: Any) -> str:
    """Writes a decision as push does; gives its token."""
    decision = Decision(
        decision_id=ledger_keys.decision_id(request_id, user_id),
        user_id=user_id,
        mode=Mode.LIVE,
        verdict=DecisionVerdict.SENT,
        decided_ms=DECIDED_MS,
        campaign_id="spring",
        ranker_version=7,
        arms=[Arm(item_id="i1"), Arm()],
        chosen=0,
        copy=Copy(strategy="new_arrival"),
        device_id="d1",
        **facts,
    )
    key = ledger_keys.decision_key(decision.decision_id)
    assert key is not None
    await redis.hset(key, ledger_keys.DECISION_FIELD, ledger_keys.packed(codec.encode(decision)))
    return TOKENS.sign(decision.decision_id, user_id, decision.decided_ms)


def outcome(
    token: str, kind: feedback_pb.OutcomeKind.ValueType, after_seconds: int = 60, **rest: Any
) -> feedback_pb.Outcome:
    occurred = Timestamp(seconds=DECIDED_MS // 1000 + after_seconds)
    return feedback_pb.Outcome(attribution_token=token, kind=kind, occur_time=occurred, **rest)


async def record(feedback: Feedback, *outcomes: feedback_pb.Outcome) -> feedback_pb.RecordOutcomesResponse:
    return await feedback.RecordOutcomes(
        feedback_pb.RecordOutcomesRequest(outcomes=outcomes), timeout=TIMEOUT
    )


async def state(profile: Profile, user_id: str = "u1") -> profile_pb.UserState:
    request = profile_pb.GetPortraitsRequest(user_ids=[user_id])
    return (await profile.GetPortraits(request, timeout=TIMEOUT)).users[0]


async def test_an_outcome_is_in_the_log_and_in_the_portrait(
    feedback: Feedback, profile: tuple[str, Profile], redis: Redis
) -> None:
    token = await decide(redis)
    response = await record(feedback, outcome(token, CLICKED), outcome(token, PURCHASED, 120))
    assert response.accepted_count == 2
    entries: Any = await redis.xrange(stream_key("outcomes", partition("u1")))
    logged = [codec.decode(Outcome, fields[b"v"]) for _, fields in entries]
    assert [(entry.kind, entry.item_id, entry.campaign_id) for entry in logged] == [
        ("clicked", "i1", "spring"),
        ("purchased", "i1", "spring"),
    ]
    (push,) = (await state(profile[1])).portrait.pushes.recent
    assert (push.item_id, push.outcome) == ("i1", event_pb.EVENT_KIND_PUSH_CLICKED)


async def test_a_kind_counts_once_a_decision(feedback: Feedback, redis: Redis) -> None:
    token = await decide(redis)
    first = await record(feedback, outcome(token, CLICKED), outcome(token, CLICKED, 90))
    again = await record(feedback, outcome(token, CLICKED, 95, outcome_id="another receipt"))
    assert (first.accepted_count, first.duplicate_count) == (1, 1)
    assert (again.accepted_count, again.duplicate_count) == (0, 1)
    assert await redis.xlen(stream_key("outcomes", partition("u1"))) == 1


async def test_faulty_outcomes_are_named_and_the_rest_is_taken(feedback: Feedback, redis: Redis) -> None:
    token = await decide(redis)
    forged = AttributionTokens(b"another secret, not ours").sign("d", "u1", DECIDED_MS)
    response = await record(
        feedback,
        outcome(token, CLICKED),
        outcome(forged, CLICKED),
        outcome(token, PURCHASED, after_seconds=-60),
        feedback_pb.Outcome(attribution_token=token),
        outcome(token, PURCHASED, after_seconds=86_400),
    )
    assert response.accepted_count == 1
    assert [(refusal.field, refusal.reason) for refusal in response.refusals] == [
        ("outcomes[1].attribution_token", "was not signed here"),
        ("outcomes[2].occur_time", "is before the push was decided"),
        ("outcomes[3].kind", "is required"),
        ("outcomes[4].occur_time", "is more than 5 minutes in the future"),
    ]


async def test_an_opt_out_withdraws_marketing_consent(
    feedback: Feedback, profile: tuple[str, Profile], redis: Redis
) -> None:
    said_yes = device_pb.Consent(
        purpose=device_pb.PURPOSE_MARKETING_PUSH,
        granted=True,
        time=Timestamp(seconds=DECIDED_MS // 1000 - 60),
    )
    await profile[1].SetConsent(
        profile_pb.SetConsentRequest(user_id="u1", consents=[said_yes], request_id="c1"), timeout=TIMEOUT
    )
    token = await decide(redis)
    await record(feedback, outcome(token, feedback_pb.OUTCOME_KIND_UNSUBSCRIBED))
    (answer,) = (await state(profile[1])).consents
    assert (answer.granted, answer.source) == (False, "push")
    # Back in, then out again by the same push: counted once, obeyed each time.
    said_yes.time.seconds += 180
    await profile[1].SetConsent(
        profile_pb.SetConsentRequest(user_id="u1", consents=[said_yes], request_id="c2"), timeout=TIMEOUT
    )
    again = await record(feedback, outcome(token, feedback_pb.OUTCOME_KIND_UNSUBSCRIBED, 240))
    assert (again.accepted_count, again.duplicate_count) == (0, 1)
    (answer,) = (await state(profile[1])).consents
    assert not answer.granted


async def test_a_device_whose_token_is_gone_is_removed(
    feedback: Feedback, profile: tuple[str, Profile], redis: Redis
) -> None:
    device = device_pb.Device(device_id="d1", channel=device_pb.CHANNEL_FCM, address="a")
    await profile[1].RegisterDevice(
        profile_pb.RegisterDeviceRequest(user_id="u1", device=device, request_id="d1"), timeout=TIMEOUT
    )
    token = await decide(redis)
    gone = feedback_pb.OUTCOME_KIND_TOKEN_GONE
    # Reported for a time before the device was registered again: it stays.
    await record(feedback, outcome(token, gone))
    assert len((await state(profile[1])).devices) == 1
    token = await decide(redis, "r2")
    later = Timestamp(seconds=int(time.time()) + 2)
    await record(feedback, feedback_pb.Outcome(attribution_token=token, kind=gone, occur_time=later))
    assert len((await state(profile[1])).devices) == 0


async def test_an_outcome_of_an_erased_user_is_refused(
    feedback: Feedback, profile: tuple[str, Profile], redis: Redis
) -> None:
    token = await decide(redis)
    await profile[1].EraseUser(profile_pb.EraseUserRequest(user_id="u1", request_id="x"), timeout=TIMEOUT)
    response = await record(feedback, outcome(token, CLICKED))
    assert [refusal.reason for refusal in response.refusals] == ["user was erased"]
    assert await redis.xlen(stream_key("outcomes", partition("u1"))) == 0


async def test_without_profile_nothing_is_taken_and_the_retry_is(feedback: Feedback, redis: Redis) -> None:
    dead_channel = open_channel("127.0.0.1:1")
    store = RedisOutcomeStore(redis)
    token = await decide(redis)
    clock = SystemClock()
    outcomes = Outcomes(store, ProfileClient(dead_channel, 1.0), clock.now_ms)
    servicer = FeedbackServicer(outcomes, store, TOKENS, clock)
    async with serving.running(
        ServiceSettings(),
        lambda server: feedback_grpc.add_FeedbackServiceServicer_to_server(servicer, server),
    ) as address:
        channel = open_channel(address)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await record(feedback_grpc.FeedbackServiceStub(channel), outcome(token, CLICKED))
        await channel.close()
    await dead_channel.close()
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert await redis.xlen(stream_key("outcomes", partition("u1"))) == 0
    assert (await record(feedback, outcome(token, CLICKED))).accepted_count == 1


async def test_a_crash_between_portrait_and_log_is_mended_by_the_retry(
    feedback: Feedback, profile: tuple[str, Profile], redis: Redis
) -> None:
    token = await decide(redis)
    await record(feedback, outcome(token, CLICKED))
    # As if the process had died after telling profile: the portrait has it, our log and marks do not.
    part, decision_id = partition("u1"), TOKENS.verify(token).decision_id
    await redis.delete(stream_key("outcomes", part), f"magpie:{{{part}}}:outcome:{decision_id}")
    assert (await record(feedback, outcome(token, CLICKED))).accepted_count == 1
    assert await redis.xlen(stream_key("outcomes", part)) == 1
    assert (await state(profile[1])).portrait.pushes.week.clicked == pytest.approx(1.0, abs=0.01)


async def test_figures_are_counted_at_the_time_of_the_decision(feedback: Feedback, redis: Redis) -> None:
    for request_id in ("r1", "r2"):
        token = await decide(redis, request_id)
        await record(feedback, outcome(token, CLICKED))
        part = partition("u1")
        for field in ledger_keys.count_fields(
            "sent", campaign_id="spring", ranker_version=7, strategy="new_arrival"
        ):
            await redis.hincrby(ledger_keys.counts_key(part, DECIDED_MS), field, 1)
    hour = Timestamp(seconds=DECIDED_MS // 3_600_000 * 3_600)
    for group, name in (
        (feedback_pb.METRIC_GROUP_UNSPECIFIED, ""),
        (feedback_pb.METRIC_GROUP_CAMPAIGN, "spring"),
        (feedback_pb.METRIC_GROUP_RANKER_VERSION, "7"),
        (feedback_pb.METRIC_GROUP_STRATEGY, "new_arrival"),
    ):
        request = feedback_pb.GetMetricsRequest(group=group, start_time=hour)
        (row,) = (await feedback.GetMetrics(request, timeout=TIMEOUT)).rows
        assert (row.group, row.start_time, row.sent_count, row.clicked_count) == (name, hour, 2, 2)


async def test_a_step_under_an_hour_is_refused(feedback: Feedback) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await feedback.GetMetrics(feedback_pb.GetMetricsRequest(step=Duration(seconds=60)), timeout=TIMEOUT)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "step: must be at least an hour"
