"""A shop's log lived through without processes: the portraits, candidates and features that the services
would give, from the same code, for benchmarks of quality.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_cli.importing import online_retail
from magpie_cli.importing.online_retail import Line
from magpie_services.candidate.blend import ALL, Blend, Found, Query
from magpie_services.candidate.covisit import Covisits
from magpie_services.candidate.release import Followers, Release, UserVectors
from magpie_services.candidate.shelf import Shelf
from magpie_services.candidate.vector_index import ExactIndex
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.features import SOURCES
from magpie_services.core.items import Item
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait, fold, new_portrait, told_again
from magpie_services.ranking.batch import MAX_USERS, Batch, Listed, build
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.rows import Rows
from magpie_services.training.retrieval import sequences
from magpie_services.training.retrieval.fit import Fitted
from magpie_services.training.retrieval.sequences import History
from magpie_services.wire import events as wire_events
from magpie_services.wire import items as wire_items

LIMIT = 100  # candidates a user
_BIT = {name: 1 << at for at, name in enumerate(SOURCES)}


@dataclass(frozen=True)
class Decided:
    """Candidates of some users at a moment, with all that ranking reads of them."""

    users: list[str]
    now_ms: int
    item_ids: list[list[str]]
    batches: list[Batch]

    def rows(self, bought: dict[str, dict[str, int]], first: int) -> Rows:
        """One row a candidate, not labelled yet; `bought` has when a user first bought an item after the
        moment, `first` numbers the first decision.
        """
        count = np.array([len(ids) for ids in self.item_ids])
        user = np.repeat(np.arange(len(self.users)), count)
        delays = np.full((len(user), len(ranker_rows.WINDOWS_MS)), -1, np.int64)
        late = np.array(
            [
                bought.get(name, {}).get(item, self.now_ms - 1) - self.now_ms
                for name, ids in zip(self.users, self.item_ids, strict=True)
                for item in ids
            ],
            dtype=np.int64,
        )
        purchases = [*ranker_rows.PUSHED, *ranker_rows.UNPUSHED]
        delays[:, purchases] = late[:, None]
        delays[delays > ranker_rows.WINDOWS_MS] = -1
        flat, hashes, recent = (
            np.concatenate(
                [
                    part[at, : count[number * MAX_USERS + at]]
                    for number, batch in enumerate(self.batches)
                    for part in (_whole(batch, name),)
                    for at in range(len(batch.mask))
                ]
            )
            for name in ("flat", "hashes", "recent")
        )
        ones = np.ones(len(user), np.float32)
        none = np.zeros((len(user), delays.shape[1]), np.float32)
        return Rows(
            features=flat,
            hashes=hashes,
            recent=recent,
            sent=0.0 * ones,
            told=0.0 * ones,
            exposure=ones,
            delays=delays,
            labels=none,
            known=none,
            shares=none + 1.0,
            weights=ones,
            decided_ms=np.full(len(user), self.now_ms, np.int64),
            groups=np.array([int(name) for name in self.users])[user],
            decisions=first + user,
            campaigns=np.full(len(user), -1),
        )


class Replica:
    """Portraits, catalogue, popularity and co-visits as of what was lived so far."""

    def __init__(self) -> None:
        self.portraits: dict[str, Portrait] = {}
        self.mirror = Mirror()
        self.shelf = Shelf(self.mirror.columns)
        self.covisits = Covisits()
        self.items: dict[str, Item] = {}
        self._maker = online_retail.Events()
        self._catalogue = online_retail.Catalogue()

    def live(self, lines: Iterable[Line]) -> None:
        """Lines in order of time: the items first, then the events."""
        lines = list(lines)
        for line in lines:
            self._catalogue.observe(line)
        changed = [
            msgspec.structs.replace(wire_items.item_from_proto(message), version=len(self.items) + number + 1)
            for number, message in enumerate(self._catalogue.changes())
        ]
        self.items |= {item.item_id: item for item in changed}
        self.shelf.put(*self.mirror.put(changed))
        events = []
        for line in lines:
            message = self._maker.event(line)
            event = wire_events.event_from_proto(message, line.at_ms) if message else None
            if event is not None:
                portrait = self.portraits.setdefault(event.user_id, new_portrait(event.user_id))
                events.append(told_again(portrait, event))
                fold(portrait, event)
        self.covisits.observe(self.mirror.observe(events))

    def decide(self, users: Sequence[str], now_ms: int, read: "Reader | None", seed: int) -> Decided:
        """The candidates of each user and their features."""
        portraits = [self.portraits[user] for user in users]
        found = [_listed(one) for one in self.candidates(users, now_ms, read, seed)]
        batches = []
        for at in range(0, len(portraits), MAX_USERS):
            part = slice(at, at + MAX_USERS)
            batches.append(build(portraits[part], found[part], self.mirror.columns, now_ms))
        return Decided(list(users), now_ms, [one.item_ids for one in found], batches)

    def candidates(
        self,
        users: Sequence[str],
        now_ms: int,
        read: "Reader | None",
        seed: int,
        sources: Iterable[str] = ALL,
    ) -> list[list[Found]]:
        """The candidates of each user, from some sources."""
        query = Query(limit=LIMIT, seed=seed, sources=frozenset(sources))
        blend = Blend(self.mirror, self.shelf, self.covisits, query, now_ms)
        return blend.lists(
            [self.portraits[user] for user in users], read.vectors(users, now_ms) if read else None
        )


class Reader:
    """A fitted retriever as candidate uses it; `history` may go beyond any moment that is asked for."""

    def __init__(self, fitted: Fitted, ids: tuple[str, ...], history: History) -> None:
        self._model, self._history = fitted.model, history
        self._table = fitted.model.vectors()
        self._weight, self._transitions = np.float32(fitted.weight), fitted.transitions
        self._after, self._strengths = fitted.transitions.padded()
        self._release = Release(1, ids, ExactIndex(self._table))
        self._place = {user: place for place, user in enumerate(history.users)}

    def vectors(self, users: Sequence[str], now_ms: int) -> UserVectors:
        """Vectors of users as of a moment."""
        past = self._history.until(now_ms - 1).of(np.array([self._place[user] for user in users]))
        inputs = sequences.inputs_at(past, past.offsets[1:], np.full(len(users), now_ms))
        known: NDArray[np.bool_] = np.asarray((inputs.items > 0).any(axis=1))
        found = self._model.read(self._table, inputs.items, inputs.kinds, inputs.gaps)
        followers = self._followers(past) if self._weight else None
        return UserVectors(self._release, found * known[:, None], known, followers)

    def _followers(self, past: History) -> Followers:
        newest = self._transitions.newest(past)
        fading = self._transitions.settings.fading ** np.arange(newest.shape[1])
        scores = self._strengths[newest] * (self._weight * fading[:, None]).astype(np.float32)
        flat = len(newest), -1
        return Followers(self._after[newest].reshape(flat), scores.reshape(flat), newest)


def history(lines: Iterable[Line], ids: dict[str, int]) -> History:
    """All purchases and returns of known customers; item codes by `ids`."""
    kept = [line for line in lines if line.user_id and line.item_id in ids]
    users = tuple(sorted({line.user_id for line in kept}))
    place = {user: number for number, user in enumerate(users)}
    buy, back = KIND_CODES[EventKind.PURCHASE], KIND_CODES[EventKind.RETURN_ITEM]
    return sequences.clean(
        users,
        np.array([place[line.user_id] for line in kept], np.int64),
        np.array([ids[line.item_id] for line in kept], np.int32),
        np.array([back if line.returned else buy for line in kept], np.int32),
        np.array([line.at_ms for line in kept], np.int64),
        np.array([line.quantity for line in kept], np.int64),
    )


def _whole(batch: Batch, name: str) -> NDArray[np.generic]:
    """What a row needs of a batch, for every pair [B, N, ...]."""
    if name == "flat":
        return batch.flat()
    if name == "hashes":
        return batch.hashes
    return np.repeat(batch.recent[:, None], batch.mask.shape[1], axis=1)


def _listed(found: Sequence[Found]) -> Listed:
    return Listed(
        item_ids=[one.item_id for one in found],
        similarity=np.array([one.similarity for one in found], np.float32),
        covisit=np.array([one.covisit for one in found], np.float32),
        sources=np.array([sum(_BIT.get(name, 0) for name in one.sources) for one in found], np.int64),
    )
