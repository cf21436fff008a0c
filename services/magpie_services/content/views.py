"""Two ways to look at a text that resist disguise, with the way back to the characters as written."""

import re
import unicodedata

from magpie_services.content.lexicon import zh

# Letters that look Latin and are not.
_LOOKALIKES = dict(zip("аеорсхуіѕԁһкмтνοαЅ", "aeopcxyisdhkmtvoas", strict=True))
_SPELT = re.compile(r"(?<![a-z0-9])[a-z0-9](?:[.*_\-·• ]{1,2}[a-z0-9]){2,}(?![a-z0-9])")
_SPELT_GAP = re.compile(r"[.*_\-·• ]+")


class _Plain(dict[str, str]):
    """Each character in NFKC and lower case; hidden ones vanish."""

    def __missing__(self, char: str) -> str:
        if char == "\n":
            plain = char
        elif unicodedata.category(char) in ("Cf", "Cc", "Mn", "Me", "Co", "Cs"):
            plain = ""
        else:
            plain = "".join(_LOOKALIKES.get(one, one) for one in unicodedata.normalize("NFKC", char).lower())
        self[char] = plain
        return plain


class _Squeezed(dict[str, str]):
    """Letters, digits and Han only, in simplified characters."""

    def __missing__(self, char: str) -> str:
        plain = _PLAIN[char]
        squeezed = plain if plain == "\n" else "".join(one for one in plain if one.isalnum())
        self[char] = squeezed = squeezed.translate(zh.TRADITIONAL)
        return squeezed


_PLAIN = _Plain()
_SQUEEZED = _Squeezed()


def plain(text: str) -> str:
    """NFKC, lower case, look-alikes as Latin, nothing hidden."""
    return text.lower() if text.isascii() else "".join(map(_PLAIN.__getitem__, text))


def squeezed(text: str) -> str:
    """Letters, digits and Han characters only, simplified: inserted punctuation and spaces are gone."""
    return "".join(map(_SQUEEZED.__getitem__, text))


def unspelt(view: str) -> str:
    """A plain view with words that were s.p.e.l.t out put together, padded to the same length."""
    return _SPELT.sub(lambda match: _SPELT_GAP.sub("", match[0]).ljust(len(match[0])), view)


def origin(text: str, start: int, end: int, *, squeeze: bool) -> tuple[int, int]:
    """The range of `text` that became [start, end) of its view."""
    table: dict[str, str] = _SQUEEZED if squeeze else _PLAIN
    at, first, last = 0, len(text), 0
    for index, char in enumerate(text):
        size = len(table[char])
        if size and at < end and at + size > start:
            first, last = min(first, index), index + 1
        at += size
    return min(first, last), last
