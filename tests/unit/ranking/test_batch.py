"""Features as the model's tensors: shapes, padding, and the bytes that are logged."""

import numpy as np
import pytest
from tests import shop

from magpie_services.core.features import CROSS_FEATURES, ITEM_FEATURES, RECENT_LENGTH, SOURCES, USER_FEATURES
from magpie_services.core.mirror import Mirror
from magpie_services.ranking import batch as batches
from magpie_services.ranking.batch import Batch, Listed

SIZE = 40
MIRROR = Mirror()
MIRROR.put(shop.item(number, version=1) for number in range(SIZE))
VECTOR, POPULAR = (1 << SOURCES.index(name) for name in ("vector", "popular"))
PEOPLE = [shop.portrait(f"u{user}", shop.visits(user, SIZE)) for user in range(3)]


def listed(count: int) -> Listed:
    return Listed(
        item_ids=[f"i{number}" for number in range(count)],
        similarity=(np.arange(count) / 10).astype(np.float32),
        covisit=np.full(count, 0.5, dtype=np.float32),
        sources=np.array([VECTOR, *[POPULAR] * count][:count], dtype=np.int64),
    )


def built(*counts: int) -> Batch:
    people = PEOPLE[: len(counts)]
    return batches.build(people, [listed(count) for count in counts], MIRROR.columns, shop.NOW_MS)


def test_tensors_are_padded_to_the_fixed_sizes() -> None:
    inputs = built(20, 3, 0).inputs()
    u, i, c = len(USER_FEATURES), len(ITEM_FEATURES), len(CROSS_FEATURES)
    assert {name: array.shape for name, array in inputs.items()} == {
        "user": (8, u),
        "items": (8, 100, i),
        "cross": (8, 100, c),
        "hashes": (8, 100, 3),
        "recent": (8, RECENT_LENGTH),
        "mask": (8, 100),
    }
    assert inputs["mask"].sum(axis=1).tolist() == [20, 3, 0, 0, 0, 0, 0, 0]
    assert inputs["hashes"].dtype == inputs["recent"].dtype == np.int32
    assert built(3).inputs()["mask"].shape == (1, 16)


def test_a_user_scores_the_same_alone_and_among_others() -> None:
    together, alone = built(20, 3), built(20)
    assert together.features(0, [7, 3]) == alone.features(0, [7, 3])
    assert np.array_equal(together.flat()[0, :20], alone.flat()[0, :20])


def test_logged_features_are_user_item_cross() -> None:
    batch = built(5)
    logged = np.frombuffer(batch.features(0, [2])[0], dtype="<f4")
    names = [*USER_FEATURES, *ITEM_FEATURES, *CROSS_FEATURES]
    values = dict(zip(names, logged.tolist(), strict=True))
    assert values["similarity"] == pytest.approx(0.2)
    assert (values["from_popular"], values["from_vector"]) == (1.0, 0.0)
    assert logged.tolist() == batch.flat()[0, 2].tolist()


def test_an_unknown_item_has_no_features_and_is_scored_all_the_same() -> None:
    one = Listed(
        item_ids=["unheard of"],
        similarity=np.array([0.9], np.float32),
        covisit=np.zeros(1, np.float32),
        sources=np.zeros(1, np.int64),
    )
    batch = batches.build(PEOPLE[:1], [one], MIRROR.columns, shop.NOW_MS)
    assert batch.mask[0, 0] == 1
    assert not batch.items[0, 0].any()
    assert not batch.cross[0, 0].any()
