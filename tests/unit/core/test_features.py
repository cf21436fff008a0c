"""Features: their schema, their bounds, their meaning and their cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.worlds import NOW_MS, catalogue, event, folded, history

from magpie_services.core.columns import ItemColumns, bucket
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.features import (
    CROSS_FEATURES,
    FEATURES,
    ITEM_FEATURES,
    SCHEMA_HASH,
    SOURCES,
    USER_FEATURES,
    cross_features,
    hash_buckets,
    item_features,
    recent_buckets,
    sequence,
    user_features,
)
from magpie_services.core.memory import DAY_MS, HOUR_MS
from magpie_services.core.portraits import new_portrait

GOLDEN = "7801519cce1ad456d3cb26756b337589c9f151bc8d5383b97130da49a7178792"


def test_the_schema_hash_is_the_one_that_models_carry() -> None:
    assert SCHEMA_HASH == GOLDEN, (
        "The features changed. Models in service were trained on the old ones: ranking will refuse them and "
        "fall back to the light scorer until a new one is released. If that is meant: raise TRANSFORMS in "
        "feature_schema where the way of computing changed, put the new hash here, say so in CHANGELOG.md, "
        "and plan a full retraining from events (features logged under the old schema cannot be used)."
    )


def test_every_feature_is_named_once() -> None:
    names = [feature.name for feature in FEATURES]
    assert len(set(names)) == len(names) == len(USER_FEATURES) + len(ITEM_FEATURES) + len(CROSS_FEATURES)


def cross(name: str, *histories: object, rows: list[int], **fields: object) -> list[float]:
    table = cross_features(
        [folded(histories)],  # type: ignore[arg-type]
        catalogue(),
        np.array([rows]),
        NOW_MS,
        **fields,  # type: ignore[arg-type]
    )
    return [float(value) for value in table[0, :, CROSS_FEATURES.index(name)]]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 1_000),
    st.integers(0, 80),
    st.integers(NOW_MS - 400 * DAY_MS, NOW_MS + 4_000 * DAY_MS),
    st.sampled_from([0.5, float("nan"), float("inf"), -1e9]),
)
def test_features_are_finite_and_bounded_whatever_comes_in(
    seed: int, size: int, now_ms: int, similarity: float
) -> None:
    columns, portraits = catalogue(), [folded(history(seed, size)), new_portrait("nobody")]
    rows = np.array([[0, 5, -1, 39], [-1, 1, 2, 2]])
    scores = np.full(rows.shape, similarity)
    for table, width in (
        (user_features(portraits, now_ms), len(USER_FEATURES)),
        (item_features(columns, rows, now_ms), len(ITEM_FEATURES)),
        (cross_features(portraits, columns, rows, now_ms, similarity=scores), len(CROSS_FEATURES)),
    ):
        assert table.shape[-1] == width
        assert table.dtype == np.float32
        assert np.isfinite(table).all()
        assert np.abs(table).max() <= 4.0


def test_unknown_rows_are_zeros() -> None:
    portraits, columns, rows = [folded(history(1, 50))], catalogue(), np.array([[-1, -1]])
    ones = np.ones((1, 2, len(SOURCES)))
    assert not item_features(columns, rows, NOW_MS).any()
    assert not cross_features(portraits, columns, rows, NOW_MS, similarity=1.0, sources=ones).any()
    assert not hash_buckets(columns, rows).any()
    assert not item_features(ItemColumns(), rows, NOW_MS).any()
    assert not cross_features(portraits, ItemColumns(), rows, NOW_MS).any()


def test_a_batch_gives_each_user_what_they_get_alone() -> None:
    portraits = [folded(history(seed, 60)) for seed in range(4)]
    columns, rows = catalogue(), np.arange(40).reshape(4, 10)
    together = cross_features(portraits, columns, rows, NOW_MS)
    for index, portrait in enumerate(portraits):
        alone = cross_features([portrait], columns, rows[index : index + 1], NOW_MS)
        np.testing.assert_array_equal(together[index], alone[0])
    np.testing.assert_array_equal(
        user_features(portraits, NOW_MS)[2], user_features(portraits[2:3], NOW_MS)[0]
    )


def test_memory_of_the_item_is_joined_with_the_candidate() -> None:
    bought = [
        event(n, EventKind.PURCHASE, NOW_MS - days * DAY_MS, item_id="i3")
        for n, days in enumerate((90, 60, 30))
    ]
    viewed = event(9, EventKind.VIEW_ITEM, NOW_MS - DAY_MS, item_id="i4")
    rows = [3, 4, 5, 10]
    assert cross("bought_before", *bought, viewed, rows=rows) == [1, 0, 0, 0]
    assert cross("purchase_share", *bought, viewed, rows=rows) == [1, 0, 0, 0]
    assert cross("repurchase_known", *bought, viewed, rows=rows) == [1, 0, 0, 0]
    assert cross("repurchase_due", *bought, viewed, rows=rows) == pytest.approx([0, 0, 0, 0], abs=1e-6)
    assert cross("item_seen", *bought, viewed, rows=rows) == [1, 1, 0, 0]
    shares = cross("category_interest", *bought, viewed, rows=rows)
    assert shares[0] == shares[3] > shares[1] > shares[2] == 0  # i3 and i10 share category c3


def test_habits_are_counted_in_days_with_an_order() -> None:
    days = {"i3": (90, 60, 30), "i4": (90, 90), "i5": (30,)}
    bought = [
        event(n, EventKind.PURCHASE, NOW_MS - day * DAY_MS + n, item_id=item_id)
        for n, (item_id, day) in enumerate((item_id, day) for item_id in days for day in days[item_id])
    ]
    rows = [3, 4, 5, 6]
    assert cross("orders_since", *bought, rows=rows) == pytest.approx([0, np.log(3), 0, 0])
    shares = np.log(np.array([3.1, 1.1, 1.1]) / 4) / 2
    assert cross("order_share", *bought, rows=rows) == pytest.approx([*shares, 0])
    # Again twice in two chances; twice in a day, and then not in two; never had a chance; never bought.
    assert cross("habit", *bought, rows=rows) == pytest.approx([np.log(4), np.log(4 / 6), 0, 0])
    assert cross("days_of_item", *bought, rows=rows) == pytest.approx(np.log([4, 2, 2, 1]))
    assert cross("known_purchase", *bought, rows=rows) == pytest.approx(
        [*np.log([91, 91, 31]) / 2, 0], abs=1e-6
    )
    late = np.array([1 + 0.9 + 0.81, 0.81, 1, 0])
    assert cross("late_days", *bought, rows=rows) == pytest.approx(np.log1p(10 * late))
    fade = np.exp2(-np.array([90, 60, 30]) / 60 - NOW_MS % DAY_MS / DAY_MS / 60)
    fresh = np.array([fade.sum(), fade[0], fade[2]])
    assert cross("late_share", *bought, rows=rows) == pytest.approx(
        [*np.log((fresh + 0.05) / (fade.sum() + 0.5)), 0], abs=1e-6
    )
    portrait = folded(bought)
    assert portrait.spend.order_days == [(NOW_MS - day * DAY_MS) // DAY_MS for day in (90, 60, 30)]
    user = dict(zip(USER_FEATURES, user_features([portrait], NOW_MS)[0].tolist(), strict=True))
    assert user["order_count"] == pytest.approx(np.log(4) / 2)
    assert user["order_gap"] == pytest.approx(np.log(31) / 2)
    assert user["order_due"] == pytest.approx(0, abs=1e-6)
    assert user["order_size"] == pytest.approx(np.log(3) / 2)
    assert user["repeat_share"] == pytest.approx(3.5 / 8)
    nobody = dict(zip(USER_FEATURES, user_features([new_portrait("n")], NOW_MS)[0].tolist(), strict=True))
    assert nobody["order_count"] == nobody["order_gap"] == nobody["order_due"] == nobody["order_size"] == 0


def test_what_all_buy_counts_apart_for_what_the_user_bought() -> None:
    columns = catalogue()
    columns.observe(["i3", "i4"], [KIND_CODES[EventKind.PURCHASE]] * 2, [NOW_MS] * 2)
    portrait = folded([event(1, EventKind.PURCHASE, NOW_MS, item_id="i3")])
    table = cross_features([portrait], columns, np.array([[3, 4]]), NOW_MS)
    assert table[0, :, CROSS_FEATURES.index("popular_again")] == pytest.approx([np.log(2) / 2, 0])


def test_items_that_are_bought_again_make_a_habit_likelier() -> None:
    columns = catalogue()
    bought = [KIND_CODES[EventKind.PURCHASE]] * 6
    columns.observe(["i3", "i3", "i3", "i3", "i5", "i5"], bought, [NOW_MS] * 6, [True] * 4 + [False] * 2)
    rows = np.array([[3, 4, 5, -1]])
    share = np.array([5 / 8, 1 / 4, 1 / 6]) / 0.25
    again = item_features(columns, rows, NOW_MS)[0, :, ITEM_FEATURES.index("item_again")]
    assert again == pytest.approx([*np.log(share), 0])
    portrait = folded([event(n, EventKind.PURCHASE, NOW_MS, item_id=f"i{n}") for n in (3, 4)])
    table = cross_features([portrait], columns, rows, NOW_MS)[0]
    for name in ("habit_of_item", "again_of_item"):
        assert table[:, CROSS_FEATURES.index(name)] == pytest.approx([*np.log(share[:2]), 0, 0], abs=1e-6)


def test_pushes_of_the_item_are_remembered() -> None:
    sent = [
        event(n, EventKind.PUSH_SENT, NOW_MS - n * DAY_MS, item_id="i3", decision_id=f"d{n}") for n in (1, 2)
    ]
    opened = event(9, EventKind.PUSH_OPENED, NOW_MS, item_id="i3", decision_id="d1")
    assert cross("pushes_of_item", *sent, opened, rows=[3, 10]) == pytest.approx([np.log(3), 0])
    assert cross("ignored_pushes", *sent, opened, rows=[3, 10]) == pytest.approx([np.log(2), 0])
    assert cross("pushes_of_category", *sent, opened, rows=[3, 10]) == pytest.approx([np.log(3)] * 2)
    assert cross("days_since_push", *sent, opened, rows=[3, 10]) == pytest.approx([np.log(2) / 2, 0])


def test_scores_and_sources_pass_through() -> None:
    flags = np.zeros((1, 2, len(SOURCES)))
    flags[0, 1, SOURCES.index("cart")] = 1
    assert cross("from_cart", rows=[3, 4], sources=flags) == [0, 1]
    assert cross("similarity", rows=[3, 4], similarity=np.array([[0.5, -0.25]])) == [0.5, -0.25]


def test_the_clock_is_the_users() -> None:
    nine = NOW_MS // DAY_MS * DAY_MS + 9 * HOUR_MS
    nowhere, there = new_portrait("u"), new_portrait("u")
    there.timezone = "Asia/Shanghai"
    sine = USER_FEATURES.index("hour_sin")
    assert user_features([there], nine - 8 * HOUR_MS)[0, sine] == user_features([nowhere], nine)[0, sine]


def test_sequences_are_right_aligned_newest_last() -> None:
    portrait = folded(
        [
            event(n, EventKind.VIEW_ITEM, NOW_MS - hours * HOUR_MS, item_id=f"i{n}")
            for n, hours in enumerate((9, 1))
        ]
    )
    ids, kinds, gaps = sequence(portrait, NOW_MS)
    assert ids == [""] * 48 + ["i0", "i1"]
    assert kinds.tolist() == [0] * 48 + [KIND_CODES[EventKind.VIEW_ITEM]] * 2
    assert gaps[-2:] == pytest.approx([np.log(10), np.log(2)])
    assert recent_buckets(portrait).tolist() == [0] * 18 + [bucket("item", "i0"), bucket("item", "i1")]
    assert hash_buckets(catalogue(), np.array([1]))[0, 0] == recent_buckets(portrait)[-1]
    assert sequence(new_portrait("u"), NOW_MS)[0] == [""] * 50
