"""The only definition of a feature, for serving and training alike: pure functions of portraits, columns,
candidate scores and the time of the decision. All values are finite and within [-4, 4]; the unknown is 0.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from magpie_services.core.columns import HASH_BUCKETS, USUAL_AGAIN, ItemColumns, bucket
from magpie_services.core.feature_joins import (
    MEMORY_FIELDS,
    Items,
    Memory,
    keys_of,
    pushed_of,
    stated_of,
)
from magpie_services.core.feature_schema import (
    BOUND,
    CROSS_FEATURES,
    FEATURES,
    HEADS,
    ITEM_FEATURES,
    RECENT_LENGTH,
    SCHEMA_HASH,
    SEQUENCE_LENGTH,
    SOURCES,
    USER_FEATURES,
    Feature,
    Group,
)
from magpie_services.core.interest import interests
from magpie_services.core.memory import DAY_MS, HOUR_MS
from magpie_services.core.portraits import Portrait, Stage, price_sensitivity

__all__ = [
    "CROSS_FEATURES",
    "FEATURES",
    "HASH_BUCKETS",
    "HEADS",
    "ITEM_FEATURES",
    "RECENT_LENGTH",
    "SCHEMA_HASH",
    "SEQUENCE_LENGTH",
    "SOURCES",
    "USER_FEATURES",
    "Feature",
    "Group",
    "cross_features",
    "hash_buckets",
    "item_features",
    "recent_buckets",
    "sequence",
    "user_features",
]

Floats = NDArray[np.float32]

# What is assumed of an item until its user shows otherwise: bought again on one order day in ten, worth four.
HABIT, PATIENCE = 0.1, 4.0


def user_features(portraits: Sequence[Portrait], now_ms: int) -> Floats:
    """Features of users at the moment of the decision: float32 [B, U]."""
    rows = [_user_row(portrait, now_ms) for portrait in portraits]
    table = np.array([[row[name] for name in USER_FEATURES] for row in rows], dtype=np.float32)
    return _bounded(table.reshape(len(rows), len(USER_FEATURES)))


def item_features(columns: ItemColumns, rows: NDArray[np.integer], now_ms: int) -> Floats:
    """Features of items: rows int [...] to float32 [..., I]; zeros for row -1."""
    items = Items(columns, rows)
    table = {name: items.floats(name) for name in _ITEM_COLUMNS}
    popularity, again = columns.popularity_and_again(rows, now_ms)
    views, week, month = (popularity[..., index].astype(np.float64) for index in range(3))
    age_days = np.maximum(now_ms - table["published_ms"], 0.0) / DAY_MS
    dated, rated = table["published_ms"] > 0, table["rating_count"] > 0
    typical = columns.mean_views(now_ms)
    found = {
        "item_listed": table["listed"],
        "item_available": table["available"],
        "item_priced": table["priced"],
        "item_log_price": table["log_price"] / 4.0,
        "item_price_percentile": 2.0 * table["price_percentile"] - 1.0,
        "item_discount": table["discount"],
        "item_stock_known": table["stocked"],
        "item_stars": np.where(rated, table["rating"] - 3.0, 0.0) / 2.0,
        "item_ratings": np.log1p(np.maximum(table["rating_count"], 0.0)) / 4.0,
        "item_age_days": np.where(dated, np.log1p(age_days), 0.0) / 4.0,
        "item_new": dated & (age_days < 14.0),
        "item_views": np.log1p(views) / 3.0,
        "item_purchases_week": np.log1p(week) / 2.0,
        "item_purchases_month": np.log1p(month) / 2.0,
        "item_conversion": np.sqrt((week + 0.2) / (week + views + 10.0)),
        "item_again": np.log(again / USUAL_AGAIN),
        "item_trend": np.log((week + 1.0) / (month / 4.0 + 1.0)),
        "item_popularity": np.log((views + 1.0) / (typical + 1.0)) / 2.0,
    }
    return _stack(found, ITEM_FEATURES, rows)


def cross_features(
    portraits: Sequence[Portrait],
    columns: ItemColumns,
    rows: NDArray[np.integer],
    now_ms: int,
    *,
    similarity: ArrayLike = 0.0,
    covisitation: ArrayLike = 0.0,
    sources: NDArray[np.generic] | None = None,
) -> Floats:
    """Features of users with candidates: float32 [B, N, C]; zeros for row -1.

    rows: int [B, N] into `columns`, of portrait b's candidates; similarity and covisitation: [B, N];
    sources: flags [B, N, S] in the order of SOURCES.
    """
    memory = Memory(portraits, columns, now_ms)
    pushed = pushed_of(portraits, columns)
    user = np.arange(len(portraits))[:, None]
    key = keys_of(user, rows)
    mine = memory.of(key)
    count = {name: mine[..., index] for name, index in MEMORY_FIELDS.items()}
    met = count["first_ms"] > 0
    liked = interests(count["views"], count["purchases"], count["rating"])
    gap_ms = (count["last_purchase_ms"] - count["first_purchase_ms"]) / np.maximum(count["purchases"] - 1, 1)
    known_gap = (count["purchases"] >= 2) & (gap_ms > 0)
    bought_ms = now_ms - count["last_purchase_ms"]
    due = np.log(np.maximum(bought_ms, HOUR_MS) / np.maximum(gap_ms, HOUR_MS))
    items = Items(columns, rows)
    category, broad, brand = (items.codes(name) for name in ("category", "broad_category", "brand"))
    mean_price = np.array([portrait.spend.mean_log_price for portrait in portraits])[:, None]
    priced = np.array([portrait.spend.priced > 0 for portrait in portraits])[:, None]
    price_gap = np.where(priced & (items.floats("priced") > 0), items.floats("log_price") - mean_price, 0.0)
    bought = count["purchases"] > 0
    orders, fresh_orders = memory.order_days[:, None], memory.fresh_orders[:, None]
    since_first = memory.orders_after(user, count["first_purchase_ms"])
    days = count["bought_days"]
    times_again = np.maximum(days - 1.0, 0.0)
    popularity, again = columns.popularity_and_again(rows, now_ms)
    habit, habit_of_item = (
        (times_again + usual * PATIENCE) / (since_first + PATIENCE)
        for usual in (HABIT, HABIT * again / USUAL_AGAIN)
    )
    sensitivity = np.array([price_sensitivity(portrait) for portrait in portraits])[:, None]
    pushes = pushed["item"].find(key)
    times, last_push_ms, ignored = (pushes[..., index] for index in range(3))
    found = {
        "interest": np.where(met, liked, 0.0),
        "item_seen": met,
        "views_of_item": np.log1p(count["views"]) / 2.0,
        "carts_of_item": np.log1p(count["carts"]),
        "wished": count["wishes"] > 0,
        "in_cart": count["last_cart_ms"] > np.maximum(count["last_uncart_ms"], count["last_purchase_ms"]),
        "bought_before": bought,
        "purchases_of_item": np.log1p(count["purchases"]),
        "purchase_share": count["purchases"] / np.maximum(memory.purchases[:, None], 1.0),
        "returned": count["returns"] > 0,
        "own_stars": np.where(count["rating"] > 0, count["rating"] - 3.0, 0.0) / 2.0,
        "dwell_on_item": np.log1p(count["dwell_seconds"]) / 4.0,
        "days_since_item": _log_days(now_ms, count["last_ms"]),
        "days_since_purchase": _log_days(now_ms, count["last_purchase_ms"]),
        "order_share": np.where(bought, np.log((days + 0.1) / (orders + 1.0)), 0.0) / 2.0,
        "late_share": np.where(bought, np.log((count["fresh_days"] + 0.05) / (fresh_orders + 0.5)), 0.0),
        "days_of_item": np.log1p(days),
        "late_days": np.log1p(10.0 * count["late_days"]),
        "known_purchase": _log_days(now_ms, count["first_purchase_ms"]),
        "orders_since": np.where(bought, np.log1p(memory.orders_after(user, count["last_purchase_ms"])), 0.0),
        "habit": np.where(bought, np.log(habit / HABIT), 0.0),
        "habit_of_item": np.where(bought, np.log(habit_of_item / HABIT), 0.0),
        "again_of_item": np.where(bought, np.log(again / USUAL_AGAIN), 0.0),
        "popular_again": np.where(bought, np.log1p(popularity[..., 2]) / 2.0, 0.0),
        "repurchase_known": known_gap,
        "repurchase_due": np.where(known_gap, due, 0.0),
        "category_interest": memory.share("category", user, category),
        "broad_interest": memory.share("broad_category", user, broad),
        "stated_category": stated_of(portraits, columns, now_ms).find(keys_of(user, category))[..., 0],
        "brand_interest": memory.share("brand", user, brand),
        "price_gap": price_gap,
        "price_distance": np.abs(price_gap),
        "discount_fit": items.floats("discount") * sensitivity,
        "similarity": similarity,
        "covisitation": covisitation,
        "pushes_of_item": np.log1p(times),
        "days_since_push": _log_days(now_ms, last_push_ms),
        "ignored_pushes": np.log1p(ignored),
        "pushes_of_category": np.log1p(pushed["category"].find(keys_of(user, category))[..., 0]),
    }
    flags = np.zeros((*rows.shape, len(SOURCES))) if sources is None else np.asarray(sources)
    found |= {f"from_{source}": flags[..., index] for index, source in enumerate(SOURCES)}
    return _stack(found, CROSS_FEATURES, rows)


def hash_buckets(columns: ItemColumns, rows: NDArray[np.integer]) -> NDArray[np.int32]:
    """Buckets of item, category and brand: rows int [...] to int32 [..., 3]; zeros for row -1."""
    return Items(columns, rows).buckets()


def recent_buckets(portrait: Portrait) -> NDArray[np.int32]:
    """Item buckets of the newest interactions, newest last: int32 [20], 0 before the first."""
    found = np.zeros(RECENT_LENGTH, dtype=np.int32)
    newest = [bucket("item", entry.item_id) for entry in portrait.recent[-RECENT_LENGTH:]]
    if newest:
        found[-len(newest) :] = newest
    return found


def sequence(portrait: Portrait, now_ms: int) -> tuple[list[str], NDArray[np.int32], Floats]:
    """What the retriever reads, newest last: 50 item ids, kinds int32 [50], gaps float32 [50].

    Before the first come "", 0 and 0. A gap is log1p of the hours between the interaction and now.
    """
    newest = portrait.recent[-SEQUENCE_LENGTH:]
    empty = SEQUENCE_LENGTH - len(newest)
    ids = [""] * empty + [entry.item_id for entry in newest]
    kinds = np.zeros(SEQUENCE_LENGTH, dtype=np.int32)
    gaps = np.zeros(SEQUENCE_LENGTH, dtype=np.float32)
    kinds[empty:] = [entry.kind for entry in newest]
    gaps[empty:] = [math.log1p(max(now_ms - entry.at_ms, 0) / HOUR_MS) for entry in newest]
    return ids, kinds, gaps


def _user_row(portrait: Portrait, now_ms: int) -> dict[str, float]:
    spend, pushes = portrait.spend, portrait.pushes
    memories = portrait.items.values()
    views = sum(memory.views for memory in memories)
    dwell = sum(memory.dwell_seconds for memory in memories)
    local_ms = now_ms + portrait.local_offset_ms(now_ms)
    hour = local_ms % DAY_MS / HOUR_MS * math.tau / 24.0
    weekday = (local_ms // DAY_MS + 3) % 7  # the epoch was a Thursday; Monday is 0
    hours = portrait.local_hours(now_ms)
    categories = portrait.category_counts(now_ms).values()
    sent, opened = pushes.sent.at(now_ms), pushes.opened.at(now_ms)
    clicked, dismissed = pushes.clicked.at(now_ms), pushes.dismissed.at(now_ms)
    stage = portrait.stage(now_ms)
    ages = [now_ms - entry.at_ms for entry in portrait.recent]
    days_ordered, gap = len(spend.order_days), spend.mean_order_gap_days
    since = (now_ms - spend.last_order_ms) / DAY_MS
    purchases = sum(memory.purchases for memory in memories)
    different = sum(memory.purchases > 0 for memory in memories)
    return {
        "seen_days": _days(now_ms, portrait.last_seen_ms),
        "tenure_days": _days(now_ms, portrait.first_seen_ms),
        "orders": math.log1p(spend.orders) / 2.0,
        "order_days": _days(now_ms, spend.last_order_ms),
        "order_count": math.log1p(days_ordered) / 2.0,
        "order_gap": math.log1p(gap) / 2.0,
        "order_due": math.log(max(since, 0.5) / max(gap, 0.5)) if gap else 0.0,
        "order_size": math.log1p(spend.orders / days_ordered) / 2.0 if days_ordered else 0.0,
        "repeat_share": (purchases - different + 0.5) / (purchases + 2.0),
        "units_per_order": math.log1p(spend.units / spend.orders) if spend.orders else 0.0,
        "return_share": spend.returns / max(spend.orders, 1),
        "mean_log_price": spend.mean_log_price / 4.0,
        "price_spread": math.sqrt(spend.variance_log_price),
        "discount_share": spend.discount_share,
        "price_sensitivity": price_sensitivity(portrait),
        "items_known": math.log1p(len(memories)) / 3.0,
        "views": math.log1p(views) / 3.0,
        "dwell": math.log1p(dwell / max(views, 1)) / 4.0,
        "cart_items": math.log1p(sum(memory.in_cart for memory in memories)),
        "recent_day": math.log1p(sum(age < DAY_MS for age in ages)) / 2.0,
        "recent_week": math.log1p(sum(age < 7 * DAY_MS for age in ages)) / 2.0,
        "searches_week": math.log1p(sum(now_ms - search.at_ms < 7 * DAY_MS for search in portrait.searches)),
        "category_focus": max(categories, default=0.0) / max(sum(categories), 1e-9),
        "sent_day": math.log1p(sent[0]),
        "sent_week": math.log1p(sent[1]),
        "sent_month": math.log1p(sent[2]),
        "opened_day": math.log1p(opened[0]),
        "opened_week": math.log1p(opened[1]),
        "dismissed_week": math.log1p(dismissed[1]),
        "open_rate": (opened[2] + 0.2) / (sent[2] + 2.0),
        "click_rate": (clicked[2] + 0.1) / (sent[2] + 2.0),
        "dismiss_rate": (dismissed[2] + 0.1) / (sent[2] + 2.0),
        "sent_days": _days(now_ms, pushes.last_sent_ms),
        "opened_days": _days(now_ms, pushes.last_opened_ms),
        "pushed_before": float(pushes.last_sent_ms > 0),
        "unsubscribed_before": float(pushes.last_unsubscribed_ms > 0),
        "hour_sin": math.sin(hour),
        "hour_cos": math.cos(hour),
        "weekday_sin": math.sin(weekday * math.tau / 7.0),
        "weekday_cos": math.cos(weekday * math.tau / 7.0),
        "weekend": float(weekday >= 5),
        "hour_affinity": math.log((hours[local_ms // HOUR_MS % 24] + 1.0) / (sum(hours) / 24.0 + 1.0)),
        "zone_known": float(bool(portrait.timezone)),
        "on_android": float(portrait.platform == "android"),
        "on_ios": float(portrait.platform == "ios"),
        "on_web": float(portrait.platform == "web"),
        **{f"stage_{name}": float(name == stage) for name in Stage},
    }


_ITEM_COLUMNS = (
    "listed", "available", "priced", "stocked", "log_price", "price_percentile", "discount", "rating",
    "rating_count", "published_ms",
)  # fmt: skip


def _days(now_ms: int, then_ms: int) -> float:
    return math.log1p(max(now_ms - then_ms, 0) / DAY_MS) / 2.0 if then_ms else 0.0


def _log_days(now_ms: int, then_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    days = np.log1p(np.maximum(now_ms - then_ms, 0.0) / DAY_MS) / 2.0
    return np.where(then_ms > 0, days, 0.0)


def _stack(found: Mapping[str, ArrayLike], names: Sequence[str], rows: NDArray[np.integer]) -> Floats:
    """Features side by side for rows [...]: float32 [..., len(names)]; zeros for row -1."""
    table = np.empty((*rows.shape, len(names)), dtype=np.float32)
    with np.errstate(over="ignore"):  # what no float32 can hold is out of bounds anyway
        for index, name in enumerate(names):
            table[..., index] = found[name]
    _bounded(table)[rows < 0] = 0.0
    return table


def _bounded(table: Floats) -> Floats:
    """The same table, changed in place."""
    np.clip(table, -BOUND, BOUND, out=table)
    table[np.isnan(table)] = 0.0
    return table
