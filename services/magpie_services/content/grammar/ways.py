"""What of a section can be said with the facts at hand: its lines without the branches that lack a fact."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import NamedTuple

from magpie_services.content import slots
from magpie_services.content.dice import Dice
from magpie_services.content.grammar.notation import (
    Choice,
    FactClause,
    Reference,
    Sections,
    Sequence,
    Slot,
    Text,
)
from magpie_services.content.strategies import Tone

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


class Ways:
    """The lines of a section that can be said in a tone with some slots filled; may be empty.

    A line is drawn with a chance that grows slowly with its forms: one that can be said in many ways comes
    more often, and does not drown the others.
    """

    __slots__ = ("_bounds", "_covering", "ways")

    def __init__(self, ways: tuple[Way, ...]) -> None:
        self.ways = ways
        self._bounds = list(accumulate(min(way.forms, 100_000.0) ** 0.2 for way in ways))
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


def ways(sections: Sections, name: str, tone: Tone, filled: int) -> Ways:
    """The ways to say a section; none where it is missing."""
    return Ways(
        tuple(
            way
            for line in sections.get(name, ())
            if tone in line.tones and (way := _way(line.sequence, sections, tone, filled)) is not None
        )
    )


def reach(sections: Sections) -> Mapping[str, int]:
    """For each section, the slots that decide what of it can be said."""
    known: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in known:
            known[name] = 0
            for line in sections[name]:
                known[name] |= _slots_of(line.sequence, of)
        return known[name]

    return {name: of(name) for name in sections}


def _slots_of(sequence: Sequence, of: Callable[[str], int]) -> int:
    found = 0
    for node in sequence:
        match node:
            case Slot():
                found |= node.bit
            case Choice():
                for option in node.options:
                    found |= _slots_of(option, of)
            case Reference():
                found |= of(node.name)
    return found


def _way(sequence: Sequence, sections: Sections, tone: Tone, filled: int) -> Way | None:
    """The sequence without what cannot be said; None where nothing is left."""
    branch: list[Leaf | Fork] = []
    always, forms = 0, 1.0
    for node in sequence:
        if isinstance(node, Slot):
            if not node.bit & filled:
                return None
            always |= node.bit
            branch.append(node)
        elif isinstance(node, Choice | Reference):
            options = (
                node.options
                if isinstance(node, Choice)
                else tuple(line.sequence for line in sections[node.name] if tone in line.tones)
            )
            open_ = [way for option in options if (way := _way(option, sections, tone, filled)) is not None]
            if not open_:
                return None
            sure = open_[0].always
            for way in open_[1:]:
                sure &= way.always
            always |= sure
            forms *= sum(way.forms for way in open_)
            if len(open_) == 1:
                branch.extend(open_[0].branch)
            else:
                branch.append(Fork(tuple(way.branch for way in open_)))
        else:
            branch.append(node)
    return Way(tuple(branch), always, forms)


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
