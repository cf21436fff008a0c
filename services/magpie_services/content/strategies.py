"""The reasons that a message may give: what each must know, and whom it suits."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from magpie_services.content import attributes
from magpie_services.content.facts import Slots
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


class Rule(msgspec.Struct, frozen=True):
    """When a strategy may speak (all of `needs` are filled and it `holds`) and how much it suits a user."""

    needs: frozenset[str]
    weight: Weight
    holds: Callable[[Item], bool] = lambda _item: True


def _constant(weight: float) -> Weight:
    return lambda _portrait, _item: weight


def _bargain(portrait: Portrait, item: Item) -> float:
    return (0.5 + 3.0 * price_sensitivity(portrait)) * (0.5 + 2.0 * item.discount)


def _choice(portrait: Portrait, _item: Item) -> float:
    quality = 3.0 if attributes.minds_quality(portrait.traits) else 1.0
    return quality * max(0.0, 1.0 - price_sensitivity(portrait))


def _needs(*slots: str) -> frozenset[str]:
    return frozenset(slots)


# SEASONAL is missing: no fact of the catalogue says which season an item is for, so it is never eligible.
RULES: Mapping[Strategy, Rule] = {
    Strategy.PLAIN: Rule(_needs("item"), _constant(0.4)),
    Strategy.PRICE_DROP: Rule(_needs("item", "drop", "off"), _bargain),
    Strategy.BACK_IN_STOCK: Rule(_needs("item", "back"), _constant(3.0)),
    Strategy.LOW_STOCK: Rule(_needs("item", "stock"), _constant(1.2)),
    Strategy.CART_REMINDER: Rule(_needs("item", "cart"), _constant(3.0)),
    Strategy.BECAUSE_YOU_VIEWED: Rule(_needs("item", "because", "viewed"), _constant(1.5)),
    Strategy.COMPLEMENT: Rule(_needs("item", "because", "bought"), _constant(1.5)),
    Strategy.REPLENISH: Rule(_needs("item", "again"), _constant(2.0)),
    Strategy.NEW_FROM_BRAND: Rule(_needs("item", "brand", "new"), _constant(1.2)),
    Strategy.TRENDING: Rule(_needs("item", "popular"), _constant(1.0)),
    Strategy.WELL_REVIEWED: Rule(
        _needs("item", "rating", "ratings"),
        _constant(1.2),
        lambda item: item.rating >= 4.5 and item.rating_count >= 20,
    ),
    Strategy.PREMIUM: Rule(_needs("item", "attrs"), _choice),
    Strategy.NEW_ARRIVAL: Rule(_needs("item", "new"), _constant(1.2)),
}

_PLAIN_TONES = {Tone.PLAIN: 0.6, Tone.PLAYFUL: 0.3, Tone.PREMIUM: 0.1}
_LIVELY_TONES = {Tone.PLAIN: 0.3, Tone.PLAYFUL: 0.65, Tone.PREMIUM: 0.05}
_COMPOSED_TONES = {Tone.PLAIN: 0.35, Tone.PREMIUM: 0.65}


def eligible(slots: Slots, item: Item) -> list[Strategy]:
    """The strategies whose facts are there, in a fixed order."""
    filled = slots.keys()
    return [strategy for strategy, rule in RULES.items() if rule.needs <= filled and rule.holds(item)]


def weight(strategy: Strategy, portrait: Portrait, item: Item) -> float:
    """How much a strategy suits somebody, relative to the others; positive."""
    return max(RULES[strategy].weight(portrait, item), 1e-3)


def tones(strategy: Strategy, portrait: Portrait) -> Mapping[Tone, float]:
    """Chances of each tone for a strategy and a user; they sum to 1."""
    if strategy is Strategy.PREMIUM:
        return _COMPOSED_TONES
    return _LIVELY_TONES if attributes.minds_fun(portrait.traits) else _PLAIN_TONES
