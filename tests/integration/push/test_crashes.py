"""What a crash leaves behind: steps of a sender are done by hand and stopped half-way."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from tests.integration.push.conftest import NOON_MS, Bench
from tests.integration.push.test_campaigns import eventually
from tests.integration.push.test_push_service import BLOCKED, EXPIRED, QUEUED, SENT, send, settled

from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode
from magpie_services.kit import ledger_keys
from magpie_services.kit.redis import Redis, partitions
from magpie_services.push.caps import Caps
from magpie_services.push.delivery import PushMessage, Receipt
from magpie_services.push.ledger import Ledger, Open, Slot

CAPS = ((86_400_000, 1),)
QUICK = {
    "claim_seconds": 0.2,
    "reservation_seconds": 0.6,
    "webhook_timeout_seconds": 0.01,
    "minimum_gap_seconds": 0.0,
    "daily_cap": 1,
}


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis, Caps(redis, CAPS, lease_seconds=90), claim_seconds=30)


def push(request_id: str, user_id: str = "ann") -> Open:
    arms = [Arm(item_id="item0", probabilities=[0.1, 0, 0, 0], propensity=1.0)]
    decision = Decision(
        decision_id=ledger_keys.decision_id(request_id, user_id),
        user_id=user_id,
        mode=Mode.LIVE,
        verdict=DecisionVerdict.SENT,
        decided_ms=NOON_MS,
        arms=arms,
        chosen=0,
        copy=Copy(title="Kettle"),
        channel="console",
        send_ms=NOON_MS,
    )
    return Open(decision=decision, expires_ms=NOON_MS + 86_400_000)


async def never() -> list[Receipt]:
    """What a process that was killed answers."""
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_push_that_was_begun_is_taken_up_after_the_claim(ledger: Ledger) -> None:
    assert (await ledger.begin([push("r")], NOON_MS, NOON_MS))[0] == (None, None)
    assert await ledger.claim(partitions(), NOON_MS, NOON_MS + 29_999, 10) == []
    (taken,) = await ledger.claim(partitions(), NOON_MS, NOON_MS + 30_000, 10)
    assert taken == msgspec.structs.replace(push("r"), tried=True)
    assert await ledger.claim(partitions(), NOON_MS, NOON_MS + 30_001, 10) == []
    assert await ledger.renew(taken, NOON_MS, NOON_MS + 30_001) == (True, 0, -1)
    await ledger.finish([(taken.decision, Slot.COMMIT)])
    assert await ledger.claim(partitions(), NOON_MS, NOON_MS + 90_000, 10) == []


async def test_begin_and_finish_happen_once(ledger: Ledger, redis: Redis) -> None:
    first = push("r")
    await ledger.begin([first], NOON_MS, NOON_MS)
    (again,) = await ledger.begin([first], NOON_MS, NOON_MS)
    assert again.known is not None
    (refused,) = await ledger.begin([push("other")], NOON_MS, NOON_MS)
    assert refused.refused is not None
    assert refused.refused.window == 0
    await ledger.finish([(first.decision, Slot.COMMIT)])
    failed = Decision(
        decision_id=first.decision.decision_id,
        user_id="ann",
        mode=Mode.LIVE,
        verdict=DecisionVerdict.FAILED,
        decided_ms=NOON_MS,
    )
    (stands,) = await ledger.finish([(failed, Slot.RELEASE)])
    assert stands.verdict is DecisionVerdict.SENT
    part = first.decision.decision_id[:3]
    assert await redis.xlen(f"magpie:{{{part}}}:decisions") == 1
    assert await redis.hget(ledger_keys.counts_key(part, NOON_MS), "all::sent") == b"1"


async def test_a_queued_push_holds_no_slot(ledger: Ledger) -> None:
    await ledger.begin([push("queued")], NOON_MS - 1, NOON_MS, due=True)
    assert (await ledger.begin([push("now")], NOON_MS, NOON_MS))[0] == (None, None)
    (due,) = await ledger.claim(partitions(), NOON_MS, NOON_MS, 10)
    assert due.decision == push("queued").decision
    refused = await ledger.renew(due, NOON_MS, NOON_MS)
    assert refused is not None
    assert not refused.granted


async def test_whoever_begun_nothing_closes_nothing(ledger: Ledger) -> None:
    """Two calls with one request id: the slower fails while the push of the quicker is under way."""
    first = push("r")
    await ledger.begin([first], NOON_MS, NOON_MS)
    failed = msgspec.structs.replace(first.decision, verdict=DecisionVerdict.FAILED)
    (stands,) = await ledger.finish([(failed, Slot.NONE)])
    assert stands.verdict is DecisionVerdict.QUEUED
    (stands,) = await ledger.finish([(first.decision, Slot.COMMIT)])
    assert stands.verdict is DecisionVerdict.SENT
    (refused,) = await ledger.begin([push("other")], NOON_MS, NOON_MS + 91_000)
    assert refused.refused is not None  # the cap counts it long after the lease


async def test_what_another_has_closed_is_not_opened_again(ledger: Ledger, redis: Redis) -> None:
    first = push("r")
    await ledger.begin([first], NOON_MS, NOON_MS)
    await ledger.finish([(first.decision, Slot.COMMIT)])
    await ledger.keep_open(first)
    await ledger.postpone(first, NOON_MS)
    assert await ledger.renew(first, NOON_MS, NOON_MS) is None
    found = await ledger.find(first.decision.decision_id)
    assert found is not None
    assert found.verdict is DecisionVerdict.SENT
    assert await ledger.claim(partitions(), NOON_MS, NOON_MS + 90_000, 10) == []


@pytest.mark.parametrize("bench", [QUICK], indirect=True)
async def test_left_behind_and_then_refused_still_counts(bench: Bench) -> None:
    """It may be with the provider: another must not take its place under the cap."""
    bench.around.profile.add("ann")
    given = bench.provider.send

    async def killed(messages: Sequence[PushMessage]) -> list[Receipt]:
        bench.provider.send = given  # type: ignore[method-assign]
        await given(messages)
        for item_id, item in bench.around.catalogue.items.items():
            bench.around.catalogue.items[item_id] = msgspec.structs.replace(
                item, stock=0 if item_id == messages[0].item_id else 5
            )
        return await never()

    bench.provider.send = killed  # type: ignore[method-assign]
    hanging = asyncio.create_task(send(bench, NOON_MS, "ann", request_id="r"))
    await eventually(lambda: bench.provider.send == given)
    hanging.cancel()
    dropped = await send(bench, NOON_MS, "ann", request_id="r")
    await settled(bench, dropped.decision_id, EXPIRED)
    assert (await send(bench, NOON_MS, "ann")).verdict == BLOCKED
    assert len(bench.provider.messages) == 1


async def test_a_provider_that_breaks_leaves_the_push_open(bench: Bench) -> None:
    bench.around.profile.add("ann")

    async def broken(messages: Sequence[PushMessage]) -> list[Receipt]:
        raise RuntimeError

    bench.provider.send = broken  # type: ignore[method-assign]
    assert (await send(bench, NOON_MS, "ann")).verdict == QUEUED


@pytest.mark.parametrize("bench", [QUICK], indirect=True)
async def test_killed_between_reserving_and_sending_is_sent_once_by_whoever_lives(bench: Bench) -> None:
    bench.around.profile.add("ann")
    given = bench.provider.send

    async def killed(messages: Sequence[PushMessage]) -> list[Receipt]:
        bench.provider.send = given  # type: ignore[method-assign]
        return await never()

    bench.provider.send = killed  # type: ignore[method-assign]
    hanging = asyncio.create_task(send(bench, NOON_MS, "ann", request_id="r"))
    await eventually(lambda: bench.provider.send == given)
    hanging.cancel()
    assert bench.provider.messages == []
    repeated = await send(bench, NOON_MS, "ann", request_id="r")
    await settled(bench, repeated.decision_id, SENT)
    assert [message.decision_id for message in bench.provider.messages] == [repeated.decision_id]


@pytest.mark.parametrize("bench", [QUICK], indirect=True)
async def test_killed_after_the_provider_took_it_repeats_under_the_same_key(bench: Bench) -> None:
    bench.around.profile.add("ann")
    given = bench.provider.send

    async def killed(messages: Sequence[PushMessage]) -> list[Receipt]:
        bench.provider.send = given  # type: ignore[method-assign]
        await given(messages)
        return await never()

    bench.provider.send = killed  # type: ignore[method-assign]
    hanging = asyncio.create_task(send(bench, NOON_MS, "ann", request_id="r"))
    await eventually(lambda: bench.provider.send == given)
    hanging.cancel()
    repeated = await send(bench, NOON_MS, "ann", request_id="r")
    await settled(bench, repeated.decision_id, SENT)
    keys = [message.decision_id for message in bench.provider.messages]
    assert keys == [repeated.decision_id] * 2
    other = await send(bench, NOON_MS, "ann")
    assert other.verdict != SENT  # the cap counts it once, and is full
