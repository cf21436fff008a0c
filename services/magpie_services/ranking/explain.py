"""Why a score is what it is: exact occlusion. Each cause is taken away in turn and scored without."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core import codec, features
from magpie_services.core.columns import ItemColumns
from magpie_services.core.features import CROSS_FEATURES, ITEM_FEATURES, USER_FEATURES
from magpie_services.core.portraits import Portrait
from magpie_services.ranking.batch import Batch, Listed, build
from magpie_services.ranking.light import Floats
from magpie_services.ranking.scorer import CLICK, PURCHASE

PAST_ITEMS = 20


def _names(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


# What speaks of what. A feature that no group names belongs to its own kind: "user" or "item".
GROUPS: dict[str, frozenset[str]] = {
    "price": _names(
        "item_priced item_log_price item_price_percentile item_discount mean_log_price price_spread",
        "discount_share price_sensitivity price_gap price_distance discount_fit",
    ),
    "popularity": _names(
        "item_views item_purchases_week item_purchases_month item_conversion item_trend item_popularity",
        "item_stars item_ratings",
    ),
    "taste": _names(
        "interest item_seen views_of_item carts_of_item wished in_cart bought_before purchases_of_item",
        "purchase_share returned own_stars dwell_on_item days_since_item days_since_purchase",
        "repurchase_known repurchase_due category_interest broad_interest stated_category brand_interest",
        "category_focus",
    ),
    "similarity": _names("similarity covisitation", *(f"from_{source}" for source in features.SOURCES)),
    "pushes": _names(
        "sent_day sent_week sent_month opened_day opened_week dismissed_week open_rate click_rate",
        "dismiss_rate sent_days opened_days pushed_before unsubscribed_before pushes_of_item",
        "days_since_push ignored_pushes pushes_of_category",
    ),
    "time": _names(
        "hour_sin hour_cos weekday_sin weekday_cos weekend hour_affinity zone_known seen_days recent_day",
        "recent_week searches_week order_days",
    ),
}
CAUSES = ("user", "item", *GROUPS)


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken away, and what it did to the log-odds: positive speaks for the item."""

    cause: str
    is_item: bool
    purchase: float
    click: float


class Variants(msgspec.Struct, frozen=True, kw_only=True):
    """The batch to score: first as it is, then without each of `groups`, then without each of `item_ids`."""

    batch: Batch
    groups: tuple[str, ...]
    item_ids: tuple[str, ...]


def group_of(feature: str) -> str:
    """The group that a feature belongs to."""
    for group, names in GROUPS.items():
        if feature in names:
            return group
    return "item" if feature in ITEM_FEATURES else "user"


def variants(portrait: Portrait, listed: Listed, columns: ItemColumns, now_ms: int) -> Variants:
    """At most 29 variants of one user and up to 10 candidates.

    A group is taken away by making its features 0, which means "unknown" or "average"; a past item by making
    the portrait forget all of it and computing every feature anew. Similarity and co-visitation stay as the
    candidates brought them.
    """
    past = list(dict.fromkeys(entry.item_id for entry in reversed(portrait.recent)))[:PAST_ITEMS]
    people = [portrait, *(forgetting(portrait, item_id) for item_id in past)]
    built = build(people, [listed] * len(people), columns, now_ms)
    order = np.array([0] * (1 + len(CAUSES)) + list(range(1, len(people))))
    fields = {name: getattr(built, name)[order] for name in built.__struct_fields__}
    for at, group in enumerate(CAUSES, start=1):
        fields["user"][at] *= _others(group, USER_FEATURES)
        fields["items"][at] *= _others(group, ITEM_FEATURES)
        fields["cross"][at] *= _others(group, CROSS_FEATURES)
    return Variants(batch=Batch(**fields), groups=CAUSES, item_ids=tuple(past))


def causes(asked: Variants, probabilities: Floats, candidate: int) -> list[Cause]:
    """Every cause for one candidate, strongest first: probabilities float32 [variants, N, 4]."""
    clipped = np.clip(probabilities[:, candidate].astype(np.float64), 1e-7, 1.0 - 1e-7)
    log_odds = np.log(clipped / (1.0 - clipped))
    effects = log_odds[0] - log_odds[1:]
    names = [*((group, False) for group in asked.groups), *((item_id, True) for item_id in asked.item_ids)]
    found = [
        Cause(cause=name, is_item=is_item, purchase=float(effect[PURCHASE]), click=float(effect[CLICK]))
        for (name, is_item), effect in zip(names, effects, strict=True)
    ]
    return sorted(found, key=lambda cause: -(abs(cause.purchase) + abs(cause.click)))


def forgetting(portrait: Portrait, item_id: str) -> Portrait:
    """A copy of the portrait that never met the item; what was paid for it in all stays."""
    copy = codec.decode(Portrait, codec.encode(portrait))
    copy.recent = [entry for entry in copy.recent if entry.item_id != item_id]
    copy.items.pop(item_id, None)
    return copy


def _others(group: str, names: Sequence[str]) -> NDArray[np.float32]:
    """1 for the features of other groups, 0 for those of this one."""
    return np.array([group_of(name) != group for name in names], dtype=np.float32)
