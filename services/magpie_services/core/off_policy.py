"""What another policy would have earned, from the log of the one that decided: values with intervals. Pure.

With w = target / logging of the arm that was drawn, r its reward, q its modelled worth, and v the worth of
the target by the model (sum over arms of target x model), means over decisions of:

    IPS        w r                                     Horvitz & Thompson 1952
    SNIPS      sum of w r / sum of w                   Swaminathan & Joachims 2015
    DR         v + w (r - q)                           Dudik, Langford & Li 2011
    SNDR       v + sum of w (r - q) / sum of w
    Switch-DR  v + w (r - q) where w <= tau, else v    Wang, Agarwal & Dudik 2017
    DM         v                                       as good as the model

The first four are right on average where the target does only what was possible, whatever the model;
Switch-DR gives that up beyond tau, for which its interval is wider by a bound. The value is that of decisions
in the states that were logged: what another policy would have made of later states is not in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from magpie_services.core.clustered import REPLICATES, Clusters, Floats, Function, Interval
from magpie_services.core.off_policy_log import Arms, Bools, Log, Rows, usable

TAUS = 24
LEAST_REWARDED = 20


class Estimator(StrEnum):
    """The estimators, the least trusting of the model first."""

    IPS = "ips"
    SNIPS = "snips"
    DR = "dr"
    SNDR = "sndr"
    SWITCH_DR = "switch_dr"
    DM = "dm"


@dataclass(frozen=True)
class Evaluation:
    """What the log tells of the target policy, a decision.

    `logged` is what was earned, `values` what the target would have earned, `gains` the difference of the
    two. `effective` is the effective number of decisions behind the weights (Kish: squared sum over sum of
    squares). `unsupported` is the share of what the target does that was not possible in the log: worthless
    to IPS, left out by SNIPS, believed to be as modelled by the others. `rewarded` is how many decisions that
    the target might have made earned or cost anything. `overlap` is the share of decisions on which both do
    the same, as far as they can (mean sum of the lesser chances). `left_out` counts what could not be used,
    by reason. Weights above `tau` are not used by Switch-DR, which may for that be off by `bias`.
    """

    decisions: int
    users: int
    left_out: Mapping[str, int]
    logged: Interval
    values: Mapping[Estimator, Interval]
    gains: Mapping[Estimator, Interval]
    effective: float
    unsupported: float
    rewarded: int
    overlap: float
    tau: float
    bias: float


def evaluate(
    log: Log,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    ends: Callable[[Clusters, Function], Interval] = Clusters.studentised,
) -> Evaluation:
    """Judges the target of a log with intervals of 95 %, by user. Raises ValueError without a usable
    decision.

    What makes decisions unusable is said at `off_policy_log.usable`; `ends` makes the intervals.
    """
    rows, arms, left_out = usable(log)
    decisions = len(rows.user)
    if not decisions:
        raise ValueError(f"user: no decision can be used: {left_out or 'the log is empty'}")
    cut = _cut(rows, arms)
    weight = rows.weight
    columns = np.stack(
        [
            np.ones(decisions),
            weight,
            rows.reward,
            weight * rows.reward,
            rows.direct,
            weight * rows.residual,
            np.where(weight <= cut.tau, weight * rows.residual, 0.0),
        ],
        axis=1,
    )
    clusters = Clusters(rows.user, columns, replicates=replicates, seed=seed)

    def interval(name: Estimator, function: Function) -> Interval:
        value, low, high, error = ends(clusters, function)
        bias = cut.bias if name is Estimator.SWITCH_DR else 0.0
        return Interval(value, low - bias, high + bias, error)

    squares = float((weight**2).sum())
    return Evaluation(
        decisions=decisions,
        users=clusters.count,
        left_out=left_out,
        logged=ends(clusters, _MEAN_REWARD),
        values={name: interval(name, function) for name, function in FUNCTIONS.items()},
        gains={name: interval(name, _less(function, _MEAN_REWARD)) for name, function in FUNCTIONS.items()},
        effective=float(weight.sum()) ** 2 / squares if squares else 0.0,
        unsupported=float(arms.target[arms.logging <= 0].sum()) / decisions,
        rewarded=int(((rows.reward != 0) & (weight > 0)).sum()),
        overlap=float(np.minimum(arms.target, arms.logging).sum()) / decisions,
        tau=cut.tau,
        bias=cut.bias,
    )


class _Cut(NamedTuple):
    """Where Switch-DR stops trusting weights, and how far off its value may be for that."""

    tau: float
    bias: float


def _cut(rows: Rows, arms: Arms) -> _Cut:
    """The tau of least expected variance + squared bound of the bias, among quantiles of the weights.

    The variance is what the model makes one expect, residuals squared being to worth as they are over the
    whole log: of few large weights the sample's own is nothing until the first of them is rewarded, and would
    then call for trust where there is least reason.

    Beyond tau the model is believed, so the bias is its error on what the target does there. The paper bounds
    that by the largest reward, which with rare rewards never switches. Here the bound is relative: how far,
    by the log, rewards may be (two standard errors) from the model on the arms that were drawn as rarely. It
    holds as far as the model errs on what the target picks of them no more than on all of them.
    """
    count = len(rows.weight)
    taus = np.unique(np.quantile(rows.weight, np.linspace(0, 1, TAUS), method="higher"))
    worth = arms.target * np.abs(arms.model)
    step = np.searchsorted(taus, arms.ratio)
    foretold = float(np.abs(rows.reward - rows.residual).sum())
    scatter = float((rows.residual**2).sum()) / foretold if foretold else 0.0
    squares = np.bincount(step, worth * np.where(np.isfinite(arms.ratio), arms.ratio, 0.0), len(taus) + 1)
    within = scatter * squares.cumsum()[:-1] / count
    beyond = np.bincount(step, worth, len(taus) + 1)[::-1].cumsum()[::-1][1:] / count
    cuts = []
    for tau, weighed, believed in zip(taus.tolist(), within.tolist(), beyond.tolist(), strict=True):
        bias = believed * _model_error(rows, rows.logging * tau < 1) if believed else 0.0
        cuts.append((weighed / count + bias**2, -tau, bias))
    _, tau, bias = min(cuts)
    return _Cut(-tau, bias)


def _model_error(rows: Rows, some: Bools) -> float:
    """Upper bound of the model's relative error over some rows; infinite where they do not tell."""
    reward, model = rows.reward[some], rows.reward[some] - rows.residual[some]
    foretold = float(model.sum())
    if foretold <= 0 or np.count_nonzero(reward) < LEAST_REWARDED:
        return float("inf")
    ratio = float(reward.sum()) / foretold
    return abs(ratio - 1) + 2 * float(np.sqrt(((reward - ratio * model) ** 2).sum())) / foretold


