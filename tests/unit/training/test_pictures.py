"""A shop that tells nothing of its items but their pictures. Keras is imported here."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.training import worlds

from magpie_services.core import item_codes
from magpie_services.core.items import Item, pictured
from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.progress import silent
from magpie_services.training.retrieval import vocabulary

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
GROUPS, KNOWN, NEW = 8, 80, 40
PLAN = RetrieverPlan(blocks=1, epochs=4, seconds=10.0, negatives=64)


def shop(numbers: int) -> list[Item]:
    """Items of which only the pictures, of 200 numbers, tell the group: item n is of group n % 8."""
    rng = np.random.default_rng(5)
    centres, noise = rng.normal(size=(GROUPS, numbers)), rng.normal(size=(KNOWN + NEW, numbers))
    shown = centres[np.arange(KNOWN + NEW) % GROUPS] + 0.8 * noise
    return [
        Item(item_id=item.item_id, title="Thing", picture_vector=pictured(vector))
        for item, vector in zip(worlds.catalogue(KNOWN + NEW), shown, strict=True)
    ]


def neighbours(items: list[Item]) -> NDArray[np.bool_]:
    """Which of the ten nearest items of each new one are of its group, [NEW, 10]."""
    from magpie_services.training.retrieval import fit

    known = vocabulary.build(items, [item.item_id for item in items[:KNOWN]])
    past = worlds.history(known, users=120, events=25, groups=GROUPS)
    model = fit.train(PLAN, known, past, worlds.END_MS, 1, silent).model
    new = items[KNOWN:]
    vectors = model.tower.describe(
        np.array([item_codes.tags(item) for item in new], np.int32),
        np.array([item_codes.brand(item) for item in new], np.int32),
        np.array([item_codes.band(item) for item in new], np.int32),
        np.array([item_codes.words(item) for item in new], np.int32),
        np.stack([item_codes.picture(item) for item in new]),
    )
    scores = np.asarray(vectors) @ model.vectors()[1:].T
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    return np.asarray(nearest % GROUPS == (np.arange(KNOWN, KNOWN + NEW) % GROUPS)[:, None])


def test_an_item_that_nobody_has_met_is_among_its_like_by_its_picture() -> None:
    items = shop(200)
    blind = [msgspec.structs.replace(item, picture_vector="") for item in items]
    assert neighbours(items).mean() > 0.7
    assert neighbours(blind).mean() < 0.3
