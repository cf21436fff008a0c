"""The light ranker: logistic regression on the raw features, pulled towards weights that a person wrote down.

It is the whole model while there is nothing to learn from, the base that the deep model corrects, and what
ranking falls back to when serving is away.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import CROSS_FEATURES, HEADS, ITEM_FEATURES, USER_FEATURES
from magpie_services.training.metrics import sigmoid
from magpie_services.training.ranking.rows import DAY_MS, ORGANIC, ORGANIC_DAY, PURCHASE, PURCHASE_DAY, Rows

NAMES = USER_FEATURES + ITEM_FEATURES + CROSS_FEATURES
PRIOR_RATES = {
    "click": 0.05,
    "purchase": 0.005,
    "dismiss": 0.08,
    "unsubscribe": 0.003,
    "purchase_day": 0.0025,
    "organic_purchase": 0.005,
    "organic_purchase_day": 0.0025,
}
ALIKE = {"purchase_day": "purchase", "organic_purchase": "purchase", "organic_purchase_day": "purchase"}
PRIOR_WEIGHTS: dict[str, dict[str, float]] = {
    "click": {
        "interest": 1.5,
        "similarity": 1.0,
        "covisitation": 0.5,
        "category_interest": 0.5,
        "in_cart": 0.5,
        "item_discount": 0.5,
        "item_popularity": 0.2,
        "hour_affinity": 0.2,
        "click_rate": 2.0,
        "open_rate": 1.0,
        "dismiss_rate": -1.0,
        "sent_day": -0.3,
        "sent_week": -0.1,
        "ignored_pushes": -0.5,
    },
    "purchase": {
        "interest": 1.5,
        "similarity": 1.0,
        "covisitation": 0.5,
        "category_interest": 0.5,
        "in_cart": 1.0,
        "purchase_share": 1.0,
        "purchases_of_item": 0.5,
        "item_purchases_week": 0.4,
        "discount_fit": 0.5,
        "price_distance": -0.2,
        "returned": -0.5,
    },
    "dismiss": {"interest": -0.5, "similarity": -0.3, "dismiss_rate": 2.0, "sent_day": 0.4, "sent_week": 0.1},
    "unsubscribe": {"dismiss_rate": 1.5, "unsubscribed_before": 0.5, "sent_day": 0.4, "sent_week": 0.2},
}
# Without evidence a push adds nothing to what is bought anyway.
_PARENTS = {PURCHASE: ORGANIC, PURCHASE_DAY: ORGANIC_DAY}
_ORDER = sorted(range(len(HEADS)), key=lambda head: head in _PARENTS)  # parents first
MAX_ROWS = 200_000
# How many rows the prior is worth: per weight, and for the base rate of a head. Of what a push adds to the
# log-odds of a purchase: how many purchases.
_STRENGTH = 20.0
_RATE_ROWS = 50.0
_LIFT_STRENGTH = 10.0
# A day of the week is believed to be like another, to a thirtieth of log-odds; and of each a log has seen
# few, which differ by this much for reasons of their own, however many rows they have.
_CALENDAR_STRENGTH = 1000.0
_DAY_NOISE = 0.05
CALENDAR = [NAMES.index(name) for name in ("weekday_sin", "weekday_cos", "weekend")]
_STEPS, _HALVINGS, _ENOUGH = 30, 12, 1e-7
# Where the prior weights were written for: a typical sum of features times weights.
_CENTRE = {"click": 0.7, "purchase": 0.7, "dismiss": 0.2, "unsubscribe": 0.2}


@dataclass(frozen=True)
class Light:
    """weights float32 [H, F] in the order of the features, bias float32 [H]; heads as in `HEADS`."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """[R, F] → [R, H]."""
        return features @ self.weights.T + self.bias


def prior() -> Light:
    """The weights for a shop of which nothing is known."""
    alike = [ALIKE.get(head, head) for head in HEADS]
    weights = [[PRIOR_WEIGHTS[head].get(name, 0.0) for name in NAMES] for head in alike]
    bias = [_logit(PRIOR_RATES[head]) - _CENTRE[like] for head, like in zip(HEADS, alike, strict=True)]
    return Light(np.array(weights, np.float32), np.array(bias, np.float32))


def fit(rows: Rows, seed: int) -> Light:
    """The most probable weights given the prior and the rows; a head without positives keeps the prior's
    weights.
    """
    start = prior()
    weights, bias = start.weights.copy(), start.bias.copy()
    rng = np.random.default_rng(seed)
    for head in _ORDER:
        parent = _PARENTS.get(head)
        if parent is not None:
            weights[head], bias[head] = weights[parent], bias[parent]
        part = rows.take(rows.known[:, head] > 0)
        if not len(part):
            continue
        part = _some(replace(part, weights=part.weights / part.weights.mean()), head, rng)
        if parent is None or not part.labels[:, head].any():
            bias[head] = _shift(part, head, weights[head], bias[head], parent is not None)
        if part.labels[:, head].any():
            pull = 0.1 if parent is None else _LIFT_STRENGTH
            weights[head], bias[head] = _fit_head(part, head, weights[head], bias[head], pull)
    return Light(weights, bias)


def _some(rows: Rows, head: int, rng: np.random.Generator) -> Rows:
    """At most about 200,000 rows: all positives, of the others an even share that weighs more."""
    positive = rows.labels[:, head] > 0
    share = max(MAX_ROWS - int(positive.sum()), MAX_ROWS // 2) / max(int((~positive).sum()), 1)
    if share >= 1:
        return rows
    kept = rows.take(positive | (rng.random(len(rows)) < share))
    weights = np.where(kept.labels[:, head] > 0, kept.weights, kept.weights / share).astype(np.float32)
    return replace(kept, weights=weights)


def _fit_head(
    rows: Rows, head: int, weights: NDArray[np.float32], bias: float, bias_pull: float
) -> tuple[NDArray[np.float32], float]:
    """Newton's steps, each halved until it helps. The curve is the expected one, which bends nowhere up."""
    features = np.append(rows.features, np.ones((len(rows), 1), np.float32), axis=1)
    label, share = rows.labels[:, head].astype(np.float64), rows.shares[:, head].astype(np.float64)
    weight = rows.weights.astype(np.float64)
    centre = np.append(weights.astype(np.float64), bias)
    pull = np.append(np.full(len(NAMES), _STRENGTH), bias_pull)
    # All that the positives of one day say of its weekday is worth 1 / noise² at most.
    pull[CALENDAR] = _CALENDAR_STRENGTH * (1 + _DAY_NOISE**2 * (weight @ label) / days(rows))

    def chances(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        chance = sigmoid(features @ theta.astype(np.float32))
        seen = np.clip(chance * share, 1e-9, 1 - 1e-9)
        loss = -weight @ (label * np.log(seen) + (1 - label) * np.log1p(-seen))
        away = theta - centre
        return chance, seen, float(loss + 0.5 * pull @ (away * away))

    theta = centre
    chance, seen, loss = chances(theta)
    for _ in range(_STEPS):
        slope = weight * (1 - chance) * (seen - label) / (1 - seen)
        curve = weight * (1 - chance) ** 2 * seen / (1 - seen)
        gradient = slope.astype(np.float32) @ features + pull * (theta - centre)
        bend = ((features * curve.astype(np.float32)[:, None]).T @ features).astype(np.float64)
        step, before = np.linalg.solve(bend + np.diag(pull), gradient), loss
        for _ in range(_HALVINGS):
            chance, seen, loss = chances(theta - step)
            if loss < before:
                break
            step /= 2
        else:
            break
        theta = theta - step
        if before - loss < _ENOUGH * before:
            break
    return theta[:-1].astype(np.float32), float(theta[-1])


def _shift(rows: Rows, head: int, weights: NDArray[np.float32], bias: float, lifted: bool) -> float:
    """The bias at which the mean prediction meets the rate seen, smoothed by that before: of a head that
    another one is the parent of, its prediction, else the prior rate.
    """
    weight, share = rows.weights, rows.shares[:, head]
    count = float(weight @ share)
    base = rows.features @ weights
    expected = PRIOR_RATES[HEADS[head]]
    if lifted:
        expected = float(np.average(sigmoid(base + bias), weights=weight))
    believed = _LIFT_STRENGTH / max(expected, 1e-6) if lifted else _RATE_ROWS
    rate = (weight @ rows.labels[:, head] + believed * expected) / (count + believed)
    low, high = -20.0, 10.0
    for _ in range(40):
        bias = (low + high) / 2
        mean = float(np.average(sigmoid(base + bias), weights=weight * share))
        low, high = (bias, high) if mean < rate else (low, bias)
    return bias


def days(rows: Rows) -> int:
    """On how many days, in UTC, the rows were decided."""
    return len(np.unique(rows.decided_ms // DAY_MS))


def _logit(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))
