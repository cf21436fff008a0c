"""The lines of a section that can be said with the facts at hand, and how one of them is drawn."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from magpie_services.content import slots
from magpie_services.content.dice import Dice
from magpie_services.content.grammar.notation import (
    FactClause,
    Slot,
    Text,
)

# How much a clause takes where nothing is known of it: more than any line without one.
_CLAUSE_COLUMNS = 1_000
ITEM = slots.BITS["item"]


class Fork(NamedTuple):
    """One of several branches, all of them possible."""

    branches: tuple["Branch", ...]


Leaf = Text | Slot | FactClause
Branch = tuple[Leaf | Fork, ...]


class Way(NamedTuple):
    """A line that can be said. `always` are the slots that it fills however it forks; `forms`, in how many
    ways it does.
    """

    branch: Branch
    always: int
    forms: float
    weight: float


def weighed(branch: Branch, always: int, forms: float) -> Way:
    """A way with its weight: the more forms it has, the more often it is drawn, and never to drown others."""
    return Way(branch, always, forms, math.pow(min(forms, 100_000.0), 0.2))


class Ways:
    """The lines of a section that can be said in a tone with some slots filled; may be empty."""

    __slots__ = ("_bounds", "_covering", "ways")

    def __init__(self, ways: tuple[Way, ...]) -> None:
        self.ways = ways
        self._bounds = list(accumulate(way.weight for way in ways))
        self._covering: dict[tuple[int, ...], Ways] = {}

    def __bool__(self) -> bool:
        return bool(self.ways)

    @property
    def forms(self) -> float:
        """In how many ways at all."""
        return sum(way.forms for way in self.ways)

    def draw(self, dice: Dice) -> list[Leaf]:
        """The leaves of one line from left to right."""
        at = bisect_right(self._bounds, dice.roll() * self._bounds[-1])
        leaves: list[Leaf] = []
        _walk(self.ways[min(at, len(self.ways) - 1)].branch, dice, leaves)
        return leaves

    def narrowest(self, widths: Mapping[str, int]) -> list[Leaf]:
        """The leaves of the line that takes least room, by the widths of the slots' phrases."""
        return list(min((_narrow(way.branch, widths) for way in self.ways), key=lambda found: found[0])[1])

    def covering(self, musts: tuple[int, ...]) -> "Ways":
        """Those that are sure to fill one slot at least of each of the masks."""
        if not musts:
            return self
        found = self._covering.get(musts)
        if found is None:
            found = Ways(tuple(way for way in self.ways if all(way.always & must for must in musts)))
            self._covering[musts] = found
        return found


def _narrow(branch: Branch, widths: Mapping[str, int]) -> tuple[int, tuple[Leaf, ...]]:
    width = 0
    leaves: tuple[Leaf, ...] = ()
    for node in branch:
        if isinstance(node, Fork):
            least, chosen = min((_narrow(one, widths) for one in node.branches), key=lambda found: found[0])
        else:
            chosen = (node,)
            if isinstance(node, FactClause):
                least = 0 if node.optional else _CLAUSE_COLUMNS
            else:
                spoken = isinstance(node, Slot) and not node.words
                least = node.columns + (widths.get(node.name, 0) if isinstance(node, Slot) and spoken else 0)
        width += least
        leaves += chosen
    return width, leaves


def _walk(branch: Branch, dice: Dice, leaves: list[Leaf]) -> None:
    for node in branch:
        if type(node) is Fork:
            branches = node.branches
            _walk(branches[dice.below(len(branches))], dice, leaves)
        else:
            leaves.append(node)  # type: ignore[arg-type]