# The columns that are summed, and ratios of their sums.
_ONE, _WEIGHT, _REWARD, _WEIGHTED, _DIRECT, _CORRECTION, _SWITCHED = range(7)


def _ratios(*pairs: tuple[int, int]) -> Function:
    """Ratios of sums added up, with the gradient."""

    def function(sums: Floats) -> tuple[Floats, Floats]:
        value, gradient = np.zeros(sums.shape[:-1]), np.zeros_like(sums)
        for over, under in pairs:
            ratio = sums[..., over] / sums[..., under]
            value += ratio
            gradient[..., over] += 1.0 / sums[..., under]
            gradient[..., under] -= ratio / sums[..., under]
        return value, gradient

    return function


def _less(function: Function, other: Function) -> Function:
    """One function less another."""

    def difference(sums: Floats) -> tuple[Floats, Floats]:
        (value, gradient), (second, slope) = function(sums), other(sums)
        return value - second, gradient - slope

    return difference


_MEAN_REWARD = _ratios((_REWARD, _ONE))
FUNCTIONS: Mapping[Estimator, Function] = {
    Estimator.IPS: _ratios((_WEIGHTED, _ONE)),
    Estimator.SNIPS: _ratios((_WEIGHTED, _WEIGHT)),
    Estimator.DR: _ratios((_DIRECT, _ONE), (_CORRECTION, _ONE)),
    Estimator.SNDR: _ratios((_DIRECT, _ONE), (_CORRECTION, _WEIGHT)),
    Estimator.SWITCH_DR: _ratios((_DIRECT, _ONE), (_SWITCHED, _ONE)),
    Estimator.DM: _ratios((_DIRECT, _ONE)),
}
