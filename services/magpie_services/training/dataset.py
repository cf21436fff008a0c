"""From the lake to what models learn from: the catalogue, users' histories and labelled rows, bounded in
memory.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from magpie_services.core.columns import bucket
from magpie_services.core.events import ITEM_KINDS, KIND_CODES, EventKind
from magpie_services.core.feature_schema import HEADS, SCHEMA_HASH
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.lake import readers
from magpie_services.training.plan import RECENT, Plan
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.rows import (
    CLICK,
    DISMISS,
    PUSHED,
    UNPUSHED,
    UNSUBSCRIBE,
    Purchases,
    Rows,
)
from magpie_services.training.retrieval import sequences, vocabulary
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.vocabulary import Vocabulary

_LABELS = {
    OutcomeKind.CLICKED: [CLICK],
    OutcomeKind.PURCHASED: PUSHED + UNPUSHED,  # `as_of` asks those of what was done
    OutcomeKind.DISMISSED: [DISMISS],
    OutcomeKind.UNSUBSCRIBED: [UNSUBSCRIBE],
}
# A channel that never tells of arrivals cannot be asked for them; of one that does, silence means unknown.
_TELLING_SHARE = 0.2
# A push that never arrived says nothing about the person.
_LOST = frozenset({OutcomeKind.TOKEN_GONE, OutcomeKind.FAILED})


@dataclass(frozen=True)
class Dataset:
    """What one run learns from. `cut_ms` is where the newest week begins: the first fit learns up to it."""

    vocabulary: Vocabulary
    history: History
    rows: Rows
    start_ms: int
    end_ms: int

    @property
    def cut_ms(self) -> int:
        """A week before the end, or half-way through a log shorter than two weeks."""
        return max(self.end_ms - sequences.WEEK_MS, (self.start_ms + self.end_ms) // 2)


def load(plan: Plan) -> Dataset:
    """Reads the lake up to `plan.as_of_ms` (all where 0)."""
    until_ms = plan.as_of_ms + 1 if plan.as_of_ms else None
    events = _events(plan, until_ms)
    known = vocabulary.build(
        _items(plan.lake_folder), _listed(plan.lake_folder, until_ms) | set(_texts(events["item_id"]))
    )
    user_codes = events["user_id"].combine_chunks().dictionary_encode()
    users = tuple(user_codes.dictionary.to_pylist())
    kinds = _mapped(events["kind"], {kind.value: code for kind, code in KIND_CODES.items()})
    history = sequences.clean(
        users,
        _ints(user_codes.indices),
        _mapped(events["item_id"], known.index).astype(np.int32),
        kinds.astype(np.int32),
        _ints(events["occurred_ms"]),
        _ints(events["quantity"].fill_null(0)),
    )
    end_ms = plan.as_of_ms or (int(history.at_ms.max()) if len(history) else 0)
    start_ms = int(history.at_ms.min()) if len(history) else end_ms
    # Of a log that was cut short nobody knows what was bought before it begins.
    since_ms = start_ms if len(events) >= plan.retriever.max_events else 0
    rows = _Arms(plan, known, history).rows(since_ms, until_ms)
    return Dataset(known, history, ranker_rows.as_of(rows, end_ms), start_ms, end_ms)


def _events(plan: Plan, until_ms: int | None) -> pa.Table:
    """Item interactions, the newest `max_events`."""
    names = ["user_id", "item_id", "kind", "occurred_ms", "quantity"]
    wanted = pa.array([kind.value for kind in ITEM_KINDS])
    days = []
    for day in readers.scan_events(plan.lake_folder, names, 0, until_ms):
        days.append(day.filter(pc.is_in(day["kind"], value_set=wanted)))
        while sum(part.num_rows for part in days[1:]) >= plan.retriever.max_events:
            days.pop(0)
    if not days:
        days = [readers.read_events(plan.lake_folder, names, 0, 0)]
    return pa.concat_tables(days).slice(max(0, sum(d.num_rows for d in days) - plan.retriever.max_events))


def _items(folder: str) -> Iterator[Item]:
    """The newest version of every item, later than the end of learning or not: of words and prices only the
    newest is read, whichever items are in the vocabulary."""
    names = ["item_id", "title", "categories", "brand", "attributes", "picture_vector"]
    names += ["price_currency", "price_minor"]
    for row in readers.read_items(folder, names).to_pylist():
        minor = row["price_minor"]
        yield Item(
            item_id=row["item_id"],
            title=row["title"] or "",
            categories=row["categories"] or [],
            brand=row["brand"] or "",
            price=Money(currency=row["price_currency"], minor=minor) if minor is not None else None,
            attributes=dict(row["attributes"] or ()),
            picture_vector=row["picture_vector"] or "",
        )


def _listed(folder: str, until_ms: int | None) -> set[str]:
    """Items in the catalogue at the end and not withdrawn."""
    rows = readers.read_items(folder, ["item_id", "withdrawn"], until_ms)
    return set(_texts(rows.filter(pc.invert(rows["withdrawn"].fill_null(False)))["item_id"]))


class _Arms:
    """Joins logged arms with what happened afterwards."""

    def __init__(self, plan: Plan, known: Vocabulary, history: History) -> None:
        self._plan, self._history = plan, history
        self._vocabulary = known
        self._user_index = {user: index for index, user in enumerate(history.users)}
        user = np.repeat(np.arange(len(history.users)), np.diff(history.offsets))
        bought = history.kinds == KIND_CODES[EventKind.PURCHASE]
        self._purchases = Purchases(user[bought], history.items[bought], history.at_ms[bought], len(known))
        self._buckets = np.array([bucket("item", item_id) for item_id in known.ids], dtype=np.int32)
        self._side = _side_buckets(known, plan.lake_folder)
        self._outcomes: dict[str, dict[OutcomeKind, int]] = {}

    def rows(self, since_ms: int, until_ms: int | None) -> Rows:
        """Arms with features of decisions in [since_ms, until_ms), with their delays and not labelled yet."""
        self._outcomes = _outcomes(self._plan.lake_folder, until_ms)
        rng = np.random.default_rng(self._plan.seed)
        names = [
            "decision_id",
            "user_id",
            "mode",
            "verdict",
            "decided_ms",
            "arms",
            "chosen",
            "channel",
            "schema_hash",
        ]
        first, limit = 0, self._plan.ranker.max_rows
        parts: list[Rows] = []
        for day in readers.scan_decisions(self._plan.lake_folder, names, since_ms, until_ms):
            if sum(map(len, parts)) > 2 * limit:
                parts = [ranker_rows.sample(ranker_rows.concat(parts), limit, rng)]
            parts.append(self._day(day, first))
            first += day.num_rows
        return ranker_rows.sample(ranker_rows.concat(parts), limit, rng)

    def _day(self, day: pa.Table, first: int) -> Rows:
        """Rows of one day's decisions; `first` numbers the first of them."""
        usable = pc.and_(
            pc.equal(day["schema_hash"], SCHEMA_HASH),
            pc.is_in(day["mode"], value_set=pa.array(["live", "shadow"])),
        )
        numbers = np.flatnonzero(usable.to_numpy(zero_copy_only=False))
        day = day.filter(usable).combine_chunks()
        if not day.num_rows:
            return ranker_rows.empty()
        lists = day["arms"].combine_chunks()
        lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
        arms = lists.flatten()
        owner = np.repeat(np.arange(day.num_rows), lengths)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        size = pc.binary_length(arms.field("features")).fill_null(0).to_numpy(zero_copy_only=False)
        chosen = np.flatnonzero(size == 4 * ranker_rows.WIDTH)
        arms, owner, place = arms.take(pa.array(chosen)), owner[chosen], place[chosen]
        blob = b"".join(arms.field("features").to_pylist())
        features = np.frombuffer(blob, dtype="<f4").reshape(len(owner), ranker_rows.WIDTH)
        return self._joined(day, numbers[owner] + first, owner, place, arms, features.astype(np.float32))

    def _joined(
        self,
        day: pa.Table,
        decisions: NDArray[np.int64],
        owner: NDArray[np.int64],
        place: NDArray[np.int64],
        arms: pa.StructArray,
        features: NDArray[np.float32],
    ) -> Rows:
        decided_ms = _ints(day["decided_ms"])[owner]
        user = _mapped(day["user_id"], self._user_index, -1)[owner]
        items = _mapped(arms.field("item_id"), self._vocabulary.index).astype(np.int64)
        delays = np.full((len(owner), len(HEADS)), -1, np.int64)
        delays[:, PUSHED + UNPUSHED] = np.where(
            items > 0, self._purchases.delays(user, items, decided_ms), -1
        )[:, None]
        sent = (place == _ints(day["chosen"])[owner]) & np.array(
            # A shadow that would have been sent was not: no click can have followed.
            [
                mode == "live" and verdict == "sent"
                for mode, verdict in zip(day["mode"].to_pylist(), day["verdict"].to_pylist(), strict=True)
            ]
        )[owner]
        ids, told = day["decision_id"].to_pylist(), self._told(day)[owner]
        for row in np.flatnonzero(sent):
            outcomes = self._outcomes.get(ids[owner[row]], {})
            if outcomes.keys() & _LOST:
                sent[row] = False
                continue
            for kind in outcomes.keys() & _LABELS.keys():
                late = max(outcomes[kind] - int(decided_ms[row]), 0)
                for head in _LABELS[kind]:
                    delays[row, head] = min(late, delays[row, head]) if delays[row, head] >= 0 else late
        delays[delays > ranker_rows.WINDOWS_MS] = -1
        inclusion, propensity = (
            np.asarray(arms.field(name).fill_null(missing), dtype=np.float64)
            for name, missing in (("inclusion", 1.0), ("propensity", 0.0))
        )
        weights = np.clip(1.0 / np.maximum(inclusion, 1e-6), 0.0, self._plan.ranker.max_weight)
        live = np.array([mode == "live" for mode in day["mode"].to_pylist()])[owner]
        exposure = np.where(live, np.where(sent, propensity, 1.0 - propensity), 1.0)
        return Rows(
            features=features,
            hashes=self._side[items],
            recent=self._recent(user, decided_ms),
            sent=sent.astype(np.float32),
            told=told.astype(np.float32),
            exposure=np.clip(exposure, 1e-6, 1.0).astype(np.float32),
            delays=delays,
            labels=np.zeros((len(owner), len(HEADS)), np.float32),
            known=np.zeros((len(owner), len(HEADS)), np.float32),
            shares=np.ones((len(owner), len(HEADS)), np.float32),
            weights=weights.astype(np.float32),
            decided_ms=decided_ms,
            groups=user,
            decisions=decisions,
        )

    def _told(self, day: pa.Table) -> NDArray[np.bool_]:
        """Which decisions' pushes [D] are known to have arrived, or went by a channel that never tells."""
        arrived = np.array(
            [OutcomeKind.DELIVERED in self._outcomes.get(one, ()) for one in day["decision_id"].to_pylist()]
        )
        channels = np.array(day["channel"].fill_null("").to_pylist())
        pushed = np.array([verdict == "sent" for verdict in day["verdict"].to_pylist()])
        told = arrived.copy()
        for channel in np.unique(channels):
            mine = channels == channel
            told[mine] |= arrived[mine & pushed].sum() < _TELLING_SHARE * (mine & pushed).sum()
            told[mine] |= not (mine & pushed).any()
        return told

    def _recent(self, user: NDArray[np.int64], now_ms: NDArray[np.int64]) -> NDArray[np.int32]:
        """Item buckets of the last 20 interactions up to a moment, newest last: int32 [R, 20]."""
        history, found = self._history, np.zeros((len(user), RECENT), np.int32)
        if not len(history):
            return found
        origin = int(history.at_ms.min())
        span = int(history.at_ms.max()) - origin + 2
        owner = np.repeat(np.arange(len(history.users)), np.diff(history.offsets))
        keys = owner * span + (history.at_ms - origin) + 1
        someone = np.maximum(user, 0)
        ends = np.searchsorted(keys, someone * span + np.clip(now_ms - origin + 1, 0, span - 1), side="right")
        rows = ends[:, None] + np.arange(-RECENT, 0)
        valid = (rows >= history.offsets[someone][:, None]) & (user >= 0)[:, None]
        found[valid] = self._buckets[history.items[rows[valid]]]
        return found


