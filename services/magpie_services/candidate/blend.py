"""One list a user from many sources: taken in turn by quota, no item twice, each with its evidence."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate import sources
from magpie_services.candidate.covisit import Covisits
from magpie_services.candidate.near import TRANSITION, VECTOR, Near, near
from magpie_services.candidate.release import Release, UserVectors
from magpie_services.candidate.shelf import Filter, Mask, Shelf
from magpie_services.candidate.sources import Rows
from magpie_services.core.columns import ItemColumns
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait

# Share of the list each source fills while it can; what one leaves the others fill in the same proportion.
# What the retrieval model finds is one list, whether near to the user or following what they met last.
SHARES = {"vector": 0.24, "covisit": 0.24, "repeat": 0.36, "popular": 0.12, "new": 0.04}
# Sources that are short and wanted whole: nothing in a cart is left out for want of a quota.
WHOLE = ("caller", "cart", "random")
ALL = (*WHOLE, *SHARES, TRANSITION)
ALIKE = 0.3  # cosine of vectors from which a past item may be named as the reason


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for every user of a batch."""

    limit: int = 100
    filter: Filter = Filter()
    sources: frozenset[str] = frozenset(ALL)
    seed: int = 0

    def uses(self, source: str) -> bool:
        return source in self.sources


class Found(msgspec.Struct, frozen=True):
    """One candidate; see the contract's Candidate."""

    item_id: str
    sources: list[str]
    similarity: float
    covisit: float
    because_item_id: str


class Blend:
    """Draws lists for one batch: what does not depend on the user is computed once."""

    def __init__(self, mirror: Mirror, shelf: Shelf, covisits: Covisits, query: Query, now_ms: int) -> None:
        self._columns = mirror.columns
        self._covisits = covisits
        self._query = query
        self._now_ms = now_ms
        self._allowed: Mask = shelf.allowed(query.filter)
        self._size = len(self._allowed)
        self._drawable = np.flatnonzero(self._allowed)
        self._lots = shelf.lots[self._drawable]
        self._common: dict[str, Rows] = {}
        if query.uses("popular"):
            self._common["popular"] = sources.popular(self._columns, self._allowed, now_ms, query.limit)
        if query.uses("new"):
            self._common["new"] = sources.arrivals(self._columns, self._allowed, now_ms, query.limit)
        if query.filter.item_ids and query.uses("caller"):
            named = sources.rows_of(self._columns, list(dict.fromkeys(query.filter.item_ids)))
            self._common["caller"] = sources.permitted(named, self._allowed)

    def lists(self, portraits: Sequence[Portrait], users: UserVectors | None) -> list[list[Found]]:
        """One list for each portrait, best guess first; `users` has their vectors in the same order."""
        found: dict[int, Near] = {}
        if users is not None:
            query = self._query
            found = near(users, self._columns, self._allowed, query.limit, query.sources)
        return [self._list(at, portrait, users, found.get(at)) for at, portrait in enumerate(portraits)]

    def _list(
        self, at: int, portrait: Portrait, users: UserVectors | None, close: Near | None
    ) -> list[Found]:
        past = sources.past(portrait)
        strength, cause = sources.covisited(past, self._covisits, self._columns)
        ranked = self._ranked(portrait, strength)
        if close is not None:
            ranked[VECTOR] = close.rows
        chosen, named = _merged(ranked, ranked | (close.named if close else {}), self._query.limit)
        if not len(chosen):
            return []
        user = users.vectors[at] if users is not None and users.known[at] else None
        similarity = np.zeros(len(chosen), dtype=np.float32)
        because = cause[chosen].astype(np.int64)
        if users is not None and user is not None:
            similarity = _similarity(users.release, chosen, user, self._columns)
            alike = _most_alike(users.release, chosen, list(past), self._columns)
            because = np.where(because >= 0, because, alike)
        ids, past_ids = self._columns.ids, list(past)
        followed = close.because if close else {}
        found = []
        for row, flags, like, link, reason in zip(
            chosen.tolist(),
            named,
            similarity.tolist(),
            strength[chosen].tolist(),
            because.tolist(),
            strict=True,
        ):
            own = "cart" in flags or "repeat" in flags
            because_id = past_ids[reason] if reason >= 0 else ""
            because_id = ids[row] if own else followed.get(row, because_id)
            found.append(Found(ids[row], flags, like, link, because_id))
        return found

    def _ranked(self, portrait: Portrait, strength: NDArray[np.float32]) -> dict[str, Rows]:
        uses, limit, allowed = self._query.uses, self._query.limit, self._allowed
        ranked = dict(self._common)
        if uses("covisit") and strength.any():
            ranked["covisit"] = sources.best(np.where(allowed, strength[: self._size], 0.0), limit)
        if uses("repeat"):
            own = sources.repeated(portrait, self._columns, self._now_ms)
            ranked["repeat"] = sources.permitted(own, allowed)[:limit]
        if uses("cart"):
            ranked["cart"] = sources.permitted(sources.cart(portrait, self._columns), allowed)
        if uses("random"):
            ranked["random"] = sources.drawn(self._drawable, self._lots, self._query.seed, portrait.user_id)
        return ranked


