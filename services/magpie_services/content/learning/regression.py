"""How the weights follow from what was answered: Bayesian logistic regression with a Gaussian posterior.

The weights of a family are Gaussian around zero with one deviation, which is itself estimated (empirical
Bayes, MacKay 1992, held by `_HOLD` imaginary weights at the deviation expected): a family that explains
nothing shrinks away, so that many features cost little. The posterior is Laplace's: a Gaussian at the mode,
with the inverse of the Hessian there (Chapelle & Li, 2011).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.content.learning.features import FAMILIES, SIZE, Family, family
from magpie_services.content.learning.habit import STEP, TIRED_LEVELS

Vector = NDArray[np.float64]

BASE_RATE = 0.03
_HOLD = 8.0
_ROUNDS = 30
_CLOSE = 0.01


class Evidence(NamedTuple):
    """What became of pushes that are alike, a row a kind: codes [n, factors], trials and clicks [n]."""

    codes: NDArray[np.intp]
    trials: Vector
    clicks: Vector


class Posterior(NamedTuple):
    """Weights given the evidence: mean [SIZE], covariance [SIZE, SIZE], and the deviation of each family."""

    mean: Vector
    covariance: NDArray[np.float64]
    scales: tuple[float, ...]

    @property
    def deviation(self) -> Vector:
        """Standard deviation of each weight, [SIZE]."""
        return np.sqrt(np.diagonal(self.covariance))

    def draws(self, count: int, rng: np.random.Generator, sharpness: float = 1.0) -> NDArray[np.float32]:
        """So many draws of all weights, [count, SIZE], with deviations divided by `sharpness`."""
        root = np.linalg.cholesky(self.covariance + 1e-12 * np.eye(SIZE)) / sharpness
        return (self.mean + rng.standard_normal((count, SIZE)) @ root.T).astype(np.float32)


def prior() -> Posterior:
    """What is believed before anything was sent."""
    scales = tuple(one.deviation for one in FAMILIES)
    return Posterior(_centre(), np.diag(_variances(scales)), scales)


def fit(evidence: Evidence, start: Posterior | None = None) -> Posterior:
    """The posterior; from `start`, an earlier one, it is found sooner."""
    held = start or prior()
    columns = [one.columns(evidence.codes) for one in FAMILIES]
    # Of a feature that nothing was seen of, what is believed stays as it was.
    seen = np.flatnonzero(_spread(columns, np.ones(len(evidence.codes))))
    block = np.ix_(seen, seen)
    variances = _variances(held.scales)
    mean = _centre()
    mean[seen] = held.mean[seen]
    hessian = np.diag(1.0 / variances[seen])
    for _ in range(_ROUNDS):
        rate = _sigmoid(_total(mean, columns))
        slope = _spread(columns, evidence.clicks - evidence.trials * rate) - (mean - _centre()) / variances
        hessian = _products(columns, evidence.trials * rate * (1.0 - rate))[block]
        hessian[np.diag_indices(len(seen))] += 1.0 / variances[seen]
        step = np.linalg.solve(hessian, slope[seen])
        # The curvature is least where rates are smallest: a first step from far off is cut short.
        mean[seen] += step * min(1.0, 2.0 / max(float(np.abs(step).max(initial=0.0)), 1e-12))
        if float(np.abs(step).max(initial=0.0)) < _CLOSE:
            break
    covariance = np.diag(variances)
    inverse = np.linalg.inv(hessian)
    covariance[block] = (inverse + inverse.T) / 2.0
    # The deviations move by one step with every fit, and fits are many.
    return Posterior(mean, covariance, tuple(_scale(one, mean, covariance) for one in FAMILIES))


def _centre() -> Vector:
    centre = np.zeros(SIZE)
    centre[0] = np.log(BASE_RATE / (1.0 - BASE_RATE))
    centre[family("tired").place] = -STEP * np.arange(TIRED_LEVELS)
    return centre


def _variances(scales: tuple[float, ...]) -> Vector:
    sizes = [one.size for one in FAMILIES]
    return np.repeat(np.square(scales), sizes)


def _scale(one: Family, mean: Vector, covariance: NDArray[np.float64]) -> float:
    """The deviation of a family that its weights speak for; that of the base stays."""
    if not one.factors:
        return one.deviation
    spread = np.square((mean - _centre())[one.place]).sum() + np.diagonal(covariance)[one.place].sum()
    return float(np.sqrt((_HOLD * one.deviation**2 + spread) / (_HOLD + one.size)))


def score(weights: Vector, codes: NDArray[np.intp]) -> Vector:
    """Log-odds of a click of each row of codes [n, factors]: [n]."""
    return _total(weights, [one.columns(codes) for one in FAMILIES])


def _total(weights: Vector, columns: list[NDArray[np.intp]]) -> Vector:
    total = np.zeros(len(columns[0]))
    for one, column in zip(FAMILIES, columns, strict=True):
        total += weights[one.place][column]
    return total


def _spread(columns: list[NDArray[np.intp]], amounts: Vector) -> Vector:
    """The amounts of rows summed by feature: the transposed design matrix times them."""
    parts = [np.bincount(column, amounts, one.size) for one, column in zip(FAMILIES, columns, strict=True)]
    return np.concatenate(parts)


def _products(columns: list[NDArray[np.intp]], weights: Vector) -> NDArray[np.float64]:
    """The design matrix transposed, times the weights of rows, times itself, one block a pair of families."""
    found = np.zeros((SIZE, SIZE))
    for at, (one, mine) in enumerate(zip(FAMILIES, columns, strict=True)):
        for other, theirs in zip(FAMILIES[at:], columns[at:], strict=True):
            flat = np.bincount(mine * other.size + theirs, weights, one.size * other.size)
            block = flat.reshape(one.size, other.size)
            found[one.place, other.place] = block
            found[other.place, one.place] = block.T
    return found


def _sigmoid(score: Vector) -> Vector:
    rate: Vector = 1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0)))
    return rate
