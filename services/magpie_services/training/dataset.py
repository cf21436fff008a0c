"""From the lake to what models learn from: the catalogue, users' histories and labelled rows, bounded in
memory.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

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
from magpie_services.training import rows as ranker_rows
from magpie_services.training import sequences, vocabulary
from magpie_services.training.plan import RECENT, Plan
from magpie_services.training.rows import CLICK, DISMISS, PURCHASE, UNSUBSCRIBE, Purchases, Rows
from magpie_services.training.sequences import History
from magpie_services.training.vocabulary import Vocabulary

_LABELS = {
    OutcomeKind.CLICKED: CLICK,
    OutcomeKind.PURCHASED: PURCHASE,
    OutcomeKind.DISMISSED: DISMISS,
    OutcomeKind.UNSUBSCRIBED: UNSUBSCRIBE,
}
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
    rows = _Arms(plan, known, history, end_ms).rows(until_ms)
    if not plan.as_of_ms and len(rows):
        end_ms = max(end_ms, int(rows.decided_ms.max()))
    start_ms = int(history.at_ms.min()) if len(history) else end_ms
    return Dataset(known, history, rows, start_ms, end_ms)


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
    names = ["item_id", "title", "categories", "brand", "price_currency", "price_minor"]
    for row in readers.read_items(folder, names).to_pylist():
        minor = row["price_minor"]
        yield Item(
            item_id=row["item_id"],
            title=row["title"] or "",
            categories=row["categories"] or [],
            brand=row["brand"] or "",
            price=Money(currency=row["price_currency"], minor=minor) if minor is not None else None,
        )


def _listed(folder: str, until_ms: int | None) -> set[str]:
    """Items in the catalogue at the end and not withdrawn."""
    rows = readers.read_items(folder, ["item_id", "withdrawn"], until_ms)
    return set(_texts(rows.filter(pc.invert(rows["withdrawn"].fill_null(False)))["item_id"]))


class _Arms:
    """Joins logged arms with what happened afterwards."""

    def __init__(self, plan: Plan, known: Vocabulary, history: History, end_ms: int) -> None:
        self._plan, self._history, self._end_ms = plan, history, end_ms
        self._vocabulary = known
        self._user_index = {user: index for index, user in enumerate(history.users)}
        user = np.repeat(np.arange(len(history.users)), np.diff(history.offsets))
        bought = history.kinds == KIND_CODES[EventKind.PURCHASE]
        self._purchases = Purchases(user[bought], history.items[bought], history.at_ms[bought], len(known))
        self._buckets = np.array([bucket("item", item_id) for item_id in known.ids], dtype=np.int32)
        self._side = _side_buckets(known, plan.lake_folder)
        self._outcomes: dict[str, set[OutcomeKind]] = {}

    def rows(self, until_ms: int | None) -> Rows:
        """All arms with features, labelled as far as is known at the end."""
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
            "schema_hash",
        ]
        kept, limit = ranker_rows.empty(), self._plan.ranker.max_rows
        first, delays = 0, np.zeros(0, np.int64)
        parts: list[tuple[Rows, NDArray[np.int64]]] = []
        for day in readers.scan_decisions(self._plan.lake_folder, names, 0, until_ms):
            part, late = self._day(day, first)
            first += day.num_rows
            if sum(len(held) for held, _ in parts) > 2 * limit:
                parts = [_sampled(parts, limit, rng)]
            parts.append((part, late))
        if not parts:
            return kept
        kept, delays = _sampled(parts, limit, rng)
        age_ms = self._end_ms - kept.decided_ms
        return replace(kept, maturity=ranker_rows.maturity(age_ms, delays))

    def _day(self, day: pa.Table, first: int) -> tuple[Rows, NDArray[np.int64]]:
        """Rows of one day's decisions and the delay of each purchase, -1 where there was none."""
        usable = pc.and_(
            pc.equal(day["schema_hash"], SCHEMA_HASH),
            pc.is_in(day["mode"], value_set=pa.array(["live", "shadow"])),
        )
        numbers = np.flatnonzero(usable.to_numpy(zero_copy_only=False))
        day = day.filter(usable).combine_chunks()
        if not day.num_rows:
            return ranker_rows.empty(), np.zeros(0, np.int64)
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
        return self._label(day, numbers[owner] + first, owner, place, arms, features.astype(np.float32))

    def _label(
        self,
        day: pa.Table,
        decisions: NDArray[np.int64],
        owner: NDArray[np.int64],
        place: NDArray[np.int64],
        arms: pa.StructArray,
        features: NDArray[np.float32],
    ) -> tuple[Rows, NDArray[np.int64]]:
        decided_ms = _ints(day["decided_ms"])[owner]
        user = _mapped(day["user_id"], self._user_index, -1)[owner]
        items = _mapped(arms.field("item_id"), self._vocabulary.index).astype(np.int64)
        age_ms = self._end_ms - decided_ms
        delays = self._purchases.delays(user, items, decided_ms)
        delays[(delays > ranker_rows.PURCHASE_WINDOW_MS) | (items == 0) | (delays > age_ms)] = -1
        labels = np.zeros((len(owner), len(HEADS)), np.float32)
        known = np.zeros_like(labels)
        labels[:, PURCHASE], known[:, PURCHASE] = delays >= 0, 1.0
        sent = (place == _ints(day["chosen"])[owner]) & np.array(
            [verdict == "sent" for verdict in day["verdict"].to_pylist()]
        )[owner]
        ids = day["decision_id"].to_pylist()
        for row in np.flatnonzero(sent):
            outcomes = self._outcomes.get(ids[owner[row]], set())
            if outcomes & _LOST:
                sent[row] = False
                continue
            if outcomes or age_ms[row] >= ranker_rows.RESPONSE_WINDOW_MS:
                known[row] = 1.0
            for kind in outcomes & _LABELS.keys():
                labels[row, _LABELS[kind]] = 1.0
        inclusion = np.asarray(arms.field("inclusion").fill_null(1.0), dtype=np.float64)
        weights = np.clip(1.0 / np.maximum(inclusion, 1e-6), 0.0, self._plan.ranker.max_weight)
        rows = Rows(
            features=features,
            hashes=self._side[items],
            recent=self._recent(user, decided_ms),
            sent=sent.astype(np.float32),
            labels=labels,
            known=known,
            maturity=np.ones(len(owner), np.float32),
            weights=weights.astype(np.float32),
            decided_ms=decided_ms,
            groups=user,
            decisions=decisions,
        )
        fresh = age_ms >= 0
        return rows.take(fresh), delays[fresh]

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


def _sampled(
    parts: list[tuple[Rows, NDArray[np.int64]]], limit: int, rng: np.random.Generator
) -> tuple[Rows, NDArray[np.int64]]:
    """Parts as one, cut to the limit; the delays travel in the column for maturity, which is filled at the
    end.
    """
    whole = ranker_rows.concat(replace(part, maturity=late.astype(np.float32)) for part, late in parts)
    kept = ranker_rows.sample(whole, limit, rng)
    return kept, kept.maturity.astype(np.int64)


def _outcomes(folder: str, until_ms: int | None) -> dict[str, set[OutcomeKind]]:
    found: dict[str, set[OutcomeKind]] = defaultdict(set)
    for day in readers.scan_outcomes(folder, ["decision_id", "kind"], 0, until_ms):
        for decision_id, kind in zip(day["decision_id"].to_pylist(), day["kind"].to_pylist(), strict=True):
            found[decision_id].add(OutcomeKind(kind))
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
