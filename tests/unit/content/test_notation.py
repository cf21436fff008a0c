"""The notation of grammar files: what it reads, and how it names what is wrong."""

import pytest

from magpie_services.content import slots
from magpie_services.content.dice import Dice
from magpie_services.content.grammar.notation import (
    Choice,
    FactClause,
    GrammarError,
    Reference,
    Slot,
    Text,
    parse,
)
from magpie_services.content.grammar.packs import resolve
from magpie_services.content.grammar.pruning import Pruner, reach
from magpie_services.content.strategies import Tone

EVERYTHING = slots.mask(*slots.NAMES)


def forms(source: str, filled: int = EVERYTHING, tone: Tone = Tone.PLAIN) -> set[str]:
    """All that the section [plain.title] can say, slots by their names."""
    found = Pruner(parse(source, "test")).ways("plain.title", tone, filled)
    said = set()
    for seed in range(200 if found else 0):
        leaves = found.draw(Dice(seed))
        said.add("".join(leaf.text if isinstance(leaf, Text) else f"{{{leaf.name}}}" for leaf in leaves))  # type: ignore[union-attr]
    return said


def test_a_line_is_read_into_its_parts() -> None:
    sections = parse("[plain.title]\n{a style} (thing|{n ratings star stars}|) <look><fact?>, <fact>", "test")
    (line,) = sections["plain.title"]
    kinds = [type(node) for node in line.sequence]
    assert kinds == [Slot, Text, Choice, Text, Reference, FactClause, Text, FactClause]
    article, choice = line.sequence[0], line.sequence[2]
    assert isinstance(article, Slot)
    assert isinstance(choice, Choice)
    assert article.article
    assert choice.options[1][0].nouns == ("star", "stars")  # type: ignore[union-attr]
    assert choice.options[2] == ()
    assert line.tones == frozenset(Tone)


def test_tones_comments_and_escapes() -> None:
    source = "# nothing\n[plain.title]\nplain premium: a \\(b\\)\nplayful: 叮\\|{item}\n\n"
    assert forms(source) == {"a (b)"}
    assert forms(source, tone=Tone.PREMIUM) == {"a (b)"}
    assert forms(source, tone=Tone.PLAYFUL) == {"叮|{item}"}


def test_branches_without_their_facts_are_not_said() -> None:
    source = "[plain.title]\n{item}( for {price}|( by {brand}|))\n{brand} <more>\n[more]\n{price}\n"
    assert forms(source, slots.mask("item")) == {"{item}"}
    assert forms(source, slots.mask("item", "brand")) == {"{item}", "{item} by {brand}"}
    assert forms(source, slots.mask("brand", "price")) == {"{brand} {price}"}
    assert forms(source, 0) == set()


def test_what_a_line_is_sure_to_say_and_in_how_many_ways() -> None:
    sections = parse("[plain.title]\n({item}|{item} {price}) (a|b|c)\n", "test")
    (way,) = Pruner(sections).ways("plain.title", Tone.PLAIN, EVERYTHING).ways
    assert way.always == slots.mask("item")
    assert way.forms == 6
    assert reach(sections)["plain.title"] == slots.mask("item", "price")


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("{item}", 1, "before the first section"),
        ("[Bad Name]\n", 1, "no section name"),
        ("[plain.title]\nx\n[plain.title]\n", 3, "there twice"),
        ("[plain.title]\n{itm}", 2, "no slot is called 'itm'"),
        ("[plain.title]\n{item", 2, "never closed"),
        ("[plain.title]\n(a|b", 2, "never closed"),
        ("[plain.title]\n(a)", 2, "offers no choice"),
        ("[plain.title]\na|b", 2, "stands outside"),
        ("[plain.title]\na)", 2, "stands outside"),
        ("[plain.title]\na}", 2, "closes nothing"),
        ("[plain.title]\n<no name>", 2, "no name of a section"),
        ("[plain.title]\n{cart}", 2, "evidence"),
        ("[plain.title]\n{cart|}", 2, "no words"),
        ("[plain.title]\n{n ratings one}", 2, "singular and a plural"),
        ("[plain.title]\nx\\", 2, "backslash"),
    ],
)
def test_a_fault_is_named_with_its_file_and_line(source: str, line: int, problem: str) -> None:
    with pytest.raises(GrammarError, match=problem) as caught:
        parse(source, "zh-CN/shop.grammar")
    assert str(caught.value).startswith(f"zh-CN/shop.grammar:{line}: ")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("zh-CN",), "zh-CN"),
        (("zh",), "zh-CN"),
        (("zh-SG",), "zh-CN"),
        (("zh-Hant",), "zh-TW"),
        (("zh-Hant-TW",), "zh-TW"),
        (("zh_HK",), "zh-TW"),
        (("zh-MO",), "zh-TW"),
        (("zh-Hans-HK",), "zh-CN"),
        (("en-GB",), "en"),
        (("tlh", "zh"), "zh-CN"),
        (("fr-FR", "de"), None),
        (("", ""), None),
        (("not a tag",), None),
    ],
)
def test_a_locale_falls_back_to_the_nearest_then_to_the_next_tag(
    tags: tuple[str, ...], expected: str | None
) -> None:
    assert expected == resolve(*tags)
