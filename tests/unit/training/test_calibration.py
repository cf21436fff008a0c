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


def by_day(rates: list[float], a_day: int, seed: int = 0) -> tuple[NDArray[np.float32], Rows]:
    """Log-odds of a model that foretells 10 % and knows who is likelier; clicks at these rates a day."""
    said = np.random.default_rng(seed).normal(-2.25, 0.5, len(rates) * a_day)
    level = np.repeat(np.log(rates) - np.log1p(-np.array(rates)), a_day)
    made = asked(len(said), 1 / (1 + np.exp(-(said + 2.2 + level))), seed + 1)
    logits = np.repeat(said[:, None], len(HEADS), 1).astype(np.float32)
    return logits, replace(made, decided_ms=np.repeat(np.arange(len(rates)) * DAY_MS, a_day))


def foretold(logits: NDArray[np.float32], made: Rows) -> float:
    """The mean chance of a click."""
    return float(calibration.fit(logits, made).probabilities(logits)[:, CLICK].mean())


def test_a_rate_that_walks_is_followed() -> None:
    rates = [0.05 * 1.08**day for day in range(8)]
    assert foretold(*by_day(rates, 10_000)) == pytest.approx(rates[-1], rel=0.08)


def test_a_rate_that_stands_is_the_mean_of_all_days() -> None:
    chances = [foretold(*by_day([0.004] * 7, 4_000, seed)) for seed in range(8)]  # 110 positives
    alone = [
        made.labels[-4_000:, CLICK].mean() for _, made in (by_day([0.004] * 7, 4_000, s) for s in range(8))
    ]
    assert np.std(chances) < 0.7 * np.std(alone)


def test_one_odd_day_is_hardly_followed_where_positives_are_few() -> None:
    assert foretold(*by_day([0.01] * 6 + [0.03], 1_000)) < 0.018


def test_slope_and_offset_alone_follow_a_rate_too() -> None:
    rates = [0.05 * 1.08**day for day in range(8)]
    logits, made = by_day(rates, 10_000)
    slope, offset = calibration.platt(logits, made)
    chance = metrics.sigmoid(slope[CLICK] * logits[:, CLICK] + offset[CLICK]).mean()
    assert chance == pytest.approx(rates[-1], rel=0.08)


@pytest.mark.parametrize("positives", [0, 1, 5])
def test_hardly_any_positives_change_nothing(positives: int) -> None:
    logits, made = by_day([0.01] * 7, 100)
    labels = np.zeros_like(made.labels)
    labels[-positives or len(labels) :, UNSUBSCRIBE] = 1
    made = replace(made, labels=labels)
    curves = calibration.fit(logits, made)
    np.testing.assert_array_equal(curves.values, curves.knots)
    slope, offset = calibration.platt(logits, made)
    assert (slope == 1).all()
    assert (offset == 0).all()


def test_no_rows_change_nothing() -> None:
    logits, made = by_day([0.01], 10)
    curves = calibration.fit(logits[:0], made.take(np.arange(0)))
    np.testing.assert_array_equal(curves.values, curves.knots)


def test_pushes_that_may_not_have_arrived_do_not_count() -> None:
    logits, made = by_day([0.1] * 7, 4_000)
    lost = np.random.default_rng(1).random(len(made)) < 0.5
    known, labels = made.known.copy(), made.labels.copy()
    known[lost], labels[lost] = 0, 0
    masked = replace(made, known=known, labels=labels)
    assert foretold(logits, masked) == pytest.approx(foretold(logits, made), rel=0.08)
    # Days of which nothing is known are no days without positives.
    known = np.where(made.decided_ms[:, None] >= 4 * DAY_MS, 0, made.known).astype(np.float32)
    assert foretold(logits, replace(made, known=known, labels=made.labels * known)) == pytest.approx(
        0.11, rel=0.1
    )
    gap = np.where(made.decided_ms[:, None] == 3 * DAY_MS, 0, made.known).astype(np.float32)
    assert foretold(logits, replace(made, known=gap, labels=made.labels * gap)) == pytest.approx(
        0.11, rel=0.1
    )


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


def test_probabilities_of_any_log_odds_are_double_and_within_bounds() -> None:
    found = metrics.sigmoid(np.array([-1e9, -2, 0, 2, 1e9], np.float32))
    assert found.dtype == np.float64
    assert 0 < found[0] < found[1] < found[2] == 0.5 < found[3] < found[4] < 1
    np.testing.assert_allclose(found + found[::-1], 1.0)


def test_the_error_of_one_who_knows_is_that_of_chance() -> None:
    rng = np.random.default_rng(3)
    chances = rng.uniform(0.02, 0.3, 50_000)
    assert metrics.calibration_error(chances, chances) == 0
    happened = (rng.random(50_000) < chances).astype(np.float32)
    assert metrics.calibration_error(happened, chances) < 0.05
    assert metrics.calibration_error(happened, 1.5 * chances) == pytest.approx(0.5, abs=0.05)
    assert metrics.calibration_error(np.zeros(5), np.full(5, 0.1)) == float("inf")
