r"""The notation of the grammar files, and its parser.

A file has sections, a section has lines, a line is one way to say something:

    # comment
    [price_drop.title]
    {item}({drop|降价}|便宜)了
    playful: 叮，{item}降价啦

`playful:` (or `plain premium:`) keeps a line to these tones. `(a|b|)` chooses one, may nest and may be empty.
`{slot}` is a phrase of facts, `{cart|购物车}` writes plain words that the fact `cart` supports, `{a style}`
and `{the item}` put an English article before a phrase, `{n ratings rating ratings}` agrees a noun with a
count. `<name>` is a line of the section of that name, and a line that is but a `<name>` stands for all of its
lines; `<fact>` is a clause of the section `fact` with something not said yet, `<fact?>` one or nothing. A
backslash takes the meaning off the character that follows it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from magpie_services.content import slots
from magpie_services.content.limits import columns
from magpie_services.content.strategies import Tone

_SECTION = re.compile(r"\[([a-z_]+(?:\.[a-z_]+)?)\]")
_TONES = re.compile(rf"((?:{'|'.join(Tone)})(?: (?:{'|'.join(Tone)}))*): *")
_NAME = re.compile("[a-z_]+")
_SPECIAL = "(){}<>|"


class GrammarError(ValueError):
    """A grammar file that does not keep to the notation: where, and what is wrong."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}")


class Text(NamedTuple):
    """Words that stand as they are; `heard` are those that would be an echo nearby."""

    text: str
    columns: int
    heard: frozenset[str]


class Slot(NamedTuple):
    """A place for a phrase: `words` stand for evidence, `nouns` (one, many) agree with a count.

    `article` is "a", "the" or "". `columns` is the room that it takes beside its phrase; `says`, the slots
    that would repeat it; `heard`, its words that would be an echo nearby.
    """

    name: str
    bit: int
    says: int
    words: str
    article: str
    nouns: tuple[str, str] | None
    columns: int
    heard: frozenset[str]


class Choice(NamedTuple):
    """One of several sequences."""

    options: tuple["Sequence", ...]


class Reference(NamedTuple):
    """A line of another section."""

    name: str


class FactClause(NamedTuple):
    """A clause about something that the message has not said yet."""

    optional: bool


Node = Text | Slot | Choice | Reference | FactClause
Sequence = tuple[Node, ...]


class Line(NamedTuple):
    """One way to say something, for some tones. `place` is its line in the file."""

    sequence: Sequence
    tones: frozenset[Tone]
    place: int


Sections = Mapping[str, tuple[Line, ...]]


def parse(text: str, file: str) -> Sections:
    """The sections of a grammar file. Raises GrammarError naming `file`, the line and what is wrong."""
    found: dict[str, list[Line]] = {}
    lines: list[Line] | None = None
    for place, raw in enumerate(text.splitlines(), 1):
        source = raw.strip()
        if not source or source.startswith("#"):
            continue
        header = _SECTION.fullmatch(source)
        if header:
            if header[1] in found:
                raise GrammarError(file, place, f"the section [{header[1]}] is there twice")
            lines = found[header[1]] = []
            continue
        if source.startswith("["):
            raise GrammarError(file, place, f"{source} is no section name: letters, one dot at most")
        if lines is None:
            raise GrammarError(file, place, "a line before the first section")
        tones = _TONES.match(source)
        spoken = frozenset(map(Tone, tones[1].split())) if tones else frozenset(Tone)
        body = source[tones.end() :] if tones else source
        try:
            lines.append(Line(parse_line(body), spoken, place))
        except ValueError as error:
            raise GrammarError(file, place, str(error)) from None
    return {name: tuple(lines) for name, lines in found.items()}


def parse_line(source: str) -> Sequence:
    """One line without tones. Raises ValueError saying what is wrong and where."""
    return _Parser(source).line()


def references(sequence: Sequence) -> Iterator[str]:
    """The names of the sections that a sequence may use."""
    for node in sequence:
        if isinstance(node, Reference):
            yield node.name
        elif isinstance(node, FactClause):
            yield "fact"
        elif isinstance(node, Choice):
            for option in node.options:
                yield from references(option)


