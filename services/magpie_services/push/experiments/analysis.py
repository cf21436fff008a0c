"""What an experiment has shown so far: arms against the control, by tests that may be looked at all the time.
Pure.

A user counts from their first decision in the experiment that reached a choice, by what they do within a
window of days, once that window is over: so every user counts once, and alike. Values are put right by what
the user did before (CUPED). A p-value is the least of all looks: it does not come back.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core import sequential
from magpie_services.core.memory import DAY_MS
from magpie_services.core.sequential import Difference
from magpie_services.push.experiments.declared import HARMS, Experiment, Metric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOOKS = 40
ALPHA = 0.05
MISMATCH = 0.001


class Users(NamedTuple):
    """Users of an experiment, arrays [n]: the index of their arm, when they came in (ms), what
    they bought and looked at in the weeks before ([n, 2]); of each metric what they did within the window,
    and of harms within the days that guardrails look at. `crossed` counts users who were seen in two arms;
    they count in the first.
    """

    arm: Ints
    entered_ms: Ints
    before: Floats
    values: dict[Metric, Floats]
    crossed: int = 0


class Verdict(StrEnum):
    """What an experiment has come to."""

    TOO_EARLY = "too_early"
    UNDECIDED = "undecided"
    BETTER = "better"
    WORSE = "worse"
    HARMFUL = "harmful"
    INVALID = "invalid"


class Look(msgspec.Struct, frozen=True):
    """The difference as it stood at a time."""

    at_ms: int
    difference: Difference


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one arm against the control, a user; `looks` end with now. `p` is the least of all looks,
    `explained` the share of the variance that the weeks before took away."""

    arm: str
    metric: Metric
    control: float
    treatment: float
    looks: list[Look]
    p: float
    explained: float

    @property
    def now(self) -> Difference:
        """The difference as it stands."""
        return self.looks[-1].difference


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """All readings, the users and those whose window is over by arm, and what it comes to. `mismatch` is the
    p-value of the arms' sizes against their weights."""

    experiment_id: str
    at_ms: int
    arms: list[str]
    users: list[int]
    whole: list[int]
    crossed: int
    mismatch: float
    readings: list[Reading]
    verdict: Verdict
    lines: list[str]


def analyse(experiment: Experiment, users: Users, now_ms: int) -> Analysis:
    """The state of the experiment at that time."""
    count = len(experiment.arms)
    sizes = np.bincount(users.arm, minlength=count)
    mismatch = sequential.mismatch(sizes.tolist(), [arm.weight for arm in experiment.arms])
    readings = [
        _reading(experiment, users, number, metric, now_ms)
        for number in range(1, count)
        for metric in dict.fromkeys([experiment.metric, *experiment.guardrails, *Metric])
    ]
    over = users.entered_ms + window_ms(experiment, Metric.PURCHASES) <= now_ms
    verdict, lines = _verdict(experiment, readings, mismatch, sizes.tolist())
    return Analysis(
        experiment_id=experiment.experiment_id,
        at_ms=now_ms,
        arms=[arm.name for arm in experiment.arms],
        users=sizes.tolist(),
        whole=np.bincount(users.arm[over], minlength=count).tolist(),
        crossed=users.crossed,
        mismatch=mismatch,
        readings=readings,
        verdict=verdict,
        lines=lines,
    )


def guard_days(experiment: Experiment) -> float:
    """Harm is looked at after a day: it cannot wait for the window."""
    return min(1.0, experiment.window_days)


def window_ms(experiment: Experiment, metric: Metric) -> int:
    """How long what a user does counts for a metric, from when they came in."""
    return int((guard_days(experiment) if metric in HARMS else experiment.window_days) * DAY_MS)


