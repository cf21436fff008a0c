"""What a variant in its circumstances is made of: the features that the weights of the choice belong to.

A feature is a level of one factor ("tone=playful") or of two together ("tone=playful&stage=active"). The
weight of two together says how they differ from what each says by itself, so it is
centred on the pooled effect.
"""

from itertools import product
from math import prod
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from magpie_services.content import choice
from magpie_services.content.choice import MODEL_OPENER
from magpie_services.content.grammar.packs import CALLS, LOCALES, OPENERS
from magpie_services.content.learning import habit
from magpie_services.content.learning.habit import TIRED_LEVELS
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.portraits import Stage

FACTORS: dict[str, tuple[str, ...]] = {
    "strategy": tuple(strategy.value for strategy in Strategy),
    "tone": tuple(tone.value for tone in Tone),
    "opener": (*OPENERS, MODEL_OPENER),
    "call": CALLS,
    "stage": tuple(stage.value for stage in Stage),
    "price": choice.PRICES,
    "part": choice.PARTS,
    "locale": LOCALES,
    "tired": tuple(str(level) for level in range(TIRED_LEVELS)),
}
PARTS = ("strategy", "tone", "opener", "call")
CIRCUMSTANCES = ("stage", "price", "part", "locale")
_LEVELS = {name: {level: code for code, level in enumerate(levels)} for name, levels in FACTORS.items()}
_ORDER = tuple(FACTORS)

Codes = tuple[int, ...]


class Family(NamedTuple):
    """Features of one kind: of the factors named, with their place among all features.

    `deviation` is how far the weights are expected from zero before anything is known, in log-odds.
    """

    factors: tuple[str, ...]
    start: int
    shape: tuple[int, ...]
    deviation: float

    @property
    def size(self) -> int:
        """Number of features."""
        return prod(self.shape)

    @property
    def place(self) -> slice:
        """Where they are among all features."""
        return slice(self.start, self.start + self.size)

    def columns(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which of its own features each row of `codes` [n, factors] has: [n], from 0."""
        found = np.zeros(len(codes), np.intp)
        for factor, size in zip(self.factors, self.shape, strict=True):
            found = found * size + codes[:, _ORDER.index(factor)]
        return found

    def names(self) -> list[str]:
        """As people read them: "tone=playful&stage=active"."""
        levels = product(*(FACTORS[factor] for factor in self.factors))
        return ["&".join(map("=".join, zip(self.factors, level, strict=True))) for level in levels]


def _families() -> tuple[Family, ...]:
    wanted: list[tuple[tuple[str, ...], float]] = [((), 3.0)]
    wanted += [((one,), 0.5) for one in CIRCUMSTANCES]
    wanted += [(("strategy",), 0.4), (("tone",), 0.3), (("opener",), 0.2), (("call",), 0.2)]
    wanted += [(("tired",), 0.2)]
    wanted += [((part, where), 0.15) for part in PARTS for where in CIRCUMSTANCES]
    wanted += [(("strategy", part), 0.15) for part in ("tone", "opener", "call")]
    wanted += [(("tone", part), 0.1) for part in ("opener", "call")]
    families: list[Family] = []
    start = 0
    for factors, deviation in wanted:
        families.append(Family(factors, start, tuple(len(FACTORS[one]) for one in factors), deviation))
        start += families[-1].size
    return tuple(families)


FAMILIES = _families()
SIZE = FAMILIES[-1].start + FAMILIES[-1].size
_BY_FACTORS = {family.factors: family for family in FAMILIES}


def family(*factors: str) -> Family:
    """The features of these factors. Raises KeyError."""
    return _BY_FACTORS[factors]


def codes(variant_id: str, context: str) -> Codes | None:
    """The levels of every factor, in their order; None where this release does not know one of them.

    `context` is what `Habit.context` says.
    """
    known = choice.parse(variant_id)
    key, tired = habit.parse(context)
    circumstances = key.split(".")
    if known is None or len(circumstances) != len(CIRCUMSTANCES) - 1:
        return None
    locale, variant = known
    found = [_LEVELS[name].get(level) for name, level in zip(PARTS, variant, strict=True)]
    found += [
        _LEVELS[name].get(level) for name, level in zip(CIRCUMSTANCES, (*circumstances, locale), strict=True)
    ]
    found.append(tired)
    return None if None in found else tuple(code for code in found if code is not None)


def code(factor: str, level: str) -> int:
    """The place of a level of a factor. Raises KeyError."""
    return _LEVELS[factor][level]


def names() -> list[str]:
    """The names of all features in their order; the first, of every push, is "base"."""
    return [name for one in FAMILIES for name in (one.names() if one.factors else ["base"])]


# Tells releases apart whose weights do not mean the same.
FINGERPRINT = crc32("\n".join(names()).encode())
