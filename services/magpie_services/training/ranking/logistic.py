"""Logistic regression with a Gaussian prior, in which occasions may have levels of their own.

Newton's steps, each halved until it helps, with the curve that is expected, which bends nowhere up. Levels
are random intercepts, found together with the weights at their common mode (Breslow & Clayton, "Approximate
inference in generalized linear mixed models", 1993) and eliminated from each step: thousands cost little.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from magpie_services.training.metrics import sigmoid

_STEPS, _HALVINGS, _ENOUGH = 30, 12, 1e-7

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """features float32 [R, F]; label, the share of its time that each label had, and weight, [R] each."""

    features: NDArray[np.float32]
    label: Doubles
    share: Doubles
    weight: Doubles


def fit(
    rows: Rows,
    centre: Doubles,
    pull: Doubles,
    occasion: NDArray[np.int64] | None = None,
    noise: float = 0.0,
) -> Doubles:
    """The most probable weights [F], which are normal around `centre` [F] with precisions `pull` [F].

    With `occasion` [R], numbers from 0, the log-odds of all rows of an occasion are shifted by what is normal
    around 0 with standard deviation `noise`; of an occasion to come nothing is known, so that it has none.
    """
    count = 0 if occasion is None else int(occasion.max()) + 1
    place = np.zeros(len(rows.label), np.int64) if occasion is None else occasion
    inside = csr_array((np.ones(len(place)), (place, np.arange(len(place)))), (max(count, 1), len(place)))[
        :count
    ]
    hold = np.full(count, 1.0 / max(noise, 1e-6) ** 2)
    theta, levels = centre, np.zeros(count)
    chance, seen, loss = _chances(rows, theta, centre, pull, levels, place, hold)
    for _ in range(_STEPS):
        slope = rows.weight * (1 - chance) * (seen - rows.label) / (1 - seen)
        curve = rows.weight * (1 - chance) ** 2 * seen / (1 - seen)
        bent = rows.features * curve.astype(np.float32)[:, None]
        gradient = slope.astype(np.float32) @ rows.features + pull * (theta - centre)
        bend = (bent.T @ rows.features).astype(np.float64) + np.diag(pull)
        # What the levels could explain is taken out of both, and given back to them after.
        risen, stiff, shared = inside @ slope + hold * levels, inside @ curve + hold, inside @ bent
        eased = shared / stiff[:, None]
        step = np.linalg.solve(bend - eased.T @ shared, gradient - eased.T @ risen)
        shift, before = risen / stiff - eased @ step, loss
        for _ in range(_HALVINGS):
            chance, seen, loss = _chances(rows, theta - step, centre, pull, levels - shift, place, hold)
            if loss < before:
                break
            step, shift = step / 2, shift / 2
        else:
            break
        theta, levels = theta - step, levels - shift
        if before - loss < _ENOUGH * before:
            break
    return theta


def _chances(
    rows: Rows,
    theta: Doubles,
    centre: Doubles,
    pull: Doubles,
    levels: Doubles,
    place: NDArray[np.int64],
    hold: Doubles,
) -> tuple[Doubles, Doubles, float]:
    """Chances [R], those of what could be seen [R], and the loss with its penalties."""
    log_odds = rows.features @ theta.astype(np.float32)
    chance = sigmoid(log_odds + levels[place] if len(levels) else log_odds)
    seen = np.clip(chance * rows.share, 1e-9, 1 - 1e-9)
    loss = -rows.weight @ (rows.label * np.log(seen) + (1 - rows.label) * np.log1p(-seen))
    away = theta - centre
    return chance, seen, float(loss + 0.5 * pull @ (away * away) + 0.5 * hold @ (levels * levels))
