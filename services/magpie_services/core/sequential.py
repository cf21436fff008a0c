"""Tests that may be looked at as often as one likes: differences of means, and shares of users. Pure.

The difference of two means D with variance V has the mixture likelihood ratio (Robbins 1970; for experiments
Johari, Pekelis & Walsh 2015), with a normal prior of variance T on the true difference

    L = sqrt(V / (V + T)) exp(T D^2 / (2 V (V + T))).

Where there is no difference, L ever reaches 1 / alpha with chance alpha at most (Ville), however often one
looks: 1 / L is an always-valid p-value, and the differences that L would not reject are a confidence
sequence. For means of what is not normal this holds in the limit of many users (Waudby-Smith et al. 2024,
time-uniform central limit theory), so that nothing is said before there are some.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_USERS = 100  # of each arm
LEAST_VARIED = 30  # users of both arms whose value is not the commonest


class Difference(NamedTuple):
    """Treatment less control: its value, a confidence sequence at this look, and an always-valid p-value.

    Ends are infinite, and p is 1, where there are too few users to say.
    """

    value: float
    low: float
    high: float
    p: float


def difference(control: Floats, treatment: Floats, *, planned: int, alpha: float = 0.05) -> Difference:
    """The difference of means of users' values, arrays [n] and [m].

    `planned` is how many users of an arm the experiment was made for: the sequence is about narrowest there,
    and valid anywhere. It must not be chosen by the data.
    """
    if not (len(control) and len(treatment)):
        return Difference(0.0, -math.inf, math.inf, 1.0)
    value = float(treatment.mean() - control.mean())
    both = np.concatenate([control, treatment])
    _, counts = np.unique(both, return_counts=True)
    few = min(len(control), len(treatment)) < LEAST_USERS
    if few or len(both) - int(counts.max()) < LEAST_VARIED:
        return Difference(value, -math.inf, math.inf, 1.0)
    spread = float(control.var(ddof=1)), float(treatment.var(ddof=1))
    variance = spread[0] / len(control) + spread[1] / len(treatment)
    # The prior's variance with which it is narrowest at the planned size (Howard et al. 2021, section 3.5).
    log = -2.0 * math.log(alpha)
    prior = (spread[0] + spread[1]) / planned * (log + math.log(log + 1.0))
    whole = variance + prior
    ratio = 0.5 * math.log(variance / whole) + prior * value**2 / (2.0 * variance * whole)
    half = math.sqrt(2.0 * variance * whole / prior * (0.5 * math.log(whole / variance) - math.log(alpha)))
    return Difference(value, value - half, value + half, math.exp(-max(ratio, 0.0)))


def mismatch(counts: Sequence[int], weights: Sequence[float], strength: float = 100.0) -> float:
    """Always-valid p-value of users' counts against the arms' weights: small where they do not fit.

    The ratio of a Dirichlet mixture of multinomials to the multinomial of the weights (Lindon & Malek 2022),
    exact for any count. `strength` is how near to the weights a misfit is looked for: as by as many users.
    """
    whole = sum(weights)
    shares = [weight / whole for weight in weights if weight > 0]
    known = [count for count, weight in zip(counts, weights, strict=True) if weight > 0]
    if sum(counts) > sum(known):
        return 0.0  # somebody is in an arm that nobody should be in
    ratio = math.lgamma(strength) - math.lgamma(strength + sum(known))
    for count, share in zip(known, shares, strict=True):
        ratio += (
            math.lgamma(strength * share + count) - math.lgamma(strength * share) - count * math.log(share)
        )
    return math.exp(-max(ratio, 0.0))


def adjusted(values: Floats, before: Floats) -> tuple[Floats, float]:
    """Values [n] less what `before` [n, F], known before the experiment, foretells of them by least squares
    (CUPED: Deng et al. 2013), and by what share their variance falls.

    Both are of all arms together; the means of arms differ as before on average, with less noise.
    """
    if not len(values):
        return values, 0.0
    deviation, spread = before - before.mean(axis=0), values - values.mean()
    if not spread.any():
        return values, 0.0
    slope, *_ = np.linalg.lstsq(deviation, spread, rcond=None)
    left: Floats = values - deviation @ slope
    return left, max(0.0, 1.0 - float(left.var()) / float(values.var()))
