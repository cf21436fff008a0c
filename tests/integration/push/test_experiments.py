"""Experiments through the served API: assigned with the decision, analysed from the lake, stopped."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from deltalake import write_deltalake
from tests.integration.push.conftest import NOON_MS, Recorder, settings_for
from tests.push_neighbours import Neighbours

from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import experiment_service_pb2 as experiment_pb
from magpie.v1 import experiment_service_pb2_grpc as experiment_grpc
from magpie.v1 import push_service_pb2 as push_pb
from magpie.v1 import push_service_pb2_grpc as push_grpc
from magpie_services.core.decisions import Decision, DecisionVerdict, Mode
from magpie_services.core.experiments import Assignment
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.kit.errors import CannotStart
from magpie_services.kit.serving import running
from magpie_services.lake.schemas import DAY, DECISIONS, OUTCOMES
from magpie_services.push.wiring import build

DAY_MS = 86_400_000
TEXT = """
[[experiment]]
id = "choosy"
share = 0.8
[[experiment.arm]]
name = "control"
[[experiment.arm]]
name = "choosy"
[experiment.arm.policy]
min_value = 1000.0
"""
USERS = [f"user{number}" for number in range(60)]


class Served:
    """Stubs of a push with an experiment, and its lake."""

    def __init__(self, channel: grpc.aio.Channel, lake: Path) -> None:
        self.push = push_grpc.PushServiceStub(channel)
        self.experiments = experiment_grpc.ExperimentServiceStub(channel)
        self.lake = lake

    async def send(self, *user_ids: str) -> dict[str, decision_pb.Decision]:
        request = push_pb.SendPushesRequest(
            targets=[push_pb.Target(user_id=user_id) for user_id in user_ids], request_id=uuid.uuid4().hex
        )
        answer = await self.push.SendPushes(request, timeout=20, metadata=(("magpie-now", str(NOON_MS)),))
        assert [decision.user_id for decision in answer.decisions] == list(user_ids)
        return {decision.user_id: decision for decision in answer.decisions}


@pytest.fixture
async def served(redis_url: str, around: Neighbours, tmp_path: Path) -> AsyncIterator[Served]:
    path = tmp_path / "experiments.toml"
    path.write_text(TEXT)
    settings = settings_for(
        redis_url,
        around,
        experiments_file=str(path),
        lake_folder=str(tmp_path / "lake"),
        holdout_share=0.2,
        experiments_watch_seconds=0.0,
        experiments_poll_seconds=0.05,
    )
    room = await build(settings, {"console": Recorder()})
    for user_id in USERS:
        around.profile.add(user_id)
    async with (
        running(
            settings, room.register, clock=room.clock, background=room.background, closers=room.closers
        ) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield Served(channel, tmp_path / "lake")


def arm(decision: decision_pb.Decision) -> str:
    return decision.assignments[0].arm if decision.assignments else ""


async def test_users_are_decided_about_by_their_arm_and_stay_in_it(served: Served) -> None:
    first = await served.send(*USERS)
    arms = {arm(decision) for decision in first.values()}
    assert arms == {"control", "choosy", ""}
    for decision in first.values():
        held = any(verdict.predicate == "holdout" and not verdict.passed for verdict in decision.predicates)
        match arm(decision):
            case "choosy":
                assert decision.verdict == decision_pb.DECISION_VERDICT_NO_SEND
            case "control":
                assert decision.verdict == decision_pb.DECISION_VERDICT_SENT
        assert not (held and arm(decision))
    versions = {(arm(d), d.policy_version) for d in first.values() if d.chosen_arm >= 0}
    assert len({version for _, version in versions}) == 2
    again = await served.send(*reversed(USERS))
    assert {user: arm(decision) for user, decision in again.items()} == {
        user: arm(decision) for user, decision in first.items()
    }
    told = await served.push.ExplainDecision(
        push_pb.ExplainDecisionRequest(
            decision_id=next(d.decision_id for d in first.values() if arm(d) == "choosy")
        ),
        timeout=10,
    )
    assert "Decided as arm choosy of experiment choosy." in told.why


async def test_a_stopped_experiment_assigns_nobody(served: Served) -> None:
    assert any(map(arm, (await served.send(*USERS)).values()))
    stop = experiment_pb.StopExperimentRequest(experiment_id="choosy", reason="too choosy")
    assert (await served.experiments.StopExperiment(stop, timeout=10)).experiment.stop_reason == "too choosy"
    stop.reason = "another"
    assert (await served.experiments.StopExperiment(stop, timeout=10)).experiment.stop_reason == "too choosy"
    assert not any(map(arm, (await served.send(*USERS)).values()))
    (listed,) = (
        await served.experiments.ListExperiments(experiment_pb.ListExperimentsRequest(), timeout=10)
    ).experiments
    assert (listed.experiment_id, list(listed.arms), listed.running) == (
        "choosy",
        ["control", "choosy"],
        False,
    )


async def test_the_report_tells_what_the_lake_holds_and_harm_stops_it(served: Served) -> None:
    request = experiment_pb.GetExperimentReportRequest(experiment_id="choosy")
    empty = await served.experiments.GetExperimentReport(request, timeout=30)
    assert empty.verdict == experiment_pb.EXPERIMENT_VERDICT_TOO_EARLY
    write(served.lake)
    told = await served.experiments.GetExperimentReport(
        request, timeout=30, metadata=(("magpie-now", str(NOON_MS)),)
    )
    assert told.verdict == experiment_pb.EXPERIMENT_VERDICT_HARMFUL
    assert told.summary[0].startswith("Stop: choosy makes more opt-outs")
    assert [one.user_count for one in told.arms] == [600, 600]
    assert "<svg" in told.html
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await served.experiments.GetExperimentReport(
            experiment_pb.GetExperimentReportRequest(experiment_id="none"), timeout=10
        )
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def write(lake: Path) -> None:
    """1,200 users, half of them in each arm; of the choosy a fifth opts out."""
    at_ms = NOON_MS - 20 * DAY_MS
    decisions = [
        Decision(
            decision_id=f"d{number}",
            user_id=f"w{number}",
            mode=Mode.LIVE,
            verdict=DecisionVerdict.SENT,
            decided_ms=at_ms + number,
            chosen=0,
            assignments=[Assignment(experiment_id="choosy", arm=("control", "choosy")[number % 2])],
        )
        for number in range(1_200)
    ]
    outcomes = [
        Outcome(
            outcome_id=f"o{number}",
            decision_id=f"d{number}",
            kind=OutcomeKind.UNSUBSCRIBED,
            user_id=f"w{number}",
            occurred_ms=at_ms + 3_600_000,
        )
        for number in range(1, 1_200, 10)
    ]
    for spec, rows in ((DECISIONS, decisions), (OUTCOMES, outcomes)):
        write_deltalake(str(lake / spec.name), spec.batch(rows, range(len(rows))), partition_by=[DAY])


async def test_a_file_that_cannot_be_stops_the_start(
    redis_url: str, around: Neighbours, tmp_path: Path
) -> None:
    path = tmp_path / "experiments.toml"
    path.write_text(TEXT.replace("share = 0.8", "share = 1.8"))
    with pytest.raises(CannotStart, match="share"):
        await build(settings_for(redis_url, around, experiments_file=str(path)), {})
