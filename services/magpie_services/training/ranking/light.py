"""The light ranker: logistic regression on the raw features, pulled towards weights that a person wrote down.

It is the whole model while there is nothing to learn from, the base that the deep model corrects, and what
ranking falls back to when serving is away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import CROSS_FEATURES, HEADS, ITEM_FEATURES, USER_FEATURES
from magpie_services.training.metrics import sigmoid
from magpie_services.training.plan import RankerPlan
from magpie_services.training.ranking import logistic
from magpie_services.training.ranking.rows import (
    DAY_MS,
    ORGANIC,
    ORGANIC_DAY,
    PURCHASE,
    PURCHASE_DAY,
    WIDTHS,
    Rows,
)

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
# How many rows the prior is worth for the base rate of a head. Of what a push adds to the log-odds of a
# purchase: how many purchases.
_RATE_ROWS = 50.0
_LIFT_STRENGTH = 10.0
# A day of the week is believed to be like another, to a thirtieth of log-odds; and of each a log has seen
# few, which differ by this much for reasons of their own, however many rows they have.
_CALENDAR_STRENGTH = 1000.0
_DAY_NOISE = 0.05
CALENDAR = [NAMES.index(name) for name in ("weekday_sin", "weekday_cos", "weekend")]
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


@dataclass(frozen=True)
class Belief:
    """What holds before any row: `light`, over features of a user, an item and a pair, as many as `widths`
    say; `calendar` are the places of those of the user that tell the day of the week.
    """

    light: Light
    widths: tuple[int, int, int]
    calendar: tuple[int, ...] = ()


def shipped() -> Belief:
    """What a person wrote down of the features of `core`."""
    return Belief(prior(), WIDTHS, tuple(CALENDAR))


def indifferent(widths: tuple[int, int, int]) -> Belief:
    """Of other features, standardised, nothing is known: weights of 0."""
    known = prior()
    return Belief(replace(known, weights=np.zeros((len(HEADS), sum(widths)), np.float32)), widths)


def fit(rows: Rows, seed: int, plan: RankerPlan | None = None, belief: Belief | None = None) -> Light:
    """The most probable weights given a belief and the rows; a head without positives keeps the weights that
    were believed.
    """
    plan, belief = plan or RankerPlan(), belief or shipped()
    weights, bias = belief.light.weights.copy(), belief.light.bias.copy()
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
            pull = _pull(
                part, head, plan.strength, 0.1 if parent is None else _LIFT_STRENGTH, belief.calendar
            )
            weights[head], bias[head] = _fit_head(
                part, head, weights[head], bias[head], pull, plan.level_noise
            )
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
    rows: Rows, head: int, weights: NDArray[np.float32], bias: float, pull: NDArray[np.float64], noise: float
) -> tuple[NDArray[np.float32], float]:
    """What the rows make of weights [F] and bias, that are held by `pull` [F + 1]."""
    theta = logistic.fit(
        logistic.Rows(
            np.append(rows.features, np.ones((len(rows), 1), np.float32), axis=1),
            rows.labels[:, head].astype(np.float64),
            rows.shares[:, head].astype(np.float64),
            rows.weights.astype(np.float64),
        ),
        np.append(weights.astype(np.float64), bias),
        pull,
        _occasions(rows) if noise else None,
        noise,
    )
    return theta[:-1].astype(np.float32), float(theta[-1])


def _pull(
    rows: Rows, head: int, strength: float, bias: float, calendar: Sequence[int]
) -> NDArray[np.float64]:
    """How many rows the belief in each weight, and in the bias, is worth: [F + 1]."""
    pull = np.append(np.full(rows.features.shape[1], strength), bias)
    # All that the positives of one day say of its weekday is worth 1 / noise² at most.
    positives = float(rows.weights.astype(np.float64) @ rows.labels[:, head])
    pull[list(calendar)] = _CALENDAR_STRENGTH * (1 + _DAY_NOISE**2 * positives / days(rows))
    return pull


def _occasions(rows: Rows) -> NDArray[np.int64]:
    """Numbers from 0 [R], the same for what one campaign, or none, sent on one day."""
    pairs = np.stack([rows.campaigns, rows.decided_ms // DAY_MS], 1)
    return np.asarray(np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1))


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
