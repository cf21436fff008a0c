"""Shadow prices: limits are kept, nothing of worth is left out while there is room, targets are met."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from magpie_services.push.prices import Pace, chosen_usage, dual_prices, paced

Floats = NDArray[np.float64]


def world(seed: int, users: int, arms: int, things: int) -> tuple[Floats, Floats, np.random.Generator]:
    """Values with a heavy tail, each alternative taking one push and a random part of the other things."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.normal(-1.5, 1.0, (users, arms))) - 0.15
    usage = np.concatenate([np.ones((users, arms, 1)), rng.random((users, arms, things - 1)) ** 3], axis=2)
    return values, usage, rng


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), room=st.integers(0, 400))
def test_the_price_of_volume_lets_the_best_through_and_no_more(seed: int, room: int) -> None:
    values, usage, _ = world(seed, 300, 3, 1)
    prices = dual_prices(values, usage, np.array([float(room)]))
    taken = chosen_usage(values, usage, prices)[0]
    worth = int((values.max(axis=1) > 0).sum())
    assert taken == min(room, worth)
    assert (prices[0] == 0.0) == (worth <= room)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9))
def test_several_limits_are_met_within_three_percent_and_idle_ones_cost_nothing(
    seed: int, share: float
) -> None:
    values, usage, _ = world(seed, 3_000, 4, 3)
    free = chosen_usage(values, usage, np.zeros(3))
    limits = free * np.array([share, 0.5 * share, 2.0])
    prices = dual_prices(values, usage, limits)
    taken = chosen_usage(values, usage, prices)
    assert (taken <= limits * 1.03).all()
    assert prices[2] == 0.0
    binding = prices > 0
    assert binding.any()
    assert (taken[binding] >= limits[binding] * 0.97).all()


def test_yesterdays_prices_are_a_start() -> None:
    values, usage, rng = world(3, 2_000, 4, 2)
    limits = chosen_usage(values, usage, np.zeros(2)) * 0.4
    first = dual_prices(values, usage, limits)
    today = values + rng.normal(0.0, 0.01, values.shape)
    taken = chosen_usage(today, usage, dual_prices(today, usage, limits, start=first))
    assert taken == pytest.approx(limits, rel=0.03) or (taken <= limits * 1.03).all()


@pytest.mark.parametrize(
    ("values", "usage", "limits"),
    [
        (np.ones((2, 3)), np.ones((2, 2, 1)), np.ones(1)),
        (np.ones((2, 3)), np.ones((2, 3, 1)), np.ones(2)),
        (np.ones((2, 3)), np.ones((2, 3, 1)), -np.ones(1)),
        (np.ones((2, 3)), -np.ones((2, 3, 1)), np.ones(1)),
    ],
)
def test_what_does_not_agree_is_refused(values: Floats, usage: Floats, limits: Floats) -> None:
    with pytest.raises(ValueError, match=r"agree|negative"):
        dual_prices(values, usage, limits)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    share=st.floats(0.05, 0.6),
    start=st.sampled_from([0.0, 0.02, 0.3, 2.0]),
    drift=st.floats(-0.8, 0.8),
)
def test_a_volume_target_is_met_within_three_percent_whatever_the_start_and_the_drift(
    seed: int, share: float, start: float, drift: float
) -> None:
    """A run over 20,000 users in pages of 100, whose values grow or fall on the way."""
    rng = np.random.default_rng(seed)
    users, page = 20_000, 100
    pace = Pace(price=start, limit=share * users)
    for first in range(0, users, page):
        values = np.exp(rng.normal(-2.0 + drift * first / users, 1.0, page))
        sent = float((values > pace.price).sum())
        sent = min(sent, pace.limit - pace.taken)
        pace = paced(pace, sent, page, users - first - page, scale=0.2)
    assert pace.taken <= pace.limit
    assert pace.taken >= 0.97 * pace.limit


def test_nothing_is_worth_a_push_when_none_is_left() -> None:
    assert paced(Pace(0.1, 10.0, 10.0), 0.0, 5.0, 100.0, 1.0).price == float("inf")


def test_a_price_that_is_not_needed_goes_back_to_nothing() -> None:
    pace = Pace(price=0.5, limit=1_000.0)
    for _ in range(40):
        pace = paced(pace, 1.0, 100.0, 10_000.0, scale=1.0)
    assert pace.price == 0.0
