"""Noise: double clicks, bots and impossible values, one at a time and over arrays."""

import numpy as np
from numpy.typing import NDArray
from tests.unit.core.worlds import NOW_MS, event, folded

from magpie_services.core import cleaning
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.portraits import fold, new_portrait


def codes(kind: EventKind, count: int) -> NDArray[np.int64]:
    return np.full(count, KIND_CODES[kind])


def test_a_double_click_counts_once() -> None:
    clicks = [
        event(n, EventKind.VIEW_ITEM, NOW_MS + at, item_id="i") for n, at in enumerate((0, 1_499, 3_000))
    ]
    assert folded(clicks).items["i"].views == 2
    assert folded(clicks[::-1]).items["i"].views == 2


def test_the_second_purchase_within_a_second_is_a_purchase() -> None:
    bought = [event(n, EventKind.PURCHASE, NOW_MS + n, item_id="i") for n in range(2)]
    assert folded(bought).items["i"].purchases == 2


def test_double_clicks_in_arrays_in_any_order() -> None:
    at = np.array([3_000, 0, 1_499, 100])
    items = np.array([7, 7, 7, 8])
    found = cleaning.double_clicks(np.zeros(4, dtype=int), items, codes(EventKind.VIEW_ITEM, 4), at)
    assert found.tolist() == [False, False, True, False]
    assert not cleaning.double_clicks(np.zeros(4, dtype=int), items, codes(EventKind.PURCHASE, 4), at).any()


def test_a_bot_is_folded_up_to_the_limit_only() -> None:
    portrait = new_portrait("u")
    start = NOW_MS // 60_000 * 60_000
    kept = [
        fold(portrait, event(n, EventKind.VIEW_ITEM, start + n * 100, item_id=f"i{n}")) for n in range(300)
    ]
    assert kept == [True] * 120 + [False] * 180
    flagged = cleaning.bots(
        np.zeros(300, dtype=int), codes(EventKind.VIEW_ITEM, 300), start + np.arange(300) * 100
    )
    assert (~flagged).tolist() == kept


def test_a_bot_that_straddles_two_minutes_is_seen() -> None:
    portrait = new_portrait("u")
    start = NOW_MS // 60_000 * 60_000 + 50_000
    kept = [
        fold(portrait, event(n, EventKind.VIEW_ITEM, start + n * 100, item_id=f"i{n}")) for n in range(200)
    ]
    assert sum(kept) < 150


def test_a_keen_reader_is_no_bot() -> None:
    portrait = new_portrait("u")
    assert all(
        fold(portrait, event(n, EventKind.VIEW_ITEM, NOW_MS + n * 600, item_id=f"i{n}")) for n in range(400)
    )
    flagged = cleaning.bots(
        np.zeros(400, dtype=int), codes(EventKind.VIEW_ITEM, 400), NOW_MS + np.arange(400) * 600
    )
    assert not flagged.any()


def test_two_users_together_are_no_bot() -> None:
    users = np.arange(200) % 2
    flagged = cleaning.bots(users, codes(EventKind.VIEW_ITEM, 200), NOW_MS + np.arange(200))
    assert not flagged.any()


def test_impossible_values_teach_nothing_and_long_dwell_is_cut() -> None:
    portrait = new_portrait("u")
    assert not fold(portrait, event(1, EventKind.PURCHASE, item_id="i", quantity=10_001))
    assert portrait.spend.orders == 0
    fold(portrait, event(2, EventKind.VIEW_ITEM, item_id="i", dwell_seconds=50_000.0))
    assert portrait.items["i"].dwell_seconds == 1_800.0
    kept = cleaning.keep(
        np.zeros(1, dtype=int),
        np.zeros(1, dtype=int),
        codes(EventKind.PURCHASE, 1),
        np.array([NOW_MS]),
        np.array([10_001]),
    )
    assert kept.tolist() == [False]
