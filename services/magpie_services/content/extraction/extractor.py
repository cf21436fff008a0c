"""Reads attributes from the texts of items, by the lexicon of the moment."""

from collections.abc import Iterator
from typing import NamedTuple

from magpie_services.content.extraction.folding import fold
from magpie_services.content.extraction.lexicon import LEAST_CONFIDENCE, Lexicon, seed_lexicon
from magpie_services.content.extraction.samples import BRAND, Value
from magpie_services.content.facts.items import Extracted as Spoken
from magpie_services.core.items import Item

MOST_CHARS = 5_000  # of a text; what comes later is not read
TITLE, DESCRIPTION = "text.title", "text.description"


class Extracted(NamedTuple):
    """A value and the words that say it: `word` is what stands at [start, end) of the text named `field`."""

    name: str
    value: str
    field: str
    start: int
    end: int
    confidence: float
    word: str


class Extractor:
    """Finds attributes; `lexicon` may be replaced at any time."""

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self.lexicon = lexicon or seed_lexicon()

    def attributes(self, item: Item) -> list[Extracted]:
        """What the texts of an item say that its own attributes and brand do not, in the order of the texts.

        Never another value of an attribute that the catalogue gives, nor of a different one for an attribute
        that has one value only, where texts name several.
        """
        given = {name.casefold() for name in item.attributes} | ({BRAND} if item.brand else set())
        found: list[Extracted] = []
        for texts in _languages(item):
            of_language: dict[Value, Extracted] = {}
            titled: set[str] = set()
            for field, text in texts:
                for one in self._read(field, text, item.category):
                    if one.name.casefold() not in given and one.name not in titled:
                        of_language.setdefault(Value(one.name, one.value), one)
                # A title knows what the thing is; a description speaks of much besides.
                titled = {one.name for one in of_language.values()} & self.lexicon.single
            found += self._agreed(list(of_language.values()))
        return found

    def spoken(self, item: Item) -> list[Spoken]:
        """The same for copy: the value where the item's texts have it as it is, else the words themselves."""
        said = "\n".join(text.casefold() for texts in _languages(item) for _, text in texts)
        return [
            Spoken(one.name, one.value if one.value.casefold() in said else one.word, one.field)
            for one in self.attributes(item)
        ]

    def words(self, text: str) -> list[str]:
        """The words of a text that say some attribute, as they stand there."""
        return [text[one.start : one.end] for one in self.lexicon.matcher.find(fold(text[:MOST_CHARS]))]

    def _read(self, field: str, text: str, category: str) -> Iterator[Extracted]:
        lexicon = self.lexicon
        for word, start, end in lexicon.matcher.find(fold(text[:MOST_CHARS])):
            entry = lexicon.entries[word]
            confidence = entry.confidence_in(category)
            if confidence >= LEAST_CONFIDENCE:
                name, value = entry.value
                yield Extracted(name, value, field, start, end, confidence, text[start:end])

    def _agreed(self, found: list[Extracted]) -> list[Extracted]:
        """Without the attributes that can have one value only and were given several."""
        names = [one.name for one in found]
        return [one for one in found if one.name not in self.lexicon.single or names.count(one.name) == 1]


def _languages(item: Item) -> Iterator[list[tuple[str, str]]]:
    """The texts of an item with their names, language by language."""
    yield [(TITLE, item.title), (DESCRIPTION, item.description)]
    for tag, text in sorted(item.translations.items()):
        yield [
            (f"translations[{tag}].title", text.title),
            (f"translations[{tag}].description", text.description),
        ]