def _reading(experiment: Experiment, users: Users, number: int, metric: Metric, now_ms: int) -> Reading:
    ours = (users.arm == number) | (users.arm == 0)
    over_ms = users.entered_ms[ours] + window_ms(experiment, metric)
    order = np.argsort(over_ms, kind="stable")
    order = order[over_ms[order] <= now_ms]
    over_ms, values = over_ms[order], users.values[metric][ours][order]
    before, treated = users.before[ours][order], (users.arm[ours] == number)[order]
    # Bonferroni over the arms that are compared with the control.
    alpha = ALPHA / (len(experiment.arms) - 1)
    looks, explained, least = list[Look](), 0.0, 1.0
    for at_ms in _moments(over_ms, now_ms):
        seen = int(np.searchsorted(over_ms, at_ms, side="right"))
        put_right, explained = sequential.adjusted(values[:seen], before[:seen])
        found = sequential.difference(
            put_right[~treated[:seen]],
            put_right[treated[:seen]],
            planned=experiment.planned_users,
            alpha=alpha,
        )
        looks.append(Look(at_ms, found))
        hit = values[:seen] > 0
        least = min(least, _p_of_harm(experiment, number, hit & ~treated[:seen], hit & treated[:seen]))
    p = least if metric in HARMS else min(look.difference.p for look in looks)
    return Reading(
        arm=experiment.arms[number].name,
        metric=metric,
        control=float(values[~treated].mean()) if (~treated).any() else 0.0,
        treatment=float(values[treated].mean()) if treated.any() else 0.0,
        looks=looks,
        p=min(1.0, p * (len(experiment.arms) - 1)),
        explained=explained,
    )


def _p_of_harm(
    experiment: Experiment, number: int, control: NDArray[np.bool_], treatment: NDArray[np.bool_]
) -> float:
    """Harm is rare and must not wait until means are normal: of the users it came to, as many should be of
    each arm as its weight says.
    """
    counts, weights = (int(control.sum()), int(treatment.sum())), experiment.arms
    return sequential.mismatch(counts, (weights[0].weight, weights[number].weight), strength=2.0)


def _moments(over_ms: Ints, now_ms: int) -> list[int]:
    """When to look: evenly from the first window that was over until now, and now."""
    if not len(over_ms):
        return [now_ms]
    return [int(at) for at in np.linspace(int(over_ms[0]), now_ms, LOOKS)]


def _verdict(
    experiment: Experiment, readings: list[Reading], mismatch: float, sizes: list[int]
) -> tuple[Verdict, list[str]]:
    """The gravest that holds, and why, in lines fit for a person."""
    if mismatch <= MISMATCH:
        shares = ", ".join(f"{arm.name} {size:,}" for arm, size in zip(experiment.arms, sizes, strict=True))
        return Verdict.INVALID, [
            f"The arms do not have the users that their weights ask for ({shares}; p = {mismatch:.2g}):"
            " something loses users of one arm, and no comparison can be trusted."
        ]
    lines, found = [], []
    for one in readings:
        # The guardrails share the chance of a false alarm.
        sure = one.p * len(experiment.guardrails) <= ALPHA
        if one.metric in experiment.guardrails and sure and one.now.value > 0:
            found.append(Verdict.HARMFUL)
            lines.append(f"Stop: {one.arm} makes more {_words(one)}.")
    for one in readings:
        if one.metric is not experiment.metric:
            continue
        better = one.now.value > 0 if experiment.metric not in HARMS else one.now.value < 0
        if one.p <= ALPHA:
            found.append(Verdict.BETTER if better else Verdict.WORSE)
            lines.append(f"{one.arm} is {'better' if better else 'worse'}: {_words(one)}.")
        elif np.isfinite(one.now.low):
            found.append(Verdict.UNDECIDED)
            lines.append(f"{one.arm} cannot be told from the control yet: {_words(one)}.")
        else:
            found.append(Verdict.TOO_EARLY)
            lines.append(
                f"{one.arm}: too few users whose {experiment.window_days:g} days are over, or too rare."
            )
    ranks = (Verdict.HARMFUL, Verdict.BETTER, Verdict.WORSE, Verdict.UNDECIDED, Verdict.TOO_EARLY)
    return min(found, key=ranks.index), lines


def _words(one: Reading) -> str:
    """The metric with its figures, a thousand users."""
    name = one.metric.value.replace("_", "-")
    value, low, high = (f"{1000 * figure:+.3g}" for figure in one.now[:3])
    return f"{name} {value} per 1,000 users (95 % of the time {low} to {high}; p = {one.p:.2g})"
