"""The names, order and meaning of every feature: what a model was trained on and what serving must compute.

Any change here, or in how `features` computes one (then raise TRANSFORMS), changes SCHEMA_HASH, and models
trained before are refused by ranking until one is trained anew.
"""

import hashlib
import json
from enum import StrEnum

import msgspec

from magpie_services.core.columns import HASH_BUCKETS
from magpie_services.core.portraits import Stage

TRANSFORMS = 2
# What follows a push within a day (of a purchase: a week, or the day), and what goes without one. The
# objective of `push` reads the first four; new heads are appended.
HEADS = (
    "click",
    "purchase",
    "dismiss",
    "unsubscribe",
    "purchase_day",
    "organic_purchase",
    "organic_purchase_day",
)
# Where a candidate came from; new sources are appended.
SOURCES = ("vector", "covisit", "popular", "new", "repeat", "cart", "random", "transition")
SEQUENCE_LENGTH = 50
RECENT_LENGTH = 20
BOUND = 4.0


class Group(StrEnum):
    """What a feature depends on: the user and the moment, the item, or both."""

    USER = "user"
    ITEM = "item"
    CROSS = "cross"


class Feature(msgspec.Struct, frozen=True):
    """One feature; the description is what an explanation may show."""

    name: str
    group: Group
    description: str


