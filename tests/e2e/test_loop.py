"""Once around: behaviour → portrait → push → outcome → training → release → a decision by the new model."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.e2e.phone import Phone

from magpie import Magpie
from magpie.v1 import (
    catalog_service_pb2,
    decision_pb2,
    device_pb2,
    event_pb2,
    feedback_service_pb2,
    item_pb2,
    money_pb2,
    profile_service_pb2,
    push_service_pb2,
    release_service_pb2,
)
from magpie_cli import training
from magpie_cli.demo import lake
from magpie_cli.demo.clock import SandboxClock
from magpie_cli.importing.values import timestamp
from magpie_cli.suite import Suite, SuiteOptions

pytestmark = [pytest.mark.timeout(240), pytest.mark.tensorflow]

USERS, ITEMS, AISLES, DAYS = 48, 48, 4, 9
HOUR_MS = 3_600_000
NOON_MS = 1_772_452_800_000  # 2026-03-02 12:00 UTC: nobody sleeps
EXPLORE = push_service_pb2.Policy(exploration=1.0, no_send_share=0.0)
SEND = push_service_pb2.Policy(
    objective=push_service_pb2.Objective(click=1, purchase=1, min_value=-1_000),
    exploration=0.0,
    no_send_share=0.0,
)
ENVIRONMENT = {
    "MAGPIE_LAKE_BATCH_SECONDS": "0.5",
    "MAGPIE_MODEL_SERVER_COMPILED": "retrieve rank",
    "MAGPIE_TRAINING_RETRIEVER_SECONDS": "3",
    "MAGPIE_TRAINING_RANKER_SECONDS": "3",
}


async def test_what_was_learnt_decides_the_next_push(tmp_path: Path) -> None:
    async with Phone() as phone:
        options = SuiteOptions(
            state=tmp_path, auto_ports=True, sandbox=True, webhook=phone.url, environment=ENVIRONMENT
        )
        clock = SandboxClock(NOON_MS)
        async with (
            Suite(options) as suite,
            Magpie(suite.endpoints, timeout_seconds=30, now_ms=clock.now_ms) as magpie,
        ):
            await _open_shop(magpie)
            for day in range(DAYS):
                clock.advance(NOON_MS + day * 24 * HOUR_MS)
                viewed = await _live(magpie, day, clock.now_ms())
                assert await _newest(magpie, "u7") == viewed["u7"], "the portrait knows before the answer"
                earlier = len(phone.deliveries)
                decisions = await _push(magpie, EXPLORE, f"day-{day}")
                assert {decision.ranker_version for decision in decisions} == {0}
                assert all(decision.degraded for decision in decisions), "no model yet, and it says so"
                clock.advance(clock.now_ms() + HOUR_MS)
                sent = [one for one in decisions if one.verdict == decision_pb2.DECISION_VERDICT_SENT]
                arrived = phone.deliveries[earlier:]
                assert {one["decision_id"] for one in arrived} == {one.decision_id for one in sent}
                await _answer(magpie, arrived, clock.now_ms())

            await lake.caught_up(suite.metrics_url("lake"))
            run = await training.retrain(magpie, seed=7)
            assert run.state == release_service_pb2.RUN_STATE_RELEASED, run.reason

            clock.advance(clock.now_ms() + 24 * HOUR_MS)
            decisions = await _decided_by(magpie, run.version)
            assert {decision.retriever_version for decision in decisions} == {run.version}
            assert {decision.verdict for decision in decisions} == {decision_pb2.DECISION_VERDICT_SENT}
            told = {message["decision_id"]: message for message in phone.deliveries}
            arrived = [told[decision.decision_id] for decision in decisions]
            wanted = sum(_aisle(one["user_id"]) == _aisle(one["item_id"]) for one in arrived)
            assert wanted > 2 * USERS / AISLES, (
                f"{wanted} of {USERS} suit their users: hardly better than chance"
            )
            explained = await magpie.push.ExplainDecision(
                push_service_pb2.ExplainDecisionRequest(decision_id=decisions[0].decision_id)
            )
            assert explained.summary
            assert explained.why


def _aisle(identity: str) -> int:
    """Users and items with the same remainder belong together."""
    return int(identity[1:]) % AISLES


async def _open_shop(magpie: Magpie) -> None:
    aisles = ("Kettles", "Lamps", "Bags", "Shoes")
    items = [
        item_pb2.Item(
            item_id=f"i{number}",
            text=item_pb2.ItemText(title=f"{aisles[number % AISLES].removesuffix('s')} no. {number}"),
            locale="en",
            categories=[aisles[number % AISLES]],
            price=money_pb2.Money(currency="EUR", minor_units=2_000 + number),
            stock=1_000,
        )
        for number in range(ITEMS)
    ]
    await magpie.catalog.UpsertItems(catalog_service_pb2.UpsertItemsRequest(items=items, request_id="items"))
    purposes = (
        device_pb2.PURPOSE_MARKETING_PUSH,
        device_pb2.PURPOSE_PERSONALISATION,
        device_pb2.PURPOSE_MODEL_TRAINING,
    )
    for number in range(USERS):
        user = f"u{number}"
        consents = [device_pb2.Consent(purpose=purpose, granted=True) for purpose in purposes]
        await magpie.profile.SetConsent(
            profile_service_pb2.SetConsentRequest(user_id=user, consents=consents, request_id=f"c{number}")
        )
        device = device_pb2.Device(
            device_id="phone", channel=device_pb2.CHANNEL_WEBHOOK, locale="en", timezone="UTC"
        )
        await magpie.profile.RegisterDevice(
            profile_service_pb2.RegisterDeviceRequest(user_id=user, device=device, request_id=f"d{number}")
        )


async def _live(magpie: Magpie, day: int, now_ms: int) -> dict[str, str]:
    """Everybody views three items of their aisle and buys the last; gives that by user."""
    events, last = [], {}
    for number in range(USERS):
        user = f"u{number}"
        for step in range(3):
            last[user] = f"i{(number + AISLES * (5 * day + 3 * step + number)) % ITEMS}"
            kinds = (event_pb2.EVENT_KIND_VIEW_ITEM, event_pb2.EVENT_KIND_PURCHASE)[: 1 + (step == 2)]
            events += [
                event_pb2.Event(
                    event_id=f"{day}-{user}-{step}-{kind}",
                    user_id=user,
                    kind=kind,
                    item_id=last[user],
                    occur_time=timestamp(now_ms - 60_000 + 10_000 * step + kind),
                )
                for kind in kinds
            ]
    answer = await magpie.profile.RecordEvents(profile_service_pb2.RecordEventsRequest(events=events))
    assert answer.accepted_count == len(events)
    return last


async def _newest(magpie: Magpie, user: str) -> str:
    """The item that the portrait remembers last."""
    answer = await magpie.profile.GetPortraits(profile_service_pb2.GetPortraitsRequest(user_ids=[user]))
    return answer.users[0].portrait.recent[-1].item_id


async def _push(
    magpie: Magpie, policy: push_service_pb2.Policy, request_id: str
) -> list[decision_pb2.Decision]:
    targets = [push_service_pb2.Target(user_id=f"u{number}") for number in range(USERS)]
    request = push_service_pb2.SendPushesRequest(targets=targets, policy=policy, request_id=request_id)
    return list((await magpie.push.SendPushes(request)).decisions)


async def _answer(magpie: Magpie, messages: list[dict[str, str]], now_ms: int) -> None:
    """Every push arrives; one about the user's own aisle is clicked."""
    kinds = {message["decision_id"]: [feedback_service_pb2.OUTCOME_KIND_DELIVERED] for message in messages}
    for message in messages:
        if _aisle(message["user_id"]) == _aisle(message["item_id"]):
            kinds[message["decision_id"]].append(feedback_service_pb2.OUTCOME_KIND_CLICKED)
    outcomes = [
        feedback_service_pb2.Outcome(
            attribution_token=message["attribution_token"], kind=kind, occur_time=timestamp(now_ms)
        )
        for message in messages
        for kind in kinds[message["decision_id"]]
    ]
    answer = await magpie.feedback.RecordOutcomes(
        feedback_service_pb2.RecordOutcomesRequest(outcomes=outcomes)
    )
    assert answer.accepted_count == len(outcomes)


async def _decided_by(magpie: Magpie, version: int) -> list[decision_pb2.Decision]:
    """Pushes to everybody, decided by this model and by nothing lesser: dry runs tell when it has come."""
    targets = [push_service_pb2.Target(user_id=f"u{number}") for number in range(USERS)]
    ask = push_service_pb2.DecidePushesRequest(targets=targets, policy=SEND)
    deadline = time.monotonic() + 15
    while True:
        dry = (await magpie.push.DecidePushes(ask)).decisions
        if all(one.ranker_version == version and not one.degraded for one in dry):
            break
        assert time.monotonic() < deadline, f"still v{dry[0].ranker_version}, {list(dry[0].degraded)}"
        await asyncio.sleep(0.5)
    decisions = await _push(magpie, SEND, "after")
    assert {decision.ranker_version for decision in decisions} == {version}
    assert not any(decision.degraded for decision in decisions)
    return decisions
