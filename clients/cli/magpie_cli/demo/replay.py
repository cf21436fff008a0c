"""`magpie demo --events FILE`: a real log through the public API, one push a customer a week."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from magpie import Magpie
from magpie.v1 import decision_pb2, device_pb2, profile_service_pb2, push_service_pb2
from magpie_cli import training
from magpie_cli.demo import lake
from magpie_cli.demo.baselines import NAMES, History
from magpie_cli.demo.clock import SandboxClock
from magpie_cli.demo.hits import Score, score
from magpie_cli.demo.log import Week, read_weeks
from magpie_cli.importing import job, online_retail
from magpie_cli.importing.sending import EventSender, ItemSender
from magpie_cli.suite import Suite

DECIDE_USERS = 256
CALLS_AT_ONCE = 16
DECIDE_SECONDS = 120.0
MAGPIE = "magpie"
POLICIES = (MAGPIE, *NAMES)
PURPOSES = (
    device_pb2.PURPOSE_MARKETING_PUSH,
    device_pb2.PURPOSE_PERSONALISATION,
    device_pb2.PURPOSE_MODEL_TRAINING,
)
ENVIRONMENT = {"MAGPIE_LAKE_BATCH_SECONDS": "1"}
# One push a customer, the item most likely to be bought, whatever it is worth: what a hit rate measures.
POLICY = push_service_pb2.Policy(
    objective=push_service_pb2.Objective(purchase=1.0, min_value=-1.0),
    exploration=0.0,
    no_send_share=0.0,
    candidate_limit=100,
    logged_best=10,
    logged_rest=10,
)


@dataclass(frozen=True)
class Plan:
    """What to replay: deciding begins at `start_ms` and goes on for `weeks`. In `warm_weeks` before it
    decisions are logged too, for the first training to learn ranking from. `users` 0 means every customer."""

    path: Path
    start_ms: int
    weeks: int = 10
    warm_weeks: int = 5
    users: int = 0
    seed: int = 7


@dataclass
class WeekResult:
    """One week: the score of each policy, and what served."""

    number: int
    start_ms: int
    customers: int
    version: int
    scores: dict[str, Score]
    unanswered: Counter[str] = field(default_factory=Counter)


Tell = Callable[[str], None]


class Replay:
    """Feeds weeks in, decides before each, retrains after each. One use."""

    def __init__(self, suite: Suite, plan: Plan, tell: Tell, told: training.Follow) -> None:
        self.results: list[WeekResult] = []
        self.reader = job.Reader(plan.path, strict=False, progress=lambda read: None)
        self.cleaner = online_retail.Cleaner()
        self.version = 0
        self._suite = suite
        self._plan = plan
        self._tell = tell
        self._told = told
        self._clock = SandboxClock(0)
        self._history = History()
        self._maker = online_retail.Events()
        self._catalogue = online_retail.Catalogue()
        self._enrolled: set[str] = set()

    @property
    def cleaned(self) -> dict[str, int]:
        """Lines that taught nothing of anybody, by reason, most first; returns are kept and counted apart."""
        reasons = self.cleaner.reasons + Counter({"no customer": self._maker.anonymous})
        return dict(reasons.most_common())

    async def run(self) -> list[WeekResult]:
        """The results by week. Raises CommandFailed, BadInput, grpc.aio.AioRpcError."""
        async with Magpie(
            self._suite.endpoints, timeout_seconds=60, now_ms=self._clock.now_ms
        ) as self._magpie:
            for week in read_weeks(self._plan.path, self._plan.start_ms, self.reader, self.cleaner):
                if week.number >= self._plan.weeks:
                    break
                if week.number >= 0:
                    await self._measured_week(week)
                else:
                    await self._past_week(week)
        return self.results

    async def _past_week(self, week: Week) -> None:
        self._tell(f"the past: {-week.number} weeks to go")
        if week.number >= -self._plan.warm_weeks:
            await self._decide(week)
        await self._feed(week)
        if week.number == -1:
            await self._retrain(week.end_ms)

    async def _measured_week(self, week: Week) -> None:
        self._tell(f"week {week.number + 1} of {self._plan.weeks}: deciding")
        choices, unanswered = await self._decide(week)
        users = list(choices)
        rivals = self._history.choices(week.start_ms, users)
        bought = week.bought()
        self.results.append(
            WeekResult(
                number=week.number + 1,
                start_ms=week.start_ms,
                customers=len(bought.keys() & choices.keys()),
                version=self.version,
                scores={
                    name: score(picked, bought, self._history)
                    for name, picked in {MAGPIE: choices, **rivals}.items()
                },
                unanswered=unanswered,
            )
        )
        self._tell(f"week {week.number + 1} of {self._plan.weeks}: living it")
        await self._feed(week)
        if week.number < self._plan.weeks - 1:
            await self._retrain(week.end_ms)

    async def _decide(self, week: Week) -> tuple[dict[str, str], Counter[str]]:
        """The item chosen for each customer ("" where none was), and why where none was."""
        users = self._history.customers()
        if self._plan.users:
            users = users[: self._plan.users]
        if not users:
            return {}, Counter()
        self._clock.advance(week.start_ms)
        await self._enrol(users)
        choices: dict[str, str] = {}
        reasons: Counter[str] = Counter()
        for start in range(0, len(users), DECIDE_USERS):
            request = push_service_pb2.SendPushesRequest(
                targets=[
                    push_service_pb2.Target(user_id=user_id)
                    for user_id in users[start : start + DECIDE_USERS]
                ],
                policy=POLICY,
                request_id=f"replay-{week.number}-{start}",
                shadow=True,
            )
            answer = await self._magpie.push.SendPushes(request, timeout=DECIDE_SECONDS)
            for decision in answer.decisions:
                choices[decision.user_id] = chosen_item(decision)
                if not choices[decision.user_id]:
                    reasons[refusal(decision)] += 1
        return choices, reasons

    async def _enrol(self, users: Sequence[str]) -> None:
        """Lets the replay's customers be decided about: an order log says nothing of consent or devices."""
        limit = asyncio.Semaphore(CALLS_AT_ONCE)

        async def one(user_id: str) -> None:
            async with limit:
                await self._magpie.profile.SetConsent(
                    profile_service_pb2.SetConsentRequest(
                        user_id=user_id,
                        consents=[device_pb2.Consent(purpose=purpose, granted=True) for purpose in PURPOSES],
                        request_id=f"consent-{user_id}",
                    )
                )
                await self._magpie.profile.RegisterDevice(
                    profile_service_pb2.RegisterDeviceRequest(
                        user_id=user_id,
                        device=device_pb2.Device(device_id="replay", channel=device_pb2.CHANNEL_CONSOLE),
                        request_id=f"device-{user_id}",
                    )
                )

        fresh = [user_id for user_id in users if user_id not in self._enrolled]
        async with asyncio.TaskGroup() as group:
            for user_id in fresh:
                group.create_task(one(user_id))
        self._enrolled.update(fresh)

    async def _feed(self, week: Week) -> None:
        """The week's items, then its events, in order of time."""
        for line in week.lines:
            self._catalogue.observe(line)
        items = ItemSender(self._magpie)
        for item in self._catalogue.changes():
            self._clock.advance(min(item.publish_time.ToMilliseconds(), week.start_ms))
            await items.add(0, item)
        await items.finish()
        events = EventSender(self._magpie, self._clock.advance)
        for line in week.lines:
            if event := self._maker.event(line):
                await events.add(line.row, event)
                if not line.returned:
                    self._history.observe(line.user_id, line.item_id, line.invoice, line.at_ms)
        await events.finish()

    async def _retrain(self, as_of_ms: int) -> None:
        self._clock.advance(as_of_ms)
        self._tell("waiting for the lake")
        await lake.caught_up(self._suite.metrics_url("lake"))
        self._tell("training")
        run = await training.retrain(self._magpie, as_of_ms, self._plan.seed, self._told)
        self.version = run.version or self.version


def chosen_item(decision: decision_pb2.Decision) -> str:
    """The item that a decision came to, "" where it came to none."""
    return decision.arms[decision.chosen_arm].item_id if decision.chosen_arm >= 0 and decision.arms else ""


def refusal(decision: decision_pb2.Decision) -> str:
    """The predicate that said no, else the verdict."""
    failed = [verdict.predicate for verdict in decision.predicates if not verdict.passed]
    name = decision_pb2.DecisionVerdict.Name(decision.verdict).removeprefix("DECISION_VERDICT_").lower()
    return failed[-1] if failed else name
