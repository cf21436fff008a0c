"""Why a score is what it is: each cause is taken away in turn and scored without.

Of the past that is exact: the portrait forgets, and every feature is computed anew, so that what is counted
together is counted anew too. Groups of features go either by integrated gradients, where the model gives them
and they add up, or by setting them to 0, which means "unknown" or "average".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core import features
from magpie_services.core.buckets import VARIANTS
from magpie_services.core.columns import ItemColumns
from magpie_services.core.features import CROSS_FEATURES, HEADS, ITEM_FEATURES, USER_FEATURES
from magpie_services.core.forgetting import without_event, without_item
from magpie_services.core.memory import Recent
from magpie_services.core.portraits import Portrait
from magpie_services.kit.errors import DeadlineExceeded, NotFound, Unavailable
from magpie_services.ranking import scorer
from magpie_services.ranking.batch import Batch, Listed, build
from magpie_services.ranking.light import NAMES, Floats
from magpie_services.ranking.scorer import CLICK, PURCHASE, Model

PAST_ITEMS = 20
PAST_EVENTS = 20
# Of the log-odds that set a score apart from the average: what integrated gradients may miss.
MAX_ERROR = 0.01
_HEADS = [PURCHASE, CLICK]


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
        "item_stars item_ratings item_again popular_again",
    ),
    "taste": _names(
        "interest item_seen views_of_item carts_of_item wished in_cart bought_before purchases_of_item",
        "purchase_share returned own_stars dwell_on_item days_since_item days_since_purchase",
        "repurchase_known repurchase_due category_interest broad_interest stated_category brand_interest",
        "category_focus order_share orders_since habit habit_of_item again_of_item repeat_share late_share",
        "days_of_item late_days known_purchase",
    ),
    "similarity": _names("similarity covisitation", *(f"from_{source}" for source in features.SOURCES)),
    "pushes": _names(
        "sent_day sent_week sent_month opened_day opened_week dismissed_week open_rate click_rate",
        "dismiss_rate sent_days opened_days pushed_before unsubscribed_before pushes_of_item",
        "days_since_push ignored_pushes pushes_of_category",
    ),
    "time": _names(
        "hour_sin hour_cos weekday_sin weekday_cos weekend hour_affinity zone_known seen_days recent_day",
        "recent_week searches_week order_days order_gap order_due",
    ),
}
CAUSES = ("user", "item", *GROUPS)


class Explainable(Model, Protocol):
    """A ranking model that can be asked for its reasons; see tf_serving.Ranker."""

    async def explain(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]: ...


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken away (a group, an item, or one event with it), and what it did to the log-odds:
    positive speaks for the item.
    """

    cause: str
    is_item: bool
    purchase: float
    click: float
    event: Recent | None = None


