"""Intervals by bootstrap over clusters: of what they are, and how often they hold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from magpie_services.core.clustered import Clusters, Floats


def mean(sums: Floats) -> tuple[Floats, Floats]:
    """The first column over the second."""
    value = sums[..., 0] / sums[..., 1]
    return value, np.stack([1 / sums[..., 1], -value / sums[..., 1]], axis=-1)


def columns(values: NDArray[np.floating]) -> Floats:
    return np.stack([values, np.ones(len(values))], axis=1)


def test_the_error_of_a_mean_is_the_known_one() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    found = Clusters(np.arange(400), columns(values)).studentised(mean)
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std() / 20)
    assert (found.low, found.high) == pytest.approx(
        (found.value - 1.97 * found.error, found.value + 1.97 * found.error), abs=0.2 * found.error
    )


def test_a_user_who_repeats_themselves_tells_nothing_new() -> None:
    values = np.random.default_rng(2).normal(size=50)
    once = Clusters(np.arange(50), columns(values)).studentised(mean)
    often = Clusters(np.repeat(np.arange(50), 9), columns(np.repeat(values, 9))).studentised(mean)
    apart = Clusters(np.arange(450), columns(np.repeat(values, 9))).studentised(mean)
    assert often == pytest.approx(once)
    assert apart.error == pytest.approx(once.error / 3)


@pytest.mark.parametrize(("of", "at_least"), [("studentised", 0.93), ("percentile", 0.80)])
def test_an_interval_of_rare_heavy_rewards_covers_the_truth(of: str, at_least: float) -> None:
    """One decision in 25 weighs 30: few users carry the sum, and the studentised interval still holds."""
    rng, held = np.random.default_rng(3), 0
    for seed in range(300):
        weight = np.where(rng.random(400) < 0.04, 30.0, 0.3)
        made = Clusters(np.arange(400), columns(weight * (rng.random(400) < 0.3)), replicates=300, seed=seed)
        interval = getattr(made, of)(mean)
        held += interval.low <= 0.3 * (0.04 * 30 + 0.96 * 0.3) <= interval.high
    assert held / 300 >= at_least


def test_no_spread_is_no_width_and_one_cluster_tells_nothing() -> None:
    same = Clusters(np.arange(20), columns(np.full(20, 0.1))).studentised(mean)
    assert (same.low, same.high, same.error) == (same.value, same.value, 0.0)
    alone = Clusters(np.zeros(20, np.int64), columns(np.arange(20.0))).studentised(mean)
    assert (alone.low, alone.high) == (-np.inf, np.inf)


def test_a_ratio_that_many_draws_cannot_form_has_no_ends() -> None:
    under = np.zeros(30)
    under[3] = 1.0
    found = Clusters(np.arange(30), np.stack([np.ones(30), under], axis=1)).studentised(mean)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_the_same_seed_draws_the_same_and_names_are_only_names() -> None:
    values = np.random.default_rng(4).exponential(size=60)
    users = np.repeat(np.arange(20), 3)
    first = Clusters(users, columns(values), seed=5).percentile(mean)
    assert Clusters(users * 1_000_003 - 7, columns(values), seed=5).percentile(mean) == first
    assert Clusters(users, columns(values), seed=6).percentile(mean) != first


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        Clusters(np.arange(3), np.ones((2, 1)))
    with pytest.raises(ValueError, match="finite"):
        Clusters(np.arange(2), np.array([[1.0], [np.nan]]))
