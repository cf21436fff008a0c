"""Lines: where a title may be broken, Chinese rules included, and which breaks look best."""

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import NamedTuple

import regex

ELLIPSIS = "…"
MOST_CHARS = 160  # more than any card shows; bounds the work
# Never first in a line: what closes or goes on. Never last: what opens or belongs to what follows.
_NOT_FIRST = frozenset(
    "、。，．,.!?:;！？：；…‥—–-)]}）］｝〕〉》」』】〗”’·・%‰％℃°/／~～ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)
_NOT_LAST = frozenset("([{（［｛〔〈《「『【〖“‘$¥￥€£₩#＃@")
_PAUSES = "，、；：。！？,;:!?）】」』》)]"
_GRAPHEME = regex.compile(r"\X")
# A word of a script with spaces stays whole, with what ties it together: "T-shirt", "men's", "1,299.00".
_WORD = regex.compile(
    r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{N}\p{M}]+(?:['’.,\-&+][\p{Latin}\p{Greek}\p{Cyrillic}\p{N}\p{M}]+)*"
)
_BREAK_COST = 0.12  # of a break where none looks natural
_SHORT_END = 0.25

Width = Callable[[str], float]


class _Piece(NamedTuple):
    """What is never broken; `spaced`: a space follows, `ends`: a break after it looks natural."""

    text: str
    spaced: bool = False
    ends: bool = False


def wrap(text: str, width: Width, room: float, most: int, terms: Collection[str] = ()) -> list[str]:
    """At most `most` lines of at most `room` wide, evenly filled; an ellipsis ends a text that was cut.

    A word too long for a line is broken between graphemes; `terms` are words that had better stay whole where
    no space tells words apart. [] for a text of nothing.
    """
    pieces = [part for piece in _pieces(text[:MOST_CHARS], terms) for part in _split(piece, width, room)]
    if not pieces:
        return []
    breaks = _best(pieces, width, room, most)
    if breaks is not None and len(text) <= MOST_CHARS:
        return [_line(pieces[first:last]) for first, last in pairwise([0, *breaks])]
    return _cut(pieces, width, room, most)


def _pieces(text: str, terms: Collection[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    joined = False
    for unit in _units(text, terms):
        last = pieces[-1] if pieces else _Piece("")
        if unit.isspace():
            if pieces:
                pieces[-1] = last._replace(spaced=True, ends=True)
            joined = False
            continue
        if pieces and (joined or (unit[0] in _NOT_FIRST and not last.spaced)):
            pieces[-1] = _Piece(last.text + unit, ends=unit[-1] in _PAUSES or unit in terms)
        else:
            if unit in terms and pieces:
                pieces[-1] = last._replace(ends=True)
            pieces.append(_Piece(unit, ends=unit in terms))
        joined = unit[-1] in _NOT_LAST
    return pieces


def _units(text: str, terms: Collection[str]) -> list[str]:
    """Terms, words and graphemes, in their order."""
    longest = sorted((term for term in terms if term in text), key=len, reverse=True)
    units: list[str] = []
    at = 0
    while at < len(text):
        unit = next((term for term in longest if text.startswith(term, at)), "")
        match = _WORD.match(text, at)
        if match is not None and len(match[0]) >= len(unit):
            unit = match[0]
        units.append(unit or _GRAPHEME.match(text, at)[0])
        at += len(units[-1])
    return units


def _split(piece: _Piece, width: Width, room: float) -> list[_Piece]:
    """The piece, or parts of it that fit a line each."""
    if width(piece.text) <= room:
        return [piece]
    parts, part = [], ""
    for grapheme in _GRAPHEME.findall(piece.text):
        if part and width(part + grapheme) > room:
            parts.append(_Piece(part))
            part = ""
        part += grapheme
    return [*parts, piece._replace(text=part)]


def _best(pieces: list[_Piece], width: Width, room: float, most: int) -> list[int] | None:
    """Where lines end (as counts of pieces) at the least cost; None when `most` lines do not hold them.

    A line costs the square of the share that it leaves empty; a break within a run of Han, and a last line
    of next to nothing, cost extra. Fewer lines always win.
    """
    count, space = len(pieces), width(" ")
    wides = [width(piece.text) for piece in pieces]
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for _ in range(most):
        reached: dict[int, tuple[float, list[int]]] = {}
        for first, (cost, breaks) in best.items():
            wide = -space
            for last in range(first + 1, count + 1):
                wide += wides[last - 1] + space * (last - 1 == first or pieces[last - 2].spaced)
                if wide > room:
                    break
                total = cost + (1 - wide / room) ** 2
                if last < count and not pieces[last - 1].ends:
                    total += _BREAK_COST
                if last == count and first and wide < _SHORT_END * room:
                    total += _SHORT_END
                if last not in reached or total < reached[last][0]:
                    reached[last] = (total, [*breaks, last])
        if count in reached:
            return reached[count][1]
        best = reached
    return None


def _cut(pieces: list[_Piece], width: Width, room: float, most: int) -> list[str]:
    """Lines filled one after the other, the last one cut."""
    lines: list[str] = []
    first = 0
    while first < len(pieces):
        final = len(lines) == most - 1
        last = first + 1
        while last < len(pieces) and width(_line(pieces[first : last + 1])) <= room:
            last += 1
        if final:
            while last > first and width(_ended(pieces[first:last])) > room:
                last -= 1
            return [*lines, _ended(pieces[first:last])]
        lines.append(_line(pieces[first:last]))
        first = last
    return lines


def _line(pieces: list[_Piece]) -> str:
    return "".join(piece.text + " " * piece.spaced for piece in pieces).rstrip()


def _ended(pieces: list[_Piece]) -> str:
    return _line(pieces).rstrip(" -–—,，、:：;；(（[【/&+·。.") + ELLIPSIS
