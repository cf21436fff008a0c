"""Which variant to write: what there is to choose from, the circumstances, and the chance of each choice.

A text by a language model is one more ending of its strategy and tone, beside the openers and calls of the
grammar: `Menu.models` has the pairs of which one is in the pool, and its variant is `Variant(strategy, tone,
*MODEL_ENDING)`. So what was learnt of a strategy and a tone holds for it, and who wrote it is weighed as an
opener is ("opener=model", and together with strategy, tone and circumstances).
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from magpie_services.content.dice import Dice
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.memory import DAY_MS, HOUR_MS
from magpie_services.core.portraits import Portrait, price_sensitivity

NONE = "none"
# Most messages come to the point at once, and end with it.
NO_OPENER_WEIGHT = 0.9
NO_CALL_WEIGHT = 0.75
# Opener and call of a variant that a language model wrote.
MODEL_OPENER = "model"
MODEL_ENDING = (MODEL_OPENER, NONE)
# How often a text by a model is taken where there is one, before anything is known of it.
MODEL_WEIGHT = 0.3
MAX_ROLLS = 48
# How somebody looks at prices. As sensitive to them as _BARGAIN, or as little as _CHOICE, is more than what
# everybody starts from (0.5).
PRICES = ("bargain", "even", "choice")
_BARGAIN, _CHOICE = 0.6, 0.4
PARTS = ("night", "morning", "afternoon", "evening")

Weights = tuple[tuple[str, float], ...]


class Variant(NamedTuple):
    """The unit that choice learns by: the reason, how it speaks, how it opens and how it ends."""

    strategy: Strategy
    tone: Tone
    opener: str
    call: str

    def variant_id(self, locale: str) -> str:
        """Its name in a locale, for example "en:price_drop:playful:hello:look"."""
        return f"{locale}:{self.strategy}:{self.tone}:{self.opener}:{self.call}"


@lru_cache(maxsize=1 << 14)
def parse(variant_id: str) -> tuple[str, Variant] | None:
    """The locale and variant that an id names, None for anything else."""
    parts = variant_id.split(":")
    if len(parts) != 5:
        return None
    try:
        return parts[0], Variant(Strategy(parts[1]), Tone(parts[2]), parts[3], parts[4])
    except ValueError:
        return None


class Menu(NamedTuple):
    """What is possible for one brief, with prior weights that need not sum to 1.

    `models` has the pairs of strategy and tone, all of them possible, for which a text by a model is there.
    """

    locale: str
    strategies: Mapping[Strategy, float]
    tones: Mapping[Strategy, Mapping[Tone, float]]
    openers: tuple[str, ...]
    calls: tuple[str, ...]
    models: frozenset[tuple[Strategy, Tone]] = frozenset()


class Circumstances(NamedTuple):
    """Where a choice is made: `key` groups users alike, `recent` has (variant id, days ago) of pushes."""

    key: str
    recent: tuple[tuple[str, float], ...]


def circumstances(portrait: Portrait, now_ms: int) -> Circumstances:
    """Where somebody is in their life with the shop, how they look at prices, and the time of their day."""
    hour = (now_ms + portrait.local_offset_ms(now_ms)) // HOUR_MS % 24
    part = "night" if hour < 6 else "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    recent = tuple(
        (push.variant_id, max(0, now_ms - push.sent_ms) / DAY_MS)
        for push in portrait.pushes.recent
        if push.variant_id
    )
    return Circumstances(f"{portrait.stage(now_ms)}.{price_view(portrait)}.{part}", recent)


def price_view(portrait: Portrait) -> str:
    """One of PRICES."""
    sensitivity = price_sensitivity(portrait)
    return "bargain" if sensitivity >= _BARGAIN else "choice" if sensitivity <= _CHOICE else "even"


class Chooser(Protocol):
    """Chooses a variant of a menu."""

    def draw(
        self, menu: Menu, circumstances: Circumstances, dice: Dice, taken: Collection[Variant]
    ) -> tuple[Variant, float] | None:
        """A variant that is not taken, and the probability of drawing it; None when none is left."""
        ...

    def propensity(
        self, menu: Menu, circumstances: Circumstances, variant: Variant, taken: Collection[Variant]
    ) -> float:
        """The probability of drawing a variant of the menu that is not taken."""
        ...


class PriorChooser:
    """Chooses by the menu's weights alone: the product of the chances of strategy, tone, opener and call."""

    def draw(
        self, menu: Menu, circumstances: Circumstances, dice: Dice, taken: Collection[Variant]
    ) -> tuple[Variant, float] | None:
        """As Chooser says; the propensity is exact."""
        openers, calls = opener_weights(menu.openers), call_weights(menu.calls)
        for _ in range(MAX_ROLLS):
            strategy, _first = dice.pick(list(menu.strategies.items()))
            tone, _second = dice.pick(list(menu.tones[strategy].items()))
            if (strategy, tone) in menu.models and dice.roll() < MODEL_WEIGHT:
                variant = Variant(strategy, tone, *MODEL_ENDING)
            else:
                variant = Variant(strategy, tone, dice.pick(openers)[0], dice.pick(calls)[0])
            if variant not in taken:
                return variant, self.chance(menu, variant, taken)
        return None

    def propensity(
        self, menu: Menu, circumstances: Circumstances, variant: Variant, taken: Collection[Variant]
    ) -> float:
        """As Chooser says."""
        return self.chance(menu, variant, taken)

    def chance(self, menu: Menu, variant: Variant, taken: Collection[Variant]) -> float:
        """The probability that a variant, which is not taken, is drawn."""
        left = 1.0 - sum(_chance(menu, one) for one in taken)
        return min(1.0, _chance(menu, variant) / left) if left > 1e-9 else 1.0


def _chance(menu: Menu, variant: Variant) -> float:
    """The chance of a variant with nothing taken; 0 of one that is not on the menu."""
    tones = menu.tones.get(variant.strategy)
    if tones is None or variant.tone not in tones:
        return 0.0
    chance = menu.strategies[variant.strategy] / sum(menu.strategies.values())
    chance *= tones[variant.tone] / sum(tones.values())
    modelled = (variant.strategy, variant.tone) in menu.models
    if variant[2:] == MODEL_ENDING:
        return chance * MODEL_WEIGHT if modelled else 0.0
    if variant.opener not in menu.openers or variant.call not in menu.calls:
        return 0.0
    openers, calls = dict(opener_weights(menu.openers)), dict(call_weights(menu.calls))
    chance *= openers[variant.opener] / sum(openers.values()) * calls[variant.call] / sum(calls.values())
    return chance * (1.0 - MODEL_WEIGHT if modelled else 1.0)


def opener_weights(openers: tuple[str, ...]) -> Weights:
    """The prior weights of the openers of a menu."""
    return _weights(openers, NO_OPENER_WEIGHT)


def call_weights(calls: tuple[str, ...]) -> Weights:
    """The prior weights of the calls of a menu."""
    return _weights(calls, NO_CALL_WEIGHT)


@lru_cache(maxsize=64)
def _weights(names: tuple[str, ...], none: float) -> Weights:
    """`none` for having none, the rest in equal parts."""
    other = (1.0 - none) / max(1, len(names) - 1)
    return tuple((name, none if name == NONE else other) for name in names)
