"""The ways to write one value: "grey" and "gray", 深蓝色 and 深蓝."""

from collections.abc import Iterator

from magpie_services.content.attributes import HAN, Kind, kind_of
from magpie_services.content.extraction.folding import fold

_MOST_CHARS = 40
_MUTE_EN = (
    "yes",
    "no",
    "true",
    "false",
    "none",
    "n/a",
    "other",
    "various",
    "unknown",
    "default",
    "standard",
    "new",
)
_MUTE_ZH = ("是", "否", "有", "无", "不", "其他", "其它", "默认", "未知", "均码", "通用", "标准")
_SPELLINGS = (("grey", "gray"), ("aluminium", "aluminum"), ("fibre", "fiber"), ("colour", "color"))


def forms(name: str, value: str) -> Iterator[str]:
    """The value folded, as written first, then with other spellings of the same words.

    None for what says nothing by itself: bare numbers, single letters, very long values, yes and no.
    """
    word = " ".join(fold(value).split())
    if not 1 <= len(word) <= _MOST_CHARS or not any(char.isalpha() for char in word):
        return
    if (len(word) == 1 and not HAN.search(word)) or word in _MUTE_EN + _MUTE_ZH:
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
