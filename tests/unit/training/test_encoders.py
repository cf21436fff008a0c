"""What every sequence encoder and the item tower promise, whichever family. Keras is imported here."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from magpie_services.core import item_codes
from magpie_services.core.items import Item, pictured
from magpie_services.training.plan import HISTORY, VECTOR, RetrieverPlan
from magpie_services.training.retrieval import vocabulary

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
ENCODERS = ("transformer", "recurrent", "convolutional", "sasrec")


def reader(encoder: Any) -> Any:
    from magpie_services.training.retrieval.reader import Reader

    return Reader(RetrieverPlan(encoder=encoder, blocks=2))


def window(length: int, seed: int = 0) -> tuple[NDArray[Any], ...]:
    """Vectors, kinds, gaps and what is real of two users with full windows."""
    rng = np.random.default_rng(seed)
    gaps = np.sort(rng.uniform(0, 5, (2, length)), axis=1)[:, ::-1].astype(np.float32)
    vectors = rng.normal(0, 1, (2, length, VECTOR)).astype(np.float32)
    kinds = rng.integers(0, 5, (2, length)).astype(np.int32)
    return vectors, kinds, gaps.copy(), np.ones((2, length), bool)


def other(length: int) -> NDArray[np.float32]:
    return window(length, seed=1)[0]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_later_event_changes_no_earlier_state(encoder: str) -> None:
    read, (vectors, kinds, gaps, real) = reader(encoder), window(9)
    before = np.asarray(read.states(vectors, kinds, gaps, real))
    vectors[:, 6:] += other(3)
    after = np.asarray(read.states(vectors, kinds, gaps, real))
    np.testing.assert_allclose(after[:, :6], before[:, :6], atol=1e-5)
    assert np.abs(after[:, 6:] - before[:, 6:]).max() > 0.01


@pytest.mark.parametrize("encoder", ENCODERS)
def test_padding_in_front_changes_nothing(encoder: str) -> None:
    read, columns = reader(encoder), window(5)
    wide = [np.pad(column, [(0, 0), (7, 0), (0, 0)][: column.ndim]) for column in columns]
    short = np.asarray(read.states(*columns))
    np.testing.assert_allclose(np.asarray(read.states(*wide))[:, 7:], short, atol=1e-5)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_earlier_event_changes_the_last_state(encoder: str) -> None:
    read, (vectors, kinds, gaps, real) = reader(encoder), window(5)
    before = np.asarray(read.states(vectors, kinds, gaps, real))[:, -1]
    vectors[:, :1] += other(1)
    assert np.abs(np.asarray(read.states(vectors, kinds, gaps, real))[:, -1] - before).max() > 1e-3


RED = pictured([0.1, -0.3, 0.7])


def shirts() -> Any:
    items = [
        Item(item_id="a", title="Red shirt", categories=["Clothes", "Shirts"], brand="B", picture_vector=RED),
        Item(item_id="b", title="Red shirt", categories=["Clothes", "Shirts"], brand="B", picture_vector=RED),
        Item(item_id="c", title="Teapot", categories=["Kitchen"]),
    ]
    return items, vocabulary.build(items, ["a", "b", "c"])


def test_an_item_that_was_never_seen_is_where_its_content_is() -> None:
    from magpie_services.training.retrieval.tower import ItemTower

    items, known = shirts()
    tower = ItemTower(RetrieverPlan(), known, np.array([False, True, False, True]))
    vectors = np.asarray(tower(np.arange(4, dtype=np.int32)))
    assert not vectors[0].any()
    np.testing.assert_allclose(np.linalg.norm(vectors[1:], axis=1), 1.0, atol=1e-5)
    parts = (item_codes.tags, item_codes.brand, item_codes.band, item_codes.words)
    codes = [np.array([of(items[1])], np.int32) for of in parts] + [item_codes.picture(items[1])[None]]
    np.testing.assert_allclose(np.asarray(tower.describe(*codes))[0], vectors[2], atol=1e-5)
    assert np.abs(vectors[1] - vectors[2]).max() > 1e-3  # the same content, but one has an id


def test_learnt_by_inner_product_it_serves_unit_vectors_in_the_same_order() -> None:
    from magpie_services.training.retrieval.retriever import Retriever

    _, known = shirts()
    model = Retriever(RetrieverPlan(scoring="dot", projected=False), known, np.ones(4, bool))
    table = model.vectors()
    np.testing.assert_allclose(np.linalg.norm(table[1:], axis=1), 1.0, atol=1e-5)
    items = np.zeros((1, HISTORY), np.int32)
    items[0, -2:] = 1, 3
    nothing = np.zeros((1, HISTORY), np.int32)
    served = model.read(table, items, nothing, nothing.astype(np.float32))
    raw = np.asarray(model.tower(np.arange(4, dtype=np.int32)))
    states = model.reader.states(raw[items], nothing, nothing.astype(np.float32), items > 0)
    asked = np.asarray(model.reader.answer(states[:, -1], np.zeros(1, np.float32)))
    np.testing.assert_array_equal(np.argsort(served[0] @ table[1:].T), np.argsort(asked[0] @ raw[1:].T))


def test_a_plan_out_of_range_is_refused_by_name() -> None:
    from magpie_services.kit.errors import Invalid

    for wrong in ({"dropout": 1.0}, {"heads": 3}, {"negatives": 0}):
        with pytest.raises(Invalid, match=next(iter(wrong))):
            RetrieverPlan(**wrong)
