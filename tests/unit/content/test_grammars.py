"""Promises of the grammar files: whatever variant is chosen has words, within the narrowest limits."""

from importlib import resources
from itertools import product

import pytest

from magpie_services.content import slots
from magpie_services.content.attributes import Kind
from magpie_services.content.dice import Dice
from magpie_services.content.facts.phrases import Fact, Phrase, filled
from magpie_services.content.grammar.packs import CALLS, LOCALES, OPENERS, PACKS, grammar
from magpie_services.content.limits import NARROWEST, columns
from magpie_services.content.realiser import CALL_COLUMNS, OPENER_COLUMNS, Realiser, Told
from magpie_services.content.strategies import RULES, Strategy, Tone

FOLDER = resources.files("magpie_services.content.grammar")
# As wide as phrases come; the rest are no wider than 8 columns ("¥12,999").
WIDTHS = {"item": 16, "because": 20, "brand": 20, "topic": 20, "category": 20, "attrs": 30, "season": 14,
          "liked": 22, "mw": 6}  # fmt: skip
HERE = [
    (locale, pack)
    for locale, pack in product(LOCALES, PACKS)
    if (FOLDER / locale.replace("TW", "CN") / f"{pack}.grammar").is_file()
]
CASES = [
    (locale, pack, strategy)
    for locale, pack in HERE
    for strategy in RULES
    if grammar(locale, pack).speaks(strategy)
]


def phrase(name: str) -> Phrase:
    return Phrase(Fact(Kind.FEATURE, "x" * WIDTHS.get(name, 8), name, "", "test", 1), number=3)


def told(strategy: Strategy, *more: str) -> Told:
    """Nothing but what the strategy needs, each phrase as wide as they come."""
    phrases = {name: phrase(name) for name in (*slots.named(RULES[strategy].needs), "mw", *more)}
    return Told(phrases, filled(phrases), (phrases["item"],))


@pytest.mark.parametrize(("locale", "pack", "strategy"), CASES)
def test_every_variant_has_words_from_its_own_facts_alone(locale: str, pack: str, strategy: Strategy) -> None:
    words = grammar(locale, pack)
    for at, (tone, opener, call) in enumerate(product(Tone, OPENERS, CALLS)):
        if opener == "personal":
            continue
        written = Realiser(words, tone, told(strategy), NARROWEST, Dice(at)).write(strategy, opener, call)
        assert written is not None, (tone, opener, call)
        title, body = written
        assert columns(title.text) <= NARROWEST.title_columns, title.text
        assert columns(body.text) <= NARROWEST.body_columns, body.text
        assert "item" in {span.field for text in written for span in text.spans}, (title.text, body.text)


@pytest.mark.parametrize(("locale", "pack"), HERE)
def test_openers_and_calls_fit_and_are_many(locale: str, pack: str) -> None:
    words = grammar(locale, pack)
    parts = [(f"opener.{one}", OPENER_COLUMNS) for one in OPENERS if one not in ("none", "personal")]
    parts += [(f"call.{one}", CALL_COLUMNS) for one in CALLS if one != "none"]
    for (section, room), tone in product(parts, Tone):
        ways = words.ways(section, tone, 0)
        assert ways.forms >= 25, (section, tone)
        drawn = ["".join(leaf.text for leaf in ways.draw(Dice(seed))) for seed in range(60)]  # type: ignore[union-attr]
        # A wide one is drawn again; most must fit.
        assert sum(columns(text) > room for text in drawn) <= 20, drawn


@pytest.mark.parametrize(("locale", "pack"), HERE)
def test_a_personal_opener_needs_one_thing_known_of_the_user(locale: str, pack: str) -> None:
    known = ("liked",) if locale == "en" else ("liked", "you")
    if pack == "health":
        pytest.skip("nothing is said of the user there")
    for name, tone in product(known, Tone):
        assert grammar(locale, pack).ways("opener.personal", tone, slots.BITS[name]), (name, tone)


@pytest.mark.parametrize(("locale", "pack"), HERE)
def test_there_is_always_something_safe_to_say(locale: str, pack: str) -> None:
    words = grammar(locale, pack)
    nothing = Realiser(words, Tone.PLAIN, Told({}, 0, ()), NARROWEST, Dice(1))
    assert all(title.text and body.text for title, body in nothing.safe())
    assert list(nothing.safe())
