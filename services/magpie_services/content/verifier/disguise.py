"""Forbidden words in disguise: homophones, Pinyin, letters between, taken apart, leetspeak, spelt out.

Only the lexicon's `core` words are looked for, and only where what is written is no everyday word.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product

import ahocorasick
from pypinyin.constants import PINYIN_DICT

from magpie_services.content.verifier import views
from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.findings import Finding
from magpie_services.content.verifier.lexicon import Entry, cleared, lexicon
from magpie_services.content.verifier.words import finding

Disguised = tuple[int, int, str, Entry]  # [start, end) of the view, the word meant, what it is

_BETWEEN = re.compile(r"(?<=[㐀-鿿])[a-z]{1,2}(?=[㐀-鿿])")
_LETTERS = re.compile(r"[a-z]+")
_SYLLABLE_LETTERS = 6
_PINYIN_LETTERS = 24

_LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "li", "+": "t", "€": "e", "£": "l", "(": "c",
}  # fmt: skip
_LEET_READINGS = 32
_LEET_TOKEN = re.compile(r"(?<![a-z0-9@$])(?=[^ ]*[a-z])[a-z]*[0-9@$!|+€£(][a-z0-9@$!|+€£(]*")
_SPELT = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$][^a-z0-9@$\n]{1,3}){2,}[a-z0-9@$](?![a-z0-9])")
_BROKEN = re.compile(r"(?<![a-z])[a-z]+(?:[^a-z0-9 \n',;:&]{1,2}[a-z]+)+")
_MASKED = re.compile(r"(?<![a-z])[a-z]+[*#_]+[a-z*#_]*[a-z](?![a-z])")
_STRETCHED = re.compile(r"(?<![a-z])[a-z]*?([a-z])\1{2}[a-z]*")
_PUNCTUATION = re.compile("[，。！？；：、,!?;:]")
_GAP = re.compile(r"[^a-z0-9@$]+")
_LATIN_HINT = re.compile(r"[a-z][^a-z \n',]+[a-z]|[a-z][0-9@$!|+€£(]|(?<![a-z])[a-z] [a-z] |([a-z])\1\1")


def findings(text: str, plain: str, squeezed: str, facts: Facts) -> Iterator[Finding]:
    """Words in disguise, but for those that the facts write in the same way."""
    if squeezed:
        for start, end, word, entry in han(squeezed):
            place = views.squeezed_origin(text, start, end)
            said = entry.unless and facts.says_han(squeezed[start:end])
            if not said and not _PUNCTUATION.search(text, *place):
                yield finding(entry, word, *place)
    for start, end, word, entry in latin(plain):
        if not (entry.unless and facts.says(plain[start:end])):
            yield finding(entry, word, *views.plain_origin(text, start, end))


def han(squeezed: str) -> Iterator[Disguised]:
    """Chinese words in disguise in a squeezed view."""
    sounds = _sounds()
    yield from _by_sound(squeezed, squeezed.translate(sounds.table), range(len(squeezed) + 1), sounds)
    if _LETTERS.search(squeezed):
        spelt, places = _with_pinyin(squeezed, sounds)
        if len(places) <= len(squeezed):
            yield from _by_sound(squeezed, spelt, places, sounds)
        if _BETWEEN.search(squeezed):
            yield from _rewritten(squeezed, _BETWEEN, lambda _match: "")
    if sounds.apart.search(squeezed):
        parts = lexicon().taken_apart
        yield from _rewritten(squeezed, sounds.apart, lambda match: parts.get(match[0], "好"))


def latin(plain: str) -> Iterator[Disguised]:
    """English words in disguise in a plain view."""
    known = lexicon().core_english
    if _LATIN_HINT.search(plain):
        for finder, readings in _READINGS:
            for match in finder.finditer(plain):
                for reading in readings(match[0]):
                    entry = known.get(reading)
                    if entry is not None and reading != match[0] and match[0] not in known:
                        yield (*match.span(), reading, entry)
                        break


class _Sounds:
    """The banned words by sound: one private character a syllable."""

    def __init__(self) -> None:
        self.symbols: dict[str, str] = {}
        self.table: dict[int, str] = {}
        for code, readings in PINYIN_DICT.items():
            if 0x3400 <= code <= 0x9FFF:
                self.table[code] = self._symbol(_toneless(readings.partition(",")[0]))
        self.automaton = ahocorasick.Automaton()
        by_sound: dict[str, list[tuple[str, Entry]]] = {}
        for word, entry in lexicon().core():
            if len(word) > 1 and all(map(views.has_han, word)):
                by_sound.setdefault(word.translate(self.table), []).append((word, entry))
        for sound, meant in by_sound.items():
            self.automaton.add_word(sound, (len(sound), meant))
        self.automaton.make_automaton()
        self.apart = re.compile("|".join([*lexicon().taken_apart, "(?<=最)女子"]))

    def syllables(self, letters: str) -> list[str]:
        """Letters as syllables; none where they are not Pinyin through and through."""
        if not letters:
            return []
        for size in range(min(_SYLLABLE_LETTERS, len(letters)), 1, -1):
            if letters[:size] in self.symbols:
                rest = self.syllables(letters[size:])
                if rest or size == len(letters):
                    return [letters[:size], *rest]
        return []

    def _symbol(self, syllable: str) -> str:
        if syllable not in self.symbols:
            self.symbols[syllable] = chr(0xE000 + len(self.symbols))
        return self.symbols[syllable]


@cache
def _sounds() -> _Sounds:
    return _Sounds()


def _toneless(reading: str) -> str:
    bare = unicodedata.normalize("NFD", reading.replace("ü", "v"))
    return "".join(char for char in bare if not unicodedata.combining(char))


def _by_sound(squeezed: str, view: str, places: Sequence[int], sounds: _Sounds) -> Iterator[Disguised]:
    """Hits in a view of sounds; `places`: where in `squeezed` each of its characters starts, and the end."""
    for last, (size, meant) in sounds.automaton.iter(view):
        start, end = places[last - size + 1], places[last + 1]
        piece = squeezed[start:end]
        if "\n" in piece or any(piece == word for word, _ in meant) or _cuts_letters(squeezed, start, end):
            continue
        for word, entry in meant:
            if _stands_for(piece, word) and not _everyday(squeezed, start, end, word):
                yield start, end, word, entry
                break


def _cuts_letters(squeezed: str, start: int, end: int) -> bool:
    """Whether a border of a piece lies within a word of Latin letters."""
    return any(
        0 < at < len(squeezed)
        and squeezed[at].isascii()
        and squeezed[at - 1 : at + 1].isalpha()
        and squeezed[at - 1].isascii()
        for at in (start, end)
    )


def _stands_for(piece: str, word: str) -> bool:
    if len(piece) != len(word):  # some of it is Pinyin
        return True
    changed = [(char, meant) for char, meant in zip(piece, word, strict=True) if char != meant]
    if len(word) > 3 and len(changed) < len(word):
        return True
    stand_ins = lexicon().stand_ins
    return all(not views.is_common(char) or char in stand_ins.get(meant, "") for char, meant in changed)


def _everyday(squeezed: str, start: int, end: int, word: str) -> bool:
    """Whether it is an everyday word, or a stand-in at its edge is a part of one: 宿醉|好了, 兄弟|一起."""
    known = lexicon()
    piece = squeezed[start:end]
    if piece in known.endings or piece in known.beginnings:
        return True
    return (squeezed[start] != word[0] and squeezed[max(0, start - 1) : start + 1] in known.endings) or (
        squeezed[end - 1] != word[-1] and squeezed[end - 1 : end + 1] in known.beginnings
    )


def _with_pinyin(squeezed: str, sounds: _Sounds) -> tuple[str, list[int]]:
    """The sounds of a view with its Latin letters read as Pinyin, and where each of them starts."""
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for match in _LETTERS.finditer(squeezed):
        syllables = sounds.syllables(match[0]) if len(match[0]) <= _PINYIN_LETTERS else []
        if not syllables:
            continue
        parts.append(squeezed[at : match.start()].translate(sounds.table))
        places += range(at, match.start())
        at = match.start()
        for syllable in syllables:
            parts.append(sounds.symbols[syllable])
            places.append(at)
            at += len(syllable)
    parts.append(squeezed[at:].translate(sounds.table))
    places += range(at, len(squeezed) + 1)
    return "".join(parts), places


def _rewritten(
    squeezed: str, finder: re.Pattern[str], becomes: Callable[[re.Match[str]], str]
) -> Iterator[Disguised]:
    """Core words that appear once pieces of the view are rewritten."""
    made: list[str] = []
    places: list[int] = []
    at = 0
    for match in finder.finditer(squeezed):
        new = becomes(match)
        made += [squeezed[at : match.start()], new]
        places += [*range(at, match.start()), *([match.start()] * len(new))]
        at = match.end()
    view = "".join((*made, squeezed[at:]))
    places += range(at, len(squeezed) + 1)
    for hit in cleared(lexicon().han(view)):
        start, end = places[hit.start], places[hit.end - 1] + 1
        if hit.entry.core and squeezed[start:end] != hit.word:
            yield start, max(end, places[hit.end]), hit.word, hit.entry


def _unleet(said: str) -> list[str]:
    letters = [_LEET.get(char, char) for char in said.rstrip("!|+(")]
    readings = 1
    for choices in letters:
        readings *= len(choices)
    return ["".join(one) for one in product(*letters)] if readings <= _LEET_READINGS else []


def _joined(said: str) -> list[str]:
    whole = _GAP.sub("", said)
    return [whole, *_unleet(whole)]


def _shortened(said: str) -> list[str]:
    return [re.sub(r"(.)\1{2,}", r"\1", said), re.sub(r"(.)\1{2,}", r"\1\1", said)]


def _unmasked(said: str) -> list[str]:
    pattern = re.compile("".join("[a-z]" if char in "*#_" else char for char in said))
    return [word for word in lexicon().core_english if len(word) == len(said) and pattern.fullmatch(word)]


_READINGS: tuple[tuple[re.Pattern[str], Callable[[str], list[str]]], ...] = (
    (_LEET_TOKEN, _unleet),
    (_SPELT, _joined),
    (_BROKEN, _joined),
    (_STRETCHED, _shortened),
    (_MASKED, _unmasked),
)
