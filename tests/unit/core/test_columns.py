"""The columnar catalogue: stable rows, price ranks, popularity in any order."""

import msgspec
import numpy as np
import pytest
from tests.unit.core.worlds import NOW_MS, catalogue, item

from magpie_services.core.columns import HASH_BUCKETS, ItemColumns, bucket
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.memory import DAY_MS
from magpie_services.core.money import Money

VIEW, PURCHASE, SEARCH = (
    KIND_CODES[kind] for kind in (EventKind.VIEW_ITEM, EventKind.PURCHASE, EventKind.SEARCH)
)


def test_rows_are_stable_and_unknown_is_minus_one() -> None:
    columns = catalogue(300)
    columns.remove(["i1", "never"])
    assert columns.rows(["i0", "i1", "nobody", "i299"]).tolist() == [0, -1, -1, 299]
    assert columns.upsert([item(1), item(300)]).tolist() == [1, 300]
    assert columns.rows([]).tolist() == []
    assert ItemColumns().rows(["i0"]).tolist() == [-1]


def test_columns_say_what_the_item_says() -> None:
    columns = ItemColumns()
    columns.upsert([item(1, price=Money("JPY", 800), list_price=Money("JPY", 1_000), stock=0)])
    assert columns["price"].tolist() == [800.0]
    assert columns["discount"].tolist() == pytest.approx([0.2])
    assert columns["available"].tolist() == [False]
    assert columns["category"].tolist() == [columns.category_code("c1")]
    assert columns["broad_category"].tolist() == [columns.category_code("b1")]
    assert columns["brand"].tolist() == [columns.brand_code("brand1")]
    assert columns.category_code("nowhere") == 0
    with pytest.raises(ValueError, match="read-only"):
        columns["price"][0] = 1


def test_price_percentiles_follow_the_catalogue() -> None:
    columns = ItemColumns()
    prices = [100, 200, 200, 400]
    columns.upsert(item(n, categories=["c"], price=Money("CNY", price)) for n, price in enumerate(prices))
    columns.upsert([item(4, categories=["c"], price=None), item(5, categories=["d"])])
    assert columns["price_percentile"].tolist() == [0.125, 0.5, 0.5, 0.875, 0.5, 0.5]
    columns.remove(["i3"])
    assert columns["price_percentile"].tolist()[:3] == pytest.approx([1 / 6, 2 / 3, 2 / 3])


def test_popularity_decays_and_does_not_mind_the_order() -> None:
    days = np.array([0, 7, 7, 3])
    ids, kinds = ["i1", "i1", "i2", "gone"], np.array([VIEW, PURCHASE, SEARCH, VIEW])
    one, other = catalogue(), catalogue()
    one.observe(ids, kinds, NOW_MS - days * DAY_MS)
    for at in (1, 3, 0, 2):
        other.observe([ids[at]], kinds[[at]], NOW_MS - days[[at]] * DAY_MS)
    rows = np.array([1, 2, -1])
    expected = [[1.0, 0.5, 2**-0.25], [0, 0, 0], [0, 0, 0]]
    assert one.popularity(rows, NOW_MS) == pytest.approx(np.array(expected))
    assert other.popularity(rows, NOW_MS) == pytest.approx(np.array(expected))
    assert one.popularity(rows, NOW_MS + 7 * DAY_MS)[0, 0] == pytest.approx(0.5)
    assert one.mean_views(NOW_MS) == pytest.approx(1 / 40)


def test_purchases_made_again_outlive_storage_and_what_an_earlier_release_stored_is_read() -> None:
    one, rows = catalogue(), np.array([1, 2, -1])
    one.observe(["i1", "i1", "i1", "i1"], [PURCHASE] * 4, [NOW_MS] * 4, [True, True, True, False])
    assert one.popularity_and_again(rows, NOW_MS)[1] == pytest.approx([0.5, 0.25, 0.25])
    stored = one.counted()
    other = catalogue()
    other.restore(stored)
    assert other.popularity_and_again(rows, NOW_MS)[1] == pytest.approx([0.5, 0.25, 0.25])
    other.restore(msgspec.structs.replace(stored, counts=np.array([0.0, 4.0, 4.0]).tobytes()))
    assert other.popularity_and_again(rows, NOW_MS)[1] == pytest.approx([0.25, 0.25, 0.25])
    assert other.popularity(rows[:1], NOW_MS) == pytest.approx(np.array([[0, 4.0, 4.0]]))


def test_buckets_never_move() -> None:
    assert bucket("item", "") == 0
    assert bucket("item", "i1") == 1_198_718_703
    assert all(0 < bucket("item", f"i{n}") < HASH_BUCKETS for n in range(2_000))
