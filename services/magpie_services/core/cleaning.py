"""Noise and outliers: which events may teach us anything. Raw events stay in the log either way.

Two forms of the same rules: one event at a time for the fold into a portrait, arrays for training.
They differ in one thing: the fold estimates the pace of a user from two minute counters (a sliding
window without 120 timestamps in every portrait), training counts exactly.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.events import KIND_CODES, Event, EventKind

DOUBLE_CLICK_MS = 1_500
MAX_QUANTITY = 10_000
MAX_DWELL_SECONDS = 1_800.0
BOT_INTERACTIONS = 120
BOT_WINDOW_MS = 60_000

# Only gestures are double clicked; purchases, returns and reviews are facts with ids of their own.
GESTURES = frozenset(
    {
        EventKind.VIEW_ITEM,
        EventKind.VIEW_CATEGORY,
        EventKind.ADD_TO_CART,
        EventKind.REMOVE_FROM_CART,
        EventKind.ADD_TO_WISHLIST,
    }
)
# What a bot does fast. Purchases and returns are not counted: one invoice of a reseller has hundreds of lines
# of the same minute. Pushes and account changes are not the user's pace at all.
INTERACTIONS = GESTURES | {EventKind.SEARCH}
_GESTURE_CODES = np.array(sorted(KIND_CODES[kind] for kind in GESTURES), dtype=np.int32)
_INTERACTION_CODES = np.array(sorted(KIND_CODES[kind] for kind in INTERACTIONS), dtype=np.int32)


class Pace(msgspec.Struct, array_like=True):
    """Interactions in the newest minute seen and in the one before it."""

    minute: int = 0
    now: int = 0
    before: int = 0

    def count(self, at_ms: int) -> float:
        """Counts one interaction; answers the estimated number in the 60 s up to `at_ms`.

        An interaction older than both minutes is late, not fast: it counts as one.
        """
        minute, into = divmod(at_ms, BOT_WINDOW_MS)
        if minute > self.minute:
            self.before = self.now if minute == self.minute + 1 else 0
            self.minute, self.now = minute, 0
        elif minute == self.minute - 1:
            self.before += 1
            return float(self.before)
        elif minute < self.minute:
            return 1.0
        self.now += 1
        return self.now + self.before * (1.0 - into / BOT_WINDOW_MS)


def impossible(event: Event) -> bool:
    """Values that no person produces: such an event teaches nothing."""
    return event.quantity > MAX_QUANTITY


def dwell_seconds(seconds: float) -> float:
    """Dwell time with its tail cut at 30 minutes: beyond that the phone was on the table."""
    return min(max(seconds, 0.0), MAX_DWELL_SECONDS)


def double_clicks(
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    kinds: NDArray[np.integer],
    at_ms: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """True for gestures of one user, item and kind within 1.5 s of the one before; inputs [n], any order."""
    repeated = np.zeros(len(at_ms), dtype=np.bool_)
    if len(at_ms) < 2:
        return repeated
    order = np.lexsort((at_ms, kinds, items, users))
    user, item, kind, when = users[order], items[order], kinds[order], at_ms[order]
    same = (user[1:] == user[:-1]) & (item[1:] == item[:-1]) & (kind[1:] == kind[:-1])
    close = when[1:] - when[:-1] < DOUBLE_CLICK_MS
    repeated[order[1:]] = same & close & np.isin(kind[1:], _GESTURE_CODES)
    return repeated


def bots(
    users: NDArray[np.integer], kinds: NDArray[np.integer], at_ms: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """True for interactions beyond the 120th of one user in the 60 s up to them; inputs [n], any order."""
    flagged = np.zeros(len(at_ms), dtype=np.bool_)
    counted = np.flatnonzero(np.isin(kinds, _INTERACTION_CODES))
    if len(counted) <= BOT_INTERACTIONS:
        return flagged
    order = counted[np.lexsort((at_ms[counted], users[counted]))]
    user, when = users[order], at_ms[order]
    same = user[BOT_INTERACTIONS:] == user[:-BOT_INTERACTIONS]
    fast = when[BOT_INTERACTIONS:] - when[:-BOT_INTERACTIONS] < BOT_WINDOW_MS
    flagged[order[BOT_INTERACTIONS:]] = same & fast
    return flagged


def keep(
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    kinds: NDArray[np.integer],
    at_ms: NDArray[np.int64],
    quantities: NDArray[np.integer],
) -> NDArray[np.bool_]:
    """True for events that may be learnt from; all inputs [n] integer codes, any order."""
    noise = double_clicks(users, items, kinds, at_ms) | bots(users, kinds, at_ms)
    return ~noise & (quantities <= MAX_QUANTITY)
