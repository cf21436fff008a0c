"""The frequency cap on real Redis: never over it under any interleaving, no slot lost beyond its lease."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from magpie_services.kit.redis import Redis, connect
from magpie_services.push.caps import Caps

DAY_MS = 86_400_000
CAPS = ((DAY_MS, 2), (7 * DAY_MS, 4))
LEASE_MS = 1_000
NOW_MS = 1_767_268_800_000
IDS = [f"d{number}" for number in range(8)]


class CapModel(RuleBasedStateMachine):
    """Senders that reserve, send, commit, release, or die at any point; time and the wall move on."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = connect(self.url)
        self.caps = Caps(self.redis, CAPS, lease_seconds=LEASE_MS / 1000)
        self.now_ms = NOW_MS
        self.wall_ms = NOW_MS
        self.held: dict[str, int] = {}
        self.sent: dict[str, int] = {}

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def empty(self) -> None:
        self.do(self.redis.flushall())

    @rule(decision_id=st.sampled_from(IDS))
    def reserve(self, decision_id: str) -> None:
        alive = {held for held, end_ms in self.held.items() if end_ms > self.wall_ms}
        granted = self.do(self.caps.reserve("ann", decision_id, self.now_ms, self.wall_ms)).granted
        # A model that forgets nothing: what is sent or alive counts, one's own does not stand in the way.
        room = all(
            sum(at_ms > self.now_ms - window for at_ms in self.sent.values()) + len(alive) < limit
            for window, limit in CAPS
        )
        assert granted == (room or decision_id in alive or decision_id in self.sent)
        if granted and decision_id not in self.sent:
            self.held[decision_id] = self.wall_ms + LEASE_MS

    @rule(decision_id=st.sampled_from(IDS))
    def send_and_commit(self, decision_id: str) -> None:
        # A sender hands over only while its lease is alive.
        if self.held.get(decision_id, 0) > self.wall_ms and decision_id not in self.sent:
            self.do(self.caps.commit("ann", decision_id, self.now_ms))
            self.sent[decision_id] = self.now_ms
            del self.held[decision_id]

    @rule(decision_id=st.sampled_from(IDS))
    def commit_again(self, decision_id: str) -> None:
        if decision_id in self.sent and self.now_ms - self.sent[decision_id] < CAPS[-1][0]:
            self.do(self.caps.commit("ann", decision_id, self.now_ms))

    @rule(decision_id=st.sampled_from(IDS))
    def release(self, decision_id: str) -> None:
        if decision_id in self.held:
            self.do(self.caps.release("ann", decision_id))
            del self.held[decision_id]

    @rule(ms=st.sampled_from([1, LEASE_MS - 1, LEASE_MS]))
    def the_wall_moves(self, ms: int) -> None:
        self.wall_ms += ms

    @rule(ms=st.sampled_from([1, DAY_MS // 2, DAY_MS - 1, DAY_MS]))
    def time_moves(self, ms: int) -> None:
        self.now_ms += ms

    @invariant()
    def never_over_the_cap(self) -> None:
        for at_ms in self.sent.values():
            for window, limit in CAPS:
                inside = [other for other in self.sent.values() if at_ms - window < other <= at_ms]
                assert len(inside) <= limit

    def teardown(self) -> None:
        self.do(self.redis.aclose())
        self.runner.close()


def test_no_interleaving_exceeds_the_cap(redis_url: str) -> None:
    machine = type("Machine", (CapModel,), {"url": redis_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.fixture
def caps(redis: Redis) -> Caps:
    return Caps(redis, CAPS, lease_seconds=LEASE_MS / 1000)


async def test_a_hundred_at_once_get_two_slots(caps: Caps) -> None:
    answers = await asyncio.gather(*(caps.reserve("ann", f"d{n}", NOW_MS, NOW_MS) for n in range(100)))
    assert sum(answer.granted for answer in answers) == 2
    refused = next(answer for answer in answers if not answer.granted)
    assert (refused.filled, refused.window) == (2, 0)


async def test_a_crash_frees_its_slot_after_the_lease(caps: Caps) -> None:
    for decision_id in ("a", "b"):
        assert (await caps.reserve("ann", decision_id, NOW_MS, NOW_MS)).granted
    assert not (await caps.reserve("ann", "c", NOW_MS, NOW_MS + LEASE_MS - 1)).granted
    assert (await caps.reserve("ann", "c", NOW_MS, NOW_MS + LEASE_MS)).granted


async def test_one_decision_holds_one_slot(caps: Caps) -> None:
    for _ in range(5):
        assert (await caps.reserve("ann", "a", NOW_MS, NOW_MS)).granted
    await caps.commit("ann", "a", NOW_MS)
    assert (await caps.reserve("ann", "a", NOW_MS, NOW_MS)).granted
    assert (await caps.reserve("ann", "b", NOW_MS, NOW_MS)).granted
    usage = await caps.usage(["ann", "bob"], NOW_MS + 1)
    assert usage == [((1, 1), NOW_MS), ((0, 0), 0)]


async def test_the_window_rolls(caps: Caps) -> None:
    for decision_id, at_ms in (("a", NOW_MS), ("b", NOW_MS + DAY_MS // 2)):
        assert (await caps.reserve("ann", decision_id, at_ms, NOW_MS)).granted
        await caps.commit("ann", decision_id, at_ms)
    assert not (await caps.reserve("ann", "c", NOW_MS + DAY_MS - 1, NOW_MS)).granted
    assert (await caps.reserve("ann", "c", NOW_MS + DAY_MS, NOW_MS)).granted
