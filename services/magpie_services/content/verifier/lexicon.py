"""The words that the verifier knows: data files in lexicon/, made into two automata when first needed.

A file holds sections; a line that begins with `#` is a comment:

    $when = 今天|明天                     a name for alternatives, used as ($when)
    [banned_word block core: quoted]      a check, its level (block, evidence, warn); `core` words are
                                          looked for in disguise too; after the colon what makes them
                                          harmless: "said" (the catalogue says so), "quoted" (they repeat
                                          the item's title), or a fact by its name in `Facts.flags`
    最(好|佳), colou?r, no. 1             words, parted by commas; ( | ) are alternatives, ? makes what stands
                                          before it optional, \\d is any digit
    ! 最(近|后)                           where they are harmless: inside these
    [colour concept]                      things a fact must name; a wider word is supported by a narrower one
    navy < blue: 藏青色?, navy( blue)?    a thing, what it is a kind of, and its words
    * < blue: 天青色, ~aqua               things that have one word only; a ~word is one only beside the
                                          section's $before or $after, and in the catalogue
    [neighbours]                          of a character: those that make a word with it, before | after
    弟: 兄表堂 | 弟妹子                   (and likewise [stand_ins] and [taken_apart], see `disguise`)

A line that begins with a blank continues the one before it.

Chinese words are matched on squeezed text, English ones as whole words on spaced text.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import ahocorasick

from magpie_services.content.verifier import views
from magpie_services.content.verifier.findings import Severity

_LEVELS = {"block": Severity.BLOCK, "evidence": Severity.NEEDS_EVIDENCE, "warn": Severity.WARN}
_TABLES = frozenset(("neighbours", "stand_ins", "taken_apart"))
_NAME = re.compile(r"\$(\w+)")


class Entry(NamedTuple):
    """What a word means: a claim of a level, a thing (`concept`), or a context that `shields` from it."""

    check: str
    level: Severity = Severity.WARN
    unless: frozenset[str] = frozenset()
    concept: str = ""
    core: bool = False
    shields: bool = False


class Hit(NamedTuple):
    """A word found at [start, end) of a view."""

    start: int
    end: int
    word: str
    entry: Entry


class Lexicon:
    """Words of both scripts with what they mean.

    `endings` and `beginnings` are everyday words of two characters, by their last and by their first one.
    """

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        """Raises ValueError naming file and line for a section that is none."""
        self.entries: dict[str, list[Entry]] = {}
        self.wider: dict[str, set[str]] = {}
        self.tables: dict[str, dict[str, str]] = {name: {} for name in _TABLES}
        for name, text in files:
            self._read(name, text)
        self.stand_ins, self.taken_apart = self.tables["stand_ins"], self.tables["taken_apart"]
        self.endings: set[str] = set()
        self.beginnings: set[str] = set()
        for char, others in self.tables["neighbours"].items():
            before, _, after = others.partition("|")
            self.endings.update(other + char for other in before.strip())
            self.beginnings.update(char + other for other in after.strip())
        self.core_english = {
            word.replace(" ", ""): entry for word, entry in self.core() if word.startswith(" ")
        }
        self._han, self._latin = ahocorasick.Automaton(), ahocorasick.Automaton()
        for word, entries in self.entries.items():
            automaton = self._latin if word[0] == " " else self._han
            automaton.add_word(word, (word, tuple(entries)))
        self._han.make_automaton()
        self._latin.make_automaton()

    def han(self, squeezed: str) -> list[Hit]:
        """All Chinese words in a squeezed view, to be `cleared`."""
        return [
            Hit(end - len(word) + 1, end + 1, word, entry)
            for end, (word, entries) in self._han.iter(squeezed)
            for entry in entries
        ]

    def latin(self, spaced: str) -> list[Hit]:
        """All English words in a spaced view, to be `cleared`."""
        return [
            Hit(end - len(word) + 2, end, word[1:-1], entry)
            for end, (word, entries) in self._latin.iter(spaced)
            for entry in entries
        ]

    def closure(self, concept: str) -> set[str]:
        """A thing and everything that it is a kind of."""
        found, todo = {concept}, [concept]
        while todo:
            for wider in self.wider.get(todo.pop(), ()):
                if wider not in found:
                    found.add(wider)
                    todo.append(wider)
        return found

    def core(self) -> Iterator[tuple[str, Entry]]:
        """The words that are looked for in disguise too."""
        for word, entries in self.entries.items():
            for entry in entries:
                if entry.core:
                    yield word, entry

    def _read(self, name: str, text: str) -> None:
        named = {"before": "", "after": ""}
        entry = Entry("")
        for at, line in _lines(text):
            if line.startswith("$"):
                key, _, value = line[1:].partition("=")
                named[key.strip()] = value.strip()
                continue
            line = _NAME.sub(lambda match: named[match[1]], line)
            if line.startswith("["):
                entry = _section(line, f"{name}:{at}")
            elif entry.check in _TABLES:
                key, _, value = line.partition(":")
                self.tables[entry.check][key] = value.strip()
            elif line.startswith("!"):
                for word in _words(line[1:]):
                    self._add(word, Entry(entry.check, shields=True))
            elif entry.concept:
                self._thing(line, entry, named["before"], named["after"])
            else:
                for word in _words(line):
                    self._add(word, entry)

    def _thing(self, line: str, entry: Entry, before: str, after: str) -> None:
        head, _, words = line.partition(":")
        concept, *wider = (part.strip() for part in re.split("[<,]", head))
        for text in words.split(","):
            quiet = text.strip().startswith("~")
            for word in _words(text.replace("~", "")):
                if concept == "*" and any(known.check == entry.check for known in self.entries.get(word, ())):
                    continue
                name = word.strip().removesuffix("色") if concept == "*" else concept
                self.wider.setdefault(name, set()).update(wider)
                if not quiet:
                    self._add(word, entry._replace(concept=name))
                    continue
                self._add(word, entry._replace(concept=name, level=Severity.WARN))
                if not before and not after:
                    continue
                for spoken in _words(f"({before}){word}, {word}({after})"):
                    self._add(spoken, entry._replace(concept=name))

    def _add(self, word: str, entry: Entry) -> None:
        kept = self.entries.setdefault(word, [])
        if entry not in kept:
            kept.append(entry)


@cache
def lexicon() -> Lexicon:
    """The lexicon of this build."""
    folder = resources.files("magpie_services.content.verifier") / "lexicon"
    paths = sorted(
        (path for path in folder.iterdir() if path.name.endswith(".txt")), key=lambda one: one.name
    )
    return Lexicon([(path.name, path.read_text(encoding="utf-8")) for path in paths])


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that says something, with those that continue it."""
    begun, line = 0, ""
    for at, raw in enumerate(text.splitlines(), start=1):
        if raw.startswith(" "):
            line = f"{line} {raw.strip()}"
            continue
        if line:
            yield begun, line
        begun, line = at, "" if raw.startswith("#") else raw.strip()
    if line:
        yield begun, line


