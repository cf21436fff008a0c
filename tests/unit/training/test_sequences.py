"""Windows that a sequence model learns from: the past on one side, the week that followed on the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.memory import Recent
from magpie_services.training.plan import HISTORY
from magpie_services.training.retrieval import sequences
from magpie_services.training.retrieval.sequences import HOUR_MS, WEEK_MS, History
from magpie_services.training.retrieval.windows import Batch, FollowingWeek, Windows

VIEW, PURCHASE, REVIEW = (
    KIND_CODES[kind] for kind in (EventKind.VIEW_ITEM, EventKind.PURCHASE, EventKind.REVIEW)
)


def made(*users: list[tuple[int, int, int]]) -> History:
    """One list of (hour, item, kind) a user."""
    rows = [(who, *entry) for who, entries in enumerate(users) for entry in entries]
    user, hour, item, kind = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(f"u{number}" for number in range(len(users)))
    return sequences.clean(
        names,
        user,
        item.astype(np.int32),
        kind.astype(np.int32),
        hour * HOUR_MS,
        np.ones(len(user), np.int64),
    )


def test_inputs_are_right_aligned_and_end_with_the_newest() -> None:
    history = made([(1, 7, VIEW), (3, 8, PURCHASE)], [(2, 9, VIEW)])
    inputs = sequences.inputs_at(history, history.offsets[1:], np.full(2, 4 * HOUR_MS))
    assert inputs.items[:, -3:].tolist() == [[0, 7, 8], [0, 0, 9]]
    assert inputs.kinds[0, -2:].tolist() == [VIEW, PURCHASE]
    np.testing.assert_allclose(inputs.gaps[0, -2:], np.log1p([3, 1]), rtol=1e-6)
    assert inputs.gaps[0, 0] == 0.0


def test_only_the_newest_fifty_are_read() -> None:
    history = made([(hour, hour, VIEW) for hour in range(1, 80)])
    inputs = sequences.inputs_at(history, history.offsets[1:], np.array([80 * HOUR_MS]))
    assert inputs.items[0].tolist() == list(range(80 - HISTORY, 80))


def test_a_basket_is_in_the_order_that_a_portrait_keeps() -> None:
    ids = ["", "a", "b", "c"]
    history = made([(1, 3, PURCHASE), (1, 1, PURCHASE), (1, 2, VIEW), (1, 2, PURCHASE), (0, 3, VIEW)])
    recent = sorted(Recent(at_ms, ids[item], kind) for at_ms, item, kind in _entries(history))
    assert [(entry.at_ms, ids.index(entry.item_id), entry.kind) for entry in recent] == _entries(history)


def _entries(history: History) -> list[tuple[int, int, int]]:
    columns = (history.at_ms.tolist(), history.items.tolist(), history.kinds.tolist())
    return list(zip(*columns, strict=True))


def test_until_keeps_users_and_drops_what_came_later() -> None:
    early = made([(1, 7, VIEW), (3, 8, VIEW)], [(2, 9, VIEW)]).until(2 * HOUR_MS)
    assert (early.offsets.tolist(), early.items.tolist()) == ([0, 1, 2], [7, 9])


def test_of_takes_users_with_their_rows() -> None:
    chosen = made([(1, 7, VIEW)], [(2, 8, VIEW), (3, 9, VIEW)], [(1, 5, VIEW)]).of(np.array([1, 2]))
    assert chosen.users == ("u1", "u2")
    assert (chosen.offsets.tolist(), chosen.items.tolist()) == ([0, 2, 3], [8, 9, 5])


def test_noise_and_unknown_items_are_left_out() -> None:
    at_ms = np.array([0, 500, 60_000, 120_000])  # the second is a double click, the third an unknown item
    items = np.array([1, 1, 0, 2], np.int32)
    history = sequences.clean(
        ("u",), np.zeros(4, np.int64), items, np.full(4, VIEW, np.int32), at_ms, np.ones(4, np.int64)
    )
    assert history.items.tolist() == [1, 2]


def learnt(history: History, seed: int = 0) -> list[tuple[int, int, float, float]]:
    """(item, target, weight, hours until asked) of all positions that learn."""
    found = []
    for batch in Windows(history, FollowingWeek(history)).epoch(4, 400, np.random.default_rng(seed)):
        items = batch.items.ravel()[batch.at]
        found += list(zip(*(column.tolist() for column in columns(items, batch)), strict=True))
    return found


def columns(items: NDArray[np.int32], batch: Batch) -> tuple[NDArray[Any], ...]:
    return items, batch.targets, batch.weights, np.expm1(batch.since)


def test_targets_come_strictly_later_and_within_a_week_of_the_next_event() -> None:
    rng = np.random.default_rng(0)
    entries = [
        (int(hour), item, VIEW) for item, hour in enumerate(np.sort(rng.integers(0, 2_000, 40)), start=1)
    ]
    hours = {item: hour for hour, item, _ in entries}
    found = learnt(made(entries))
    assert len(found) > 10
    for item, target, _, since in found:
        later = sorted(hour for hour in hours.values() if hour > hours[item])
        assert later[0] <= hours[target] <= later[0] + WEEK_MS // HOUR_MS
        assert since <= later[0] - hours[item] + 0.01


def test_a_basket_is_not_its_own_future() -> None:
    assert learnt(made([(1, 1, PURCHASE), (1, 2, PURCHASE), (1, 3, PURCHASE)])) == []


def test_one_users_future_is_not_anothers() -> None:
    history = made([(1, 1, VIEW), (2, 2, VIEW)], [(1, 3, VIEW), (2, 4, VIEW)])
    assert {(item, target) for item, target, *_ in learnt(history)} == {(1, 2), (3, 4)}


def test_a_purchase_weighs_more_than_a_look_and_a_review_nothing() -> None:
    history = made([(1, 1, VIEW), (2, 2, PURCHASE)], [(1, 3, VIEW), (2, 4, REVIEW)])
    assert {item: weight for item, _, weight, _ in learnt(history)} == {1: 3.0}


def test_wanted_lists_what_was_wanted_in_the_window() -> None:
    history = made([(1, 1, VIEW), (5, 2, VIEW), (6, 2, PURCHASE), (9, 3, VIEW)], [(5, 4, REVIEW)])
    assert sequences.wanted(history, 1 * HOUR_MS, 6 * HOUR_MS) == {0: {2}}


def test_no_events_no_windows() -> None:
    nothing = np.zeros(0, np.int64)
    empty = sequences.clean((), nothing, nothing.astype(np.int32), nothing.astype(np.int32), nothing, nothing)
    assert learnt(empty) == []
    assert sequences.inputs_at(empty, nothing, nothing).items.shape == (0, HISTORY)
