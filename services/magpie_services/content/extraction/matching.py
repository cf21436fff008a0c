"""Finds words in texts in one pass: the longest where they overlap, whole ones where spaces tell."""

from collections.abc import Iterable
from typing import NamedTuple

import ahocorasick

from magpie_services.content.extraction.negation import negated


class Found(NamedTuple):
    """A word and where it stands, in characters of the text."""

    word: str
    start: int
    end: int


class Matcher:
    """Finds `words` (folded); `blockers` are found like them and then left out: 蓝牙 has no 蓝 in it."""

    def __init__(self, words: Iterable[str], blockers: Iterable[str] = ()) -> None:
        self._blockers = frozenset(blockers)
        self._automaton = ahocorasick.Automaton()
        for word in {*words, *self._blockers}:
            self._automaton.add_word(word, word)
        if len(self._automaton):
            self._automaton.make_automaton()

    def find(self, text: str) -> list[Found]:
        """The words of a folded text from left to right, without those that are negated."""
        if not len(self._automaton):
            return []
        spans = [
            Found(word, last - len(word) + 1, last + 1)
            for last, word in self._automaton.iter(text)
            if _whole(text, last - len(word) + 1, last + 1)
        ]
        spans.sort(key=lambda one: (one.start, -one.end))
        kept: list[Found] = []
        until = 0
        for one in spans:
            if one.start >= until:
                until = one.end
                if one.word not in self._blockers and not negated(text, one.start, one.end):
                    kept.append(one)
        return kept


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit of a script with spaces goes on at either end."""
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, at: int) -> bool:
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    return _spaced(left) and _spaced(right) and (left.isdigit() == right.isdigit() or left.isalpha())


def _spaced(char: str) -> bool:
    """Whether a character belongs to words with spaces between them: letters and digits up to Cyrillic."""
    return char < "\u0530" and char.isalnum()