def _merged(
    ranked: Mapping[str, Rows], sources: Mapping[str, Rows], limit: int
) -> tuple[Rows, list[list[str]]]:
    """At most `limit` rows from ranked lists, and for each the names of all sources that found it.

    The k-th row of a list with quota q takes the turn (k + ½) / q: below 1 the quotas are filled in turn,
    from 1 on what they left free is filled in the same proportion.
    """
    held = [(name, rows) for name, rows in ranked.items() if len(rows)]
    if not held:
        return np.empty(0, dtype=np.int64), []
    turns = [
        (np.arange(len(rows)) + 0.5) / (limit * SHARES.get(name, len(rows) / limit)) for name, rows in held
    ]
    rows = np.concatenate([rows for _, rows in held])
    order = np.argsort(np.concatenate(turns), kind="stable")
    distinct, first = np.unique(rows[order], return_index=True)
    found = np.concatenate([*sources.values()])
    origin = np.repeat(np.arange(len(sources)), [len(rows) for rows in sources.values()])
    place = np.minimum(np.searchsorted(distinct, found), len(distinct) - 1)
    here = distinct[place] == found
    named = np.zeros(len(distinct), dtype=np.int64)  # a bit for each source
    np.bitwise_or.at(named, place[here], 1 << origin[here])
    taken = np.argsort(first)[:limit]
    bits = named[taken].tolist()
    names = {one: [name for at, name in enumerate(sources) if one >> at & 1] for one in set(bits)}
    return distinct[taken], [names[one] for one in bits]


def _similarity(
    release: Release, rows: Rows, user: NDArray[np.float32], columns: ItemColumns
) -> NDArray[np.float32]:
    """Cosine of the user with catalogue rows, 0 where the release has no vector: float32 [N]."""
    vector_of = release.rows(columns)[1][rows]
    cosines = np.clip(release.vectors[vector_of] @ user, -1.0, 1.0)  # rounding may lead just beyond
    return np.where(vector_of >= 0, cosines, np.float32(0))


def _most_alike(release: Release, rows: Rows, past: Sequence[str], columns: ItemColumns) -> NDArray[np.int64]:
    """For each row the index of the past item whose vector is nearest, -1 where none is near: int64 [N]."""
    vector_of = release.rows(columns)[1][rows]
    codes = np.array([release.codes.get(item_id, 0) for item_id in past], dtype=np.int64)
    if not codes.any():
        return np.full(len(rows), -1, dtype=np.int64)
    cosines = release.vectors[vector_of] @ release.vectors[codes].T
    cosines[:, codes == 0] = -1.0
    nearest = cosines.argmax(axis=1)
    near = (vector_of >= 0) & (cosines[np.arange(len(rows)), nearest] >= ALIKE)
    return np.where(near, nearest, -1)
