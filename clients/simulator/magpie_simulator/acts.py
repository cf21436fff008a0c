"""Everything that happens in a world is a row of one table: who did what, when, with which item."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from magpie.v1 import event_pb2 as event_pb


class Kind(IntEnum):
    """What happens. The first ones are events of the API under their own numbers."""

    VIEW_ITEM = event_pb.EVENT_KIND_VIEW_ITEM
    VIEW_CATEGORY = event_pb.EVENT_KIND_VIEW_CATEGORY
    SEARCH = event_pb.EVENT_KIND_SEARCH
    ADD_TO_CART = event_pb.EVENT_KIND_ADD_TO_CART
    REMOVE_FROM_CART = event_pb.EVENT_KIND_REMOVE_FROM_CART
    ADD_TO_WISHLIST = event_pb.EVENT_KIND_ADD_TO_WISHLIST
    PURCHASE = event_pb.EVENT_KIND_PURCHASE
    RETURN_ITEM = event_pb.EVENT_KIND_RETURN_ITEM
    REVIEW = event_pb.EVENT_KIND_REVIEW
    SESSION_START = event_pb.EVENT_KIND_SESSION_START
    # What comes of a push.
    DELIVERED = 101
    OPENED = 102
    CLICKED = 103
    DISMISSED = 104
    UNSUBSCRIBED = 105
    # Somebody who clicked means to buy; whether they still do is seen when the time comes.
    BUY = 106
    # Somebody turns pushes off in the settings, without saying why.
    SILENT_OPT_OUT = 107


ACT = np.dtype(
    [
        ("ms", np.int64),  # when, since the epoch
        ("user", np.int64),
        ("kind", np.int16),
        ("item", np.int64),  # -1 for none
        ("category", np.int64),  # -1 for none
        ("push", np.int64),  # number of the push it comes of, -1 for none
        ("price", np.int64),  # fen, 0 for unknown
        ("seconds", np.float64),  # dwell
        ("stars", np.int64),
        ("word", np.int64),  # draws the words of a search or a review
        ("discounted", np.bool_),
        ("day", np.int64),  # with user, slot and step: the identity of the event, the same in every run
        ("slot", np.int64),
        ("step", np.int64),
    ]
)
PUSH = np.dtype(
    [
        ("ms", np.int64),
        ("user", np.int64),
        ("item", np.int64),
        ("number", np.int64),
        ("opening", np.int64),
        ("block", np.int64),  # the block of its day at whose end it was handed over
    ]
)
Table = NDArray[np.void]

# Slots of a user's day: visits are 0 to 2, the n-th push of the day is 10 + n, later deeds are from 30.
PUSH_SLOT, REVIEW_SLOT, RETURN_SLOT, NOISE_SLOT, SETTINGS_SLOT = 10, 30, 40, 50, 60


def rows(count: int, dtype: np.dtype[np.void] = ACT) -> Table:
    """An empty table: no item, no category, no push."""
    table = np.zeros(count, dtype=dtype)
    for column in ("item", "category", "push"):
        if column in (dtype.names or ()):
            table[column] = -1
    return table


def acts(kind: Kind, **columns: object) -> Table:
    """Rows of one kind; `ms` gives their number, the other columns are arrays as long or single values."""
    table = rows(len(np.atleast_1d(np.asarray(columns["ms"]))))
    table["kind"] = kind
    for name, values in columns.items():
        table[name] = values
    return table


def joined(tables: list[Table]) -> Table:
    """All rows, by time."""
    table = np.concatenate([rows(0), *tables])
    return table[np.lexsort((table["step"], table["slot"], table["user"], table["ms"]))]
