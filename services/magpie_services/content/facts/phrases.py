"""Facts with their origin, and the phrases made of them that fill the slots of the grammar.

A slot that has no phrase cannot be filled, so a claim without a fact cannot be written.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from magpie_services.content import slots
from magpie_services.content.attributes import Kind
from magpie_services.content.limits import columns


class Fact(NamedTuple):
    """One thing that is so: the words for it, and the field, value, holder and version it is from."""

    kind: Kind
    text: str
    field: str
    value: str
    source: str
    version: int


class Phrase:
    """What fills a slot: facts and the words between them; `columns` is its width, `number` its count."""

    __slots__ = ("columns", "number", "pieces")

    def __init__(self, *pieces: Fact | str, number: int = 0) -> None:
        self.pieces = pieces
        self.columns = sum(columns(piece if isinstance(piece, str) else piece.text) for piece in pieces)
        self.number = number

    @property
    def fact(self) -> Fact:
        """The first fact."""
        return next(piece for piece in self.pieces if isinstance(piece, Fact))

    @property
    def text(self) -> str:
        """The words."""
        return "".join(piece if isinstance(piece, str) else piece.text for piece in self.pieces)


Phrases = dict[str, Phrase]


def filled(phrases: Mapping[str, Phrase]) -> int:
    """The slots that have a phrase, as one int."""
    found = 0
    for name in phrases:
        found |= slots.BITS[name]
    return found


class Maker:
    """Makes facts of one holder: `prefix` starts the name of each field."""

    def __init__(self, prefix: str, source: str, version: int) -> None:
        self._prefix, self._source, self._version = prefix, source, version

    def __call__(self, kind: Kind, text: str, field: str, value: str) -> Fact:
        return Fact(kind, text, f"{self._prefix}.{field}", value, self._source, self._version)

    def evidence(self, field: str, value: str) -> Phrase:
        """A fact without words of its own."""
        return Phrase(self(Kind.EVIDENCE, "", field, value))


def joined(facts: Sequence[Fact], locale: str, *, loosely: bool = False) -> Phrase:
    """Facts as a list: "时尚、简约、蓝色" or "modern, simple and blue", `loosely` "modern, simple, blue"."""
    between, last = ("、", "、") if locale.startswith("zh") else (", ", ", " if loosely else " and ")
    pieces: list[Fact | str] = []
    for at, fact in enumerate(facts):
        if at:
            pieces.append(last if at == len(facts) - 1 else between)
        pieces += worded(fact, locale)
    return Phrase(*pieces)


def worded(fact: Fact, locale: str) -> tuple[Fact | str, ...]:
    """A fact as a word among others: a material of one character is no Chinese word alone (棉 is 棉质)."""
    if fact.kind is Kind.MATERIAL and len(fact.text) == 1 and locale.startswith("zh"):
        return fact, "質" if locale == "zh-TW" else "质"
    return (fact,)
