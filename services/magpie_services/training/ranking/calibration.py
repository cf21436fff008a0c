"""What a model says, made to agree with the newest rows: a rising piecewise linear curve for each head.

First Platt's slope and offset, pulled towards leaving the model as it is; then, where there are positives
enough, what is left in slices of the log-odds, as far as the slices differ by more than chance, made to rise.
Last the level of the newest day, for rates walk: a Poisson-gamma filter over days (West, Harrison & Migon,
"Dynamic generalized linear models and Bayesian forecasting", 1985), averaged over how far they may walk.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize
from scipy.special import gammaln

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.metrics import sigmoid
from magpie_services.training.ranking.rows import DAY_MS, Rows

MIN_POSITIVES = 20
#: By how much the log-odds of a rate walk in a day (standard deviations), and how likely each is beforehand.
WALKS = np.array([0.0, 0.01, 0.02, 0.04, 0.08, 0.16])
_WALK_CHANCES = np.array([2.0, 4.0, 6.0, 4.0, 2.0, 1.0]) / 19
#: By how much a day differs from its neighbours for a reason of its own, in log-odds.
DAY_NOISE = 0.03
KNOTS = 64
_SLICE_POSITIVES = 50
_MAX_SLICES = 20
_MIN_SLOPE = 0.05
# What "slope 1, offset 0" is worth: as if that many positives, spread by one unit of log-odds, had said so.
_SLOPE_STRENGTH = 100.0
_OFFSET_STRENGTH = 50.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """Evenly spaced log-odds `knots` [H, 64] and what they become, `values` [H, 64]; both rise."""

    knots: NDArray[np.float32]
    values: NDArray[np.float32]

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [..., H] of logits [..., H]; beyond the last knot the distance to it stays."""
        found = np.empty(logits.shape)
        for head in range(len(HEADS)):
            knots, values = self.knots[head], self.values[head]
            found[..., head] = _along(logits[..., head].astype(np.float64), knots, values)
        return sigmoid(found).astype(np.float32)


def fit(logits: NDArray[np.float32], rows: Rows) -> Curves:
    """The curves for logits [R, H]; a head with fewer than 20 positives is left as it is."""
    knots = np.tile(np.linspace(-10.0, 5.0, KNOTS), (len(HEADS), 1))
    values = knots.copy()
    for head in range(len(HEADS)):
        found = _asked(logits, rows, head)
        if found is not None:
            low, high = np.quantile(found.logit, [0.0005, 0.9995])
            middle, half = (low + high) / 2, max((high - low) / 2, 0.5)
            knots[head] = np.linspace(middle - half, middle + half, KNOTS)
            values[head] = _curve(found, knots[head])
            values[head] += _level(found, _along(found.logit, knots[head], values[head]))
    return Curves(knots.astype(np.float32), values.astype(np.float32))


