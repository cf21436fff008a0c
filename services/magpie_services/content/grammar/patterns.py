"""The notation of the grammar: text with typed slots, parsed once at import.

`{item}` is a phrase of facts. `{cart|购物车}` writes the plain words, allowed because the fact `cart` holds.
`{a style}` puts the English article before a phrase. `{n ratings rating ratings}` agrees a noun with a count.
In a pattern that names the item, other slots leave out what the item's name says already.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from magpie_services.content.limits import columns
from magpie_services.content.strategies import Strategy, Tone

_SLOT = re.compile(r"\{([^{}]+)\}")
# Not said by an item's name even where it repeats them; the rest have a "~" form beside it.
ADDRESS = frozenset({"you", "all_you", "someone"})
# Words that sound clumsy twice in one body: a call to action may not repeat what the body says.
_ECHOES = ("看", "瞧", "来", "愿", "look", "see", "peek", "time", "leisure", "moment", "tap", "curious", "hi")
_NAMED = frozenset(["brand", "category", "colour", "material", "style", "styles", "attrs", "look"])


class Slot(NamedTuple):
    """A place for a phrase: `words` stand for evidence, `nouns` (one, many) agree with a count."""

    name: str
    words: str = ""
    article: bool = False
    nouns: tuple[str, str] | None = None


class Pattern(NamedTuple):
    """A form of words. `needs` are the slots but the item's own; `columns` the width without any phrase."""

    parts: tuple[str | Slot, ...]
    needs: frozenset[str]
    names_item: bool
    columns: int
    tones: frozenset[Tone]
    echoes: frozenset[str]
    attached: bool
    has_colon: bool

    @property
    def addresses(self) -> bool:
        """Whether it speaks to the user by their traits."""
        return not self.needs.isdisjoint(ADDRESS)


class Forms(NamedTuple):
    """How a strategy can be said: titles, bodies and the emoji that may follow a playful title."""

    titles: tuple[Pattern, ...]
    bodies: tuple[Pattern, ...]
    emoji: tuple[str, ...]


class Grammar(NamedTuple):
    """All words of a locale. The first opener and the first call are empty."""

    locale: str
    language: str
    strategies: Mapping[Strategy, Forms]
    openers: tuple[Pattern, ...]
    calls: tuple[Pattern, ...]
    descriptions: tuple[Pattern, ...]
    # Tried in order when nothing else passed; the last needs no fact at all.
    safe: tuple[tuple[Pattern, Pattern], ...]


def pattern(source: str, *tones: Tone) -> Pattern:
    """Parses one form of words; no tones means all."""
    pieces = _SLOT.split(source)
    names_item = any(piece == "item" for piece in pieces[1::2])
    parts: list[str | Slot] = []
    for at, piece in enumerate(pieces):
        if at % 2:
            parts.append(_slot(piece, names_item))
        elif piece:
            parts.append(piece)
    width = 0
    for part in parts:
        if isinstance(part, str):
            width += columns(part)
        else:
            # Room for spaces between scripts, an article, the longer noun.
            width += 2 + columns(part.words) + (3 if part.article else 0)
            width += max(map(columns, part.nouns)) + 1 if part.nouns else 0
    literal = "".join(part if isinstance(part, str) else part.words for part in parts).casefold()
    echoes = frozenset(echo for echo in _ECHOES if echo in literal)
    needs = frozenset(part.name for part in parts if isinstance(part, Slot) and part.name != "item")
    return Pattern(
        tuple(parts),
        needs,
        names_item,
        width,
        frozenset(tones or Tone),
        echoes,
        source.endswith("，"),
        "：" in source,
    )


def patterns(
    every: Sequence[str] = (),
    plain: Sequence[str] = (),
    playful: Sequence[str] = (),
    premium: Sequence[str] = (),
) -> tuple[Pattern, ...]:
    """Forms of words by tone. `every` suits all, `plain` also the premium tone where it says "plain"."""
    return (
        *(pattern(source) for source in every),
        *(pattern(source, Tone.PLAIN) for source in plain),
        *(pattern(source, Tone.PLAYFUL) for source in playful),
        *(pattern(source, Tone.PREMIUM) for source in premium),
    )


def _slot(source: str, names_item: bool) -> Slot:
    name, _, words = source.partition("|")
    article = name.startswith("a ")
    nouns: tuple[str, str] | None = None
    if name.startswith("n "):
        _, name, one, many = name.split(" ")
        nouns = (one, many)
    name = name.removeprefix("a ")
    if names_item and name in _NAMED:
        name += "~"
    return Slot(name, words, article, nouns)
