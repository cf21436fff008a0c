"""The ways to write one value: "off-white" and "off white", "grey" and "gray", 蓝色 and 蓝."""

from collections.abc import Iterator

from magpie_services.content.attributes import HAN, Kind, kind_of
from magpie_services.content.extraction.folding import fold

_MOST_CHARS = 40
_SPELLINGS = (("grey", "gray"), ("aluminium", "aluminum"), ("fibre", "fiber"), ("colour", "color"))


def forms(name: str, value: str) -> Iterator[str]:
    """The value folded, as written first, then with other spellings of the same words.

    None for what a text cannot speak of by itself: bare numbers, single letters, very long values.
    """
    word = " ".join(fold(value).split())
    if not 1 <= len(word) <= _MOST_CHARS or not any(char.isalpha() for char in word):
        return
    if len(word) == 1 and not HAN.search(word):
        return
    yield word
    kind = kind_of(name, value)
    if HAN.search(word):
        if kind is Kind.COLOUR and word.endswith("色") and len(word) > 2:
            yield word[:-1]
        elif kind is Kind.COLOUR and not word.endswith("色"):
            yield f"{word}色"
        return
    for one, other in _SPELLINGS:
        if one in word:
            yield word.replace(one, other)
        elif other in word:
            yield word.replace(other, one)
    if "-" in word:
        yield word.replace("-", " ")
    elif " " in word:
        yield word.replace(" ", "-")
