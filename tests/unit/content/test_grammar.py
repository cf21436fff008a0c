"""Promises of the grammars, for every strategy, tone and locale."""

import pytest

from magpie_services.content.facts import Phrase
from magpie_services.content.grammar import GRAMMARS, grammar_for
from magpie_services.content.limits import NARROWEST
from magpie_services.content.plan import Plan
from magpie_services.content.strategies import RULES, Strategy, Tone

DROP = {"was", "saved", "price"}  # there whenever a price drop is
CASES = [(locale, strategy, tone) for locale in GRAMMARS for strategy in RULES for tone in Tone]


@pytest.mark.parametrize(("locale", "strategy", "tone"), CASES)
def test_every_strategy_can_speak_in_every_tone_from_its_own_facts_alone(
    locale: str, strategy: Strategy, tone: Tone
) -> None:
    name = Phrase("x" * 16)
    needs = RULES[strategy].needs | (DROP if strategy is Strategy.PRICE_DROP else set())
    slots = {slot: Phrase("x" * (24 if slot == "because" else 8)) for slot in needs} | {"item": name}
    slots["mw"] = Phrase("件")
    plan = Plan(GRAMMARS[locale], slots, (name,), NARROWEST, {strategy: 1.0}, {strategy: {tone: 1.0}})
    titles = plan._options((strategy, tone))
    assert titles
    assert all(plan._options((strategy, tone, title)) for title, _ in titles)


@pytest.mark.parametrize("locale", GRAMMARS)
def test_every_strategy_has_at_least_five_titles_and_bodies(locale: str) -> None:
    forms = GRAMMARS[locale].strategies
    assert set(forms) == set(RULES)
    assert all(len(form.titles) >= 5 and len(form.bodies) >= 5 for form in forms.values())


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("zh-CN",), "zh-CN"),
        (("zh-Hant-TW",), "zh-CN"),
        (("en-GB",), "en"),
        (("tlh", "zh"), "zh-CN"),
        (("fr-FR", "de"), "en"),
        (("", ""), "en"),
        (("not a tag",), "en"),
    ],
)
def test_a_locale_falls_back_by_dropping_parts_then_to_the_next_tag_then_to_english(
    tags: tuple[str, ...], expected: str
) -> None:
    assert expected == grammar_for(*tags).locale
