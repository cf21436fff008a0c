"""Levels of occasions: as if each had a column of its own, and what they explain is not learnt as a trait."""

import numpy as np
import pytest
from numpy.typing import NDArray

from magpie_services.training.ranking import logistic
from magpie_services.training.ranking.logistic import Rows

NOISE = 0.7


def sent(occasions: int = 12, each: int = 300, seed: int = 3) -> tuple[Rows, NDArray[np.int64]]:
    """Of every occasion a level by chance and a trait that says nothing; of every row one that does."""
    rng = np.random.default_rng(seed)
    occasion = np.repeat(np.arange(occasions), each)
    own, trait = rng.normal(0, 1, len(occasion)), rng.normal(0, 1, occasions)[occasion]
    log_odds = -2 + own + rng.normal(0, NOISE, occasions)[occasion]
    label = (rng.random(len(occasion)) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    ones = np.ones(len(occasion))
    return Rows(np.stack([own, trait, ones], 1).astype(np.float32), label, ones, ones), occasion


def test_a_level_is_what_a_column_of_its_own_would_be() -> None:
    rows, occasion = sent()
    centre, pull = np.array([0.0, 0.0, -2.0]), np.array([1.0, 1.0, 0.1])
    columns = np.eye(occasion.max() + 1, dtype=np.float32)[occasion]
    wide = Rows(np.append(rows.features, columns, 1), rows.label, rows.share, rows.weight)
    held = np.append(pull, np.full(columns.shape[1], NOISE**-2))
    expected = logistic.fit(wide, np.append(centre, np.zeros(columns.shape[1])), held)[:3]
    found = logistic.fit(rows, centre, pull, occasion, NOISE)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_what_made_an_occasion_do_well_is_not_a_trait() -> None:
    centre, pull = np.zeros(3), np.array([1e-3, 1e-3, 1e-3])
    blind, aware = [], []
    for seed in range(8):
        rows, occasion = sent(each=150, seed=seed)
        blind.append(logistic.fit(rows, centre, pull))
        aware.append(logistic.fit(rows, centre, np.array([1e-3, 20.0, 1e-3]), occasion, NOISE))
    assert np.mean([abs(one[1]) for one in aware]) < 0.6 * np.mean([abs(one[1]) for one in blind])
    assert np.mean([one[0] for one in aware]) == pytest.approx(1.0, abs=0.15), "what rows say stays"


def test_hardly_any_noise_is_no_level() -> None:
    rows, occasion = sent()
    centre, pull = np.zeros(3), np.ones(3)
    alone = logistic.fit(rows, centre, pull)
    np.testing.assert_allclose(logistic.fit(rows, centre, pull, occasion, 1e-4), alone, atol=1e-3)
