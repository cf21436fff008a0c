"""The reasons that a message may give: what each must know, and whom it suits."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from magpie_services.content import attributes
from magpie_services.content.slots import BITS, mask
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait, price_sensitivity


class Strategy(StrEnum):
    """The reason that a message gives."""

    PLAIN = "plain"
    PRICE_DROP = "price_drop"
    BACK_IN_STOCK = "back_in_stock"
    LOW_STOCK = "low_stock"
    CART_REMINDER = "cart_reminder"
    BECAUSE_YOU_VIEWED = "because_you_viewed"
    COMPLEMENT = "complement"
    REPLENISH = "replenish"
    NEW_FROM_BRAND = "new_from_brand"
    TRENDING = "trending"
    WELL_REVIEWED = "well_reviewed"
    SEASONAL = "seasonal"
    PREMIUM = "premium"
    NEW_ARRIVAL = "new_arrival"


class Tone(StrEnum):
    """How a message speaks."""

    PLAIN = "plain"
    PLAYFUL = "playful"
    PREMIUM = "premium"


Weight = Callable[[Portrait, Item], float]
WELL_RATED = 4.5
ENOUGH_RATINGS = 20

# What must hold when a message is sent, not only when it is written; by the names that rules use.
PREDICATES: Mapping[str, Callable[[Item, int], bool]] = {
    "in_stock": lambda item, _filled: item.available,
    "price_below_list": lambda _item, filled: bool(filled & BITS["drop"]),
    "lately_back": lambda _item, filled: bool(filled & BITS["back"]),
    "few_left": lambda _item, filled: bool(filled & BITS["few"]),
    "still_in_cart": lambda _item, filled: bool(filled & BITS["cart"]),
    "still_new": lambda _item, filled: bool(filled & BITS["new"]),
    "popular_now": lambda _item, filled: bool(filled & BITS["popular"]),
    "season_now": lambda _item, filled: bool(filled & BITS["season"]),
    "well_rated": lambda item, _filled: item.rating >= WELL_RATED and item.rating_count >= ENOUGH_RATINGS,
}


class Rule(msgspec.Struct, frozen=True):
    """When a strategy may speak and how much it suits a user.

    All slots of `needs` must be filled and all `predicates` hold; of each mask of `says` the message must
    fill one slot at least, or it would not give its reason.
    """

    needs: int
    predicates: frozenset[str]
    says: tuple[int, ...]
    weight: Weight


def _constant(weight: float) -> Weight:
    return lambda _portrait, _item: weight


def _bargain(portrait: Portrait, item: Item) -> float:
    return (0.5 + 3.0 * price_sensitivity(portrait)) * (0.5 + 2.0 * item.discount)


def _choice(portrait: Portrait, _item: Item) -> float:
    quality = 2.0 if attributes.minds_quality(portrait.traits) else 0.6
    return quality * max(0.0, 1.0 - price_sensitivity(portrait))


def _rule(needs: str, predicates: str, weight: Weight, *says: str) -> Rule:
    named = (mask(*one.split()) for one in says)
    return Rule(mask("item", *needs.split()), frozenset(predicates.split()), tuple(named), weight)


RULES: Mapping[Strategy, Rule] = {
    Strategy.PLAIN: _rule("", "", _constant(0.4)),
    Strategy.PRICE_DROP: _rule(
        "drop price was saved", "in_stock price_below_list", _bargain, "drop off zhe saved was"
    ),
    Strategy.BACK_IN_STOCK: _rule("back", "in_stock lately_back", _constant(3.0), "back"),
    Strategy.LOW_STOCK: _rule("stock few", "in_stock few_left", _constant(1.2), "stock few"),
    Strategy.CART_REMINDER: _rule("cart", "in_stock still_in_cart", _constant(3.0), "cart"),
    Strategy.BECAUSE_YOU_VIEWED: _rule("because viewed", "in_stock", _constant(1.5), "because"),
    Strategy.COMPLEMENT: _rule("because bought", "in_stock", _constant(1.5), "because"),
    Strategy.REPLENISH: _rule("again", "in_stock", _constant(2.0), "again days"),
    Strategy.NEW_FROM_BRAND: _rule("brand new", "in_stock still_new", _constant(1.2), "brand", "new"),
    Strategy.TRENDING: _rule("popular", "in_stock popular_now", _constant(1.0), "popular rank"),
    Strategy.WELL_REVIEWED: _rule("rating ratings", "in_stock well_rated", _constant(1.2), "rating"),
    Strategy.SEASONAL: _rule("season", "in_stock season_now", _constant(2.0), "season"),
    Strategy.PREMIUM: _rule("attrs several", "in_stock", _choice, "attrs look"),
    Strategy.NEW_ARRIVAL: _rule("new", "in_stock still_new", _constant(1.2), "new"),
}

_PLAIN_TONES = {Tone.PLAIN: 0.6, Tone.PLAYFUL: 0.3, Tone.PREMIUM: 0.1}
_LIVELY_TONES = {Tone.PLAIN: 0.3, Tone.PLAYFUL: 0.65, Tone.PREMIUM: 0.05}
_COMPOSED_TONES = {Tone.PLAIN: 0.35, Tone.PREMIUM: 0.65}


def eligible(filled: int, item: Item) -> list[Strategy]:
    """The strategies whose facts are there, in a fixed order."""
    held = {name for name, holds in PREDICATES.items() if holds(item, filled)}
    return [
        strategy
        for strategy, rule in RULES.items()
        if rule.needs & filled == rule.needs and rule.predicates <= held
    ]


def weight(strategy: Strategy, portrait: Portrait, item: Item) -> float:
    """How much a strategy suits somebody, relative to the others; positive."""
    return max(RULES[strategy].weight(portrait, item), 1e-3)


def tones(strategy: Strategy, portrait: Portrait) -> Mapping[Tone, float]:
    """Chances of each tone for a strategy and a user; they sum to 1."""
    if strategy is Strategy.PREMIUM:
        return _COMPOSED_TONES
    return _LIVELY_TONES if attributes.minds_fun(portrait.traits) else _PLAIN_TONES
