"""From leaves of the grammar and phrases to text, and for every claim the span that says where it is from."""

import re
from collections.abc import Iterable, Mapping

from magpie_services.content.attributes import HAN, Kind
from magpie_services.content.facts.phrases import Fact, Phrase
from magpie_services.content.grammar.notation import Slot, Text
from magpie_services.content.grammar.ways import Leaf
from magpie_services.core.decisions import Span

_NAMES = (Kind.TITLE, Kind.BRAND)
# Names that bear no "the" before them: they begin with an article, or an owner, of their own.
_DETERMINED = re.compile(r"(?:the|an?|my|your|our|his|her|their|this|that|these|those)\s", re.IGNORECASE)
_HAN, _LATIN, _LATIN_END, _LATIN_START = 1, 2, 3, 4


class _Sides(dict[str, int]):
    """What a character is at the border between scripts, found once."""

    def __missing__(self, char: str) -> int:
        if HAN.match(char):
            side = _HAN
        elif char.isascii() and char.isalnum():
            side = _LATIN
        else:
            side = _LATIN_END if char in "%)" else _LATIN_START if char in "¥￥$€£(" else 0
        self[char] = side
        return side


_SIDES = _Sides()


class Writer:
    """Writes one text of a message piece by piece; `text` and `spans` are the result."""

    def __init__(self, part: str, language: str) -> None:
        self.part = part
        self._english = language == "en"
        self.text = ""
        self.spans: list[Span] = []

    def write(self, leaves: Iterable[Leaf], phrases: Mapping[str, Phrase], name: Phrase | None) -> None:
        """Adds leaves; `name` is the form of the item's name to use in them."""
        for leaf in leaves:
            if type(leaf) is Text:
                self.plain(leaf.text)
            elif type(leaf) is Slot:
                phrase = name if leaf.name == "item" and name is not None else phrases[leaf.name]
                self._phrase(leaf, phrase)

    def plain(self, text: str) -> None:
        """Adds words that claim nothing."""
        if text:
            self.text += self._between(text) + self._cased(text, named=False)

    def space(self) -> None:
        """Sets off what comes next, where the language parts sentences by a space."""
        if self.text and self._english:
            self.text += " "

    def _phrase(self, slot: Slot, phrase: Phrase) -> None:
        if slot.words:
            self._claim(phrase.fact._replace(text=slot.words))
            return
        if slot.article == "a":
            self.plain("an " if phrase.text[:1].casefold() in "aeiou" else "a ")
        elif slot.article and not _DETERMINED.match(phrase.text):
            self.plain("the ")
        for piece in phrase.pieces:
            if isinstance(piece, str):
                self.plain(piece)
            else:
                self._claim(piece)
        if slot.nouns:
            self.plain(f" {slot.nouns[0] if phrase.number == 1 else slot.nouns[1]}")

    def _claim(self, fact: Fact) -> None:
        self.text += self._between(fact.text)
        start = len(self.text)
        self.text += self._cased(fact.text, named=fact.kind in _NAMES)
        self.spans.append(
            Span(
                part=self.part,
                start=start,
                end=len(self.text),
                field=fact.field,
                value=fact.value,
                source=fact.source,
                version=fact.version,
            )
        )

    def _between(self, text: str) -> str:
        """The space between Han and Latin letters or digits."""
        if not self.text or not text:
            return ""
        left, right = _SIDES[self.text[-1]], _SIDES[text[0]]
        if left == _HAN:
            return " " if right in (_LATIN, _LATIN_START) else ""
        return " " if right == _HAN and left in (_LATIN, _LATIN_END) else ""

    def _cased(self, text: str, *, named: bool) -> str:
        """Upper case at the start of an English sentence; a name such as "iPhone" stays as it is."""
        if not self._english:
            return text
        so_far = self.text.removesuffix("“")
        if so_far and not (so_far[-1] == " " and so_far[-2:-1] in (".", "!", "?")):
            return text
        return text if named and not text.islower() else text[:1].upper() + text[1:]