def _section(line: str, place: str) -> Entry:
    head, _, unless = line.strip("[]").partition(":")
    check, *marks = head.split()
    if check in _TABLES:
        return Entry(check)
    if marks == ["concept"]:
        return Entry(check, Severity.NEEDS_EVIDENCE, concept="?")
    if not marks or marks[0] not in _LEVELS:
        raise ValueError(f"{place}: {line} names no level")
    return Entry(check, _LEVELS[marks[0]], frozenset(unless.split()), "", "core" in marks)


def _words(line: str) -> Iterator[str]:
    """The words of a line as their views show them: Chinese squeezed, English spaced."""
    for item in line.split(","):
        for text in expanded(item.strip()):
            word = views.squeezed(text) if views.has_han(text) else views.spaced(text)
            if word.strip():
                yield word


def expanded(pattern: str) -> list[str]:
    """Every text that a pattern of ( | ), ? and \\d stands for."""
    found, rest = _alternatives(pattern)
    if rest:
        raise ValueError(f"{pattern} closes what it did not open")
    return found


def _alternatives(pattern: str) -> tuple[list[str], str]:
    """The texts up to the end or to a closing bracket, and what follows it."""
    found: list[str] = []
    sequence = [""]
    while pattern and pattern[0] != ")":
        char, pattern = pattern[0], pattern[1:]
        if char == "|":
            found += sequence
            sequence = [""]
            continue
        if char == "(":
            parts, pattern = _alternatives(pattern)
            pattern = pattern[1:]
        elif char == "\\":
            parts, pattern = list("0123456789"), pattern[1:]
        else:
            parts = [char]
        if pattern.startswith("?"):
            parts, pattern = [*parts, ""], pattern[1:]
        sequence = [head + part for head in sequence for part in parts]
    return [*found, *sequence], pattern


def cleared(hits: list[Hit]) -> list[Hit]:
    """Hits without what lies inside a harmless context, or inside a longer word of its own check."""
    found: list[Hit] = []
    group: list[Hit] = []
    end = 0
    for hit in sorted(hits, key=_start):
        if hit.start >= end:
            found += _judged(group)
            group, end = [], 0
        group.append(hit)
        end = max(end, hit.end)
    return found + _judged(group)


def _start(hit: Hit) -> int:
    return hit.start


def _judged(group: list[Hit]) -> list[Hit]:
    """What is left of hits that overlap."""
    if len(group) == 1:
        return [] if group[0].entry.shields else group
    return [hit for hit in group if not hit.entry.shields and not any(_holds(one, hit) for one in group)]


def _holds(shield: Hit, hit: Hit) -> bool:
    same = shield.entry.check == hit.entry.check
    if not (shield.start <= hit.start and hit.end <= shield.end):
        # "of paper chains" speaks of chains: a context may begin within what it explains.
        crossing = hit.start < shield.start < hit.end < shield.end
        return crossing and same and shield.entry.shields and bool(hit.entry.concept)
    longer = shield.end - shield.start > hit.end - hit.start
    if shield.entry.shields:  # a context holds claims of its own length too
        return same and (longer or not hit.entry.concept)
    return longer and (same or bool(shield.entry.concept))
