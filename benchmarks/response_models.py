"""Who will redeem: the ranker's own code over features of another log, and two baselines over the same ones.

Each learns before a campaign from what was known that morning, and answers log-odds [R].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import lightgbm
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import progress
from magpie_services.training.plan import RECENT, RankerPlan
from magpie_services.training.ranking import fit as ranker_fit
from magpie_services.training.ranking import light, logistic
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.rows import CLICK, DAY_MS, Rows

NEVER = np.iinfo(np.int64).max
# Campaigns run for different times: an age or a delay is told in parts of its campaign's.
_PARTS = 1_000_000
_BOUND = 5.0

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Setting = Mapping[str, float]


@dataclass(frozen=True)
class Contacts:
    """R contacts: features float32 [R, F] (`widths`), campaign and household [R], first day, last day and
    that of the first redemption (NEVER without one) [R].
    """

    features: Floats
    widths: tuple[int, int, int]
    campaign: NDArray[np.int64]
    household: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    redeemed: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.features)

    @property
    def labels(self) -> Doubles:
        """Whether they redeemed at all [R]."""
        return (self.redeemed < NEVER).astype(np.float64)

    def take(self, chosen: NDArray[np.bool_]) -> "Contacts":
        """The contacts where true."""
        kept = {name: value[chosen] for name, value in vars(self).items() if name != "widths"}
        return replace(self, **kept)

    def as_of(self, day: int) -> "Contacts":
        """Of campaigns that had started before a day, with the redemptions before it and no later ones."""
        known = self.take(self.start < day)
        return replace(known, redeemed=np.where(known.redeemed < day, known.redeemed, NEVER))


# Learns from contacts as of a day (which is given), then answers about others.
Model = Callable[[Contacts, int, Contacts, Setting, int], Doubles]


def standardised(known: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Both by mean and deviation of the first, held within 5; a feature that never differed is 0."""
    mean, deviation = known.mean(0, dtype=np.float64), known.std(0, dtype=np.float64)
    scale = np.where(deviation > 1e-6, deviation, np.inf)
    first, second = (
        np.clip((one - mean) / scale, -_BOUND, _BOUND).astype(np.float32) for one in (known, asked)
    )
    return first, second


def magpie(known: Contacts, day: int, asked: Contacts, setting: Setting, seed: int) -> Doubles:
    """The ranker with its plan's options, indifferent about features that it never saw."""
    plan = RankerPlan(
        strength=setting["strength"],
        level_noise=setting["level_noise"],
        epochs=int(setting["epochs"]),
        batch=256,
        seconds=1e6,
    )
    first, second = standardised(known.features, asked.features)
    rows = ranker_rows_of(replace(known, features=first), day)
    belief, twin, epochs = light.indifferent(known.widths), None, 0
    if plan.epochs:
        twin, epochs = ranker_fit.train(plan, rows, seed, progress.silent, belief=belief)
    # As in production: once more, with those who said when to stop.
    model, _ = ranker_fit.train(plan, rows, seed, progress.silent, epochs, belief=belief)
    if twin is not None:
        ranker_fit.copy_calibration(twin, model)
    logits = ranker_fit.logits(model, ranker_rows_of(replace(asked, features=second), day))
    return logits[:, CLICK].astype(np.float64)


def ranker_rows_of(contacts: Contacts, day: int) -> Rows:
    """Contacts as the ranker's rows as of a day: a redemption is what follows a push that was sent and
    arrived, expected at the share that the part of its campaign's time that is over lets one see.
    """
    count, heads = len(contacts), len(HEADS)
    length = contacts.end - contacts.start + 1
    age = np.clip(day - contacts.start, 0, length) * _PARTS // length
    hit = contacts.redeemed < day
    delay = np.where(hit, (np.where(hit, contacts.redeemed, 0) - contacts.start) * _PARTS // length, -1)
    empty, ones = np.zeros((count, heads), np.float32), np.ones(count, np.float32)
    labels, known, shares = empty.copy(), empty.copy(), empty + 1
    labels[:, CLICK], known[:, CLICK] = hit, 1.0
    shares[:, CLICK] = ranker_rows.maturity(age, delay, _PARTS)
    return Rows(
        features=contacts.features,
        hashes=np.zeros((count, 3), np.int32),
        recent=np.zeros((count, RECENT), np.int32),
        sent=ones,
        told=ones,
        exposure=ones,
        delays=np.full((count, heads), -1),
        labels=labels,
        known=known,
        shares=shares,
        weights=ones,
        decided_ms=contacts.start * DAY_MS,
        groups=contacts.household,
        decisions=np.arange(count),
        campaigns=contacts.campaign,
    )


def logistic_regression(known: Contacts, day: int, asked: Contacts, setting: Setting, seed: int) -> Doubles:
    """With a ridge on standardised features."""
    known = _over(known, day, setting)
    first, second = standardised(known.features, asked.features)
    first, second = (np.append(one, np.ones((len(one), 1), np.float32), 1) for one in (first, second))
    ones = np.ones(len(known))
    rate = (known.labels.sum() + 0.5) / (len(known) + 1)
    centre = np.zeros(first.shape[1])
    centre[-1] = np.log(rate / (1 - rate))
    pull = np.full(first.shape[1], setting["ridge"])
    pull[-1] = 1e-3
    weights = logistic.fit(logistic.Rows(first, known.labels, ones, ones), centre, pull)
    return np.asarray(second @ weights)


def trees(known: Contacts, day: int, asked: Contacts, setting: Setting, seed: int) -> Doubles:
    """LightGBM."""
    known = _over(known, day, setting)
    told = {
        "objective": "binary",
        "learning_rate": 0.03,
        "num_leaves": int(setting["leaves"]),
        "extra_trees": True,
        "feature_fraction": setting["features"],
        "min_data_in_leaf": 30,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "verbosity": -1,
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
    }
    data = lightgbm.Dataset(known.features, known.labels)
    booster = lightgbm.train(told, data, int(setting["rounds"]))
    return np.asarray(booster.predict(asked.features, raw_score=True), np.float64)


def _over(known: Contacts, day: int, setting: Setting) -> Contacts:
    """All, or those whose campaign has run for this share of its time."""
    return known.take((day - known.start) >= setting["ripe"] * (known.end - known.start + 1))


MODELS: dict[str, Model] = {"magpie": magpie, "logistic": logistic_regression, "lightgbm": trees}
#: Twelve settings for each baseline; six for the ranker, whose deep part a first validation left out.
SETTINGS: dict[str, list[Setting]] = {
    "magpie": [
        {"strength": strength, "level_noise": noise, "epochs": 0}
        for strength in (200, 400, 800)
        for noise in (0.4, 0.8)
    ],
    "logistic": [
        {"ridge": ridge, "ripe": ripe} for ripe in (0.0, 0.5) for ridge in (100, 300, 700, 1000, 1500, 2500)
    ],
    "lightgbm": [
        {"leaves": leaves, "rounds": rounds, "features": features, "ripe": 0.0}
        for leaves in (7, 15, 31)
        for rounds in (300, 800)
        for features in (0.05, 0.1)
    ],
}