_USER = {
    "seen_days": "log days since the user was last there",
    "tenure_days": "log days since the user was first there",
    "orders": "log orders",
    "order_days": "log days since the last order, 0 without one",
    "order_count": "log days with an order",
    "order_gap": "log mean days between days with an order, 0 for fewer than two",
    "order_due": "log of the days since the last order over the usual gap",
    "order_size": "log purchases a day with an order",
    "repeat_share": "share of the purchases that were of an item bought before",
    "units_per_order": "log units an order",
    "return_share": "returns an order",
    "mean_log_price": "mean log price of what was bought",
    "price_spread": "standard deviation of the log prices bought",
    "discount_share": "share of orders at a discount",
    "price_sensitivity": "how much price matters to the user",
    "items_known": "log number of items remembered",
    "views": "log views of remembered items",
    "dwell": "log seconds a view",
    "cart_items": "log items waiting in the cart",
    "recent_day": "log item interactions of the last day among the newest 50",
    "recent_week": "log item interactions of the last week among the newest 50",
    "searches_week": "log queries searched in the last week",
    "category_focus": "share of the best liked category",
    "sent_day": "pushes sent, half-life 1 day",
    "sent_week": "pushes sent, half-life 7 days",
    "sent_month": "pushes sent, half-life 30 days",
    "opened_day": "pushes opened, half-life 1 day",
    "opened_week": "pushes opened, half-life 7 days",
    "dismissed_week": "pushes dismissed, half-life 7 days",
    "open_rate": "opened share of pushes, 30 days, smoothed",
    "click_rate": "clicked share of pushes, 30 days, smoothed",
    "dismiss_rate": "dismissed share of pushes, 30 days, smoothed",
    "sent_days": "log days since the last push, 0 without one",
    "opened_days": "log days since a push was last opened, 0 without one",
    "pushed_before": "any push was ever sent",
    "unsubscribed_before": "the user has once unsubscribed",
    "hour_sin": "sine of the local hour",
    "hour_cos": "cosine of the local hour",
    "weekday_sin": "sine of the local day of the week",
    "weekday_cos": "cosine of the local day of the week",
    "weekend": "Saturday or Sunday, local",
    "hour_affinity": "the user's activity at this local hour against their average hour",
    "zone_known": "the time zone is known",
    "on_android": "last seen on Android",
    "on_ios": "last seen on iOS",
    "on_web": "last seen on the web",
    **{f"stage_{stage}": f"the user is {stage}" for stage in Stage},
}
_ITEM = {
    "item_listed": "the item is in the catalogue",
    "item_available": "may be recommended",
    "item_priced": "the price is known",
    "item_log_price": "log price",
    "item_price_percentile": "rank of the price in its category",
    "item_discount": "share off the list price",
    "item_stock_known": "the stock is known",
    "item_stars": "mean stars around 3, 0 where nobody rated",
    "item_ratings": "log number of ratings",
    "item_age_days": "log days since publication",
    "item_new": "published in the last 14 days",
    "item_views": "log views, half-life 7 days",
    "item_purchases_week": "log purchases, half-life 7 days",
    "item_purchases_month": "log purchases, half-life 28 days",
    "item_conversion": "purchases a view, smoothed",
    "item_again": "log share of the purchases by people who had bought it before, smoothed",
    "item_trend": "purchases of late against those of the month",
    "item_popularity": "log views against the average item",
}
_CROSS = {
    "interest": "the user's interest in the item",
    "item_seen": "the user has met the item",
    "views_of_item": "log views of the item",
    "carts_of_item": "log times put into the cart",
    "wished": "on the wish list once",
    "in_cart": "waiting in the cart",
    "bought_before": "bought before",
    "purchases_of_item": "log purchases of the item",
    "purchase_share": "share of the user's purchases that are this item",
    "returned": "returned once",
    "own_stars": "the user's own stars around 3",
    "dwell_on_item": "log seconds on the item",
    "days_since_item": "log days since the last interaction, 0 without one",
    "days_since_purchase": "log days since the item was last bought, 0 without one",
    "order_share": "log share of the days with an order that had the item, 0 where never bought",
    "late_share": "the same with days counting half every 60 days, 0 where never bought",
    "days_of_item": "log days on which the item was bought",
    "late_days": "log of the same, each order since taking a tenth of what a day counts",
    "known_purchase": "log days since the item was first bought, 0 without one",
    "orders_since": "log days with an order since the item was last bought",
    "habit": "log days bought again a chance to do so, smoothed, 0 where never bought",
    "habit_of_item": "habit, as far as unknown as usual with the item, 0 where never bought",
    "again_of_item": "item_again, 0 where never bought",
    "popular_again": "log purchases by all in the month, where bought before",
    "repurchase_known": "bought at least twice, so there is a usual gap",
    "repurchase_due": "log of time since the last purchase over the usual gap",
    "category_interest": "share of the user's interest in the narrow category",
    "broad_interest": "share of the user's interest in the broad category",
    "stated_category": "share of the user's decayed category counts",
    "brand_interest": "share of the user's interest in the brand",
    "price_gap": "log price against the mean log price bought",
    "price_distance": "absolute price_gap",
    "discount_fit": "discount times price sensitivity",
    "similarity": "user vector times item vector",
    "covisitation": "co-visitation score",
    "pushes_of_item": "log recent pushes of this item",
    "days_since_push": "log days since this item was last pushed, 0 without one",
    "ignored_pushes": "log recent pushes of this item that were not opened",
    "pushes_of_category": "log recent pushes of this category",
    **{f"from_{source}": f"retrieved by {source}" for source in SOURCES},
}

FEATURES: tuple[Feature, ...] = tuple(
    Feature(name, group, description)
    for group, named in ((Group.USER, _USER), (Group.ITEM, _ITEM), (Group.CROSS, _CROSS))
    for name, description in named.items()
)
USER_FEATURES = tuple(_USER)
ITEM_FEATURES = tuple(_ITEM)
CROSS_FEATURES = tuple(_CROSS)


def schema_hash() -> str:
    """SHA-256 over all that a model's input means: names, order, transforms, heads, buckets and lengths."""
    meaning = [
        TRANSFORMS,
        [[feature.group, feature.name] for feature in FEATURES],
        HEADS,
        HASH_BUCKETS,
        SEQUENCE_LENGTH,
        RECENT_LENGTH,
    ]
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()


SCHEMA_HASH = schema_hash()
