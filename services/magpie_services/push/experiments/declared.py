"""Experiments on policies: which users are in which, what each arm changes, and what was stopped. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from magpie_services.core import experiments as assignment
from magpie_services.core.experiments import Assignment, Place, Variant
from magpie_services.kit.errors import Invalid
from magpie_services.push.policy import Policy

_OBJECTIVE = ("click", "purchase", "dismiss", "unsubscribe", "min_value", "margin")


class Metric(StrEnum):
    """What a user is counted by, from their first decision of the experiment on, for its window.

    Purchases are all that the user makes, pushed or not: what a push only moved is no gain.
    """

    PURCHASES = "purchases"
    CLICKS = "clicks"
    OPT_OUTS = "opt_outs"
    DISMISSALS = "dismissals"
    PUSHES = "pushes"


#: More of these is worse.
HARMS = (Metric.OPT_OUTS, Metric.DISMISSALS)


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an arm changes in the policy of the request; None leaves it as it is."""

    click: float | None = None
    purchase: float | None = None
    dismiss: float | None = None
    unsubscribe: float | None = None
    min_value: float | None = None
    margin: float | None = None
    exploration: float | None = None
    no_send_share: float | None = None
    candidate_limit: int | None = None
    strategy: str | None = None

    def applied(self, policy: Policy) -> Policy:
        """The policy with the changes."""
        given = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        worth = {name: given.pop(name) for name in _OBJECTIVE if name in given}
        objective = msgspec.structs.replace(policy.objective, **worth)
        return msgspec.structs.replace(policy, objective=objective, **given)


class Arm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One arm: its name, its weight among the arms, what it changes."""

    name: str
    weight: float = 1.0
    policy: Changes = Changes()


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Users on [first, first + share) of a layer, from `start_ms` to `end_ms` (0: open), in arms; the first
    arm is the control. `planned_users` is how many users an arm is meant to get: the test is sharpest there.
    """

    experiment_id: str
    arms: tuple[Arm, ...]
    layer: str = "default"
    first: float = 0.0
    share: float = 1.0
    start_ms: int = 0
    end_ms: int = 0
    metric: Metric = Metric.PURCHASES
    guardrails: tuple[Metric, ...] = HARMS
    window_days: float = 7.0
    planned_users: int = 10_000

    @property
    def place(self) -> Place:
        """Where it stands in its layer."""
        return Place(self.layer, self.first, self.share)

    @property
    def variants(self) -> list[Variant]:
        """The arms as assignment knows them."""
        return [Variant(name=arm.name, weight=arm.weight) for arm in self.arms]

    def running(self, now_ms: int) -> bool:
        """Whether users are assigned at that time."""
        return self.start_ms <= now_ms and (not self.end_ms or now_ms < self.end_ms)


class Experiments:
    """All experiments, by id in `known`. Ids in `stopped` assign nobody: their users are decided about as if
    there were no experiment.
    """

    def __init__(
        self, known: Sequence[Experiment] = (), held_out: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`held_out` says who is in the global holdout, beneath all layers. Raises Invalid."""
        self.known = {experiment.experiment_id: experiment for experiment in known}
        self.stopped: frozenset[str] = frozenset()
        self._held_out = held_out
        if len(self.known) < len(known):
            raise Invalid("experiment.id", "is there twice")
        clash = assignment.overlapping(experiment.place for experiment in known)
        if clash:
            raise Invalid(
                "experiment.first", f"two experiments of layer {clash[0].layer} share users: {clash}"
            )
        for experiment in known:
            _check(experiment)

    def assigned(self, user_id: str, now_ms: int) -> tuple[Assignment, ...]:
        """The arms that a user is in at that time."""
        running = [
            one
            for one in self.known.values()
            if one.experiment_id not in self.stopped and one.running(now_ms) and one.place.holds(user_id)
        ]
        if not running or self._held_out(user_id):
            return ()
        return tuple(
            Assignment(
                experiment_id=one.experiment_id,
                arm=assignment.arm_of(one.experiment_id, one.variants, user_id).name,
            )
            for one in running
        )

    def policy(self, policy: Policy, assignments: Sequence[Assignment]) -> Policy:
        """The policy of a user in these arms. Where two layers change the same thing, the later one holds."""
        for one in assignments:
            arms = {arm.name: arm for arm in self.known[one.experiment_id].arms}
            policy = arms[one.arm].policy.applied(policy)
        # Arms of two layers may each be sound and together ask for more than all.
        even = min(policy.exploration, 1.0 - policy.no_send_share)
        return msgspec.structs.replace(policy, exploration=even)


def _check(experiment: Experiment) -> None:
    name = f"experiment {experiment.experiment_id}"
    if not 0.0 <= experiment.first < experiment.first + experiment.share <= 1.0 + 1e-9:
        raise Invalid(f"{name}: share", "first and first + share must lie between 0 and 1")
    if len(experiment.arms) < 2 or len({arm.name for arm in experiment.arms}) < len(experiment.arms):
        raise Invalid(f"{name}: arm", "there must be two or more, each with a name of its own")
    if any(arm.weight < 0 for arm in experiment.arms) or experiment.arms[0].weight <= 0:
        raise Invalid(f"{name}: weight", "must not be negative, and that of the control not 0")
    if experiment.end_ms and experiment.end_ms <= experiment.start_ms:
        raise Invalid(f"{name}: end", "is not after the start")
    if experiment.window_days <= 0 or experiment.planned_users < 1:
        raise Invalid(f"{name}: planned_users", "this and window_days must be positive")
    for arm in experiment.arms:
        changes = arm.policy
        for field in ("exploration", "no_send_share", "margin"):
            share = getattr(changes, field)
            if share is not None and not 0.0 <= share <= 1.0:
                raise Invalid(f"{name}: {arm.name}.policy.{field}", "must be 0 to 1")
        if changes.candidate_limit is not None and not 1 <= changes.candidate_limit <= 500:
            raise Invalid(f"{name}: {arm.name}.policy.candidate_limit", "must be 1 to 500")