def _outcomes(folder: str, until_ms: int | None) -> dict[str, dict[OutcomeKind, int]]:
    """By decision, when each kind of outcome was first seen."""
    found: dict[str, dict[OutcomeKind, int]] = defaultdict(dict)
    for day in readers.scan_outcomes(folder, ["decision_id", "kind", "occurred_ms"], 0, until_ms):
        columns = (day[name].to_pylist() for name in ("decision_id", "kind", "occurred_ms"))
        for decision_id, kind, at_ms in zip(*columns, strict=True):
            found[decision_id].setdefault(OutcomeKind(kind), at_ms)
    return found


def _side_buckets(known: Vocabulary, folder: str) -> NDArray[np.int32]:
    """Buckets of item, category and brand as ranking computes them: int32 [n, 3]."""
    found = np.zeros((len(known), 3), np.int32)
    found[:, 0] = [bucket("item", item_id) for item_id in known.ids]
    for row in readers.read_items(folder, ["item_id", "categories", "brand"]).to_pylist():
        if place := known.index.get(row["item_id"]):
            category = (row["categories"] or [""])[-1]
            found[place, 1:] = bucket("category", category), bucket("brand", row["brand"] or "")
    return found


def _texts(column: pa.ChunkedArray) -> list[str]:
    return [text for text in pc.unique(column).to_pylist() if text]


def _mapped(column: pa.ChunkedArray | pa.Array, codes: dict[str, int], missing: int = 0) -> NDArray[np.int64]:
    """Codes of texts, `missing` where there is none."""
    encoded = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).dictionary_encode()
    table = np.array(
        [codes.get(text, missing) for text in encoded.dictionary.to_pylist()] + [missing], np.int64
    )
    return table[_ints(encoded.indices.fill_null(-1))]


def _ints(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.int64)
