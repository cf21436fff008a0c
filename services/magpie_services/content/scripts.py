"""Simplified and traditional characters: a catalogue in one is read in the other (OpenCC)."""

from functools import lru_cache

from opencc import OpenCC

from magpie_services.content.attributes import HAN

_TO_TRADITIONAL, _TO_SIMPLIFIED = OpenCC("s2tw"), OpenCC("t2s")
# Words of shops that OpenCC takes character by character, and what Taiwan writes.
_TAIWAN = (("手衝", "手沖"), ("衝泡", "沖泡"), ("衝調", "沖調"), ("速幹", "速乾"), ("溼", "濕"))


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
    if simple != text:
        return text
    traditional = str(_TO_TRADITIONAL.convert(text))
    for wrong, right in _TAIWAN:
        traditional = traditional.replace(wrong, right)
    return traditional


def simplified(text: str) -> str:
    """A text in simplified characters, for looking words up."""
    return written(text, "zh-CN")
