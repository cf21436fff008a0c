"""Choice by Thompson sampling: the propensity that is logged is the chance that there was."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magpie_services.content.choice import (
    MODEL_ENDING,
    Circumstances,
    Menu,
    PriorChooser,
    Variant,
    call_weights,
    opener_weights,
)
from magpie_services.content.dice import Dice
from magpie_services.content.grammar.packs import CALLS, LOCALES, OPENERS
from magpie_services.content.learning import regression
from magpie_services.content.learning.features import FACTORS, Codes, code, codes, family
from magpie_services.content.learning.habit import Habit, parse, tired
from magpie_services.content.learning.thompson import Lesson, ThompsonChooser
from magpie_services.content.strategies import Strategy, Tone

HERE = Circumstances("active.bargain.evening", ())
TONES = {Tone.PLAIN: 0.6, Tone.PLAYFUL: 0.4}
MENU = Menu(
    "en",
    {Strategy.PLAIN: 0.4, Strategy.PRICE_DROP: 1.7, Strategy.TRENDING: 1.0},
    dict.fromkeys((Strategy.PLAIN, Strategy.PRICE_DROP, Strategy.TRENDING), TONES),
    ("none", "hello"),
    ("none", "look"),
)
LOVED = Variant(Strategy.TRENDING, Tone.PLAYFUL, "hello", "look")


def all_of(menu: Menu) -> list[Variant]:
    pairs = [(strategy, tone) for strategy, tones in menu.tones.items() for tone in tones]
    found = [Variant(*pair, *end) for pair in pairs for end in product(menu.openers, menu.calls)]
    return found + [Variant(*pair, *MODEL_ENDING) for pair in menu.models]


def lesson(loved: Variant = LOVED, times: int = 400) -> Lesson:
    """What is learnt where one variant is followed half of the time and all others hardly ever."""
    seen: list[tuple[Codes, int, int]] = []
    for variant in all_of(MENU):
        found = codes(variant.variant_id("en"), HERE.key)
        assert found is not None
        seen.append((found, times, times // 2 if variant == loved else times // 50))
    evidence = regression.Evidence(
        np.array([one[0] for one in seen]),
        np.array([one[1] for one in seen], float),
        np.array([one[2] for one in seen], float),
    )
    return Lesson.of(regression.fit(evidence), seed=1)


def propensities(
    chooser: ThompsonChooser, menu: Menu, here: Circumstances = HERE, taken: list[Variant] | None = None
) -> dict[Variant, float]:
    """The logged propensity of everything that came up in many draws."""
    found: dict[Variant, float] = {}
    for seed in range(1_500):
        drawn = chooser.draw(menu, here, Dice(seed), taken or [])
        assert drawn is not None
        variant, chance = drawn
        assert found.setdefault(variant, chance) == pytest.approx(chance)
    return found


@pytest.mark.parametrize("models", [frozenset(), frozenset({(Strategy.TRENDING, Tone.PLAIN)})])
def test_the_propensity_is_the_frequency(models: frozenset[tuple[Strategy, Tone]]) -> None:
    menu = MENU._replace(models=models)
    chooser = ThompsonChooser(floor=0.1)
    count, taken = 20_000, [Variant(Strategy.PRICE_DROP, Tone.PLAIN, "none", "none")]
    here = HERE._replace(recent=((LOVED.variant_id("en"), 1.0), ("en:plain:plain:none:look", 0.0)))
    drawn = Counter(chooser.draw(menu, here, Dice(seed), taken) for seed in range(count))
    for found, times in drawn.items():
        assert found is not None
        variant, chance = found
        assert variant not in taken
        assert abs(times - count * chance) < 5.0 * math.sqrt(count * chance * (1.0 - chance)) + 1, variant
    assert len({found[0] for found in drawn if found}) == len(drawn)  # each variant at one propensity


def test_each_draw_chooses_its_best_of_all_variants() -> None:
    menu = MENU._replace(models=frozenset({(Strategy.PLAIN, Tone.PLAIN)}))
    habit = Habit()
    held = lesson()
    chooser = ThompsonChooser(floor=0.0, habits=habit)
    chooser.learn(held)
    even = menu._replace(
        strategies=dict.fromkeys(menu.strategies, 1.0),
        tones={strategy: dict.fromkeys(TONES, 1.0) for strategy in menu.strategies},
    )
    here = HERE._replace(recent=((LOVED.variant_id("en"), 0.5), ("en:plain:plain:none:look", 2.0)))
    strategies, repeated = habit.penalties(here.recent, "en")
    levels = family("tired").place
    byhand = dict(opener_weights(even.openers)), dict(call_weights(even.calls))
    liked = [
        {name: chooser.handwritten(part)[code(part, name)] * math.log(weights[name]) for name in weights}
        for part, weights in zip(("opener", "call"), byhand, strict=True)
    ]
    best: Counter[Variant] = Counter()
    for draw in held.draws:
        scores = {}
        for variant in all_of(even):
            columns = codes(variant.variant_id("en"), HERE.key)
            assert columns is not None
            score = regression.score(draw.astype(float), np.array([columns]))[0]
            level = tired(strategies.get(variant.strategy, 0.0) + repeated.get(variant, 0.0))
            score += draw[levels][: level + 1].min() - draw[levels][0]
            if variant[2:] != MODEL_ENDING:
                score += liked[0][variant.opener] + liked[1][variant.call]
            scores[variant] = score
        best[max(scores, key=scores.__getitem__)] += 1
    found = propensities(chooser, even, here)
    assert found == {variant: pytest.approx(times / len(held.draws)) for variant, times in best.items()}


def test_what_is_followed_is_chosen_and_all_else_keeps_its_floor() -> None:
    chooser = ThompsonChooser(floor=0.1)
    chooser.learn(lesson())
    found = propensities(chooser, MENU)
    assert max(found, key=found.__getitem__) == LOVED
    assert found[LOVED] > 0.85
    prior = PriorChooser()
    for variant in all_of(MENU):
        floor = 0.1 * prior.chance(MENU, variant, [])
        assert floor > 0.0
        assert found.get(variant, floor) >= floor - 1e-12


def test_before_anything_is_learnt_choice_follows_the_weights_of_the_menu() -> None:
    chances: Counter[Strategy] = Counter()
    for variant, chance in propensities(ThompsonChooser(), MENU).items():
        chances[variant.strategy] += chance  # type: ignore[assignment]
    assert chances[Strategy.PRICE_DROP] > chances[Strategy.TRENDING] > chances[Strategy.PLAIN] > 0.03


def test_somebody_who_read_it_yesterday_is_told_something_else_and_it_recovers() -> None:
    chooser = ThompsonChooser(floor=0.0)

    def chance(*recent: tuple[str, float]) -> float:
        here = HERE._replace(recent=recent)
        every = [variant for variant in all_of(MENU) if variant.strategy is LOVED.strategy]
        return sum(chooser.propensity(MENU, here, variant, []) for variant in every)

    form = LOVED.variant_id("en")
    assert chance((form, 0.0)) < chance((form, 4.0)) < chance()
    assert chance((form, 90.0)) == chance()


def test_the_very_variant_tires_more_than_its_strategy_and_only_in_its_language() -> None:
    habit = Habit()
    strategies, variants = habit.penalties((("en:trending:plain:none:look", 3.0), ("nonsense", 0.0)), "en")
    assert strategies == {Strategy.TRENDING: pytest.approx(habit.strategy_weight / 2)}
    assert variants == {Variant(Strategy.TRENDING, Tone.PLAIN, "none", "look"): pytest.approx(0.26, abs=0.01)}
    assert habit.penalties((("zh-CN:trending:plain:none:look", 3.0),), "en") == (strategies, {})
    assert habit.penalties((("en:trending:plain:none:look", 99.0),), "en") == ({}, {})


def test_nothing_is_drawn_twice_and_none_when_all_are_taken() -> None:
    chooser = ThompsonChooser()
    taken: list[Variant] = []
    for _ in all_of(MENU):
        drawn = chooser.draw(MENU, HERE, Dice(len(taken)), taken)
        assert drawn is not None
        assert drawn[0] not in taken
        taken.append(drawn[0])
    assert sorted(taken) == sorted(all_of(MENU))
    assert chooser.draw(MENU, HERE, Dice(0), taken) is None


def test_the_same_lesson_and_seed_choose_the_same() -> None:
    one, other = ThompsonChooser(), ThompsonChooser()
    for seed in range(50):
        assert one.draw(MENU, HERE, Dice(seed), []) == other.draw(MENU, HERE, Dice(seed), [])


@st.composite
def menus(draw: st.DrawFn) -> Menu:
    strategies = draw(st.lists(st.sampled_from(Strategy), min_size=1, max_size=5, unique=True))
    tones = {
        strategy: draw(st.dictionaries(st.sampled_from(Tone), st.floats(0.01, 1.0), min_size=1, max_size=3))
        for strategy in strategies
    }
    pairs = [(strategy, tone) for strategy in strategies for tone in tones[strategy]]
    return Menu(
        draw(st.sampled_from(LOCALES)),
        {strategy: draw(st.floats(1e-3, 10.0)) for strategy in strategies},
        tones,
        tuple(draw(st.lists(st.sampled_from(OPENERS), min_size=1, unique=True))),
        tuple(draw(st.lists(st.sampled_from(CALLS), min_size=1, unique=True))),
        frozenset(draw(st.sets(st.sampled_from(pairs), max_size=2))),
    )


CHOOSER = ThompsonChooser()


@settings(max_examples=25, deadline=None)
@given(menus(), st.data())
def test_propensities_of_a_menu_sum_to_one(menu: Menu, data: st.DataObject) -> None:
    every = all_of(menu)
    taken = data.draw(st.lists(st.sampled_from(every), max_size=min(3, len(every) - 1), unique=True))
    recent = data.draw(st.lists(st.tuples(st.sampled_from(every), st.floats(0.0, 60.0)), max_size=4))
    levels = [data.draw(st.sampled_from(FACTORS[name])) for name in ("stage", "price", "part")]
    where = Circumstances(
        ".".join(levels), tuple((variant.variant_id(menu.locale), days) for variant, days in recent)
    )
    for chooser in (CHOOSER, PriorChooser()):
        left = [variant for variant in every if variant not in taken]
        total = sum(chooser.propensity(menu, where, variant, taken) for variant in left)
        assert total == pytest.approx(1.0, abs=1e-6)


def test_the_context_that_is_logged_says_how_tired_somebody_was() -> None:
    here = HERE._replace(recent=((LOVED.variant_id("en"), 0.0),))
    habit = Habit(strategy_weight=0.31, variant_weight=0.4)
    other = LOVED._replace(call="none")
    contexts = [
        habit.context(here, variant, "en")
        for variant in (LOVED, other, LOVED._replace(strategy=Strategy.PLAIN))
    ]
    assert contexts == [f"{HERE.key}.tired7", f"{HERE.key}.tired3", HERE.key]
    assert [parse(context) for context in contexts] == [(HERE.key, 7), (HERE.key, 3), (HERE.key, 0)]
    assert parse(f"{HERE.key}.tiredx") == (HERE.key, 0)
    assert parse(f"{HERE.key}.tired99") == (HERE.key, 9)