class Variants(msgspec.Struct, frozen=True, kw_only=True):
    """The batch to score: first as it is, then without each of `groups`, each of `item_ids`, each of
    `events`.
    """

    batch: Batch
    groups: tuple[str, ...]
    item_ids: tuple[str, ...]
    events: tuple[Recent, ...]

    def inputs(self) -> Mapping[str, NDArray[Any]]:
        """Tensors of signature `explain`, the variants padded by the question itself."""
        batch, extra = self.batch, max(VARIANTS - len(self.batch.mask), 0)
        every = {
            name: np.concatenate([array, np.repeat(array[:1], extra, axis=0)])[None]
            for name, array in (
                ("user", batch.user),
                ("items", batch.items),
                ("cross", batch.cross),
                ("recent", batch.recent),
            )
        }
        return {**every, "hashes": batch.hashes[:1]}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Of N candidates: probabilities [N, H]; effects [V, N, H], what each variant lacks adds to the log-odds;
    and, where the model gives them, attributions of features [N, F, H] with the share that they miss [N].
    """

    probabilities: Floats
    effects: NDArray[np.float64]
    version: int
    fallback: bool
    attributions: Floats | None = None
    missed: Floats | None = None

    def integrated(self, candidate: int) -> bool:
        """Whether attributions may stand for what they claim to share out."""
        return self.missed is not None and float(self.missed[candidate]) <= MAX_ERROR


def group_of(feature: str) -> str:
    """The group that a feature belongs to."""
    for group, names in GROUPS.items():
        if feature in names:
            return group
    return "item" if feature in ITEM_FEATURES else "user"


_GROUP_OF = np.array([CAUSES.index(group_of(name)) for name in NAMES])


def variants(portrait: Portrait, listed: Listed, columns: ItemColumns, now_ms: int) -> Variants:
    """At most 49 variants of one user and up to 10 candidates.

    Similarity and co-visitation stay as the candidates brought them.
    """
    count = len(portrait.recent)
    past = list(dict.fromkeys(entry.item_id for entry in reversed(portrait.recent)))[:PAST_ITEMS]
    newest = range(count - 1, max(count - PAST_EVENTS, 0) - 1, -1)
    people = [
        portrait,
        *(without_item(portrait, item_id) for item_id in past),
        *(without_event(portrait, at) for at in newest),
    ]
    built = build(people, [listed] * len(people), columns, now_ms)
    order = np.array([0] * (1 + len(CAUSES)) + list(range(1, len(people))))
    fields = {name: getattr(built, name)[order] for name in built.__struct_fields__}
    for at, group in enumerate(CAUSES, start=1):
        fields["user"][at] *= _others(group, USER_FEATURES)
        fields["items"][at] *= _others(group, ITEM_FEATURES)
        fields["cross"][at] *= _others(group, CROSS_FEATURES)
    events = tuple(portrait.recent[at] for at in newest)
    return Variants(batch=Batch(**fields), groups=CAUSES, item_ids=tuple(past), events=events)


async def answer(model: Explainable, asked: Variants) -> Answer:
    """What the model says; of one that gives no reasons, or of the light scorer, what its scores tell."""
    try:
        outputs, version = await model.explain(asked.inputs())
        return _by_reasons(outputs, asked.batch, version)
    except (DeadlineExceeded, NotFound, Unavailable):
        scored = await scorer.score(model, asked.batch)
        return by_scores(scored.probabilities, scored.version, scored.fallback)


def by_scores(probabilities: Floats, version: int = 0, fallback: bool = False) -> Answer:
    """From the probabilities of all variants: float32 [V, N, H]."""
    clipped = np.clip(probabilities.astype(np.float64), 1e-7, 1.0 - 1e-7)
    log_odds = np.log(clipped / (1.0 - clipped))
    return Answer(
        probabilities=probabilities[0], effects=log_odds[0] - log_odds, version=version, fallback=fallback
    )


def _by_reasons(outputs: Mapping[str, NDArray[Any]], batch: Batch, version: int) -> Answer:
    """From the outputs of signature `explain`. Raises Unavailable where they are not what it promises."""
    shapes = {"log_odds": 3, "effects": 4, "attributions": 4, "gap": 3, "error": 3}
    found = [outputs.get(name, np.empty(0)) for name in shapes]
    if any(array.ndim != size or not len(array) for array, size in zip(found, shapes.values(), strict=True)):
        raise Unavailable("the ranking model gives no reasons")
    log_odds, effects, attributions, gap, error = (array[0] for array in found)
    (count, wanted), (width, heads) = batch.mask.shape, log_odds.shape
    sound = (
        width >= wanted
        and heads == len(HEADS)
        and len(effects) >= count
        and effects.shape[1:] == gap.shape == error.shape == log_odds.shape
        and attributions.shape == (width, len(NAMES), heads)
    )
    if not sound or not all(np.isfinite(array[0]).all() for array in found):
        raise Unavailable("the ranking model gives other reasons")
    away = np.maximum(np.abs(gap[:, _HEADS]), 1e-3)
    return Answer(
        probabilities=(1.0 / (1.0 + np.exp(-log_odds))).astype(np.float32),
        effects=effects[:count].astype(np.float64),
        version=version,
        fallback=False,
        attributions=attributions,
        missed=(error[:, _HEADS] / away).max(axis=-1),
    )


def causes(asked: Variants, found: Answer, candidate: int) -> list[Cause]:
    """Every group and past item of one candidate, strongest first."""
    groups, items = len(asked.groups), len(asked.item_ids)
    effects = found.effects[1 : 1 + groups, candidate]
    if found.attributions is not None and found.integrated(candidate):
        effects = np.zeros((groups, len(HEADS)))
        np.add.at(effects, _GROUP_OF, found.attributions[candidate])
    past = found.effects[1 + groups : 1 + groups + items, candidate]
    return _strongest_first(
        [*(_cause(name, False, effect) for name, effect in zip(asked.groups, effects, strict=True))]
        + [_cause(name, True, effect) for name, effect in zip(asked.item_ids, past, strict=True)]
    )


def events(asked: Variants, found: Answer, candidate: int) -> list[Cause]:
    """Every past event of one candidate by itself, strongest first."""
    first = 1 + len(asked.groups) + len(asked.item_ids)
    effects = found.effects[first : first + len(asked.events), candidate]
    return _strongest_first(
        [_cause(e.item_id, True, effect, e) for e, effect in zip(asked.events, effects, strict=True)]
    )


def _cause(name: str, is_item: bool, effect: NDArray[np.float64], event: Recent | None = None) -> Cause:
    purchase, click = float(effect[PURCHASE]), float(effect[CLICK])
    return Cause(cause=name, is_item=is_item, purchase=purchase, click=click, event=event)


def _strongest_first(found: list[Cause]) -> list[Cause]:
    return sorted(found, key=lambda cause: -(abs(cause.purchase) + abs(cause.click)))


def _others(group: str, names: Sequence[str]) -> NDArray[np.float32]:
    """1 for the features of other groups, 0 for those of this one."""
    return np.array([group_of(name) != group for name in names], dtype=np.float32)
