"""Labels of logged arms: what was bought later, and how much of what will be bought could be seen yet."""

from dataclasses import replace

import numpy as np
from tests.unit.training import worlds

from magpie_services.training.ranking import rows
from magpie_services.training.ranking.rows import (
    CLICK,
    DAY_MS,
    ORGANIC,
    ORGANIC_DAY,
    PURCHASE,
    PURCHASE_DAY,
    PURCHASE_WINDOW_MS,
    RESPONSES,
    Purchases,
)


def test_delay_to_the_first_later_purchase_of_that_item_by_that_user() -> None:
    bought = Purchases(
        np.array([0, 0, 1, 0]),
        np.array([5, 5, 5, 6], np.int32),
        np.array([100, 300, 200, 250]),
        vocabulary=10,
    )
    asked = [(0, 5, 0), (0, 5, 100), (0, 5, 300), (1, 5, 150), (1, 6, 0), (0, 6, 249), (9, 5, 0), (-1, 5, 0)]
    users, items, after = (np.array(column) for column in zip(*asked, strict=True))
    assert bought.delays(users, items, after).tolist() == [100, 200, -1, 50, -1, 1, -1, -1]


def test_moments_outside_the_log() -> None:
    bought = Purchases(np.array([0]), np.array([1], np.int32), np.array([500]), vocabulary=3)
    delays = bought.delays(np.zeros(2, np.int64), np.ones(2, np.int64), np.array([-(10**6), 10**9]))
    assert delays.tolist() == [500 + 10**6, -1]


def test_nobody_bought_anything() -> None:
    nothing = np.zeros(0, np.int64)
    bought = Purchases(nothing, nothing.astype(np.int32), nothing, vocabulary=3)
    assert bought.delays(np.zeros(2, np.int64), np.ones(2, np.int64), np.zeros(2, np.int64)).tolist() == [
        -1,
        -1,
    ]


def test_labels_know_nothing_later_than_the_moment_asked_of() -> None:
    made = replace(
        worlds.rows(3),
        decided_ms=np.array([0, 0, 9 * DAY_MS]),
        sent=np.array([1, 0, 1], np.float32),
        delays=np.array(
            [
                [60, 3 * DAY_MS, -1, -1, -1, 3 * DAY_MS, -1],
                [-1, 5 * DAY_MS, -1, -1, -1, 5 * DAY_MS, -1],
                [60, 60, -1, -1, 60, 60, 60],
            ]
        ),
    )
    early, later = rows.as_of(made, 4 * DAY_MS), rows.as_of(made, 9 * DAY_MS + 3_600_000)
    assert len(early) == 2  # the third is not decided yet
    assert early.labels[:, [CLICK, PURCHASE, ORGANIC]].tolist() == [[1, 1, 0], [0, 0, 0]]
    assert later.labels[:, [PURCHASE, ORGANIC]].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert later.labels[:, [PURCHASE_DAY, ORGANIC_DAY]].tolist() == [[0, 0], [0, 0], [1, 0]]
    assert (early.shares[:, PURCHASE] < 1).all()
    assert (early.shares[:, PURCHASE_DAY] == 1).all(), "a day is over sooner than a week"
    assert later.shares[:2, PURCHASE].tolist() == [1, 1]
    # Sent an hour ago: that it was clicked at once says nothing of those who take longer.
    assert later.known[:, CLICK].tolist() == [1, 0, 0]
    assert later.labels[2, CLICK] == 0
    assert later.known[:, PURCHASE].tolist() == [1, 0, 1]
    assert later.known[:, ORGANIC].tolist() == [0, 1, 0]


def test_silence_about_a_push_that_may_not_have_arrived_is_no_answer() -> None:
    made = replace(worlds.rows(2), sent=np.ones(2, np.float32), told=np.array([1, 0], np.float32))
    found = rows.as_of(made, worlds.END_MS)
    assert found.known[:, RESPONSES].tolist() == [[1, 1, 1], [0, 0, 0]]
    assert found.known[:, PURCHASE].all(), "what was bought is in the log either way"