def plain_text(text: str) -> Text:
    """Words as a node."""
    return Text(text, columns(text), echoes(text))


_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_WORD = re.compile("[a-z']{4,}")
_QUESTION = re.compile("[?？]")


def echoes(text: str) -> frozenset[str]:
    """What the ear remembers of plain words: pairs of Han characters, words of four letters and more, and
    that something was asked.
    """
    found = set(_WORD.findall(text.casefold()))
    found.update(_QUESTION.findall(text))
    for run in _HAN_RUN.findall(text):
        found.update(run[at : at + 2] for at in range(len(run) - 1))
    return frozenset(found)


class _Parser:
    """Reads one line from left to right."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    def line(self) -> Sequence:
        """The whole line. Raises ValueError saying what is wrong and where."""
        sequence = self._sequence()
        if self._at < len(self._source):
            raise ValueError(f"{self._source[self._at]} at column {self._at + 1} stands outside ( )")
        return sequence

    def _sequence(self) -> Sequence:
        nodes: list[Node] = []
        text = ""
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            char = self._source[self._at]
            if char in "({<":
                if text:
                    nodes.append(plain_text(text))
                    text = ""
                nodes.append({"(": self._choice, "{": self._slot, "<": self._reference}[char]())
            elif char in "}>":
                raise ValueError(f"{char} at column {self._at + 1} closes nothing")
            else:
                text += self._char()
        if text:
            nodes.append(plain_text(text))
        return tuple(nodes)

    def _char(self) -> str:
        char = self._source[self._at]
        self._at += 1
        if char == "\\":
            if self._at == len(self._source):
                raise ValueError("ends in a backslash")
            char = self._source[self._at]
            self._at += 1
        return char

    def _choice(self) -> Choice:
        opened = self._at + 1
        self._at += 1
        options = [self._sequence()]
        while self._source[self._at : self._at + 1] == "|":
            self._at += 1
            options.append(self._sequence())
        if self._source[self._at : self._at + 1] != ")":
            raise ValueError(f"( at column {opened} is never closed")
        self._at += 1
        if len(options) < 2:
            raise ValueError(f"( ) at column {opened} offers no choice: write \\( for the character")
        return Choice(tuple(options))

    def _enclosed(self, closing: str) -> str:
        opened = self._at + 1
        end = self._source.find(closing, self._at)
        if end < 0:
            raise ValueError(f"{self._source[self._at]} at column {opened} is never closed")
        inner = self._source[self._at + 1 : end]
        self._at = end + 1
        return inner

    def _reference(self) -> Reference | FactClause:
        name = self._enclosed(">")
        if name in ("fact", "fact?"):
            return FactClause(optional=name.endswith("?"))
        if not _NAME.fullmatch(name):
            raise ValueError(f"<{name}> is no name of a section")
        return Reference(name)

    def _slot(self) -> Slot:
        source = self._enclosed("}")
        name, bar, words = source.partition("|")
        article, nouns = "", None
        if name.startswith(("a ", "the ")):
            article, _, name = name.partition(" ")
        elif name.startswith("n "):
            try:
                _, name, one, many = name.split(" ")
            except ValueError:
                raise ValueError(f"{{{source}}}: n takes a slot, a singular and a plural") from None
            nouns = (one, many)
        if name not in slots.BITS:
            raise ValueError(f"{{{source}}}: no slot is called {name!r}")
        if bar and not words:
            raise ValueError(f"{{{source}}}: no words after the bar")
        if name in slots.EVIDENCE and not words:
            raise ValueError(
                f"{{{source}}}: {name} is evidence, so the words must be given: {{{name}|words}}"
            )
        # A space on either side, "an " or "the ", the longer noun and a space.
        beside = 2 + (len(article) + 2 if article else 0) + (max(map(columns, nouns)) + 1 if nouns else 0)
        says = 0 if words else slots.SAYS[name]
        return Slot(
            name, slots.BITS[name], says, words, article, nouns, beside + columns(words), echoes(words)
        )