def platt(logits: NDArray[np.float32], rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and offset float32 [H] alone, for a model that must stay a logistic regression."""
    slope, offset = np.ones(len(HEADS), np.float32), np.zeros(len(HEADS), np.float32)
    for head in range(len(HEADS)):
        found = _asked(logits, rows, head)
        if found is not None:
            slope[head], offset[head] = _platt(found)
            offset[head] += _level(found, slope[head] * found.logit + offset[head])
    return slope, offset


@dataclass(frozen=True)
class _Asked:
    """What one head is calibrated on: log-odds, labels, weights (their sum is what the rows are worth),
    shares and days before the newest row, each [R].
    """

    logit: Floats
    label: Floats
    weight: Floats
    share: Floats
    age: NDArray[np.int64]


def _asked(logits: NDArray[np.float32], rows: Rows, head: int) -> _Asked | None:
    """The rows of a head; None where they have too few positives."""
    used = np.flatnonzero(rows.known[:, head] > 0)
    label = rows.labels[used, head].astype(np.float64)
    if label.sum() < MIN_POSITIVES or label.all():
        return None
    weight = rows.weights[used].astype(np.float64)
    decided_ms = rows.decided_ms[used]
    return _Asked(
        logits[used, head].astype(np.float64),
        label,
        weight * weight.sum() / (weight @ weight),
        rows.shares[used, head].astype(np.float64),
        (decided_ms.max() - decided_ms) // DAY_MS,
    )


def _platt(asked: _Asked) -> tuple[float, float]:
    """Around the log-odds of the positives, so that slope and offset do not speak for each other."""
    centre = float(np.average(asked.logit, weights=asked.weight * asked.label + 1e-9))

    def objective(theta: Floats) -> float:
        chance = sigmoid(asked.logit + (theta[0] - 1.0) * (asked.logit - centre) + theta[1])
        seen = np.clip(chance * asked.share, 1e-9, 1 - 1e-9)
        loss = -asked.weight @ (asked.label * np.log(seen) + (1 - asked.label) * np.log1p(-seen))
        pull = _SLOPE_STRENGTH * (theta[0] - 1) ** 2 + _OFFSET_STRENGTH * theta[1] ** 2
        return float(loss + 0.5 * pull)

    found = minimize(objective, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.3, 3.0), (-5.0, 5.0)]).x
    return float(found[0]), float(found[1] + (1.0 - found[0]) * centre)


def _curve(asked: _Asked, knots: Floats) -> Floats:
    """What the knots [64] become."""
    slope, offset = _platt(asked)
    straight = slope * knots + offset
    logit = slope * asked.logit + offset
    expected = asked.weight * asked.share * sigmoid(logit)
    slices = min(int(asked.weight @ asked.label) // _SLICE_POSITIVES, _MAX_SLICES)
    if slices < 2:
        return straight
    order = np.argsort(logit, kind="stable")
    total = np.cumsum(expected[order])
    place = np.minimum((slices * total / total[-1]).astype(np.int64), slices - 1)
    weight, positives, foreseen = (
        np.bincount(place, values[order], slices) + 1e-9
        for values in (asked.weight * asked.share, asked.weight * asked.label, expected)
    )
    left = np.log((positives + 0.5) / (foreseen + 0.5))
    noise = 1.0 / (foreseen + 0.5)
    # Of the differences between slices, the part that chance does not explain.
    real = max(float(np.mean(left**2 - noise)), 0.0)
    rate = np.clip(foreseen / weight, 1e-9, 1 - 1e-9)
    middle = np.log(rate / (1 - rate))
    risen = isotonic_regression(middle + left * real / (real + noise), weights=foreseen).x
    value = straight + np.interp(straight, middle, risen - middle)
    # Rising everywhere: of two candidates that differ, none may look the same.
    return np.asarray(np.maximum.accumulate(value - _MIN_SLOPE * knots) + _MIN_SLOPE * knots)


def _level(asked: _Asked, logit: Floats) -> float:
    """What to add to calibrated log-odds [R], for the day after the newest.

    Day by day, what was believed is known less well the further rates walk; then the day's positives are
    counted against those expected. The better a walk foretold each next day, the more it is believed; with
    few positives none is refuted.
    """
    days = int(asked.age.max()) + 1
    expected = np.bincount(asked.age, asked.weight * asked.share * sigmoid(logit), days)[::-1]
    positives = np.bincount(asked.age, asked.weight * asked.label, days)[::-1]
    credit = 1.0 / (1.0 + DAY_NOISE**2 * expected)
    count = rate = np.full(len(WALKS), _OFFSET_STRENGTH)
    evidence = np.log(_WALK_CHANCES)
    for of, found in zip(expected * credit, positives * credit, strict=True):
        left = 1.0 / (1.0 + WALKS**2 * count)
        count, rate = left * count, left * rate
        if of <= 0:
            continue
        evidence += gammaln(count + found) - gammaln(count)
        evidence += count * np.log(rate / (rate + of)) + found * np.log(of / (rate + of))
        count, rate = count + found, rate + of
    belief = np.exp(evidence - evidence.max())
    return float(belief @ np.log(count / rate) / belief.sum())


def _along(logit: Floats, knots: NDArray[np.floating], values: NDArray[np.floating]) -> Floats:
    """What log-odds become; beyond the last knot the distance to it stays."""
    inside = np.clip(logit, knots[0], knots[-1])
    return np.asarray(np.interp(inside, knots, values) + (logit - inside))
