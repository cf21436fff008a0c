"""One list from many sources: never what may not be shown, quotas, evidence, the same draw everywhere."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import shop

from magpie_services.candidate import vector_index
from magpie_services.candidate.blend import Blend, Found, Query
from magpie_services.candidate.covisit import Covisits
from magpie_services.candidate.release import Followers, Release, UserVectors
from magpie_services.candidate.shelf import Filter, Shelf
from magpie_services.core.events import EventKind
from magpie_services.core.items import Item
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait

SIZE = 120
VECTORS = np.concatenate([np.zeros((1, 64), np.float32), shop.vectors(SIZE)])
IDS = ("", *(f"i{number}" for number in range(SIZE)))
RELEASE = Release(1, IDS, vector_index.build(VECTORS, vector_index.Kind()))


# i60 and i71 follow i17, i61 follows i7: far from the taste of who reads 17 and 7.
FOLLOWERS = Followers(
    np.array([[61, 72, 62, 0]], np.int32),
    np.array([[3.0, 0.001, 0.9, 0.0]], np.float32),
    np.array([[18, 8]], np.int32),
)


class World:
    def __init__(self, items: list[Item]) -> None:
        self.mirror = Mirror()
        self.shelf = Shelf(self.mirror.columns)
        self.covisits = Covisits()
        self.put(items, 1)
        for user in range(40):
            self.covisits.observe(self.mirror.observe(shop.visits(user, SIZE)))

    def put(self, items: list[Item], version: int) -> None:
        versioned = [shop.item(int(one.item_id[1:]), **fields(one, version)) for one in items]
        self.shelf.put(*self.mirror.put(versioned))

    def find(
        self,
        portrait: Portrait,
        taste: int | None = None,
        followers: Followers | None = None,
        **query: Any,
    ) -> list[Found]:
        users = None
        if taste is not None:
            vectors = VECTORS[taste + 1 : taste + 2]
            users = UserVectors(RELEASE, vectors, np.ones(1, dtype=np.bool_), followers)
        blend = Blend(self.mirror, self.shelf, self.covisits, Query(**query), shop.NOW_MS)
        return blend.lists([portrait], users)[0]


def fields(item: Item, version: int) -> dict[str, Any]:
    return {
        "stock": item.stock,
        "withdrawn": item.withdrawn,
        "version": version,
        "published_ms": item.published_ms,
    }


WORLD = World([shop.item(number) for number in range(SIZE)])
PERSON = shop.portrait("u7", shop.visits(7, SIZE, 30))


@settings(max_examples=30, deadline=None)
@given(
    gone=st.sets(st.integers(0, SIZE - 1)),
    withdrawn=st.sets(st.integers(0, SIZE - 1)),
    limit=st.integers(1, 130),
    seed=st.integers(0, 2**64 - 1),
)
def test_an_item_out_of_stock_or_withdrawn_is_never_a_candidate(
    gone: set[int], withdrawn: set[int], limit: int, seed: int
) -> None:
    world = World([shop.item(number) for number in range(SIZE)])
    world.put([shop.item(number, stock=0) for number in gone], 2)
    world.put([shop.item(number, withdrawn=True) for number in withdrawn], 3)
    found = [one.item_id for one in world.find(PERSON, 7, limit=limit, seed=seed)]
    assert not {f"i{number}" for number in gone | withdrawn} & set(found)
    assert len(set(found)) == len(found) <= limit
    assert world.shelf.size == SIZE - len(withdrawn)


def test_a_list_is_full_and_led_by_taste() -> None:
    found = WORLD.find(PERSON, 7, limit=50)
    assert len(found) == 50
    assert [int(one.item_id[1:]) % shop.TASTES for one in found[:6]].count(7) >= 4
    assert all(one.similarity != 0 for one in found), "also of what other sources brought"
    assert {"vector", "covisit", "repeat", "popular", "new", "random"} <= {
        s for one in found for s in one.sources
    }


def test_every_source_that_named_a_candidate_is_told() -> None:
    alone = {
        source: {
            one.item_id for one in WORLD.find(PERSON, 7, FOLLOWERS, limit=50, sources=frozenset({source}))
        }
        for source in ("vector", "covisit", "repeat", "popular", "new", "random", "transition")
    }
    assert alone["transition"] == {"i60", "i61", "i71"}
    for one in WORLD.find(PERSON, 7, FOLLOWERS, limit=50):
        assert set(one.sources) == {source for source, ids in alone.items() if one.item_id in ids}


def test_what_follows_the_newest_items_is_found_by_the_sum_and_says_after_what() -> None:
    both = frozenset({"vector", "transition"})
    found = WORLD.find(PERSON, 7, FOLLOWERS, limit=20, sources=both)
    assert [one.item_id for one in found[:2]] == ["i60", "i7"]
    by_id = {one.item_id: one for one in found}
    assert "i61" in by_id
    assert "i71" not in by_id, "what it adds is too little"
    assert [(by_id[one].sources, by_id[one].because_item_id) for one in ("i60", "i61")] == [
        (["transition"], "i17"),
        (["transition"], "i7"),
    ]
    cosines = VECTORS[1:] @ VECTORS[8]
    order = [cosines[int(one.item_id[1:])] + {"i60": 3.0, "i61": 0.9}.get(one.item_id, 0) for one in found]
    assert order == sorted(order, reverse=True)
    assert [one.similarity for one in found] == pytest.approx(
        [cosines[int(one.item_id[1:])] for one in found], abs=1e-6
    )
    without = WORLD.find(
        PERSON, 7, FOLLOWERS, limit=20, sources=both, filter=Filter(excluded_item_ids=["i60"])
    )
    assert "i60" not in {one.item_id for one in without}


def test_a_follower_among_the_nearest_has_both_sources() -> None:
    own = Followers(np.array([[18, 0]], np.int32), np.array([[0.5, 0.0]], np.float32), FOLLOWERS.after)
    found = WORLD.find(PERSON, 7, own, limit=20, sources=frozenset({"vector", "transition"}))
    assert found[0].item_id == "i17"
    assert found[0].sources == ["vector", "transition"]


def test_what_lies_in_the_cart_comes_first_and_speaks_for_itself() -> None:
    waiting = shop.portrait("u", [shop.event("u", 33, EventKind.ADD_TO_CART, shop.NOW_MS - 1000)])
    found = {one.item_id: one for one in WORLD.find(waiting, limit=10)}
    assert "cart" in found["i33"].sources
    assert found["i33"].because_item_id == "i33"


def test_what_was_given_back_or_disliked_is_not_repeated() -> None:
    done = [
        shop.event("u", 1, EventKind.PURCHASE, shop.NOW_MS - 9000),
        shop.event("u", 1, EventKind.RETURN_ITEM, shop.NOW_MS - 5000),
        shop.event("u", 2, EventKind.PURCHASE, shop.NOW_MS - 9000),
    ]
    found = WORLD.find(shop.portrait("u", done), sources=frozenset({"repeat"}))
    assert [one.item_id for one in found] == ["i2"]


def test_the_same_seed_draws_the_same_whatever_the_order_of_rows() -> None:
    backwards = World([shop.item(number) for number in reversed(range(SIZE))])
    stranger, drawn = shop.portrait("stranger"), frozenset({"random"})
    first = [one.item_id for one in WORLD.find(stranger, sources=drawn, seed=5)]
    assert first == [one.item_id for one in backwards.find(stranger, sources=drawn, seed=5)]
    assert len(first) == 5
    assert first != [one.item_id for one in WORLD.find(stranger, sources=drawn, seed=6)]


def test_random_draws_every_item_about_equally_often() -> None:
    counts: dict[str, int] = {}
    for seed in range(600):
        for one in WORLD.find(shop.portrait("u"), sources=frozenset({"random"}), seed=seed):
            counts[one.item_id] = counts.get(one.item_id, 0) + 1
    assert len(counts) == SIZE
    assert max(counts.values()) < 3 * 600 * 5 / SIZE


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(item_ids=["i5", "i6", "unknown"]), {5, 6}),
        (Filter(categories=["taste3"], excluded_item_ids=["i3"]), set(range(13, SIZE, 10))),
        (Filter(categories=["hall1"], brands=["brand1"]), {n for n in range(1, SIZE, 2) if n % 7 == 1}),
        (Filter(vendors=["vendor0", "vendor1"]), {n for n in range(SIZE) if n % 3 != 2}),
        (
            Filter(min_discount=0.45),
            {n for n in range(SIZE) if 1 - (1000 + 31 * n) / (2000 + 31 * n) >= 0.45},
        ),
        (Filter(brands=["nothing"]), set()),
    ],
)
def test_filters(wanted: Filter, expected: set[int]) -> None:
    found = WORLD.find(PERSON, 7, limit=500, filter=wanted)
    allowed = {f"i{number}" for number in expected}
    assert {one.item_id for one in found} <= allowed
    if wanted.item_ids:
        assert {one.item_id for one in found} == allowed
        assert all("caller" in one.sources for one in found)
    if not expected:
        assert found == []
