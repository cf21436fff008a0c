"""Logged decisions under another policy: what it would do, and what it would have earned. Pure."""

from array import array
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import msgspec
import numpy as np

from magpie_services.core import off_policy
from magpie_services.core.clustered import Interval
from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.off_policy_log import Log
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.push import policy as policies
from magpie_services.push.policy import VALUED, Choice, Objective, Policy

MAX_DIFFERING = 20
_CARRIED_OUT = (DecisionVerdict.SENT, DecisionVerdict.NO_SEND)


class Span(NamedTuple):
    """Decisions made in [start, end) ms; an end of 0 means now. At most `limit`, the newest."""

    start_ms: int
    end_ms: int
    limit: int


class Summary(msgspec.Struct, kw_only=True):
    """What a policy does with the decisions, and what is expected of that by the logged scores."""

    decided: int = 0
    sent: int = 0
    value: float = 0.0
    clicks: float = 0.0
    purchases: float = 0.0
    unsubscribes: float = 0.0

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


class Estimate(msgspec.Struct, frozen=True):
    """Reward a decision by one estimator, and how much more that is than was earned."""

    estimator: str
    value: Interval
    gain: Interval


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What outcomes tell of both policies, a decision, in units of the objective; see `core.off_policy`."""

    decisions: int
    users: int
    rewarded: int
    effective: float
    overlap: float
    left_out: dict[str, int]
    earned: Interval
    estimates: list[Estimate]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two policies on the same decisions, judged by the new one's objective.

    `out_of_reach` counts decisions in which the new one would have liked another arm best that the old one
    could not draw; `evidence` is None where no outcome can tell anything.
    """

    logged: Summary
    replayed: Summary
    agreed: int
    differing: list[str]
    out_of_reach: int
    evidence: Evidence | None


def compare(
    decisions: Iterable[Decision], outcome: Callable[[str], Collection[OutcomeKind]], policy: Policy
) -> Comparison:
    """Runs the decisions that had arms against `policy`, with the seeds they were made with.

    `outcome` has what is known by decision id. Only arms that the old policy could draw are chosen from.
    Shadows, and decisions that a rule stopped after the choice, tell nothing of reward: what is estimated is
    the reward of choices that could be carried out. The model of the estimators is the worth that the logged
    scores give.
    """
    logged, replayed, log = Summary(), Summary(), _Collected()
    agreed = out_of_reach = 0
    differing: list[str] = []
    for decision in decisions:
        done = decision.arm
        if done is None or (done.item_id and len(done.probabilities) < VALUED):
            continue
        arms = [arm for arm in decision.arms if len(arm.probabilities) >= VALUED]
        choice = policies.choose([arm for arm in arms if arm.propensity > 0], policy, decision.seed)
        would = choice.arms[choice.chosen]
        logged.add(done, policy.objective.value(done.probabilities, done.price) if done.item_id else 0.0)
        replayed.add(would, would.value)
        out_of_reach += _better_elsewhere(arms, choice, policy)
        if would.item_id == done.item_id:
            agreed += 1
        elif len(differing) < MAX_DIFFERING:
            differing.append(decision.decision_id)
        if decision.mode is Mode.LIVE and decision.verdict in _CARRIED_OUT:
            log.add(
                decision,
                choice,
                reward_of(outcome(decision.decision_id), policy.objective, done.price),
                policy,
            )
    return Comparison(
        logged=logged,
        replayed=replayed,
        agreed=agreed,
        differing=differing,
        out_of_reach=out_of_reach,
        evidence=log.evidence(),
    )


class _Collected:
    """Decisions as the arrays that estimators read: a hundred thousand of them are some 60 MB."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        self._user, self._drawn, self._owner = array("q"), array("q"), array("q")
        self._reward, self._logging, self._target, self._model = (array("d") for _ in range(4))

    def add(self, decision: Decision, choice: Choice, reward: float, policy: Policy) -> None:
        number = len(self._user)
        target = {arm.item_id: arm.propensity for arm in choice.arms}
        done = decision.arms[decision.chosen].item_id
        arms = {arm.item_id: arm for arm in decision.arms if arm.propensity > 0 or arm.item_id == done}
        place = len(self._owner)
        for item_id in dict.fromkeys([*arms, *target]):
            arm = arms.get(item_id)
            if item_id == done:
                place = len(self._owner)
            known = arm is not None and len(arm.probabilities) >= VALUED
            self._owner.append(number)
            self._logging.append(arm.propensity if arm else 0.0)
            self._target.append(target.get(item_id, 0.0))
            # As outcomes count: all purchases after a push, those made anyway too.
            worth = policy.objective.value(arm.probabilities[:VALUED], arm.price) if arm and known else 0.0
            self._model.append(worth)
        self._user.append(self._users.setdefault(decision.user_id, len(self._users)))
        self._drawn.append(place)
        self._reward.append(reward)

    def evidence(self) -> Evidence | None:
        # Users in the order of their names: the same log gives the same intervals, however it was read.
        place = {name: number for number, name in enumerate(sorted(self._users))}
        numbers = np.array([place[name] for name in self._users], np.int64)
        log = Log(
            user=numbers[np.array(self._user)],
            reward=np.array(self._reward),
            drawn=np.array(self._drawn),
            owner=np.array(self._owner),
            logging=np.array(self._logging),
            target=np.array(self._target),
            model=np.array(self._model),
        )
        try:
            found = off_policy.evaluate(log)
        except ValueError:  # no decision can be used
            return None
        return Evidence(
            decisions=found.decisions,
            users=found.users,
            rewarded=found.rewarded,
            effective=found.effective,
            overlap=found.overlap,
            left_out=dict(found.left_out),
            earned=found.logged,
            estimates=[Estimate(name.value, found.values[name], found.gains[name]) for name in found.values],
        )


def _better_elsewhere(arms: Iterable[Arm], choice: Choice, policy: Policy) -> bool:
    """Whether an arm that could not be drawn is worth more than the best that could."""
    best = max(policy.objective.min_value, choice.arms[0].value)
    return any(
        arm.propensity <= 0 and policy.objective.value(arm.probabilities, arm.price) > best for arm in arms
    )


def weighed(decision: Decision) -> Decision:
    """As much of a decision as `compare` reads: a hundred thousand whole ones would not fit into memory."""
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
            for arm in decision.arms
        ],
        chosen=decision.chosen,
    )


def reward_of(kinds: Collection[OutcomeKind], objective: Objective, price: float) -> float:
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
