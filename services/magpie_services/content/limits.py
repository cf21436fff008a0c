"""How much fits where: display columns, bytes, and cuts that never split a character that a person sees."""

import unicodedata
from typing import NamedTuple

ELLIPSIS = "…"
_JOINER = "\u200d"


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
        if unicodedata.category(char) in ("Mn", "Me", "Cf") and char != "\ufe0f":
            width = 0
        else:
            width = 2 if unicodedata.east_asian_width(char) in "WFA" else 1
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
    while used + _WIDTHS[text[end]] <= room:
        used += _WIDTHS[text[end]]
        end += 1
    while end > 0 and not _border(text, end):
        end -= 1
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


def _border(text: str, at: int) -> bool:
    """Whether a grapheme may end before `text[at]`."""
    if at >= len(text):
        return True
    char = text[at]
    if unicodedata.category(char) in ("Mn", "Me", "Mc") or char in (_JOINER, "\ufe0f"):
        return False
    if "\U0001f3fb" <= char <= "\U0001f3ff" or text[at - 1] == _JOINER:
        return False
    if _flag(char) and _flag(text[at - 1]):
        run = at
        while run > 0 and _flag(text[run - 1]):
            run -= 1
        return (at - run) % 2 == 0
    return True


def _flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
