"""Intervals by bootstrap over clusters (users): for everything that is a smooth function of sums over rows.

What one user does hangs together, so whole users are drawn again, not rows. A draw needs the sums of each
user only, and all draws together are one product of matrices. By the same sums each draw has its standard
error, so that the interval can be studentised (Efron & Tibshirani 1993, section 12.5): with rare rewards and
large weights the distribution is skewed, and percentiles then lie too low.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]
# Sums [..., F] to values [...] and their gradients by the sums [..., F].
Function = Callable[[Floats], tuple[Floats, Floats]]

REPLICATES = 1_000
_CHUNK_CELLS = 4_000_000
_MOST_LOST = 0.05
_ROUNDING = 1e-12


class Interval(NamedTuple):
    """A value, the ends of its interval (infinite where nothing can be said) and its standard error."""

    value: float
    low: float
    high: float
    error: float


class Clusters:
    """Rows in clusters, and `replicates` draws of as many clusters with replacement.

    `cluster` [n] numbers the cluster of each row (any integers), `columns` [n, F] are what is summed, finite.
    Raises ValueError where they do not fit together. The same `seed` draws the same.
    """

    def __init__(
        self, cluster: Ints, columns: Floats, *, replicates: int = REPLICATES, seed: int = 0
    ) -> None:
        if columns.ndim != 2 or cluster.shape != columns.shape[:1]:
            raise ValueError(f"columns: {columns.shape} does not go with clusters {cluster.shape}")
        if not np.isfinite(columns).all():
            raise ValueError("columns: not all finite")
        _, place = np.unique(cluster, return_inverse=True)
        self.count = int(place.max(initial=-1)) + 1
        fields = columns.shape[1]
        sums = np.stack([np.bincount(place, column, self.count) for column in columns.T], axis=1)
        first, second = np.triu_indices(fields)
        wide = np.concatenate([sums, sums[:, first] * sums[:, second]], axis=1)
        drawn = _drawn(wide, replicates, np.random.default_rng(seed))

        def moments(totals: Floats) -> Floats:
            square = np.empty((len(totals), fields, fields))
            square[:, first, second] = square[:, second, first] = totals[:, fields:]
            return square

        whole = wide.sum(axis=0)[None]
        self._totals, self._moments = whole[:, :fields], moments(whole)
        self._drawn, self._drawn_moments = drawn[:, :fields], moments(drawn)

    def studentised(self, function: Function, level: float = 0.95) -> Interval:
        """The function of the sums with its bootstrap-t interval, meant to hold the truth with chance
        `level`.
        """
        value, error = _with_error(function, self._totals, self._moments)
        values, errors = _with_error(function, self._drawn, self._drawn_moments)
        with np.errstate(divide="ignore", invalid="ignore"):
            still = np.where(np.isclose(values, value, rtol=1e-9, atol=0.0), 0.0, np.nan)
            tee = np.where(errors > 0, (values - value) / errors, still)
            low, high = _quantiles(tee, level)
            return self._interval(value[0], error[0], value[0] - high * error[0], value[0] - low * error[0])

    def percentile(self, function: Function, level: float = 0.95) -> Interval:
        """The same with the interval between percentiles of the draws: shorter, and covers less often."""
        value, error = _with_error(function, self._totals, self._moments)
        low, high = _quantiles(_with_error(function, self._drawn, self._drawn_moments)[0], level)
        return self._interval(value[0], error[0], low, high)

    def _interval(self, value: float, error: float, low: float, high: float) -> Interval:
        if self.count < 2 or not np.isfinite([value, low, high]).all():
            low, high = -np.inf, np.inf
        return Interval(float(value), float(low), float(high), float(error))


def _drawn(rows: Floats, replicates: int, rng: np.random.Generator) -> Floats:
    """Sums [replicates, W] over as many rows of [U, W] as there are, drawn with replacement."""
    count = len(rows)
    found = np.empty((replicates, rows.shape[1]))
    if not count:
        return np.zeros_like(found)
    step = max(1, _CHUNK_CELLS // count)
    for start in range(0, replicates, step):
        part = min(step, replicates - start)
        picks = rng.integers(0, count, (part, count))
        picks += np.arange(part)[:, None] * count
        times = np.bincount(picks.ravel(), minlength=part * count).reshape(part, count)
        found[start : start + part] = times.astype(np.float64) @ rows
    return found


def _with_error(function: Function, totals: Floats, moments: Floats) -> tuple[Floats, Floats]:
    """Values [B] and their standard errors by linearisation: each cluster moves the value by its gradient."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values, gradient = function(totals)
        variance = np.einsum("bi,bij,bj->b", gradient, moments, gradient)
        size = np.einsum("bi,bij,bj->b", np.abs(gradient), np.abs(moments), np.abs(gradient))
        # What rounding leaves of a variance of nothing is not a spread.
        variance = np.where(variance <= _ROUNDING * size, 0.0, variance)
    return values, np.sqrt(variance)


def _quantiles(values: Floats, level: float) -> tuple[float, float]:
    """The two ends; infinite where too many draws came to nothing."""
    told = values[np.isfinite(values)]
    if len(told) < (1 - _MOST_LOST) * len(values) or not len(told):
        return -np.inf, np.inf
    low, high = np.quantile(told, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
