"""Where candidates come from: each source ranks catalogue rows for a user, best first, allowed rows only."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate.covisit import Covisits
from magpie_services.core.columns import ItemColumns
from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.core.interest import interests
from magpie_services.core.memory import DAY_MS
from magpie_services.core.portraits import Portrait

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

PAST_ITEMS = 20
NEW_DAYS = 30
DRAWN = 5
REPEAT_HALF_LIFE_DAYS = 30.0
DISLIKED_STARS = 2
# What a past interaction says about wanting more of the kind; giving back says nothing good.
_PAST_WEIGHTS = {
    KIND_CODES[EventKind.VIEW_ITEM]: 0.7,
    KIND_CODES[EventKind.ADD_TO_WISHLIST]: 0.9,
    KIND_CODES[EventKind.ADD_TO_CART]: 0.9,
    KIND_CODES[EventKind.REVIEW]: 0.8,
    KIND_CODES[EventKind.PURCHASE]: 1.0,
}
_FADING = 0.95  # of each item further back


def past(portrait: Portrait) -> dict[str, float]:
    """The last 20 different items of a user, newest first, each with its weight in (0, 1]."""
    found: dict[str, float] = {}
    for entry in reversed(portrait.recent):
        weight = _PAST_WEIGHTS.get(entry.kind)
        if weight is None:
            continue
        if entry.item_id not in found and len(found) == PAST_ITEMS:
            break
        fresh = weight * _FADING ** len(found)
        found[entry.item_id] = max(found.get(entry.item_id, 0.0), fresh)
    return found


def covisited(
    items: dict[str, float], covisits: Covisits, columns: ItemColumns
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Strength in [0, 1] of co-visitation with past items, and the index of the strongest of them; both [n].

    Several past items that point at one add up as independent hints do: 1 - Π(1 - weight · cosine). The index
    is into `items`, -1 where none points.
    """
    strength = np.zeros(len(columns), dtype=np.float32)
    because = np.full(len(columns), -1, dtype=np.int16)
    if not items:
        return strength, because
    linked = [covisits.neighbours(item_id) for item_id in items]
    rows = np.concatenate([others.rows(columns) for others in linked])
    score = np.concatenate(
        [others.cosines * np.float32(weight) for others, weight in zip(linked, items.values(), strict=True)]
    )
    cause_of = np.repeat(np.arange(len(linked), dtype=np.int16), [len(others.cosines) for others in linked])
    known = (rows >= 0) & (score > 0)
    rows, score, cause_of = rows[known], score[known], cause_of[known]
    np.add.at(strength, rows, np.log1p(-np.minimum(score, 0.999)))
    strongest_last = np.argsort(score, kind="stable")
    because[rows[strongest_last]] = cause_of[strongest_last]
    return np.abs(np.expm1(strength)), because


def best(scores: NDArray[np.floating], limit: int) -> Rows:
    """Indices of the `limit` largest scores above 0, largest first."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > limit:
        positive = positive[np.argpartition(-scores[positive], limit - 1)[:limit]]
    return positive[np.argsort(-scores[positive], kind="stable")]


def demand(columns: ItemColumns, now_ms: int) -> NDArray[np.float32]:
    """Views of the last week, decayed, a purchase counting as five: [n]."""
    counts = columns.popularity(np.arange(len(columns)), now_ms)
    return np.asarray(counts[:, 0] + np.float32(5) * counts[:, 1])


def popular(columns: ItemColumns, allowed: Mask, now_ms: int, limit: int) -> Rows:
    """What is in most demand."""
    return best(np.where(allowed, demand(columns, now_ms), 0.0), limit)


def arrivals(columns: ItemColumns, allowed: Mask, now_ms: int, limit: int) -> Rows:
    """What came in the last 30 days, newest first."""
    left = columns["published_ms"].astype(np.float64) - (now_ms - NEW_DAYS * DAY_MS)
    return best(np.where(allowed & (left <= NEW_DAYS * DAY_MS), left, 0.0), limit)


def drawn(rows: Rows, lots: NDArray[np.uint64], seed: int, user_id: str) -> Rows:
    """Five of the rows at random, by the lot of each: by `seed` and user always the same, on every replica,
    whatever the order of rows.
    """
    key = int.from_bytes(blake2b(f"{seed}:{user_id}".encode(), digest_size=8).digest(), "little")
    mixed = (lots ^ np.uint64(key)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    if len(rows) > DRAWN:
        first = np.argpartition(mixed, DRAWN)[:DRAWN]
        rows, mixed = rows[first], mixed[first]
    return rows[np.argsort(mixed)]


def repeated(portrait: Portrait, columns: ItemColumns, now_ms: int) -> Rows:
    """What the user met before, by interest, freshness and, where bought often, how due it is again.

    What was given back or disliked is left out.
    """
    memories = [
        (item_id, memory)
        for item_id, memory in portrait.items.items()
        if not (0 < memory.rating <= DISLIKED_STARS or 0 < memory.purchases <= memory.returns)
    ]
    if not memories:
        return np.empty(0, dtype=np.int64)
    table = np.array(
        [
            (m.views, m.purchases, m.rating, m.last_ms, m.last_purchase_ms, m.purchase_gap_ms)
            for _, m in memories
        ]
    ).T
    views, purchases, rating, last_ms, bought_ms, gap_ms = table
    fresh = np.exp2(-np.maximum(now_ms - last_ms, 0.0) / (REPEAT_HALF_LIFE_DAYS * DAY_MS))
    waited = (now_ms - bought_ms) / np.where(gap_ms > 0, gap_ms, 1.0)
    due = (gap_ms > 0) & (waited > 0.7) & (waited < 3.0)
    score = interests(views, purchases, rating) * np.where(due, np.maximum(fresh, 0.8), fresh)
    return rows_of(columns, [memories[at][0] for at in best(score, len(score))])


def cart(portrait: Portrait, columns: ItemColumns) -> Rows:
    """What lies in the user's cart, put in last first."""
    waiting = [(m.last_cart_ms, item_id) for item_id, m in portrait.items.items() if m.in_cart]
    return rows_of(columns, [item_id for _, item_id in sorted(waiting, reverse=True)])


def rows_of(columns: ItemColumns, item_ids: Sequence[str]) -> Rows:
    """Rows of the items that are known, in the same order."""
    rows = columns.rows(item_ids)
    return rows[rows >= 0].astype(np.int64)


def permitted(rows: Rows, allowed: Mask) -> Rows:
    """The rows that are allowed, in the same order; rows newer than the mask are not."""
    rows = rows[rows < len(allowed)]
    return rows[allowed[rows]]
