"""Calibration curves: they rise, meet what happened, and move only as far as the evidence goes."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.training import worlds

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import metrics
from magpie_services.training.ranking import calibration
from magpie_services.training.ranking.rows import CLICK, DAY_MS, PURCHASE, UNSUBSCRIBE, Rows


def asked(count: int, chances: NDArray[np.float64], seed: int = 0) -> Rows:
    """Pushes whose clicks follow these chances [count]; nothing else ever happens."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((count, len(HEADS)), np.float32)
    labels[:, CLICK] = rng.random(count) < chances
    whole = worlds.rows(count)
    return replace(whole, labels=labels, known=np.ones_like(labels), decided_ms=np.zeros(count, np.int64))


def crooked(count: int, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Log-odds [count, H] of a model, and the chances [count] of clicks: no straight line leads to them."""
    said = np.random.default_rng(seed).normal(-2, 1, count)
    truth = said + 0.6 - np.where(said > -2, 0.8 * (said + 2), 0.0)
    return np.repeat(said[:, None], len(HEADS), 1).astype(np.float32), 1 / (1 + np.exp(-truth))


def test_a_crooked_model_is_made_straight() -> None:
    logits, chances = crooked(80_000)
    curves = calibration.fit(logits, asked(80_000, chances))
    new, true = crooked(80_000, seed=2)
    before = metrics.calibration_error(true, 1 / (1 + np.exp(-new[:, CLICK].astype(float))))
    after = metrics.calibration_error(true, curves.probabilities(new)[:, CLICK])
    assert before > 0.2
    assert after < 0.05


def test_curves_rise_everywhere_so_that_no_two_candidates_fall_together() -> None:
    logits, chances = crooked(20_000)
    curves = calibration.fit(logits, asked(20_000, chances))
    assert (np.diff(curves.knots, axis=1) > 0).all()
    assert (np.diff(curves.values, axis=1) > 0.04 * np.diff(curves.knots, axis=1)).all()


def test_a_true_model_is_hardly_moved() -> None:
    logits, _ = crooked(20_000)
    chances = 1 / (1 + np.exp(-logits[:, CLICK].astype(float)))
    curves = calibration.fit(logits, asked(20_000, chances))
    inside = slice(8, -8)
    assert np.abs(curves.values - curves.knots)[CLICK, inside].max() < 0.25


def test_with_few_positives_a_head_stays_as_it_is() -> None:
    logits, _ = crooked(3_000)
    curves = calibration.fit(logits, asked(3_000, np.full(3_000, 0.001)))
    np.testing.assert_array_equal(curves.values[CLICK], curves.knots[CLICK])
    slope, offset = calibration.platt(logits, asked(3_000, np.full(3_000, 0.001)))
    assert (slope[UNSUBSCRIBE], offset[UNSUBSCRIBE]) == (1.0, 0.0)


def test_what_a_row_says_halves_with_its_age() -> None:
    logits, _ = crooked(40_000)
    old, new = np.full(20_000, 0.3), np.full(20_000, 0.1)
    made = asked(40_000, np.concatenate([old, new]))
    made = replace(made, decided_ms=np.where(np.arange(40_000) < 20_000, 0, 9 * DAY_MS))
    said = calibration.fit(logits, made).probabilities(logits)[:, CLICK]
    # Three half-lives: an eighth.
    assert said.mean() == pytest.approx((0.1 + 0.3 / 8) / (1 + 1 / 8), abs=0.01)


def test_where_positives_are_few_older_rows_keep_their_say() -> None:
    logits, _ = crooked(40_000)
    made = asked(40_000, np.full(40_000, 0.005))  # 200 positives
    made = replace(made, decided_ms=np.arange(40_000) * 20 * DAY_MS // 40_000)
    early = replace(made, labels=np.where(made.decided_ms[:, None] > 10 * DAY_MS, 0, made.labels))
    said, of_early = (calibration.fit(logits, one).probabilities(logits)[:, CLICK] for one in (made, early))
    assert of_early.mean() > 0.3 * said.mean()


def test_a_label_that_had_half_its_time_counts_double() -> None:
    logits = np.full((20_000, len(HEADS)), -2.0, np.float32)
    logits += np.random.default_rng(0).normal(0, 0.1, logits.shape).astype(np.float32)
    made = asked(20_000, np.full(20_000, 0.1))
    labels = made.labels.copy()
    labels[:, PURCHASE] = labels[:, CLICK]
    made = replace(made, labels=labels, shares=np.full_like(labels, 0.5))
    assert calibration.fit(logits, made).probabilities(logits)[:, PURCHASE].mean() == pytest.approx(
        0.2, abs=0.02
    )


def test_the_error_of_one_who_knows_is_that_of_chance() -> None:
    rng = np.random.default_rng(3)
    chances = rng.uniform(0.02, 0.3, 50_000)
    assert metrics.calibration_error(chances, chances) == 0
    happened = (rng.random(50_000) < chances).astype(np.float32)
    assert metrics.calibration_error(happened, chances) < 0.05
    assert metrics.calibration_error(happened, 1.5 * chances) == pytest.approx(0.5, abs=0.05)
    assert metrics.calibration_error(np.zeros(5), np.full(5, 0.1)) == float("inf")
