"""Campaigns through real gRPC and Redis: run, paused, resumed, cancelled, taken over; nobody twice."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from tests.integration.push.conftest import NOON_MS, Bench, Recorder, settings_for
from tests.integration.push.test_push_service import send
from tests.push_neighbours import Neighbours

from magpie.v1 import campaign_service_pb2 as campaign_pb
from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import push_service_pb2 as push_pb
from magpie_services.kit.clock import RequestClock
from magpie_services.kit.serving import running
from magpie_services.push.delivery import PushMessage, Receipt
from magpie_services.push.due_queue import PAUSED_MS
from magpie_services.push.wiring import build
from magpie_services.wire import values

DRAFT = campaign_pb.CAMPAIGN_STATE_DRAFT
RUNNING = campaign_pb.CAMPAIGN_STATE_RUNNING
PAUSED = campaign_pb.CAMPAIGN_STATE_PAUSED
FINISHED = campaign_pb.CAMPAIGN_STATE_FINISHED
CANCELLED = campaign_pb.CAMPAIGN_STATE_CANCELLED
SMALL_PAGES = {"campaign_page_users": 4}


async def create(bench: Bench, **spec: Any) -> str:
    request = campaign_pb.CreateCampaignRequest(
        spec=campaign_pb.CampaignSpec(name="spring", **spec), request_id=uuid.uuid4().hex
    )
    campaign = (await bench.at(NOON_MS, bench.campaigns.CreateCampaign, request)).campaign
    assert campaign.state == DRAFT
    return str(campaign.campaign_id)


async def move(bench: Bench, name: str, campaign_id: str) -> Any:
    request = getattr(campaign_pb, f"{name}CampaignRequest")(
        campaign_id=campaign_id, request_id=uuid.uuid4().hex
    )
    return (await bench.at(NOON_MS, getattr(bench.campaigns, f"{name}Campaign"), request)).campaign


async def get(bench: Bench, campaign_id: str) -> Any:
    request = campaign_pb.GetCampaignRequest(campaign_id=campaign_id)
    return (await bench.at(NOON_MS, bench.campaigns.GetCampaign, request)).campaign


async def until(bench: Bench, campaign_id: str, state: int) -> Any:
    for _ in range(500):
        campaign = await get(bench, campaign_id)
        if campaign.state == state:
            return campaign
        await asyncio.sleep(0.02)
    raise AssertionError(campaign)


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to pass")


def sent(bench: Bench) -> Counter[str]:
    return Counter(message.user_id for message in bench.provider.messages)


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_runs_to_the_end_and_says_why_users_were_left_out(bench: Bench) -> None:
    for number in range(10):
        bench.around.profile.add(f"u{number}", consent=number != 3)
    campaign_id = await create(bench)
    await move(bench, "Start", campaign_id)
    campaign = await until(bench, campaign_id, FINISHED)
    assert campaign.progress.decided_count == campaign.progress.scanned_count == 10
    assert dict(campaign.progress.verdict_counts) == {"sent": 9, "blocked": 1}
    assert dict(campaign.progress.reason_counts) == {"consent": 1}
    assert sent(bench) == Counter(f"u{number}" for number in range(10) if number != 3)
    assert {message.campaign_id for message in bench.provider.messages} == {campaign_id}


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_an_audience_without_anybody_finishes(bench: Bench) -> None:
    campaign_id = await create(bench)
    await move(bench, "Start", campaign_id)
    assert (await until(bench, campaign_id, FINISHED)).progress.decided_count == 0


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_pauses_and_cancels_within_two_seconds_and_goes_on_where_it_stood(bench: Bench) -> None:
    bench.around.profile.page_delay_seconds = 0.05
    for number in range(200):
        bench.around.profile.add(f"u{number:03}")
    campaign_id = await create(bench)
    await move(bench, "Start", campaign_id)
    await eventually(lambda: bool(bench.provider.messages))
    started = time.monotonic()
    assert (await move(bench, "Pause", campaign_id)).state == PAUSED
    before = -1
    while before != len(bench.provider.messages):
        before = len(bench.provider.messages)
        await asyncio.sleep(0.2)
    assert time.monotonic() - started < 2
    assert before < 200
    await move(bench, "Resume", campaign_id)
    await eventually(lambda: len(bench.provider.messages) >= before + 4)
    assert (await move(bench, "Cancel", campaign_id)).state == CANCELLED
    await asyncio.sleep(0.3)
    after = len(bench.provider.messages)
    await asyncio.sleep(0.3)
    assert len(bench.provider.messages) == after < 200
    assert max(sent(bench).values()) == 1
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await move(bench, "Resume", campaign_id)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_the_budget_is_never_exceeded(bench: Bench) -> None:
    for number in range(12):
        bench.around.profile.add(f"u{number:02}")
    campaign_id = await create(bench, budget=6)
    await move(bench, "Start", campaign_id)
    campaign = await until(bench, campaign_id, FINISHED)
    assert campaign.progress.verdict_counts["sent"] == len(bench.provider.messages) == 6


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_the_budget_holds_when_a_page_is_done_again_and_its_users_have_left_the_audience(
    bench: Bench,
) -> None:
    around, given = bench.around, bench.provider.send
    around.profile.only_unpushed = True
    around.profile.add("u0", consent=False)  # of the first two, only u1 gets a push
    for number in range(1, 8):
        around.profile.add(f"u{number}")

    async def first_only(messages: Sequence[PushMessage]) -> list[Receipt]:
        bench.provider.send = given  # type: ignore[method-assign]
        around.ranking.away = True  # u2 cannot be decided about: the page stays half done
        return await given(messages)

    bench.provider.send = first_only  # type: ignore[method-assign]
    campaign_id = await create(bench, budget=2)
    await move(bench, "Start", campaign_id)
    await eventually(lambda: around.profile.portraits["u1"].pushes.recent != [])
    calls = around.ranking.calls
    await eventually(lambda: around.ranking.calls > calls + 3)  # more than the tries of one call
    around.ranking.away = False
    campaign = await until(bench, campaign_id, FINISHED)
    assert sent(bench) == {"u1": 1, "u2": 1}
    assert campaign.progress.verdict_counts == {"blocked": 1, "sent": 2}


@pytest.mark.parametrize("bench", [SMALL_PAGES | {"campaign_lease_seconds": 1.1}], indirect=True)
async def test_two_replicas_send_to_nobody_twice_and_one_takes_over(
    bench: Bench, around: Neighbours, redis_url: str
) -> None:
    around.profile.page_delay_seconds = 0.03
    for number in range(80):
        around.profile.add(f"u{number:02}")
    async with AsyncExitStack() as stack:
        settings = settings_for(redis_url, around, **SMALL_PAGES, campaign_lease_seconds=1.1)
        other = Recorder()
        room = await build(settings, {"console": other})
        assert isinstance(room.clock, RequestClock)
        room.clock.observe(NOON_MS)  # whatever the hour of the day on the wall
        await stack.enter_async_context(
            running(
                settings, room.register, clock=room.clock, background=room.background, closers=room.closers
            )
        )
        campaign_id = await create(bench)
        await move(bench, "Start", campaign_id)
        await eventually(lambda: len(other.messages) + len(bench.provider.messages) >= 8)
        await stack.aclose()  # whoever ran it, the one that is left goes on
    campaign = await until(bench, campaign_id, FINISHED)
    assert campaign.progress.decided_count == 80
    everybody = sent(bench) + Counter(message.user_id for message in other.messages)
    assert len(everybody) == 80
    assert max(everybody.values()) == 1


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_waits_for_services_that_are_away(bench: Bench) -> None:
    for number in range(6):
        bench.around.profile.add(f"u{number}")
    bench.around.ranking.away = True
    campaign_id = await create(bench)
    await move(bench, "Start", campaign_id)
    await asyncio.sleep(0.3)
    assert (await get(bench, campaign_id)).progress.decided_count == 0
    bench.around.ranking.away = False
    campaign = await until(bench, campaign_id, FINISHED)
    assert campaign.progress.verdict_counts["sent"] == 6


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_cancelling_drops_what_is_queued(bench: Bench) -> None:
    bench.around.profile.page_delay_seconds = 0.2
    for number in range(12):
        bench.around.profile.add(f"u{number:02}", timezone="Asia/Shanghai")
    campaign_id = await create(bench)
    night_ms, morning_ms = NOON_MS + 3 * 3_600_000, NOON_MS + 12 * 3_600_000
    start = campaign_pb.StartCampaignRequest(campaign_id=campaign_id, request_id="s")
    await bench.at(night_ms, bench.campaigns.StartCampaign, start)
    for _ in range(100):
        if (await get(bench, campaign_id)).progress.verdict_counts.get("queued"):
            break
        await asyncio.sleep(0.02)
    await move(bench, "Cancel", campaign_id)
    watch = campaign_pb.WatchCampaignRequest(campaign_id=campaign_id)
    (look,) = [look async for look in bench.campaigns.WatchCampaign(watch, timeout=5)]
    request = campaign_pb.GetCampaignRequest(campaign_id=campaign_id)
    await bench.at(morning_ms, bench.campaigns.GetCampaign, request)
    for queued in look.latest_decisions:
        for _ in range(100):
            explain = push_pb.ExplainDecisionRequest(decision_id=queued.decision_id)
            answer = await bench.push.ExplainDecision(explain, timeout=5)
            if answer.decision.verdict == decision_pb.DECISION_VERDICT_EXPIRED:
                break
            await asyncio.sleep(0.02)
        assert answer.summary == f"Was queued and then dropped: campaign {campaign_id} was cancelled."
    assert bench.provider.messages == []


async def test_what_is_queued_waits_while_the_campaign_is_paused(bench: Bench) -> None:
    bench.around.profile.add("ann", timezone="Asia/Shanghai")
    bench.around.profile.add("bob", timezone="Asia/Shanghai")
    night_ms, morning_ms = NOON_MS + 3 * 3_600_000, NOON_MS + 12 * 3_600_000
    campaign_id = await create(bench, start_time=values.timestamp(2 * morning_ms))
    await move(bench, "Start", campaign_id)
    await send(bench, night_ms, "ann", campaign_id=campaign_id)
    await move(bench, "Pause", campaign_id)
    # The night is over: what is due now waits, what has no campaign does not.
    assert (await send(bench, morning_ms, "bob")).verdict == decision_pb.DECISION_VERDICT_SENT
    await asyncio.sleep(0.3)
    assert sent(bench) == {"bob": 1}
    await move(bench, "Resume", campaign_id)
    later = campaign_pb.GetCampaignRequest(campaign_id=campaign_id)
    await bench.at(morning_ms + PAUSED_MS, bench.campaigns.GetCampaign, later)
    await eventually(lambda: sent(bench)["ann"] == 1)


@pytest.mark.parametrize("bench", [SMALL_PAGES], indirect=True)
async def test_can_be_watched_and_listed(bench: Bench) -> None:
    for number in range(6):
        bench.around.profile.add(f"u{number}")
    first, second = await create(bench), await create(bench)
    await move(bench, "Start", first)
    looks = [
        look
        async for look in bench.campaigns.WatchCampaign(
            campaign_pb.WatchCampaignRequest(campaign_id=first), timeout=10
        )
    ]
    assert looks[-1].campaign.state == FINISHED
    assert len(looks[-1].latest_decisions) == 6
    page = await bench.campaigns.ListCampaigns(campaign_pb.ListCampaignsRequest(page_size=1), timeout=5)
    rest = await bench.campaigns.ListCampaigns(
        campaign_pb.ListCampaignsRequest(page_token=page.next_page_token), timeout=5
    )
    assert {c.campaign_id for c in (*page.campaigns, *rest.campaigns)} == {first, second}
    assert rest.next_page_token == ""


async def test_a_request_id_creates_one_campaign_and_moves_it_once(bench: Bench) -> None:
    request = campaign_pb.CreateCampaignRequest(spec=campaign_pb.CampaignSpec(name="x"), request_id="r")
    first = await bench.at(NOON_MS, bench.campaigns.CreateCampaign, request)
    assert await bench.at(NOON_MS, bench.campaigns.CreateCampaign, request) == first
    start = campaign_pb.StartCampaignRequest(campaign_id=first.campaign.campaign_id, request_id="s")
    started = await bench.at(NOON_MS, bench.campaigns.StartCampaign, start)
    assert started.campaign.state == RUNNING
    assert await bench.at(NOON_MS, bench.campaigns.StartCampaign, start) == started


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"name": ""}, "spec.name"),
        ({"name": "x", "budget": -1}, "spec.budget"),
        ({"name": "x", "priority": 101}, "spec.priority"),
        ({"name": "x", "policy": push_pb.Policy(no_send_share=2)}, "spec.policy.no_send_share"),
    ],
)
async def test_a_faulty_campaign_is_told_its_field(bench: Bench, spec: dict[str, Any], field: str) -> None:
    request = campaign_pb.CreateCampaignRequest(spec=campaign_pb.CampaignSpec(**spec), request_id="r")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await bench.at(NOON_MS, bench.campaigns.CreateCampaign, request)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")