def test_maturity_grows_with_age_to_one() -> None:
    ages = np.array([0, DAY_MS, 3 * DAY_MS, PURCHASE_WINDOW_MS, 30 * DAY_MS])
    share = rows.maturity(ages, np.full(5, -1), PURCHASE_WINDOW_MS)
    assert (np.diff(share) >= 0).all()
    assert share[0] > 0
    assert share[-2:].tolist() == [1.0, 1.0]


def test_maturity_follows_the_delays_that_were_seen() -> None:
    ages = np.concatenate([np.full(500, 30 * DAY_MS), [DAY_MS]])
    delays = np.concatenate([np.full(500, DAY_MS // 4), [-1]])  # all bought within hours
    assert rows.maturity(ages, delays, PURCHASE_WINDOW_MS)[-1] > 0.9


def test_maturity_is_the_curve_that_delays_were_drawn_from() -> None:
    rng, count = np.random.default_rng(5), 40_000
    within_hours, within_week = rng.exponential(0.1, count), rng.beta(1.0, 1.6, count) * 7
    days = np.where(rng.random(count) < 0.5, within_hours, within_week)
    asked = np.array([0.05, 0.1, 0.5, 1, 2, 4, 6])
    truth = 0.5 * (1 - np.exp(-asked / 0.1)) + 0.5 * (1 - (1 - asked / 7) ** 1.6)
    ages = np.concatenate([np.full(count, 30 * DAY_MS), (asked * DAY_MS).astype(np.int64)])
    delays = np.concatenate([(days * DAY_MS).astype(np.int64), np.full(len(asked), -1)])
    found = rows.maturity(ages, delays, PURCHASE_WINDOW_MS)[count:]
    np.testing.assert_allclose(found, truth, atol=0.01)


def test_a_sample_keeps_pushes_and_the_total_weight_of_the_rest() -> None:
    whole = worlds.rows(4_000)
    part = rows.sample(whole, 2_400, np.random.default_rng(0))
    assert len(part) < 2_700
    assert part.sent.sum() == whole.sent.sum()
    rest, all_rest = part.weights[part.sent == 0].sum(), whole.weights[whole.sent == 0].sum()
    np.testing.assert_allclose(rest, all_rest, rtol=0.1)


def test_rows_that_come_in_parts_stand_for_equally_many_whether_early_or_late() -> None:
    parts = [replace(worlds.rows(600, seed=day), decided_ms=np.full(600, day)) for day in range(30)]
    sample = rows.Sample(1_000, np.random.default_rng(0))
    for part in parts:
        sample.add(part)
    found = sample.rows()
    whole = rows.concat(parts)
    assert 800 < len(found) < 1_200
    for sent in (0, 1):
        mine = found.sent == sent
        weights, count = found.weights[mine], np.count_nonzero(whole.sent == sent)
        np.testing.assert_allclose(weights, weights[0], rtol=1e-4)
        assert abs(weights.sum() - count) < 0.15 * count
        early = np.count_nonzero(found.decided_ms[mine] < 15) / mine.sum()
        assert 0.4 < early < 0.6


def test_parts_within_the_limit_are_kept_as_they_are() -> None:
    whole = worlds.rows(100)
    sample = rows.Sample(100, np.random.default_rng(0))
    for at in range(0, 100, 25):
        sample.add(whole.take(np.arange(at, at + 25)))
    np.testing.assert_array_equal(sample.rows().features, whole.features)
    np.testing.assert_array_equal(sample.rows().weights, whole.weights)


def test_concat_of_nothing_is_empty() -> None:
    assert len(rows.concat([])) == 0


def test_a_sample_of_many_pushes_is_bounded_too() -> None:
    whole = worlds.rows(8_000)
    pushes = int(whole.sent.sum())
    part = rows.sample(whole, 2_000, np.random.default_rng(0))
    assert 1_800 < len(part) < 2_200
    assert 1_250 < part.sent.sum() < 1_550
    assert abs(part.weights[part.sent > 0].sum() - pushes) < 0.05 * pushes
    assert abs(part.weights.sum() - len(whole)) < 0.06 * len(whole)
