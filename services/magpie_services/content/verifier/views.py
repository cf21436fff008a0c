"""Three ways to look at a text that resist disguise, each with the way back to the characters as written.

plain     NFKC, lower case, simplified, look-alikes as Latin, nothing hidden; punctuation stays. For numbers.
squeezed  of that, letters, digits and Han only: 最.低 價 is 最低价. For Chinese words.
spaced    of that, English words with one blank between and around them. For English words.
"""

import re
import unicodedata
from functools import cache

import opencc

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
# Letters of other alphabets that look Latin, and signs that stand for letters.
_LOOKALIKES = dict(
    zip(
        "аеорсхуіѕԁһкмтνοαјӏԛԝɡɑıꓲʟօսпгβγδεικλμρστυχωАВЕКМНОРСТХ",
        "aeopcxyisdhkmtvoajlqwgailounrbydeiklupotuxwabekmhopctx",
        strict=False,
    )
)
_STOPS = frozenset(",.!?;: \u3000，。！？；：、…—·")
_QUOTES = {"’": "'", "‘": "'", "ʼ": "'", "＇": "'", "′": "'", "´": "'", "`": "'"}
_SIMPLIFIER = opencc.OpenCC("t2s")
# Characters that OpenCC leaves alone, for they are words of their own in places, or rare ways to write one.
_VARIANTS = str.maketrans(
    "苐弌冣㝡朂裏裡牀峯羣麪喫隻纔衹妳祂牠㊣㈠壹貳叁肆伍陸柒捌玖拾佰仟",
    "第一最最最里里床峰群面吃只才只你他它正一一二三四五六七八九十百千",
)
_DROPPED = frozenset(("Cf", "Cc", "Mn", "Me", "Co", "Cs", "Cn"))


def has_han(text: str) -> bool:
    """Whether a text holds a Han character."""
    return _HAN.search(text) is not None


def _is_blank(char: str) -> bool:
    # Letters that show nothing: the Hangul fillers and the blank of Braille.
    return char in "\u115f\u1160\u3164\uffa0\u2800"


class _Plain(dict[int, str]):
    """By code point: the characters in the plain view."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in "\n…":
            plain = char
        elif char in _QUOTES:
            plain = "'"
        elif char == "，":
            plain = ", "
        elif unicodedata.category(char) in _DROPPED or _is_blank(char):
            plain = " " if char == "\t" else ""
        else:
            # Marks above letters come off (bést), those of other scripts stay with their letter.
            folded = unicodedata.normalize("NFKC", char).lower()
            bare = unicodedata.normalize("NFKD", folded)[:1]
            folded = bare if bare.isascii() and bare.isalpha() and len(folded) == 1 else folded
            plain = "".join(_LOOKALIKES.get(one, one) for one in folded)
            if has_han(plain):
                plain = _simple(plain)
        self[code] = plain
        return plain


class _Squeezed(dict[int, str]):
    """By code point: the characters in the squeezed view."""

    def __missing__(self, code: int) -> str:
        plain = _PLAIN[code]
        self[code] = squeezed = (
            plain if plain == "\n" else "".join(one for one in plain if one.isalnum() and one != "ー")
        )
        return squeezed


class _Stopped(dict[int, str]):
    """By code point: the characters in the squeezed view, and a NUL for punctuation."""

    def __missing__(self, code: int) -> str:
        self[code] = stopped = "\0" if chr(code) in _STOPS else _SQUEEZED[code]
        return stopped


class _Words(dict[int, str]):
    """By code point: the characters in the spaced view, before its blanks are made one."""

    def __missing__(self, code: int) -> str:
        plain = _PLAIN[code]
        # An apostrophe vanishes (don't, dont), a line's end is a word, what is not Latin parts words.
        self[code] = words = (
            ""
            if plain in ("'", "")
            else " \n "
            if plain == "\n"
            else "".join(
                one if one.isascii() and one.isalnum() else f" {one} " if one in "#%$£€¥…" else " "
                for one in plain
            )
        )
        return words


def _simple(text: str) -> str:
    simple: str = _SIMPLIFIER.convert(text)
    return (simple if len(simple) == len(text) else text).translate(_VARIANTS)


_PLAIN = _Plain()
_SQUEEZED = _Squeezed()
_STOPPED = _Stopped()
_WORDS = _Words()


def plain(text: str) -> str:
    """The plain view."""
    return text.lower() if text.isascii() and text.isprintable() else text.translate(_PLAIN)


def squeezed(text: str) -> str:
    """The squeezed view."""
    return text.translate(_SQUEEZED)


def squeezed_stops(text: str) -> list[int]:
    """Where in the squeezed view punctuation or a blank was, in order; the last one is past its end."""
    stops, at = [], 0
    for part in text.translate(_STOPPED).split("\0"):
        at += len(part)
        stops.append(at)
    return [*stops, at + 1]


def spaced(text: str) -> str:
    """The spaced view: " now with a red lid " of "Now: with a Red lid!"."""
    return " " + " ".join(filter(None, text.translate(_WORDS).split(" "))) + " "


def plain_origin(text: str, start: int, end: int) -> tuple[int, int]:
    """The range of `text` that became [start, end) of its plain view."""
    if text.isascii() and text.isprintable():
        return start, end
    return _origin(text, _PLAIN, start, end)


def squeezed_origin(text: str, start: int, end: int) -> tuple[int, int]:
    """The range of `text` that became [start, end) of its squeezed view."""
    return _origin(text, _SQUEEZED, start, end)


def spaced_origin(text: str, start: int, end: int) -> tuple[int, int]:
    """The range of `text` that became [start, end) of its spaced view."""
    places: list[int] = [0]  # of each character of the view, where it came from; the view starts with a blank
    for index, char in enumerate(text):
        for one in _WORDS[ord(char)]:
            if one != " " or (places and not _blank_at(places, text)):
                places.append(index if one != " " else -index - 1)
    while end > start and places[min(end, len(places)) - 1] < 0:
        end -= 1
    while start < end and places[start] < 0:
        start += 1
    inside = [place for place in places[start:end] if place >= 0]
    return (inside[0], inside[-1] + 1) if inside else (0, len(text))


def _blank_at(places: list[int], text: str) -> bool:
    return len(places) == 1 or places[-1] < 0


def _origin(text: str, table: dict[int, str], start: int, end: int) -> tuple[int, int]:
    at, first, last = 0, len(text), 0
    for index, char in enumerate(text):
        size = len(table[ord(char)])
        if size and at < end and at + size > start:
            first, last = min(first, index), index + 1
        at += size
    return min(first, last), last


@cache
def is_common(char: str) -> bool:
    """Whether a Han character is among the 3,755 that everybody writes (level 1 of GB 2312)."""
    try:
        return b"\xb0\xa1" <= char.encode("gb2312") <= b"\xd7\xf9"
    except UnicodeEncodeError:
        return False
