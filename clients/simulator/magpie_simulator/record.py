"""What a run writes down as it goes, and the report that comes of it."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from magpie.v1 import decision_pb2 as decision_pb
from magpie_simulator.acts import Kind, Table
from magpie_simulator.inbox import Inbox, Message
from magpie_simulator.parameters import DAY_MS
from magpie_simulator.tally import FORMULA, Tally
from magpie_simulator.world import World

SAMPLES, TOP_REASONS = 5, 8
_VERDICTS = {
    decision_pb.DECISION_VERDICT_SENT: "sent",
    decision_pb.DECISION_VERDICT_QUEUED: "queued",
    decision_pb.DECISION_VERDICT_NO_SEND: "no_send",
    decision_pb.DECISION_VERDICT_BLOCKED: "blocked",
    decision_pb.DECISION_VERDICT_FAILED: "failed",
    decision_pb.DECISION_VERDICT_EXPIRED: "expired",
}
# How much a push had come to, for choosing samples worth explaining.
_REACHED = {Kind.OPENED: 1, Kind.CLICKED: 2, Kind.PURCHASE: 3}


@dataclass
class Record:
    """One run against the services."""

    policy: str
    tally: Tally = field(default_factory=Tally)
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    rankers: Counter[int] = field(default_factory=Counter)
    retrievers: Counter[int] = field(default_factory=Counter)
    degraded: Counter[str] = field(default_factory=Counter)
    volumes: Counter[int] = field(default_factory=Counter)
    messages: dict[int, Message] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    queued_not_arrived: int = 0
    lost_pushes: int = 0
    world_seconds: float = 0.0
    push_seconds: float = 0.0

    def happened(self, happened: Table) -> None:
        """Counts what people did."""
        self.tally.add(happened)
        for kind, worth in _REACHED.items():
            for number in happened["push"][(happened["kind"] == kind) & (happened["push"] >= 0)].tolist():
                self.reached[number] = max(worth, self.reached.get(number, 0))

    def decided(self, decisions: Iterable[decision_pb.Decision]) -> None:
        """Counts what was decided, and why not."""
        for decision in decisions:
            verdict = _VERDICTS.get(decision.verdict, "unknown")
            self.verdicts[verdict] += 1
            if verdict not in ("sent", "queued"):
                self.reasons[verdict, _reason(decision)] += 1
            if decision.arms:
                self.rankers[decision.ranker_version] += 1
                self.retrievers[decision.retriever_version] += 1
            self.degraded.update(decision.degraded)

    def arrived(self, number: int, message: Message) -> None:
        """A push reached a phone."""
        self.tally.pushes += 1
        self.messages[number] = message
        self.volumes[message.arrived_ms // DAY_MS] += 1

    def volumes_from(self, world: World, days: int) -> list[int]:
        """Pushes that arrived on each of `days` days from the world's present one."""
        first = world.day_start_ms // DAY_MS
        return [self.volumes[first + number] for number in range(days)]

    def report(
        self, world: World, inbox: Inbox, first_day: int, forks: Mapping[str, Tally]
    ) -> dict[str, Any]:
        """The whole report, as it is printed; money in CNY, rewards as `reward_formula` says."""
        margin = world.parameters.margin
        return {
            "seal": world.parameters.seal,
            "policy": self.policy,
            "days": world.day - first_day,
            "first_day": first_day,
            "users": len(world.people),
            "decisions": {"decided": self.verdicts.total(), **dict(self.verdicts)},
            "reasons": [
                {"verdict": verdict, "reason": reason, "count": count}
                for (verdict, reason), count in self.reasons.most_common(TOP_REASONS)
            ],
            "models": {
                "ranker": {str(version): count for version, count in sorted(self.rankers.items())},
                "retriever": {str(version): count for version, count in sorted(self.retrievers.items())},
                "degraded": dict(self.degraded),
            },
            "world": self.tally.summary(margin),
            "forks": {name: tally.summary(margin) for name, tally in forks.items()},
            "reward_formula": FORMULA.format(margin=margin),
            "checks": {
                "repeated_deliveries": inbox.repeated,
                "violations": dict(inbox.violations),
                "violation_examples": list(inbox.examples),
                "sent_not_arrived": self.lost_pushes,
                "queued_not_arrived": self.queued_not_arrived,
                "refused": dict(self.refused),
            },
            "samples": self._samples(),
            "seconds": {
                "world": round(self.world_seconds, 2),
                "push": round(self.push_seconds, 2),
                "cpu": round(time.process_time(), 2),
            },
        }

    def _samples(self) -> list[dict[str, str]]:
        """Pushes worth explaining: those that came to most, the newest first, in both languages."""
        ranked = sorted(self.messages, key=lambda number: (-self.reached.get(number, 0), -number))
        chinese = [number for number in ranked if _is_chinese(self.messages[number].title)]
        english = [number for number in ranked if not _is_chinese(self.messages[number].title)]
        some = english[: SAMPLES // 2]
        chosen = (chinese[: SAMPLES - len(some)] + some)[:SAMPLES]
        chosen += [number for number in english if number not in chosen][: SAMPLES - len(chosen)]
        names = {1: "opened", 2: "clicked", 3: "bought"}
        return [
            {
                "decision_id": message.decision_id,
                "user_id": message.user_id,
                "item_id": message.item_id,
                "title": message.title,
                "body": message.body,
                "outcome": names.get(self.reached.get(number, 0), "delivered"),
            }
            for number in chosen
            for message in (self.messages[number],)
        ]


def _is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters. That it is not ASCII says little: "¥" and "…" are not either."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def _reason(decision: decision_pb.Decision) -> str:
    """The name of the rule that ended it, or what kind of no-send it was."""
    if decision.verdict == decision_pb.DECISION_VERDICT_NO_SEND and decision.explored:
        return "drawn to learn"
    refused = [verdict.predicate for verdict in decision.predicates if not verdict.passed]
    return refused[-1] if refused else "unsaid"
