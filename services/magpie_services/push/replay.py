"""Logged decisions under another policy: what it would do, and what its reward would have been. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.push import policy as policies
from magpie_services.push.policy import VALUED, Objective, Policy

MAX_DIFFERING = 20
_CARRIED_OUT = (DecisionVerdict.SENT, DecisionVerdict.NO_SEND)


class Span(NamedTuple):
    """Decisions made in [start, end) ms; an end of 0 means now. At most `limit`, the newest."""

    start_ms: int
    end_ms: int
    limit: int


class Summary(msgspec.Struct, kw_only=True):
    """What a policy does with the decisions; the estimate is per decision, in units of the objective."""

    decided: int = 0
    sent: int = 0
    value: float = 0.0
    clicks: float = 0.0
    purchases: float = 0.0
    unsubscribes: float = 0.0
    reward: float = 0.0
    reward_error: float = 0.0
    effective: float = 0.0

    def add(self, arm: Arm, value: float) -> None:
        self.decided += 1
        if not arm.item_id:
            return
        self.sent += 1
        self.value += value
        click, purchase, _dismiss, unsubscribe = arm.probabilities[:VALUED]
        self.clicks += click
        self.purchases += purchase
        self.unsubscribes += unsubscribe

    def estimate(self, weighted: Sequence[tuple[float, float]]) -> None:
        """Self-normalised inverse propensity from (weight, reward) pairs, with its standard error."""
        total = sum(weight for weight, _ in weighted)
        if total <= 0:
            return
        self.reward = sum(weight * reward for weight, reward in weighted) / total
        spread = sum((weight * (reward - self.reward)) ** 2 for weight, reward in weighted)
        self.reward_error = math.sqrt(spread) / total
        self.effective = total**2 / sum(weight**2 for weight, _ in weighted)


class Comparison(msgspec.Struct):
    """Two policies on the same decisions, judged by the new one's objective."""

    logged: Summary
    replayed: Summary
    agreed: int
    differing: list[str]


def compare(
    decisions: Iterable[Decision], outcomes: Mapping[str, set[OutcomeKind]], policy: Policy
) -> Comparison:
    """Runs the decisions that had arms against `policy`, with the seeds they were made with.

    `outcomes` has what is known by decision id. Only arms that the old policy could draw are weighed: what
    was not logged cannot be chosen. Shadows, and decisions that a rule stopped after the choice, tell nothing
    of reward: the estimate is of choices that could be carried out.
    """
    logged, replayed = Summary(), Summary()
    agreed = 0
    differing: list[str] = []
    old_weighted, new_weighted = [], []
    for decision in decisions:
        arms = [arm for arm in decision.arms if arm.propensity > 0 and len(arm.probabilities) >= VALUED]
        done = decision.arm
        if done is None or (done.item_id and len(done.probabilities) < VALUED) or not decision.arms:
            continue
        choice = policies.choose(arms, policy, decision.seed)
        would = choice.arms[choice.chosen]
        logged.add(done, policy.objective.value(done.probabilities, done.price) if done.item_id else 0.0)
        replayed.add(would, would.value)
        if would.item_id == done.item_id:
            agreed += 1
        elif len(differing) < MAX_DIFFERING:
            differing.append(decision.decision_id)
        if done.propensity > 0 and decision.mode is Mode.LIVE and decision.verdict in _CARRIED_OUT:
            reward = reward_of(outcomes.get(decision.decision_id, set()), policy.objective, done.price)
            chance = next((arm.propensity for arm in choice.arms if arm.item_id == done.item_id), 0.0)
            old_weighted.append((1.0, reward))
            new_weighted.append((chance / done.propensity, reward))
    logged.estimate(old_weighted)
    replayed.estimate(new_weighted)
    return Comparison(logged, replayed, agreed, differing)


def weighed(decision: Decision) -> Decision:
    """As much of a decision as `compare` reads: a hundred thousand whole ones would not fit into memory."""
    kept = [n for n, arm in enumerate(decision.arms) if arm.propensity > 0 or n == decision.chosen]
    return Decision(
        decision_id=decision.decision_id,
        user_id=decision.user_id,
        mode=decision.mode,
        verdict=decision.verdict,
        decided_ms=decision.decided_ms,
        seed=decision.seed,
        arms=[
            Arm(
                item_id=arm.item_id,
                probabilities=arm.probabilities,
                propensity=arm.propensity,
                price=arm.price,
            )
            for arm in (decision.arms[n] for n in kept)
        ],
        chosen=kept.index(decision.chosen) if decision.chosen in kept else -1,
    )


def reward_of(kinds: set[OutcomeKind], objective: Objective, price: float) -> float:
    """Worth of what came of a decision about an item of this price; nothing known is worth nothing."""
    return objective.value(
        [
            float(OutcomeKind.CLICKED in kinds),
            float(OutcomeKind.PURCHASED in kinds),
            float(OutcomeKind.DISMISSED in kinds),
            float(OutcomeKind.UNSUBSCRIBED in kinds),
        ],
        price,
    )
