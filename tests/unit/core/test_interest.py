"""The two formulas with their worked examples, and what holds for every input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.core.interest import InterestWeights, affinity, interest, interests

counts = st.integers(0, 10_000)
stars = st.integers(0, 5)


def test_worked_example_of_interest_is_exact() -> None:
    assert interest(5, 3, 4) == 0.6


def test_worked_example_of_affinity() -> None:
    # 0.46 has no exact float; the correctly rounded sum of the rounded products is one step away from it.
    assert affinity([0.5, 0.7, 0.3], [0.2, 0.3, 0.5]) == pytest.approx(0.46, abs=1e-15)


def test_affinity_refuses_lists_of_different_lengths() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        affinity([0.5], [0.2, 0.3])


@given(counts, counts, stars)
def test_interest_is_within_zero_and_one(views: int, purchases: int, rating: int) -> None:
    assert 0.0 <= interest(views, purchases, rating) <= 1.0


@given(counts, counts, stars)
def test_interest_never_falls_with_more_views_purchases_or_stars(views: int, buys: int, rating: int) -> None:
    here = interest(views, buys, rating)
    assert interest(views + 1, buys, rating) >= here
    assert interest(views, buys + 1, rating) >= here
    if 1 <= rating < 5:
        assert interest(views, buys, rating + 1) >= here


@given(st.integers(0, 200))
def test_interest_saturates(views: int) -> None:
    step = interest(views + 1, 0, 5) - interest(views, 0, 5)
    assert interest(views + 2, 0, 5) - interest(views + 1, 0, 5) < step


def test_unrated_counts_as_four_stars_and_the_untouched_as_nothing() -> None:
    assert interest(5, 3, 0) == interest(5, 3, 4)
    assert interest(0, 0, 5) == 0.0


@given(st.lists(st.tuples(counts, counts, stars), min_size=1, max_size=20))
def test_arrays_give_the_same_as_one_at_a_time(rows: list[tuple[int, int, int]]) -> None:
    views, purchases, rating = np.array(rows).T
    assert interests(views, purchases, rating).tolist() == [interest(*row) for row in rows]


def test_weights_are_a_choice() -> None:
    assert interest(2, 0, 5, InterestWeights(view=1.0, half=2.0)) == 0.5
