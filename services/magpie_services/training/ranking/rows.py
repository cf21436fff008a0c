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
CLICK, PURCHASE, DISMISS, UNSUBSCRIBE = range(len(HEADS))
#: For each head how long after a decision what it predicts may happen: int64 [4].
WINDOWS_MS = np.full(len(HEADS), RESPONSE_WINDOW_MS)
WINDOWS_MS[PURCHASE] = PURCHASE_WINDOW_MS
# How many purchases the even spread over the window is worth against the delays that were seen.
_PRIOR_DELAYS = 20.0
_MIN_MATURITY = 0.05

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """R arms. `known` [R, 4] says which labels [R, 4] count; a click is asked only of pushes that were sent.

    `delays` [R, 4] are milliseconds from the decision to what each head predicts, -1 where it did not happen
    within the head's window; `as_of` makes labels of them. `maturity` [R] is the expected share of purchases
    within the window that could be seen so far; `weights` [R] are 1 / inclusion; `groups` [R] number the
    users; `decisions` [R] the decisions.
    """

    features: Floats
    hashes: NDArray[np.int32]
    recent: NDArray[np.int32]
    sent: Floats
    delays: NDArray[np.int64]
    labels: Floats
    known: Floats
    maturity: Floats
    weights: Floats
    decided_ms: NDArray[np.int64]
    groups: NDArray[np.int64]
    decisions: NDArray[np.int64]

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
        delays=np.zeros((0, len(HEADS)), np.int64),
        labels=np.zeros((0, len(HEADS)), np.float32),
        known=np.zeros((0, len(HEADS)), np.float32),
        maturity=np.zeros(0, np.float32),
        weights=np.zeros(0, np.float32),
        decided_ms=np.zeros(0, np.int64),
        groups=np.zeros(0, np.int64),
        decisions=np.zeros(0, np.int64),
    )


def concat(parts: Iterable[Rows]) -> Rows:
    """The rows of all parts."""
    parts = [empty(), *parts]
    return Rows(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)})


def as_of(rows: Rows, end_ms: int) -> Rows:
    """The rows decided up to a moment, labelled with what could be known then and nothing later.

    What a person did with a push is asked only once its window is over: the quick answers of the last hours
    would stand for all.
    """
    rows = rows.take(rows.decided_ms <= end_ms)
    age_ms = end_ms - rows.decided_ms
    seen = (rows.delays >= 0) & (rows.delays <= age_ms[:, None])
    known = np.repeat(((rows.sent > 0) & (age_ms >= RESPONSE_WINDOW_MS))[:, None], len(HEADS), axis=1)
    known[:, PURCHASE] = True
    return replace(
        rows,
        labels=(seen & known).astype(np.float32),
        known=known.astype(np.float32),
        maturity=maturity(age_ms, np.where(seen[:, PURCHASE], rows.delays[:, PURCHASE], -1)),
    )


def sample(rows: Rows, limit: int, rng: np.random.Generator) -> Rows:
    """At most about `limit` rows: pushes that were sent first, of the others an even share that weighs
    more.
    """
    if len(rows) <= limit:
        return rows
    sent = rows.sent > 0
    share = max(limit - int(sent.sum()), limit // 10) / max(int((~sent).sum()), 1)
    kept = rows.take(sent | (rng.random(len(rows)) < share))
    scaled = np.where(kept.sent > 0, kept.weights, kept.weights / min(share, 1.0)).astype(np.float32)
    return replace(kept, weights=scaled)


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


def maturity(age_ms: NDArray[np.int64], delay_ms: NDArray[np.int64]) -> Floats:
    """Expected share of the purchases of the window that happened within `age_ms`: float32 [R], 1 when it is
    over.

    Learnt from the delays (-1: none) of rows whose window is over; where they are few, as if spread evenly.
    """
    over = age_ms >= PURCHASE_WINDOW_MS
    seen = delay_ms[over & (delay_ms >= 0) & (delay_ms <= PURCHASE_WINDOW_MS)]
    grid = np.linspace(0, PURCHASE_WINDOW_MS, 15)
    counts = np.searchsorted(np.sort(seen), grid, side="right") + _PRIOR_DELAYS * grid / PURCHASE_WINDOW_MS
    share = np.interp(np.minimum(age_ms, PURCHASE_WINDOW_MS), grid, counts / counts[-1])
    found: Floats = np.maximum(share, _MIN_MATURITY).astype(np.float32)
    return found
