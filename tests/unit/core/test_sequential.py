"""Sequential tests: false alarms stay rare however often one looks, true differences are found."""

import math

import numpy as np
import pytest

from magpie_services.core.sequential import LEAST_USERS, adjusted, difference, mismatch

RUNS = 400
LOOKS = range(LEAST_USERS, 3_001, 50)


def alarms(rate: float, lift: float, seed: int) -> float:
    """Share of experiments of clicks in which one of 59 looks rejects that there is no difference."""
    rng, found = np.random.default_rng(seed), 0
    for _ in range(RUNS):
        control = (rng.random(3_000) < rate).astype(np.float64)
        treatment = (rng.random(3_000) < rate * (1 + lift)).astype(np.float64)
        found += any(difference(control[:n], treatment[:n], planned=2_000).p <= 0.05 for n in LOOKS)
    return found / RUNS


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_looking_all_the_time_does_not_make_false_alarms(rate: float) -> None:
    assert alarms(rate, 0.0, 1) <= 0.05


def test_looking_all_the_time_at_a_fixed_test_would() -> None:
    """The promise above is not trivial: the usual test, looked at as often, is wrong four times as often."""
    rng, wrong = np.random.default_rng(2), 0
    for _ in range(RUNS):
        one, other = rng.random((2, 3_000)) < 0.3
        wrong += any(
            abs(one[:n].mean() - other[:n].mean()) > 1.96 * math.sqrt((one[:n].var() + other[:n].var()) / n)
            for n in LOOKS
        )
    assert wrong / RUNS > 0.2


def test_a_true_difference_is_found() -> None:
    assert alarms(0.1, 0.5, 3) > 0.9


def test_the_sequence_holds_the_truth_at_all_looks_together() -> None:
    rng, held = np.random.default_rng(4), 0
    for _ in range(RUNS):
        control, treatment = rng.exponential(1.0, 3_000), rng.exponential(1.2, 3_000)
        found = [difference(control[:n], treatment[:n], planned=2_000) for n in LOOKS]
        held += all(one.low <= 0.2 <= one.high for one in found)
        assert all((one.p <= 0.05) == (one.low >= 0 or one.high <= 0) for one in found)
    assert held / RUNS >= 0.95


def test_too_few_users_or_too_little_that_happens_say_nothing() -> None:
    rng = np.random.default_rng(5)
    few = difference(rng.normal(size=LEAST_USERS - 1), rng.normal(5, 1, 500), planned=500)
    rare = difference(np.zeros(4_000), np.r_[np.zeros(3_980), np.ones(20)], planned=500)
    for found in (few, rare):
        assert (found.low, found.high, found.p) == (-math.inf, math.inf, 1.0)


def test_what_was_known_before_takes_noise_away_and_no_difference() -> None:
    rng = np.random.default_rng(6)
    before = rng.gamma(2.0, 1.0, 4_000)
    treated = np.arange(4_000) % 2 == 1
    values = 0.8 * before + rng.normal(0, 0.8, 4_000) + 0.15 * treated
    left, share = adjusted(values, before[:, None])
    assert share == pytest.approx(np.corrcoef(values, before)[0, 1] ** 2)
    assert share > 0.5
    raw = difference(values[~treated], values[treated], planned=2_000)
    better = difference(left[~treated], left[treated], planned=2_000)
    assert better.high - better.low < 0.75 * (raw.high - raw.low)
    assert better.low <= 0.15 <= better.high
    assert left.mean() == pytest.approx(values.mean())


def test_what_tells_nothing_changes_nothing() -> None:
    values = np.random.default_rng(7).normal(size=50)
    same, share = adjusted(values, np.ones((50, 2)))
    assert (same.tolist(), share) == (values.tolist(), 0.0)


def test_a_sample_ratio_is_watched_all_the_time_without_false_alarms() -> None:
    rng, false = np.random.default_rng(8), 0
    for _ in range(RUNS):
        arms = (rng.random(5_000) < 0.5).cumsum()
        false += any(
            mismatch([n - int(arms[n - 1]), int(arms[n - 1])], [1, 1]) <= 0.01 for n in range(50, 5_001, 50)
        )
    assert false / RUNS <= 0.01 + 3 * (0.01 / RUNS) ** 0.5
    assert mismatch([5_000, 5_400], [1, 1]) < 0.01
    assert mismatch([1_000, 3_030], [1, 3]) > 0.1
    assert mismatch([10, 1], [1, 0]) == 0.0


def test_rare_harm_is_seen_early_and_false_alarms_stay_rare() -> None:
    assert mismatch([0, 8], [1, 1], strength=2.0) <= 0.05 < mismatch([0, 7], [1, 1], strength=2.0)
    rng, false = np.random.default_rng(9), 0
    for _ in range(RUNS):
        arms = (rng.random(300) < 0.25).cumsum()
        false += any(
            mismatch([n - int(arms[n - 1]), int(arms[n - 1])], [3, 1], 2.0) <= 0.05 for n in range(1, 301)
        )
    assert false / RUNS <= 0.05 + 3 * (0.05 * 0.95 / RUNS) ** 0.5
