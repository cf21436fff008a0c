"""From a pattern and phrases to text, and for every claim the span that says which fact it came from."""

import re

from magpie_services.content.attributes import Kind
from magpie_services.content.facts import Fact, Phrase, Slots
from magpie_services.content.grammar.patterns import Pattern, Slot
from magpie_services.core.decisions import Span

_HAN_END = re.compile(r"[\u3400-\u9fff]$")
_HAN_START = re.compile(r"[\u3400-\u9fff]")
_LATIN_END = re.compile(r"[A-Za-z0-9%)]$")
_LATIN_START = re.compile(r"[A-Za-z0-9¥￥$€£(]")
_SENTENCE_END = re.compile(r"(^|[.!?]\s)$")


class Writer:
    """Writes one text of a message piece by piece; `text` and `spans` are the result."""

    def __init__(self, part: str, language: str) -> None:
        self._part = part
        self._language = language
        self.text = ""
        self.spans: list[Span] = []

    def write(self, pattern: Pattern, slots: Slots, item: Phrase | None) -> None:
        """Adds a pattern; `item` is the form of the item's name to use in it."""
        for part in pattern.parts:
            if isinstance(part, str):
                self._plain(part)
            elif part.name == "item":
                assert item is not None  # noqa: S101 - the plan chose a name for every pattern that needs one
                self._phrase(part, item)
            else:
                self._phrase(part, slots[part.name])

    def space(self) -> None:
        """Sets off what comes next, where the language parts sentences by a space."""
        if self.text and self._language == "en":
            self.text += " "

    def _phrase(self, slot: Slot, phrase: Phrase) -> None:
        if slot.words:
            fact = phrase.fact
            self._claim(fact._replace(text=slot.words))
            return
        if slot.article:
            text = phrase.fact.text
            self._plain("an " if text[:1].casefold() in "aeiou" else "a ")
        for piece in phrase.pieces:
            if isinstance(piece, str):
                self._plain(piece)
            else:
                self._claim(piece)
        if slot.nouns:
            self._plain(f" {slot.nouns[0] if phrase.number == 1 else slot.nouns[1]}")

    def _plain(self, text: str) -> None:
        self.text += self._opening(text) + self._cased(text, named=False)

    def _claim(self, fact: Fact) -> None:
        self.text += self._opening(fact.text)
        start = len(self.text)
        self.text += self._cased(fact.text, named=fact.kind in (Kind.TITLE, Kind.BRAND))
        self.spans.append(
            Span(
                part=self._part,
                start=start,
                end=len(self.text),
                field=fact.field,
                value=fact.value,
                source=fact.source,
                version=fact.version,
            )
        )

    def _opening(self, text: str) -> str:
        """The space between Han and Latin letters or digits."""
        if _HAN_END.search(self.text[-1:]) and _LATIN_START.match(text):
            return " "
        return " " if _LATIN_END.search(self.text[-1:]) and _HAN_START.match(text) else ""

    def _cased(self, text: str, *, named: bool) -> str:
        """Upper case at the start of an English sentence; a name such as "iPhone" stays as it is."""
        if self._language != "en" or not _SENTENCE_END.search(self.text[-2:]):
            return text
        return text if named and not text.islower() else text[:1].upper() + text[1:]
