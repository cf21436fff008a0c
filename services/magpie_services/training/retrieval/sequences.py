"""What users did, in order, as flat arrays, and what a model reads of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.core import cleaning
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.training.plan import HISTORY

HOUR_MS = 3_600_000
WEEK_MS = 7 * 24 * HOUR_MS

# What counts as wanting an item, and how much more a purchase tells than a look.
TARGET_WEIGHTS: dict[EventKind, float] = {
    EventKind.VIEW_ITEM: 1.0,
    EventKind.ADD_TO_WISHLIST: 2.0,
    EventKind.ADD_TO_CART: 2.0,
    EventKind.PURCHASE: 3.0,
}
KIND_WEIGHTS = np.zeros(max(KIND_CODES.values()) + 1, dtype=np.float32)
for _kind, _weight in TARGET_WEIGHTS.items():
    KIND_WEIGHTS[KIND_CODES[_kind]] = _weight


@dataclass(frozen=True)
class History:
    """Interactions of all users, sorted by user and time: user `u` has rows `offsets[u]` to `offsets[u +
    1]`.
    """

    users: tuple[str, ...]
    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    kinds: NDArray[np.int32]
    at_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)

    def until(self, cut_ms: int) -> "History":
        """The same users with only what happened up to `cut_ms`, inclusive."""
        kept = self.at_ms <= cut_ms
        before = np.concatenate([[0], np.cumsum(kept)])
        return History(self.users, before[self.offsets], self.items[kept], self.kinds[kept], self.at_ms[kept])

    def of(self, chosen: NDArray[np.int64]) -> "History":
        """Only the users at these positions."""
        lengths = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.repeat(self.offsets[chosen] - offsets[:-1], lengths) + np.arange(offsets[-1])
        users = tuple(self.users[user] for user in chosen)
        return History(users, offsets, self.items[rows], self.kinds[rows], self.at_ms[rows])


def clean(
    users: tuple[str, ...],
    user: NDArray[np.int64],
    items: NDArray[np.int32],
    kinds: NDArray[np.int32],
    at_ms: NDArray[np.int64],
    quantities: NDArray[np.int64],
) -> History:
    """A history without noise; all inputs [n], any order; `user` indexes `users`; unknown items (0) are left
    out.
    """
    kept = (items > 0) & cleaning.keep(user, items, kinds, at_ms, quantities)
    user, items, kinds, at_ms = user[kept], items[kept], kinds[kept], at_ms[kept]
    # Of equal times by item, as a portrait keeps them: vocabularies are sorted by id.
    order = np.lexsort((kinds, items, at_ms, user))
    counts = np.bincount(user, minlength=len(users))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return History(users, offsets, items[order].astype(np.int32), kinds[order].astype(np.int32), at_ms[order])


@dataclass(frozen=True)
class Inputs:
    """What `retrieve` reads: items, kinds int32 [B, L], gaps float32 [B, L] (log1p hours before now); L is 50
    where it serves.
    """

    items: NDArray[np.int32]
    kinds: NDArray[np.int32]
    gaps: NDArray[np.float32]

    def take(self, some: slice) -> "Inputs":
        """Only some users."""
        return Inputs(self.items[some], self.kinds[some], self.gaps[some])


def inputs_at(
    history: History, ends: NDArray[np.int64], now_ms: NDArray[np.int64], steps: int = HISTORY
) -> Inputs:
    """The last `steps` interactions before row `ends[b]` of the history, as seen at `now_ms[b]`.

    Rows before the user's first are padding.
    """
    user = np.searchsorted(history.offsets, ends, side="left") - 1
    rows = ends[:, None] + np.arange(-steps, 0)
    valid = rows >= history.offsets[np.maximum(user, 0)][:, None]
    rows = np.where(valid, rows, 0)
    if not len(history):
        empty = np.zeros((len(ends), steps), dtype=np.int32)
        return Inputs(empty, empty, empty.astype(np.float32))
    hours = np.maximum(now_ms[:, None] - history.at_ms[rows], 0) / HOUR_MS
    return Inputs(
        np.where(valid, history.items[rows], 0).astype(np.int32),
        np.where(valid, history.kinds[rows], 0).astype(np.int32),
        np.where(valid, np.log1p(hours), 0.0).astype(np.float32),
    )


def wanted(history: History, after_ms: int, until_ms: int) -> dict[int, set[int]]:
    """By user position, the items they wanted in (after_ms, until_ms]; users who wanted none are left out."""
    lengths = np.diff(history.offsets)
    user = np.repeat(np.arange(len(lengths)), lengths)
    chosen = (history.at_ms > after_ms) & (history.at_ms <= until_ms) & (KIND_WEIGHTS[history.kinds] > 0)
    found: dict[int, set[int]] = {}
    for who, item in zip(user[chosen].tolist(), history.items[chosen].tolist(), strict=True):
        found.setdefault(who, set()).add(item)
    return found
