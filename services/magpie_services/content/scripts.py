"""Simplified and traditional characters: a catalogue in one is read in the other (OpenCC)."""

from functools import lru_cache

from opencc import OpenCC

from magpie_services.content.attributes import HAN

_CONVERSIONS = {"zh-TW": OpenCC("s2tw"), "zh-CN": OpenCC("t2s")}


@lru_cache(maxsize=65_536)
def written(text: str, locale: str) -> str:
    """A text in the characters of a locale; as it is where it has no Han or the locale is not Chinese."""
    conversion = _CONVERSIONS.get(locale)
    return str(conversion.convert(text)) if conversion is not None and HAN.search(text) else text


def simplified(text: str) -> str:
    """A text in simplified characters, for looking words up."""
    return written(text, "zh-CN")
