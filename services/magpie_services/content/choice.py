"""Which variant to write: what there is to choose from, the circumstances, and the chance of each choice."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from magpie_services.content.dice import Dice
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.memory import HOUR_MS
from magpie_services.core.portraits import Portrait, price_sensitivity

NONE = "none"
# Most messages come to the point at once, and half of them end with it.
NO_OPENER_WEIGHT = 0.7
NO_CALL_WEIGHT = 0.5
MAX_ROLLS = 48


class Variant(NamedTuple):
    """The unit that choice learns by: the reason, how it speaks, how it opens and how it ends."""

    strategy: Strategy
    tone: Tone
    opener: str
    call: str

    def variant_id(self, locale: str) -> str:
        """Its name in a locale, for example "en:price_drop:playful:hello:look"."""
        return f"{locale}:{self.strategy}:{self.tone}:{self.opener}:{self.call}"


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
    """What is possible for one brief, with prior weights that need not sum to 1."""

    locale: str
    strategies: Mapping[Strategy, float]
    tones: Mapping[Strategy, Mapping[Tone, float]]
    openers: tuple[str, ...]
    calls: tuple[str, ...]


class Circumstances(NamedTuple):
    """Where a choice is made: `key` groups users alike, `recent` has (variant id, days ago) of pushes."""

    key: str
    recent: tuple[tuple[str, float], ...]


def circumstances(portrait: Portrait, now_ms: int) -> Circumstances:
    """Where somebody is in their life with the shop, how they look at prices, and the time of their day."""
    sensitivity = price_sensitivity(portrait)
    price = "bargain" if sensitivity >= 0.6 else "choice" if sensitivity <= 0.4 else "even"
    hour = (now_ms + portrait.local_offset_ms(now_ms)) // HOUR_MS % 24
    part = "night" if hour < 6 else "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return Circumstances(f"{portrait.stage(now_ms)}.{price}.{part}", ())


class Chooser(Protocol):
    """Chooses a variant of a menu."""

    def draw(
        self, menu: Menu, circumstances: Circumstances, dice: Dice, taken: Collection[Variant]
    ) -> tuple[Variant, float] | None:
        """A variant that is not taken, and the probability of drawing it; None when none is left."""
        ...


class PriorChooser:
    """Chooses by the menu's weights alone: the product of the chances of strategy, tone, opener and call."""

    def draw(
        self, menu: Menu, circumstances: Circumstances, dice: Dice, taken: Collection[Variant]
    ) -> tuple[Variant, float] | None:
        """As Chooser says; the propensity is exact."""
        open_chance = 1.0 - sum(self._chance(menu, variant) for variant in taken)
        openers = _chances(menu.openers, NO_OPENER_WEIGHT)
        calls = _chances(menu.calls, NO_CALL_WEIGHT)
        for _ in range(MAX_ROLLS):
            strategy, first = dice.pick(list(menu.strategies.items()))
            tone, second = dice.pick(list(menu.tones[strategy].items()))
            opener, third = dice.pick(openers)
            call, fourth = dice.pick(calls)
            variant = Variant(strategy, tone, opener, call)
            if variant not in taken:
                chance = first * second * third * fourth
                return variant, min(1.0, chance / open_chance) if open_chance > 1e-9 else 1.0
        return None

    @staticmethod
    def _chance(menu: Menu, variant: Variant) -> float:
        chance = 1.0
        tones = menu.tones.get(variant.strategy, {})
        for weights, key in (
            (menu.strategies, variant.strategy),
            (tones, variant.tone),
            (dict(_chances(menu.openers, NO_OPENER_WEIGHT)), variant.opener),
            (dict(_chances(menu.calls, NO_CALL_WEIGHT)), variant.call),
        ):
            weight = weights.get(key, 0.0)  # type: ignore[call-overload]
            if not weight:
                return 0.0
            chance *= weight / sum(weights.values())
        return chance


def _chances(names: tuple[str, ...], none: float) -> list[tuple[str, float]]:
    """Chances of openers or calls: `none` for having none, the rest in equal parts."""
    other = (1.0 - none) / max(1, len(names) - 1)
    return [(name, none if name == NONE else other) for name in names]
