"""How much less a message says to somebody who read its like a short while ago, and how that recovers.

A penalty of `weight * 2^(-days / half_life)` in log-odds for each push of the same family (its strategy) and
another for each of the very same variant: the recovering difference of Yancey & Settles, "A Sleeping,
Recovering Bandit Algorithm for Optimizing Recurring Notifications", KDD 2020, there of the last push alone.
What the penalties are expected to be is said here; what each level of them is worth is a weight like others,
learnt from what was answered.
"""

from collections.abc import Sequence
from typing import NamedTuple

from magpie_services.content import choice
from magpie_services.content.choice import Circumstances, Variant
from magpie_services.content.strategies import Strategy

NEGLIGIBLE = 0.01
TIRED, TIRED_LEVELS = "tired", 10
STEP = 0.1


class Habit(NamedTuple):
    """Weights in log-odds of a click, half-lives in days."""

    strategy_weight: float = 0.35
    strategy_days: float = 3.0
    variant_weight: float = 0.35
    variant_days: float = 7.0

    def penalties(
        self, recent: Sequence[tuple[str, float]], locale: str
    ) -> tuple[dict[Strategy, float], dict[Variant, float]]:
        """What to take from the log-odds of strategies, and further from those of single variants.

        `recent` has (variant id, days ago) of pushes; ids of no variant are passed over.
        """
        strategies: dict[Strategy, float] = {}
        variants: dict[Variant, float] = {}
        for variant_id, days in recent:
            known = choice.parse(variant_id)
            if known is None:
                continue
            spoken, variant = known
            family = self.strategy_weight * 2.0 ** (-days / self.strategy_days)
            if family > NEGLIGIBLE:
                strategies[variant.strategy] = strategies.get(variant.strategy, 0.0) + family
            same = self.variant_weight * 2.0 ** (-days / self.variant_days)
            if spoken == locale and same > NEGLIGIBLE:
                variants[variant] = variants.get(variant, 0.0) + same
        return strategies, variants

    def context(self, circumstances: Circumstances, variant: Variant, locale: str) -> str:
        """The circumstances as they are logged, with how tired somebody was of what was chosen: to learn of a
        form that is sent often as if it had been news to everybody.

        For example "active.bargain.evening", and "active.bargain.evening.tired3" for a penalty of 0.3.
        """
        strategies, variants = self.penalties(circumstances.recent, locale)
        level = tired(strategies.get(variant.strategy, 0.0) + variants.get(variant, 0.0))
        return f"{circumstances.key}.{TIRED}{level}" if level else circumstances.key


def tired(penalty: float) -> int:
    """The level of a penalty, 0 to TIRED_LEVELS - 1."""
    return min(round(penalty / STEP), TIRED_LEVELS - 1)


def parse(context: str) -> tuple[str, int]:
    """Circumstances and level of a logged context."""
    key, _, level = context.partition(f".{TIRED}")
    return key, min(int(level), TIRED_LEVELS - 1) if level.isdecimal() else 0


HABIT = Habit()
