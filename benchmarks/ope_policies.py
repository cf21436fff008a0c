"""The policies that are compared: a champion that explores, and challengers nearer to it or farther."""

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from ope_world import Contexts, Floats

from magpie_services.push.policy import Objective, Policy, propensities

CLICKS = Objective(click=1.0, purchase=0.0, dismiss=0.0, unsubscribe=0.0)
CHAMPION = Policy(objective=CLICKS, exploration=0.05, no_send_share=0.02)
LEARNT_DAYS, MORE_DAYS = 12, 2
_TREES = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.1,
    "min_data_in_leaf": 300,
    "lambda_l2": 20.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "verbosity": -1,
    "num_threads": 1,
}
_SEEN_OF_AISLE, _FAME = 1, 10  # features of ope_world.Observer
Model = Callable[[NDArray[np.float32]], Floats]


@dataclass(frozen=True)
class Setting:
    """One challenger on the contexts of the world: chances [n, K + 1] of both policies, the last arm being
    no-send, the champion's own values [n, K + 1], and what is true of each arm [n, K + 1]."""

    name: str
    logging: Floats
    target: Floats
    model: Floats
    truth: Floats

    @property
    def agreement(self) -> float:
        """Share of contexts in which both think the same arm best."""
        return float((self.logging.argmax(1) == self.target.argmax(1)).mean())


def settings(contexts: Contexts, rng: np.random.Generator) -> tuple[Contexts, list[Setting]]:
    """The contexts to compare on (those after the days learnt from), and the challengers, nearest first."""
    first = int(contexts.day.min())
    early = contexts.where(contexts.day < first + LEARNT_DAYS)
    middle = contexts.where(
        (contexts.day >= first + LEARNT_DAYS) & (contexts.day < first + LEARNT_DAYS + MORE_DAYS)
    )
    late = contexts.where(contexts.day >= first + LEARNT_DAYS + MORE_DAYS)
    old, new = _log(early, rng), _log(middle, rng)
    both = np.concatenate([old[0], new[0]]), np.concatenate([old[1], new[1]])
    booster = _fit(*old, seed=1, rounds=60)
    values = _scored(_model(booster), late)
    champion = _chances(values, CHAMPION)

    def setting(name: str, scores: Floats, policy: Policy = CHAMPION) -> Setting:
        nothing = np.zeros((len(scores), 1))
        return Setting(
            name,
            champion,
            _chances(scores, policy),
            np.concatenate([values, nothing], axis=1),
            np.concatenate([late.chance, nothing], axis=1),
        )

    dearer = Objective(click=1.0, purchase=0.0, dismiss=0.0, unsubscribe=0.0, min_value=_least(values, 0.4))
    return late, [
        setting("fewer", values, Policy(objective=dearer, exploration=0.05, no_send_share=0.02)),
        setting("next", _scored(_model(_fit(*new, seed=1, rounds=5, after=booster)), late)),
        setting("anew", _scored(_model(_fit(*both, seed=2, rounds=60)), late)),
        setting("popular", late.features[:, :, _FAME] / 100 + late.features[:, :, _SEEN_OF_AISLE] / 20),
    ]


def _least(values: Floats, share: float) -> float:
    """The value that the best arm of this share of the contexts does not exceed."""
    return float(np.quantile(values.max(1), share))


def _log(contexts: Contexts, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What a shop learns from: of every context one arm drawn evenly, and whether it was clicked."""
    rows = np.arange(len(contexts.user))
    arms = rng.integers(0, contexts.chance.shape[1], len(rows))
    return contexts.features[rows, arms], rng.random(len(rows)) < contexts.chance[rows, arms]


def _fit(
    rows: NDArray[np.float32],
    clicked: NDArray[np.bool_],
    *,
    seed: int,
    rounds: int,
    after: lgb.Booster | None = None,
) -> lgb.Booster:
    return lgb.train({**_TREES, "seed": seed}, lgb.Dataset(rows, clicked), rounds, init_model=after)


def _model(booster: lgb.Booster) -> Model:
    return lambda rows: np.asarray(booster.predict(rows, num_threads=1), np.float64)


def _scored(model: Model, contexts: Contexts) -> Floats:
    """Modelled chance of a click on each arm, [n, K]."""
    rows = contexts.features.reshape(-1, contexts.features.shape[2])
    return model(rows).reshape(contexts.chance.shape)


def _chances(values: Floats, policy: Policy) -> Floats:
    """The chances of Magpie's own policy, [n, K + 1]: those of the push service."""
    count, arms = values.shape
    best = values.argmax(1)
    sends = np.array(propensities([1.0e9] + [0.0] * (arms - 1), policy))
    silent = np.array(propensities([-1.0e9] * arms, policy))
    worth = values[np.arange(count), best] > policy.objective.min_value
    chances = np.where(worth[:, None], sends[1], silent[None, :])
    chances[worth, arms] = sends[arms]
    chances[worth, best[worth]] = sends[0]
    return chances
