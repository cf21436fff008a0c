"""Rows that a ranker learns from: one logged arm each, with the features that the decision saw and what came
of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import CROSS_FEATURES, HEADS, ITEM_FEATURES, USER_FEATURES
from magpie_services.training.plan import RECENT

WIDTHS = (len(USER_FEATURES), len(ITEM_FEATURES), len(CROSS_FEATURES))
WIDTH = sum(WIDTHS)
DAY_MS = 86_400_000
PURCHASE_WINDOW_MS = 7 * DAY_MS
RESPONSE_WINDOW_MS = DAY_MS
CLICK, PURCHASE, DISMISS, UNSUBSCRIBE, PURCHASE_DAY, ORGANIC, ORGANIC_DAY = range(len(HEADS))
#: What a person did with a push; of one that may not have arrived they are unknown.
RESPONSES = [CLICK, DISMISS, UNSUBSCRIBE]
#: Purchases of arms that were pushed, and those of the same windows of arms that were not.
PUSHED, UNPUSHED = [PURCHASE, PURCHASE_DAY], [ORGANIC, ORGANIC_DAY]
#: For each head how long after a decision what it predicts may happen: int64 [H].
WINDOWS_MS = np.full(len(HEADS), RESPONSE_WINDOW_MS)
WINDOWS_MS[[PURCHASE, ORGANIC]] = PURCHASE_WINDOW_MS
# How many outcomes the even spread over the window is worth against the delays that were seen.
_PRIOR_DELAYS = 20.0
_MIN_SHARE = 0.05
_SENT_SHARE = 0.7

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """R arms and H heads. `known` [R, H] says which labels [R, H] count: a click is asked only of pushes that
    were sent and arrived, a purchase of the head of what was done (pushed or not).

    `delays` [R, H] are milliseconds from the decision to what each head predicts, -1 where it did not happen
    within the head's window; `as_of` makes labels of them. `shares` [R, H] are the expected shares of each
    head's outcomes that could be seen so far. `sent` [R] is 1 for a push that was sent, `told` [R] for one
    whose arrival was told or could not be; `exposure` [R] is the logged chance of what was done with the arm,
    push or not; `weights` [R] are 1 / inclusion; `groups` [R] number the users, `decisions` [R] the
    decisions, `campaigns` [R] the campaigns, -1 for none.
    """

    features: Floats
    hashes: NDArray[np.int32]
    recent: NDArray[np.int32]
    sent: Floats
    told: Floats
    exposure: Floats
    delays: NDArray[np.int64]
    labels: Floats
    known: Floats
    shares: Floats
    weights: Floats
    decided_ms: NDArray[np.int64]
    groups: NDArray[np.int64]
    decisions: NDArray[np.int64]
    campaigns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.features)

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> "Rows":
        """The rows at these positions, or where true."""
        return Rows(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """All arrays by name, to save."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def empty() -> Rows:
    """No rows."""
    return Rows(
        features=np.zeros((0, WIDTH), np.float32),
        hashes=np.zeros((0, 3), np.int32),
        recent=np.zeros((0, RECENT), np.int32),
        sent=np.zeros(0, np.float32),
        told=np.zeros(0, np.float32),
        exposure=np.zeros(0, np.float32),
        delays=np.zeros((0, len(HEADS)), np.int64),
        labels=np.zeros((0, len(HEADS)), np.float32),
        known=np.zeros((0, len(HEADS)), np.float32),
        shares=np.zeros((0, len(HEADS)), np.float32),
        weights=np.zeros(0, np.float32),
        decided_ms=np.zeros(0, np.int64),
        groups=np.zeros(0, np.int64),
        decisions=np.zeros(0, np.int64),
        campaigns=np.zeros(0, np.int64),
    )


def concat(parts: Iterable[Rows]) -> Rows:
    """The rows of all parts."""
    parts = [empty(), *parts]
    return Rows(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)})


def as_of(rows: Rows, end_ms: int) -> Rows:
    """The rows decided up to a moment, labelled with what could be known then and nothing later.

    What a person did with a push is asked only once its window is over, for the quick answers of the last
    hours would stand for all; and only where it is known to have arrived: silence about a push that may never
    have been shown is no answer. A purchase is in the log either way, so the young count too, by their share.
    """
    rows = rows.take(rows.decided_ms <= end_ms)
    age_ms = end_ms - rows.decided_ms
    seen = (rows.delays >= 0) & (rows.delays <= age_ms[:, None])
    sent = rows.sent > 0
    known = np.zeros(seen.shape, np.bool_)
    known[:, RESPONSES] = (sent & (rows.told > 0) & (age_ms >= RESPONSE_WINDOW_MS))[:, None]
    known[:, PUSHED], known[:, UNPUSHED] = sent[:, None], ~sent[:, None]
    shares = np.ones(seen.shape, np.float32)
    for head in PUSHED + UNPUSHED:  # a push makes them buy sooner, too
        delays = np.where(seen[:, head] & known[:, head], rows.delays[:, head], -1)
        shares[:, head] = maturity(age_ms, delays, int(WINDOWS_MS[head]))
    return replace(
        rows,
        labels=(seen & known).astype(np.float32),
        known=known.astype(np.float32),
        shares=shares,
    )


