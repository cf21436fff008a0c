"""The slots of the grammar: what each is called and, as bit masks, which facts a message has said with it.

A set of slots is one int, so that "all that this line needs is filled" is one operation.
"""

from collections.abc import Iterable, Mapping
from typing import Final

NAMES: Final = (
    "item", "brand", "category", "topic", "colour", "material", "style", "styles", "attrs", "look",
    "price", "was", "saved", "off", "zhe", "ends", "stock", "mw", "few", "rating", "ratings", "popular",
    "rank", "days", "again", "cart", "back", "new", "viewed", "bought", "drop", "because", "liked",
    "season", "you", "all_you", "someone", "seen", "several",
)  # fmt: skip
BITS: Final[Mapping[str, int]] = {name: 1 << at for at, name in enumerate(NAMES)}
# `several` is never spoken: it tells that there are two describing words at least.
# Facts that let a plain word be said ("in your cart") and have no words of their own.
EVIDENCE: Final = frozenset(
    ["few", "popular", "again", "cart", "back", "new", "viewed", "bought", "drop", "seen"]
)


def mask(*names: str) -> int:
    """The slots as one int."""
    found = 0
    for name in names:
        found |= BITS[name]
    return found


def named(slots: int) -> Iterable[str]:
    """The names of the slots in a mask."""
    return (name for name, bit in BITS.items() if slots & bit)


# Slots that say the same thing in other words: once one of a group was said, the rest would repeat it.
_SAME = (
    mask("off", "zhe", "saved"),
    mask("category", "topic", "liked"),
    mask("you", "all_you", "someone"),
    mask("attrs", "styles", "style", "look"),
    mask("attrs", "look", "colour"),
    mask("attrs", "material"),
    mask("stock", "few"),
    mask("rank", "popular"),
)
# The item may be named twice; a measure word says nothing by itself.
_FREE = mask("item", "mw")

SAYS: Final[Mapping[str, int]] = {
    name: 0
    if bit & _FREE
    else bit | sum({other for group in _SAME if bit & group for other in BITS.values() if other & group})
    for name, bit in BITS.items()
}


def repeating(slots: int) -> int:
    """All slots that would say again what these say."""
    found = 0
    for name in named(slots):
        found |= SAYS[name]
    return found


ADDRESS: Final = mask("you", "all_you", "someone")
