"""Why a score is what it is: effects are those of a model that can be read, of a portrait that forgets."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests import shop
from tests.unit.ranking.test_batch import MIRROR, PEOPLE, SIZE, listed

from magpie_services.core.buckets import VARIANTS
from magpie_services.core.events import EventKind
from magpie_services.core.features import CROSS_FEATURES, FEATURES, HEADS, Group
from magpie_services.core.forgetting import without_event
from magpie_services.kit.errors import Unavailable
from magpie_services.ranking import batch, explain, light
from magpie_services.ranking.batch import Batch
from magpie_services.ranking.explain import CAUSES, GROUPS, Answer, Variants
from magpie_services.ranking.light import NAMES, Floats

PERSON = PEOPLE[0]
CLICK = HEADS.index("click")


def by(**weights: float) -> light.Light:
    table = np.zeros((len(HEADS), len(NAMES)), dtype=np.float32)
    for name, weight in weights.items():
        table[CLICK, NAMES.index(name)] = weight
    return light.light(1, table, np.full(len(HEADS), -1.0, dtype=np.float32))


def asked_of(portrait: Any = PERSON, count: int = 5) -> Variants:
    return explain.variants(portrait, listed(count), MIRROR.columns, shop.NOW_MS)


def answered(asked: Variants, model: light.Light) -> Answer:
    return explain.by_scores(model.probabilities(asked.batch))


class Reasons:
    """A model that answers `explain` by the weights it is made of; `missed` of the gap is not shared out."""

    def __init__(self, model: light.Light, missed: float = 0.0) -> None:
        self.light, self._missed = model, missed
        self.gives = True

    async def score(self, batch: Batch, version: int = 0) -> tuple[Floats, int]:
        return self.light.probabilities(batch), 3

    async def explain(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]:
        if not self.gives:
            raise Unavailable("an older version")
        weights = np.frombuffer(self.light.weights, "<f4").reshape(len(HEADS), len(NAMES))
        user, items, cross = (inputs[name][0] for name in ("user", "items", "cross"))
        wide = np.broadcast_to(user[:, None], (*items.shape[:2], user.shape[-1]))
        flat = np.concatenate([wide, items, cross], -1)
        log_odds = flat @ weights.T
        shared = flat[0][:, :, None] * weights.T
        gap = log_odds[0]
        found = {
            "log_odds": log_odds[0],
            "effects": log_odds[0] - log_odds,
            "attributions": shared,
            "gap": gap,
            "error": np.abs(gap) * self._missed,
        }
        return {name: value[None].astype(np.float32) for name, value in found.items()}, 4


def test_every_feature_belongs_to_one_group() -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) <= set(NAMES), "a group names a feature that is gone"
    for feature in FEATURES:
        assert explain.group_of(feature.name) in CAUSES
        if feature.group == Group.CROSS:
            assert explain.group_of(feature.name) in GROUPS, f"no group speaks for {feature.name}"


def test_the_effect_of_a_group_is_what_its_features_add_to_the_log_odds() -> None:
    asked = asked_of()
    found = {
        c.cause: c for c in explain.causes(asked, answered(asked, by(similarity=2, item_discount=-1)), 4)
    }
    base = dict(zip(NAMES, asked.batch.flat()[0, 4].tolist(), strict=True))
    assert found["similarity"].click == pytest.approx(2.0 * base["similarity"], abs=1e-3)
    assert found["price"].click == pytest.approx(-base["item_discount"], abs=1e-3)
    assert found["time"].click == pytest.approx(0.0, abs=1e-4)
    assert found["similarity"].purchase == pytest.approx(0.0, abs=1e-4)


def test_the_effect_of_a_past_item_is_that_of_never_having_met_it() -> None:
    asked = asked_of()
    interest = asked.batch.cross[0, :5, CROSS_FEATURES.index("interest")]
    candidate = int(interest.argmax())
    found = explain.causes(asked, answered(asked, by(interest=3.0)), candidate)
    own = next(c for c in found if c.cause == f"i{candidate}")
    assert own.is_item
    assert own.click == pytest.approx(3.0 * interest[candidate], abs=1e-4) != 0
    assert [abs(c.click) for c in found] == sorted((abs(c.click) for c in found), reverse=True)


def test_the_effect_of_an_event_is_that_of_the_score_without_it() -> None:
    model = by(interest=3.0, views_of_item=1.0, category_interest=2.0, stated_category=1.0, recent_day=0.5)
    dice, right, cases = np.random.default_rng(1), 0, 0
    for user in range(12):
        person = shop.portrait(f"u{user}", shop.visits(user, SIZE))
        asked = asked_of(person, 10)
        answer = answered(asked, model)
        for candidate in range(0, 10, 3):
            top = explain.events(asked, answer, candidate)[0]
            assert top.event is not None
            if top.click <= 0:
                continue
            cases += 1
            places = person.recent.index(top.event), int(dice.integers(len(person.recent)))
            people = [person, *(without_event(person, place) for place in places)]
            built = batch.build(people, [listed(10)] * 3, MIRROR.columns, shop.NOW_MS)
            chance = model.probabilities(built)[:, candidate, CLICK]
            right += chance[0] - chance[1] >= chance[0] - chance[2]
    assert cases > 10
    assert right >= 0.95 * cases


def test_at_most_49_variants_of_the_20_newest_items_and_events() -> None:
    long = shop.portrait(
        "u", [shop.event("u", n, EventKind.VIEW_ITEM, shop.NOW_MS - n * 9_000) for n in range(35)]
    )
    asked = asked_of(long, 10)
    assert len(asked.batch.mask) == 1 + len(CAUSES) + 20 + 20 < VARIANTS
    assert asked.item_ids == tuple(f"i{number}" for number in range(20))
    assert [event.item_id for event in asked.events] == [f"i{number}" for number in range(20)]
    inputs = asked.inputs()
    assert {name: array.shape[:2] for name, array in inputs.items()} == {
        "user": (1, VARIANTS),
        "items": (1, VARIANTS),
        "cross": (1, VARIANTS),
        "recent": (1, VARIANTS),
        "hashes": (1, 16),
    }
    assert np.array_equal(inputs["user"][0, -1], inputs["user"][0, 0]), "padded by the question itself"


async def test_reasons_of_the_model_are_taken_where_they_add_up() -> None:
    asked, model = asked_of(), by(similarity=2.0, item_discount=-1.0)
    whole = await explain.answer(Reasons(model, missed=0.005), asked)
    assert (whole.version, whole.fallback, whole.integrated(4)) == (4, False, True)
    shared = {c.cause: c.click for c in explain.causes(asked, whole, 4)}
    base = dict(zip(NAMES, asked.batch.flat()[0, 4].tolist(), strict=True))
    assert shared["similarity"] == pytest.approx(2.0 * base["similarity"], abs=1e-4)
    gap = sum(shared[group] for group in CAUSES)
    assert gap == pytest.approx(2.0 * base["similarity"] - base["item_discount"], abs=1e-4)
    broken = await explain.answer(Reasons(model, missed=0.02), asked)
    assert not broken.integrated(4)
    assert explain.causes(asked, broken, 4), "then each group is taken away in turn"


class Spoilt(Reasons):
    """One whose answers are then changed."""

    def __init__(self, spoil: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(by(interest=1.0))
        self._spoil = spoil

    async def explain(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]:
        found, version = await super().explain(inputs)
        return {**found, **self._spoil(found)}, version


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: {"gap": np.float32(1)},
        lambda found: {"log_odds": found["log_odds"][:0]},
        lambda found: {"effects": found["effects"][:, :, :1]},
        lambda found: {"error": found["error"][..., :2]},
        lambda found: {name: array[:, :2] for name, array in found.items() if name != "effects"},
        lambda found: {"attributions": found["attributions"] * np.nan},
    ],
)
async def test_reasons_of_another_shape_are_none(spoil: Callable[[dict[str, Any]], Any]) -> None:
    answer = await explain.answer(Spoilt(spoil), asked_of())
    assert (answer.version, answer.attributions) == (3, None)


async def test_a_model_without_reasons_is_asked_for_scores() -> None:
    asked, model = asked_of(), Reasons(by(interest=3.0))
    by_reasons = await explain.answer(model, asked)
    model.gives = False
    by_scores = await explain.answer(model, asked)
    assert (by_scores.version, by_scores.integrated(0)) == (3, False)
    for candidate in range(5):
        told = {c.event: c.click for c in explain.events(asked, by_reasons, candidate)}
        scored = {c.event: c.click for c in explain.events(asked, by_scores, candidate)}
        assert told == pytest.approx(scored, abs=1e-4)
