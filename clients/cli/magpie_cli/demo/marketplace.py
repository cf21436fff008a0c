"""`magpie demo`: a sealed marketplace lives against the real services; they learn, push, learn again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc

from magpie import Magpie, problem_of
from magpie.v1 import feedback_service_pb2, push_service_pb2, release_service_pb2
from magpie_cli import training
from magpie_cli.demo import folder, lake
from magpie_cli.demo.clock import SandboxClock
from magpie_cli.demo.simulator import Told, simulate
from magpie_cli.importing.values import timestamp
from magpie_cli.suite import Suite, SuiteOptions, ports

DAY_MS = 86_400_000
SAMPLES = 5
# Time boxes of a demo: the models are small, and there are four trainings.
ENVIRONMENT = {
    "MAGPIE_LAKE_BATCH_SECONDS": "1",
    "MAGPIE_TRAINING_RETRIEVER_SECONDS": "15",
    "MAGPIE_TRAINING_RANKER_SECONDS": "8",
}


@dataclass(frozen=True)
class Plan:
    """What to live: `warm_days` of exploring, then `rounds` of `days` under the policy that was learnt."""

    users: int = 600
    items: int = 300
    warm_days: int = 10
    rounds: int = 3
    days: int = 7
    seed: int = 7
    start: str = "2026-03-02"

    def time_ms(self, day: int) -> int:
        """When a day of the world begins, in ms since 1970."""
        return int(datetime.fromisoformat(self.start).replace(tzinfo=UTC).timestamp() * 1000) + day * DAY_MS


@dataclass
class Round:
    """One round: the marketplace's report on it, the version that served, the training after it."""

    number: int
    report: dict[str, Any]
    version: int
    run: release_service_pb2.Run | None = None


@dataclass
class Explained:
    """A push that arrived, with the ledger's answer why."""

    sample: dict[str, str]
    summary: str
    why: list[str] = field(default_factory=list)
    counterfactuals: list[str] = field(default_factory=list)


def options_for(state: Path) -> tuple[SuiteOptions, str]:
    """Options of a suite in an emptied folder, and where the phones listen ("host:port"). Raises like
    `folder.empty`."""
    folder.empty(state)
    listen = f"{ports.HOST}:{ports.find_free(1)[0]}"
    options = SuiteOptions(
        state=state, auto_ports=True, sandbox=True, webhook=f"http://{listen}/", environment=ENVIRONMENT
    )
    return options, listen


class Marketplace:
    """Runs the whole of it against a suite. One use."""

    def __init__(
        self,
        suite: Suite,
        plan: Plan,
        listen: str,
        tell: Callable[[str], None],
        lived: Told,
        trained: training.Follow,
    ) -> None:
        self.rounds: list[Round] = []
        self.warm_up: dict[str, Any] = {}
        self.explained: list[Explained] = []
        self.words: list[feedback_service_pb2.MetricRow] = []
        self._suite = suite
        self._plan = plan
        self._listen = listen
        self._tell = tell
        self._lived = lived
        self._trained = trained
        self._world = suite.options.state / "world"
        self._clock = SandboxClock(plan.time_ms(0))
        self._version = 0

    async def run(self) -> None:
        """Fills `warm_up`, `rounds`, `words`, `explained`. Raises CommandFailed or grpc.aio.AioRpcError."""
        plan = self._plan
        sizes = ("--seed", str(plan.seed), "--users", str(plan.users), "--items", str(plan.items))
        self._tell("making the marketplace")
        await simulate("create", "--world", str(self._world), "--start", plan.start, *sizes)
        async with Magpie(self._suite.endpoints, timeout_seconds=60, now_ms=self._clock.now_ms) as magpie:
            self._tell(f"warming up: {plan.warm_days} days of a log that favours the active")
            self.warm_up = await self._live(plan.warm_days, "historic", forks=False)
            await self._retrain(magpie)
            for number in range(1, plan.rounds + 1):
                self._tell(f"round {number} of {plan.rounds}: {plan.days} days of pushing")
                version = self._version
                report = await self._live(plan.days, "magpie", forks=True)
                self.rounds.append(Round(number, report, version, await self._retrain(magpie)))
            self._tell("asking the ledger why")
            self.words = await self._by_strategy(magpie)
            await self._explain(magpie)

    async def _live(self, days: int, policy: str, *, forks: bool) -> dict[str, Any]:
        report = await simulate(
            *("run", "--world", str(self._world), "--days", str(days), "--policy", policy),
            *("--endpoints", str(self._suite.options.state / "endpoints.json"), "--listen", self._listen),
            *(() if forks else ("--no-forks",)),
            secret=self._suite.secrets["webhook_secret"],
            told=self._lived,
        )
        self._clock.advance(self._plan.time_ms(report["first_day"] + report["days"]))
        return report

    async def _retrain(self, magpie: Magpie) -> release_service_pb2.Run:
        self._tell("waiting for the lake")
        await lake.caught_up(self._suite.metrics_url("lake"))
        self._tell("training")
        run = await training.retrain(magpie, seed=self._plan.seed, told=self._trained)
        self._version = run.version if run.state == release_service_pb2.RUN_STATE_RELEASED else self._version
        return run

    async def _by_strategy(self, magpie: Magpie) -> list[feedback_service_pb2.MetricRow]:
        """What came of the pushes of all rounds, by the reason that their words gave."""
        request = feedback_service_pb2.GetMetricsRequest(
            start_time=timestamp(self._plan.time_ms(self._plan.warm_days)),
            group=feedback_service_pb2.METRIC_GROUP_STRATEGY,
        )
        rows = (await magpie.feedback.GetMetrics(request)).rows
        return sorted((row for row in rows if row.sent_count), key=lambda row: -row.sent_count)

    async def _explain(self, magpie: Magpie) -> None:
        samples = [sample for past in reversed(self.rounds) for sample in past.report["samples"]]
        for sample in samples[:SAMPLES]:
            try:
                answer = await magpie.push.ExplainDecision(
                    push_service_pb2.ExplainDecisionRequest(decision_id=sample["decision_id"])
                )
            except grpc.aio.AioRpcError as error:
                self.explained.append(Explained(sample, f"no explanation: {problem_of(error)}"))
            else:
                changes = [other.change for other in answer.counterfactuals]
                self.explained.append(Explained(sample, answer.summary, list(answer.why), changes))
