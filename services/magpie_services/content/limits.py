"""How much fits where: display columns, bytes, and cuts that never split a character that a person sees."""

import unicodedata
from typing import NamedTuple

import regex
from wcwidth import wcwidth

ELLIPSIS = "…"
_GRAPHEME = regex.compile(r"\X")
_EMOJI_STYLE = "\ufe0f"  # makes the character before it as wide as an emoji


class Limits(NamedTuple):
    """The room of one channel: columns as displayed (East Asian wide characters take two), bytes as UTF-8."""

    title_columns: int = 40
    body_columns: int = 100
    title_bytes: int = 200
    body_bytes: int = 600
    description_chars: int = 2_000


NARROWEST = Limits()
_WIDER = {
    "in_app": Limits(title_columns=48, body_columns=140, title_bytes=240, body_bytes=800),
    "email": Limits(title_columns=60, body_columns=400, title_bytes=300, body_bytes=2_400),
}


def limits_for(channel: str) -> Limits:
    """The limits of a channel by its name; the narrowest for "" and for channels without their own."""
    return _WIDER.get(channel, NARROWEST)


class _Widths(dict[str, int]):
    """Columns of each character, found once. Ambiguous ones count as wide: the reader may be Chinese."""

    def __missing__(self, char: str) -> int:
        if char == _EMOJI_STYLE:
            return self.setdefault(char, 1)
        wide = unicodedata.east_asian_width(char) == "A"
        if unicodedata.category(char) == "Mc":  # takes room beside its letter in some scripts
            return self.setdefault(char, 1)
        width = 2 if wide and unicodedata.category(char) != "Mn" else max(0, wcwidth(char))
        self[char] = width
        return width


_WIDTHS = _Widths()


def columns(text: str) -> int:
    """Columns that a text takes, counted so that the true width is never more; sums over concatenation."""
    return len(text) if text.isascii() else sum(map(_WIDTHS.__getitem__, text))


def cut(text: str, room: int) -> str:
    """The text if it fits in `room` columns, else its beginning and an ellipsis.

    Cuts at a word border where the text has one in its second half, and always between graphemes.
    """
    if columns(text) <= room:
        return text
    room -= columns(ELLIPSIS)
    end = used = 0
    for grapheme in _GRAPHEME.finditer(text):
        used += columns(grapheme[0])
        if used > room:
            break
        end = grapheme.end()
    whole = end
    while 0 < whole < len(text) and _joined(text, whole):
        whole -= 1
    # A cut number would be another number; a cut word is only ugly, and better than next to nothing.
    if whole > end // 2 or any(char.isdigit() for char in text[whole:end]):
        end = whole
    head = text[:end]
    head = head.rstrip(" -–—,，、:：;；(（[【/&+·")
    return head + ELLIPSIS if head else ""


def _joined(text: str, at: int) -> bool:
    """Whether a Latin word or a number goes on across `at`."""
    left, right = text[at - 1], text[at]
    if left.isascii() and right.isascii() and left.isalnum() and right.isalnum():
        return True
    following = text[at + 1 : at + 2]
    if (left.isalnum() and right in "-'" and following.isalnum()) or (left in "-'" and right.isalnum()):
        return left.isascii()
    return (left.isdigit() and right in ".,%" and (right == "%" or following.isdigit())) or (
        left in ".," and right.isdigit()
    )
