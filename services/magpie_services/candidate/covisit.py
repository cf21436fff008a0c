"""Which items are seen and bought by the same people, counted as events come in, in bounded memory.

Each user counts once for an item within 30 days, by the strongest thing they did with it, so that a bot or a
restless finger moves little. Counts halve every 30 days by forward decay: news is written down larger
instead of everything held being made smaller, and the scale cancels out of every cosine.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.checks import EARLIEST_MS
from magpie_services.core.columns import ItemColumns
from magpie_services.core.events import Event, EventKind
from magpie_services.core.memory import DAY_MS

MAX_TAIL = 20
WINDOW_MS = 30 * DAY_MS
HALF_LIFE_MS = 30 * DAY_MS
NEIGHBOURS = 100
SLACK = 32  # a neighbourhood is cut back to NEIGHBOURS when it is this much larger
MAX_USERS = 200_000
MAX_ITEMS = 200_000
PRIOR = 3.0  # imaginary viewers of every item: one shared viewer of two rare items proves little
REFRESH_EVERY = 5_000  # observations after which all ranked neighbourhoods are ranked anew
SLICE = 256

# A purchase by one person weighs as much as views by nine.
WEIGHTS: dict[EventKind, float] = {
    EventKind.VIEW_ITEM: 1.0,
    EventKind.ADD_TO_WISHLIST: 1.5,
    EventKind.ADD_TO_CART: 2.0,
    EventKind.REVIEW: 2.0,
    EventKind.PURCHASE: 3.0,
}


class Neighbours:
    """Items linked with one, at most 100, strongest first; `cosines` float32 [n] in [0, 1]."""

    def __init__(self, item_ids: list[str], cosines: NDArray[np.float32]) -> None:
        self.item_ids = item_ids
        self.cosines = cosines
        self._size, self._rows = -1, np.empty(0, dtype=np.int32)

    def rows(self, columns: ItemColumns) -> NDArray[np.int32]:
        """Their rows, int32 [n], -1 where unknown; looked up again only when the catalogue has grown."""
        if self._size != len(columns):
            self._size, self._rows = len(columns), columns.rows(self.item_ids)
        return self._rows


class Slice(msgspec.Struct, array_like=True):
    """Some items with their mass and links, as stored: logarithms to base 2, float32; links as indices."""

    items: list[str]
    masses: bytes
    counts: list[int]
    others: bytes
    links: bytes


class Covisits:
    """Links between items, from users' newest interactions. Not safe for several threads at once."""

    def __init__(self) -> None:
        self._tails: OrderedDict[str, dict[str, tuple[float, int]]] = OrderedDict()
        self._masses: dict[str, float] = {}
        self._links: dict[str, dict[str, float]] = {}
        self._ranked: dict[str, Neighbours] = {}
        self.newest_ms = EARLIEST_MS  # of the events counted
        self._observed = 0

    def __len__(self) -> int:
        """Number of items with at least one interaction."""
        return len(self._masses)

    def observe(self, events: Iterable[Event]) -> None:
        """Counts events, in any order within a month or so."""
        for event in events:
            weight = WEIGHTS.get(event.kind)
            if weight is not None:
                self._count(event.user_id, event.item_id, weight, event.occurred_ms)

    def forget(self, user_id: str) -> None:
        """Drops what is held of a user; sums over many users stay."""
        self._tails.pop(user_id, None)

    def neighbours(self, item_id: str) -> Neighbours:
        """The items linked with this one; none for an item that nobody has met."""
        ranked = self._ranked.get(item_id)
        if ranked is None:
            ranked = self._ranked[item_id] = self._rank(item_id)
        return ranked

    def slices(self) -> Iterator[Slice]:
        """Everything but the users' tails, piece by piece, for `restore`; observe nothing in between."""
        ids = list(self._masses)
        index = {item_id: at for at, item_id in enumerate(ids)}
        for start in range(0, len(ids), SLICE):
            chunk = ids[start : start + SLICE]
            held = [self._links.get(item_id, {}) for item_id in chunk]
            others = np.fromiter((index.get(other, -1) for some in held for other in some), dtype=np.int32)
            links = np.fromiter((link for some in held for link in some.values()), dtype=np.float64)
            masses = np.array([self._masses[item_id] for item_id in chunk])
            yield Slice(
                items=chunk,
                masses=np.log2(masses).astype(np.float32).tobytes(),
                counts=[len(some) for some in held],
                others=others.tobytes(),
                links=np.log2(links).astype(np.float32).tobytes(),
            )

    def restore(self, slices: Iterable[Slice], newest_ms: int) -> None:
        """Takes stored counts in place of its own. Tails start empty: pairs that span the stop are lost."""
        self.newest_ms = newest_ms
        stored = list(slices)
        ids = [item_id for part in stored for item_id in part.items]
        self._ranked.clear()
        self._masses, self._links = {}, {}
        for part in stored:
            masses = np.exp2(np.frombuffer(part.masses, dtype=np.float32).astype(np.float64)).tolist()
            links = np.exp2(np.frombuffer(part.links, dtype=np.float32).astype(np.float64)).tolist()
            others = np.frombuffer(part.others, dtype=np.int32).tolist()
            self._masses.update(zip(part.items, masses, strict=True))
            start = 0
            for item_id, count in zip(part.items, part.counts, strict=True):
                pairs = zip(others[start : start + count], links[start : start + count], strict=True)
                self._links[item_id] = {ids[other]: link for other, link in pairs if other >= 0}
                start += count

    def _count(self, user_id: str, item_id: str, weight: float, at_ms: int) -> None:
        tail = self._tails.pop(user_id, None) or {}
        self._tails[user_id] = tail
        if len(self._tails) > MAX_USERS:
            self._tails.popitem(last=False)
        before, last_ms = tail.pop(item_id, (0.0, 0))
        if abs(at_ms - last_ms) > WINDOW_MS:
            before = 0.0
        strength = max(before, weight * _scale(at_ms))
        tail[item_id] = strength, max(at_ms, last_ms)
        self.newest_ms = max(self.newest_ms, at_ms)
        if strength > before:
            self._masses[item_id] = self._masses.get(item_id, 0.0) + strength**2 - before**2
            for other, (theirs, when_ms) in tail.items():
                if other != item_id and abs(at_ms - when_ms) <= WINDOW_MS:
                    self._link(item_id, other, theirs * (strength - before))
                    self._link(other, item_id, theirs * (strength - before))
        if len(tail) > MAX_TAIL:
            del tail[next(iter(tail))]
        self._observed += 1
        if self._observed % REFRESH_EVERY == 0:
            self._ranked.clear()
            self._drop_faint_items()

    def _link(self, item_id: str, other: str, amount: float) -> None:
        links = self._links.setdefault(item_id, {})
        links[other] = links.get(other, 0.0) + amount
        self._ranked.pop(item_id, None)
        if len(links) > NEIGHBOURS + SLACK:
            kept = sorted(links, key=links.__getitem__, reverse=True)[:NEIGHBOURS]
            self._links[item_id] = {one: links[one] for one in kept}

    def _drop_faint_items(self) -> None:
        if len(self._masses) <= MAX_ITEMS:
            return
        faint = sorted(self._masses, key=self._masses.__getitem__)[: MAX_ITEMS // 10]
        for item_id in faint:
            del self._masses[item_id]
            self._links.pop(item_id, None)

    def _rank(self, item_id: str) -> Neighbours:
        links = self._links.get(item_id)
        if not links:
            return Neighbours([], np.empty(0, dtype=np.float32))
        prior = PRIOR * _scale(self.newest_ms) ** 2
        masses = np.array([self._masses.get(other, 0.0) for other in links]) + prior
        mine = math.sqrt(self._masses.get(item_id, 0.0) + prior)
        cosines = np.minimum(np.fromiter(links.values(), dtype=np.float64) / (np.sqrt(masses) * mine), 1.0)
        order = np.argsort(-cosines, kind="stable")[:NEIGHBOURS]
        others = list(links)
        return Neighbours([others[at] for at in order], cosines[order].astype(np.float32))


def _scale(at_ms: int) -> float:
    """How large an interaction is written down: its square doubles every half-life. Good until 2080."""
    return math.exp2((at_ms - EARLIEST_MS) / (2 * HALF_LIFE_MS))
