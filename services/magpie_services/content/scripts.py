"""Simplified and traditional characters: a catalogue in one is read in the other (OpenCC)."""

from functools import lru_cache

from opencc import OpenCC

from magpie_services.content.attributes import HAN

_TO_TRADITIONAL, _TO_SIMPLIFIED = OpenCC("s2tw"), OpenCC("t2s")


@lru_cache(maxsize=65_536)
def written(text: str, locale: str) -> str:
    """A text in the characters of a locale; as it is where it has no Han or the locale is not Chinese.

    A text that has traditional characters already is one: to convert it again would spoil it (里 to 裡).
    """
    if not HAN.search(text) or locale == "en":
        return text
    simple = str(_TO_SIMPLIFIED.convert(text))
    if locale == "zh-CN":
        return simple
    return text if simple != text else str(_TO_TRADITIONAL.convert(text))


def simplified(text: str) -> str:
    """A text in simplified characters, for looking words up."""
    return written(text, "zh-CN")
