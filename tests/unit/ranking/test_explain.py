"""Occlusion: what is taken away, and that the effects are those of a model which can be read."""

import numpy as np
import pytest
from tests import shop
from tests.unit.ranking.test_batch import MIRROR, PEOPLE, listed

from magpie_services.core.events import EventKind
from magpie_services.core.features import CROSS_FEATURES, FEATURES, HEADS, Group
from magpie_services.ranking import explain, light
from magpie_services.ranking.explain import CAUSES, GROUPS
from magpie_services.ranking.light import NAMES

PERSON = PEOPLE[0]
CLICK = HEADS.index("click")


def by(**weights: float) -> light.Light:
    table = np.zeros((len(HEADS), len(NAMES)), dtype=np.float32)
    for name, weight in weights.items():
        table[CLICK, NAMES.index(name)] = weight
    return light.light(1, table, np.full(len(HEADS), -1.0, dtype=np.float32))


def test_every_feature_belongs_to_one_group() -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) <= set(NAMES), "a group names a feature that is gone"
    for feature in FEATURES:
        assert explain.group_of(feature.name) in CAUSES
        if feature.group == Group.CROSS:
            assert explain.group_of(feature.name) in GROUPS, f"no group speaks for {feature.name}"


def test_the_effect_of_a_group_is_what_its_features_add_to_the_log_odds() -> None:
    asked = explain.variants(PERSON, listed(5), MIRROR.columns, shop.NOW_MS)
    model = by(similarity=2.0, item_discount=-1.0)
    found = {c.cause: c for c in explain.causes(asked, model.probabilities(asked.batch), 4)}
    base = dict(zip(NAMES, asked.batch.flat()[0, 4].tolist(), strict=True))
    assert found["similarity"].click == pytest.approx(2.0 * base["similarity"], abs=1e-3)
    assert found["price"].click == pytest.approx(-base["item_discount"], abs=1e-3)
    assert found["time"].click == pytest.approx(0.0, abs=1e-4)
    assert found["similarity"].purchase == pytest.approx(0.0, abs=1e-4)


def test_the_effect_of_a_past_item_is_that_of_never_having_met_it() -> None:
    asked = explain.variants(PERSON, listed(5), MIRROR.columns, shop.NOW_MS)
    model = by(interest=3.0)
    interest = asked.batch.cross[0, :5, CROSS_FEATURES.index("interest")]
    candidate = int(interest.argmax())
    found = explain.causes(asked, model.probabilities(asked.batch), candidate)
    own = next(c for c in found if c.cause == f"i{candidate}")
    assert own.is_item
    assert own.click == pytest.approx(3.0 * interest[candidate], abs=1e-4) != 0
    assert [abs(c.click) for c in found] == sorted((abs(c.click) for c in found), reverse=True)


def test_at_most_29_variants_of_the_20_newest_items() -> None:
    long = shop.portrait(
        "u", [shop.event("u", n, EventKind.VIEW_ITEM, shop.NOW_MS - n * 9_000) for n in range(35)]
    )
    asked = explain.variants(long, listed(10), MIRROR.columns, shop.NOW_MS)
    assert len(asked.batch.mask) == 1 + len(CAUSES) + 20 == 29
    assert asked.item_ids == tuple(f"i{number}" for number in range(20))


def test_forgetting_changes_only_the_copy() -> None:
    met = PERSON.recent[-1].item_id
    without = explain.forgetting(PERSON, met)
    assert met not in without.items
    assert met in PERSON.items
    assert len(without.items) == len(PERSON.items) - 1
