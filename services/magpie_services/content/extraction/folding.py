"""Texts made comparable, character by character: a place in the one is the same place in the other."""

import unicodedata

from magpie_services.content.scripts import simplified

_HYPHENS = "-‐‑"


class _Folded(dict[int, str]):
    """Each character in NFKC, lower case and simplified, where that is a single character again.

    Hyphens become spaces: "stainless-steel" and "stainless steel" are the same words.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        for change in (lambda one: unicodedata.normalize("NFKC", one), str.casefold, simplified):
            changed = change(char)
            char = changed if len(changed) == 1 else char
        self[code] = char = " " if char in _HYPHENS else char
        return char


_FOLDED = _Folded()


def fold(text: str) -> str:
    """The text folded; as long as it was."""
    return text.translate(_FOLDED)