def bought(rows: Rows, values: Floats) -> Floats:
    """Of values [R, H] the one about purchases within a week, of the arm that was taken: [R]."""
    return np.where(rows.sent > 0, values[:, PURCHASE], values[:, ORGANIC])


def sample(rows: Rows, limit: int, rng: np.random.Generator) -> Rows:
    """At most about `limit` rows: pushes that were sent first, up to seven tenths where others want the rest.

    An even share of either kind, which weighs more.
    """
    return _thinned(rows, *_shares(rows, limit), rng)


class Sample:
    """At most about `limit` rows, as `sample` takes them, of more than memory holds; and of either kind an
    early one stands for as many as a late one.
    """

    def __init__(self, limit: int, rng: np.random.Generator) -> None:
        self._limit, self._rng = limit, rng
        self._parts: list[Rows] = []
        self._sent = self._other = 1.0  # the chance that either kind had to be here still

    def add(self, part: Rows) -> None:
        """Takes more rows; holds at most about twice the limit and these."""
        if sum(map(len, self._parts)) > 2 * self._limit:
            self.rows()
        self._parts.append(_thinned(part, self._sent, self._other, self._rng))

    def rows(self) -> Rows:
        """What is kept of all so far."""
        whole = concat(self._parts)
        sent, other = _shares(whole, self._limit)
        self._parts = [_thinned(whole, sent, other, self._rng)]
        self._sent, self._other = self._sent * sent, self._other * other
        return self._parts[0]


def _shares(rows: Rows, limit: int) -> tuple[float, float]:
    """Which share of the pushes and of the others to keep."""
    if len(rows) <= limit:
        return 1.0, 1.0
    pushes = int(np.count_nonzero(rows.sent))
    others = len(rows) - pushes
    room = max(limit - others, round(_SENT_SHARE * limit))
    return min(room / max(pushes, 1), 1.0), min(max(limit - pushes, limit - room) / max(others, 1), 1.0)


def _thinned(rows: Rows, sent: float, other: float, rng: np.random.Generator) -> Rows:
    """Each push kept by one chance and each other by another, and weighing as much more."""
    if sent == other == 1.0:
        return rows
    chance = np.where(rows.sent > 0, sent, other)
    kept = rng.random(len(rows)) < chance
    return replace(rows.take(kept), weights=(rows.weights / chance)[kept].astype(np.float32))


class Purchases:
    """When which user bought which item, to ask for the first time after a moment."""

    def __init__(
        self, users: NDArray[np.int64], items: NDArray[np.int32], at_ms: NDArray[np.int64], vocabulary: int
    ) -> None:
        self._size = np.int64(vocabulary)
        pair = users * self._size + items
        self._pairs, place = np.unique(pair, return_inverse=True)
        self._origin = int(at_ms.min()) if len(at_ms) else 0
        self._span = (int(at_ms.max()) - self._origin if len(at_ms) else 0) + 1
        self._keys = np.sort(place * self._span + (at_ms - self._origin))

    def delays(
        self, users: NDArray[np.int64], items: NDArray[np.int64], after_ms: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Milliseconds from each moment to the first later purchase of that item by that user; -1 for
        never.
        """
        found = np.full(len(users), -1, dtype=np.int64)
        if not len(self._keys):
            return found
        pair = users * self._size + items
        place = np.minimum(np.searchsorted(self._pairs, pair), len(self._pairs) - 1)
        since = np.clip(after_ms - self._origin, -1, self._span - 1)
        next_ = np.searchsorted(self._keys, place * self._span + since, side="right")
        hit = np.minimum(next_, len(self._keys) - 1)
        bought_ms = self._keys[hit] - place * self._span + self._origin
        same = (
            (self._pairs[place] == pair)
            & (next_ < len(self._keys))
            & (self._keys[hit] // self._span == place)
        )
        found[same] = (bought_ms - after_ms)[same]
        return found


def maturity(age_ms: NDArray[np.int64], delay_ms: NDArray[np.int64], window_ms: int) -> Floats:
    """Expected share of the outcomes of a window that happened within `age_ms`: float32 [R], 1 when it is
    over.

    Learnt from the delays (-1: none) of rows whose window is over; where they are few, as if spread evenly.
    """
    over = age_ms >= window_ms
    seen = delay_ms[over & (delay_ms >= 0) & (delay_ms <= window_ms)]
    age_ms = np.minimum(age_ms, window_ms)
    counts = np.searchsorted(np.sort(seen), age_ms, side="right") + _PRIOR_DELAYS * age_ms / window_ms
    share = counts / (len(seen) + _PRIOR_DELAYS)
    found: Floats = np.maximum(share, _MIN_SHARE).astype(np.float32)
    return found
