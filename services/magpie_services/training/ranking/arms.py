"""Logged arms as rows: the features that decisions saw, joined with what happened afterwards."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from magpie_services.core.columns import bucket
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.feature_schema import HEADS, SCHEMA_HASH
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.lake import readers
from magpie_services.training.arrow import equal, ints, mapped
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


class Arms:
    """Joins logged arms with what happened afterwards: purchases of `history`, outcomes of the lake."""

    def __init__(self, plan: Plan, known: Vocabulary, history: History) -> None:
        self.unknown_outcomes = 0  # of those read, how many are of kinds that only a newer release knows
        self._plan, self._history = plan, history
        self._vocabulary = known
        self._user_index = {user: index for index, user in enumerate(history.users)}
        user = np.repeat(np.arange(len(history.users)), np.diff(history.offsets))
        bought = history.kinds == KIND_CODES[EventKind.PURCHASE]
        self._purchases = Purchases(user[bought], history.items[bought], history.at_ms[bought], len(known))
        self._buckets = np.array([bucket("item", item_id) for item_id in known.ids], dtype=np.int32)
        self._side = _side_buckets(known, plan.lake_folder)
        self._outcomes: dict[str, dict[OutcomeKind, int]] = {}
        self._campaigns: dict[str, int] = {"": -1}

    def rows(self, since_ms: int, until_ms: int | None) -> Rows:
        """Arms with features of decisions in [since_ms, until_ms), with their delays and not labelled yet."""
        # An outcome has the time of somebody's clock, which may be slow, but hardly by a day.
        self._read_outcomes(max(since_ms - ranker_rows.DAY_MS, 0), until_ms)
        rng = np.random.default_rng(self._plan.seed)
        names = [
            "decision_id",
            "user_id",
            "mode",
            "verdict",
            "decided_ms",
            "arms",
            "chosen",
            "campaign_id",
            "channel",
            "schema_hash",
        ]
        first, kept = 0, ranker_rows.Sample(self._plan.ranker.max_rows, rng)
        for day in readers.scan_decisions(self._plan.lake_folder, names, since_ms, until_ms):
            kept.add(self._day(day, first))
            first += day.num_rows
        return kept.rows()

    def _read_outcomes(self, since_ms: int, until_ms: int | None) -> None:
        """By decision, when each kind of outcome was first seen."""
        self._outcomes, self.unknown_outcomes = defaultdict(dict), 0
        known = pa.array([kind.value for kind in OutcomeKind])
        columns = ["decision_id", "kind", "occurred_ms"]
        for day in readers.scan_outcomes(self._plan.lake_folder, columns, since_ms, until_ms):
            readable = day.filter(pc.is_in(day["kind"], value_set=known))
            self.unknown_outcomes += day.num_rows - readable.num_rows
            lists = (readable[name].to_pylist() for name in columns)
            for decision_id, kind, at_ms in zip(*lists, strict=True):
                self._outcomes[decision_id].setdefault(OutcomeKind(kind), at_ms)

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
        """Rows of arms: each with its decision's row of the day and number, and its place in the decision."""
        decided_ms = ints(day["decided_ms"])[owner]
        user = mapped(day["user_id"], self._user_index, -1)[owner]
        items = mapped(arms.field("item_id"), self._vocabulary.index).astype(np.int64)
        live = equal(day["mode"], "live")
        # A shadow that would have been sent was not: no click can have followed.
        pushed = live & equal(day["verdict"], "sent")
        sent = (place == ints(day["chosen"])[owner]) & pushed[owner]
        bought = np.where(items > 0, self._purchases.delays(user, items, decided_ms), -1)
        delays = self._delays(day["decision_id"].to_pylist(), owner, decided_ms, bought, sent)
        inclusion, propensity = (
            np.asarray(arms.field(name).fill_null(missing), dtype=np.float64)
            for name, missing in (("inclusion", 1.0), ("propensity", 0.0))
        )
        weights = np.clip(1.0 / np.maximum(inclusion, 1e-6), 0.0, self._plan.ranker.max_weight)
        exposure = np.where(live[owner], np.where(sent, propensity, 1.0 - propensity), 1.0)
        return Rows(
            features=features,
            hashes=self._side[items],
            recent=self._recent(user, decided_ms),
            sent=sent.astype(np.float32),
            told=self._told(day, pushed)[owner].astype(np.float32),
            exposure=np.clip(exposure, 1e-6, 1.0).astype(np.float32),
            delays=delays,
            labels=np.zeros((len(owner), len(HEADS)), np.float32),
            known=np.zeros((len(owner), len(HEADS)), np.float32),
            shares=np.ones((len(owner), len(HEADS)), np.float32),
            weights=weights.astype(np.float32),
            decided_ms=decided_ms,
            groups=user,
            decisions=decisions,
            campaigns=self._numbered(day["campaign_id"])[owner],
        )

    def _numbered(self, campaigns: pa.ChunkedArray) -> NDArray[np.int64]:
        """The same number for the same campaign on every day [D], -1 for none."""
        names = campaigns.fill_null("").to_pylist()
        return np.array([self._campaigns.setdefault(name, len(self._campaigns)) for name in names], np.int64)

    def _delays(
        self,
        decisions: list[str],
        owner: NDArray[np.int64],
        decided_ms: NDArray[np.int64],
        bought: NDArray[np.int64],
        sent: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """How long after the decision each head's outcome came, [R, H], -1 for never; `bought` [R] is the
        same of the item's purchase. Pushes that were lost are unmarked in `sent`.
        """
        delays = np.full((len(owner), len(HEADS)), -1, np.int64)
        delays[:, PUSHED + UNPUSHED] = bought[:, None]
        for row in np.flatnonzero(sent):
            outcomes = self._outcomes.get(decisions[owner[row]], {})
            if outcomes.keys() & _LOST:
                sent[row] = False
                continue
            for kind in outcomes.keys() & _LABELS.keys():
                late = max(outcomes[kind] - int(decided_ms[row]), 0)
                for head in _LABELS[kind]:
                    delays[row, head] = min(late, delays[row, head]) if delays[row, head] >= 0 else late
        delays[delays > ranker_rows.WINDOWS_MS] = -1
        return delays

    def _told(self, day: pa.Table, pushed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which decisions' pushes [D] are known to have arrived, or went by a channel that never tells. Only
        those `pushed` [D] can tell: shadows never arrive.
        """
        arrived = np.array(
            [OutcomeKind.DELIVERED in self._outcomes.get(one, ()) for one in day["decision_id"].to_pylist()]
        )
        channels = np.array(day["channel"].fill_null("").to_pylist())
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


def _side_buckets(known: Vocabulary, folder: str) -> NDArray[np.int32]:
    """Buckets of item, category and brand as ranking computes them: int32 [n, 3]."""
    found = np.zeros((len(known), 3), np.int32)
    found[:, 0] = [bucket("item", item_id) for item_id in known.ids]
    for row in readers.read_items(folder, ["item_id", "categories", "brand"]).to_pylist():
        if place := known.index.get(row["item_id"]):
            category = (row["categories"] or [""])[-1]
            found[place, 1:] = bucket("category", category), bucket("brand", row["brand"] or "")
    return found
