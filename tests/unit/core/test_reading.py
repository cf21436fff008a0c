"""Histories without holes, followers counted once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from magpie_services.core import reading


def test_what_is_unknown_makes_room_on_the_left() -> None:
    items = np.array([[0, 7, 0, 8], [1, 2, 3, 4], [0, 0, 0, 0]], np.int32)
    kinds = np.array([[0, 1, 2, 3], [1, 2, 3, 1], [0, 0, 1, 1]], np.int32)
    gaps = np.array([[0, 4, 3, 2], [4, 3, 2, 1], [0, 0, 2, 1]], np.float32)
    closed = reading.closed(items, kinds, gaps)
    assert closed[0].tolist() == [[0, 0, 7, 8], [1, 2, 3, 4], [0, 0, 0, 0]]
    assert closed[1].tolist() == [[0, 0, 1, 3], [1, 2, 3, 1], [0, 0, 0, 0]]
    assert closed[2].tolist() == [[0, 0, 4, 2], [4, 3, 2, 1], [0, 0, 0, 0]]
    assert [part.dtype for part in closed] == [np.int32, np.int32, np.float32]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30))
def test_a_follower_that_comes_several_times_counts_as_the_sum(parts: list[tuple[int, int]]) -> None:
    rows = np.array([row for row, _ in parts], np.int32)
    scores = np.array([score for _, score in parts], np.float32)
    distinct, sums, strongest = reading.summed(rows, scores)
    assert distinct.tolist() == sorted({row for row, _ in parts if row})
    for row, total, at in zip(distinct, sums, strongest, strict=True):
        assert total == scores[rows == row].sum()
        assert rows[at] == row
        assert at == np.flatnonzero((rows == row) & (scores == scores[rows == row].max()))[0]
