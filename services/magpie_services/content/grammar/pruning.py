"""Lines without the branches that lack a fact, worked out once for each line and set of slots."""

from collections.abc import Mapping
from typing import NamedTuple

from magpie_services.content.grammar.notation import Choice, Line, Reference, Sections, Sequence, Slot
from magpie_services.content.grammar.ways import Fork, Leaf, Way, Ways, weighed
from magpie_services.content.strategies import Tone

# What is kept of sections put together; beyond that the memory starts afresh.
MAX_KEPT = 50_000


class _Prunable(NamedTuple):
    """A line, the slots that decide what of it can be said, and what can be by those that are filled."""

    line: Line
    reach: int
    kept: dict[int, Way | None]


class Pruner:
    """Prunes the sections of a grammar."""

    def __init__(self, sections: Sections) -> None:
        self._reach = reach(sections)
        self._lines = {
            (name, tone): tuple(
                _Prunable(line, _slots(line.sequence, self._reach), {})
                for line in lines
                if tone in line.tones
            )
            for name, lines in sections.items()
            for tone in Tone
        }
        self._kept: dict[tuple[str, Tone, int], Ways] = {}

    def ways(self, section: str, tone: Tone, filled: int) -> Ways:
        """The ways to say a section in a tone with the `filled` slots; none where the section is missing."""
        key = (section, tone, filled & self._reach.get(section, 0))
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            found = self._kept[key] = Ways(self._said(*key))
        return found

    def _said(self, section: str, tone: Tone, filled: int) -> tuple[Way, ...]:
        found: list[Way] = []
        for line, its_reach, kept in self._lines.get((section, tone), ()):
            its = filled & its_reach
            if len(line.sequence) == 1 and isinstance(line.sequence[0], Reference):
                found += self._said(line.sequence[0].name, tone, its)
                continue
            if its not in kept:
                kept[its] = self._way(line.sequence, tone, its)
            way = kept[its]
            if way is not None:
                found.append(way)
        return tuple(found)

    def _way(self, sequence: Sequence, tone: Tone, filled: int) -> Way | None:
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
                open_ = self._options(node, tone, filled)
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
        return weighed(tuple(branch), always, forms)

    def _options(self, node: Choice | Reference, tone: Tone, filled: int) -> tuple[Way, ...]:
        if isinstance(node, Reference):
            return self._said(node.name, tone, filled)
        ways = (self._way(option, tone, filled) for option in node.options)
        return tuple(way for way in ways if way is not None)


def reach(sections: Sections) -> Mapping[str, int]:
    """For each section, the slots that decide what of it can be said."""
    known: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in known:
            known[name] = 0
            for line in sections[name]:
                for other in _names(line.sequence):
                    of(other)
                known[name] |= _slots(line.sequence, known)
        return known[name]

    return {name: of(name) for name in sections}


def _names(sequence: Sequence) -> list[str]:
    """The sections that a sequence refers to by name."""
    found = []
    for node in sequence:
        if isinstance(node, Reference):
            found.append(node.name)
        elif isinstance(node, Choice):
            for option in node.options:
                found += _names(option)
    return found


def _slots(sequence: Sequence, reaches: Mapping[str, int]) -> int:
    """The slots of a sequence, those of the sections that it refers to among them."""
    found = 0
    for node in sequence:
        match node:
            case Slot():
                found |= node.bit
            case Choice():
                for option in node.options:
                    found |= _slots(option, reaches)
            case Reference():
                found |= reaches[node.name]
    return found
