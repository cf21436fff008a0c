"""What a model is told of an item is the same on every machine, and for ever."""

from typing import Any

import numpy as np
import pytest

from magpie_services.core import item_codes
from magpie_services.core.items import MAX_PICTURE_NUMBERS, Item, pictured


def shown(vector: Any) -> Item:
    return Item(item_id="i", picture_vector=pictured(vector))


def test_an_item_without_a_picture_has_zeros() -> None:
    assert not item_codes.picture(Item(item_id="i")).any()
    assert item_codes.picture(Item(item_id="i")).shape == (item_codes.PICTURE,)


def test_a_picture_never_moves() -> None:
    """Released models have learnt from these numbers: other ones would be other pictures."""
    found = item_codes.picture(shown(np.linspace(-1, 1, 300) / 10.0))
    np.testing.assert_allclose(found[:4], [0.04284, 0.18367, 0.01293, -0.01232], atol=1e-4)


@pytest.mark.parametrize(
    ("numbers", "apart"), [(3, 2e-3), (128, 2e-3), (200, 0.3), (MAX_PICTURE_NUMBERS, 0.35)]
)
def test_pictures_keep_their_cosines(numbers: int, apart: float) -> None:
    rng = np.random.default_rng(numbers)
    vectors = rng.normal(size=(40, numbers)) + 0.7 * rng.normal(size=(40, 1))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    folded = np.stack([item_codes.picture(shown(vector)) for vector in vectors])
    np.testing.assert_allclose(np.linalg.norm(folded, axis=1), 1.0, atol=1e-5)
    off = folded @ folded.T - vectors @ vectors.T
    assert np.abs(off).max() < apart
    assert off.std() < 0.1
