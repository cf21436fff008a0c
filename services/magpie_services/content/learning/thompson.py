"""Chooses variants by Thompson sampling with exact propensities.

Some draws of all weights from their posterior are held at a time. A message takes one of them at random and
the best variant by it; so the probability of a variant is the share of the draws by which it is the best: it
is counted, not estimated. A small share of messages follows the menu's weights alone, whatever was learnt.
"""

import math
from collections import OrderedDict
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.content.choice import (
    Circumstances,
    Menu,
    PriorChooser,
    Variant,
    Weights,
    call_weights,
    opener_weights,
)
from magpie_services.content.dice import Dice
from magpie_services.content.learning import habit, regression
from magpie_services.content.learning.features import FACTORS, PARTS, code, family
from magpie_services.content.learning.habit import HABIT, Habit
from magpie_services.content.learning.tables import Common, Draws, Table
from magpie_services.content.strategies import Strategy, Tone

DRAWS = 128
FLOOR = 0.02
# Draws are this much closer together than the posterior is wide (Chapelle & Li, "An Empirical Evaluation of
# Thompson Sampling", 2011, "posterior reshaping"): with hundreds of weights, and many forms of which some
# always look good by chance, plain sampling tries for longer than what it finds can repay.
SHARPNESS = 1.4
CACHED_TABLES = 128  # of a third of a megabyte each
# A handwritten weight counts as a prior mean: its logarithm times this share of the prior's deviation. Before
# anything is learnt, choice then follows the weights about as far as they go (a Gumbel has deviation 1.28).
_TRUST = 1.0 / 1.28
_STRATEGIES = {Strategy(name): at for at, name in enumerate(FACTORS["strategy"])}
_TONES = {Tone(name): at for at, name in enumerate(FACTORS["tone"])}


class Lesson(NamedTuple):
    """What is known at a time: draws of all weights [draws, SIZE], the posterior's mean and deviation
    [SIZE].
    """

    draws: Draws
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, posterior: regression.Posterior, seed: int, draws: int = DRAWS) -> "Lesson":
        """The lesson of a posterior; the same seed draws the same."""
        drawn = posterior.draws(draws, np.random.default_rng(seed), SHARPNESS)
        return cls(drawn, posterior.mean, posterior.deviation)


class ThompsonChooser:
    """See `choice.Chooser`. Not safe for use from several threads at once."""

    def __init__(self, *, floor: float = FLOOR, habits: Habit = HABIT) -> None:
        """`floor` is the share of messages that are chosen by the menu's weights alone."""
        self._floor = floor
        self._habit = habits
        self._prior = PriorChooser()
        self.learn(Lesson.of(regression.prior(), seed=0))

    @property
    def lesson(self) -> Lesson:
        """What it chooses by."""
        return self._lesson

    def learn(self, lesson: Lesson) -> None:
        """Chooses by this from now on."""
        self._lesson = lesson
        self._common = Common.of(lesson.draws)
        self._handwritten = {name: _handwritten(name, lesson) for name in PARTS}
        self._tables: OrderedDict[tuple[object, ...], Table] = OrderedDict()

    def draw(
        self, menu: Menu, circumstances: Circumstances, dice: Dice, taken: Collection[Variant]
    ) -> tuple[Variant, float] | None:
        """As Chooser says; the propensity is exact for the draws held at the time."""
        contest = self._contest(menu, circumstances, taken)
        variant = contest.pick(dice.below(len(self._lesson.draws)))
        if self._floor and dice.roll() < self._floor:
            drawn = self._prior.draw(menu, circumstances, dice, taken)
            variant = drawn[0] if drawn else variant
        return None if variant is None else (variant, self._mixed(contest, menu, variant, taken))

    def propensity(
        self, menu: Menu, circumstances: Circumstances, variant: Variant, taken: Collection[Variant]
    ) -> float:
        """As Chooser says."""
        return self._mixed(self._contest(menu, circumstances, taken), menu, variant, taken)

    def handwritten(self, factor: str) -> list[float]:
        """What the logarithm of a handwritten weight counts for, by level of a part."""
        return self._handwritten[factor]

    def _mixed(self, contest: "_Contest", menu: Menu, variant: Variant, taken: Collection[Variant]) -> float:
        byhand = self._prior.chance(menu, variant, taken) if self._floor else 0.0
        return (1.0 - self._floor) * contest.share(variant) + self._floor * byhand

    def _contest(self, menu: Menu, circumstances: Circumstances, taken: Collection[Variant]) -> "_Contest":
        table = self._table(menu, circumstances)
        tired, repeated = self._habit.penalties(circumstances.recent, menu.locale)
        weights, chances = self._handwritten["strategy"], self._handwritten["tone"]
        pairs: list[tuple[Strategy, Tone]] = []
        offsets: list[float] = []
        levels: list[int] = []
        for strategy, weight in menu.strategies.items():
            liking = weights[_STRATEGIES[strategy]] * math.log(weight)
            level = habit.tired(tired.get(strategy, 0.0))
            for tone, chance in menu.tones[strategy].items():
                pairs.append((strategy, tone))
                levels.append(level)
                offsets.append(liking + chances[_TONES[tone]] * math.log(chance))
        at = [_STRATEGIES[strategy] * len(_TONES) + _TONES[tone] for strategy, tone in pairs]
        scores, endings = table.best.take(at, axis=0), table.ending.take(at, axis=0)
        for pair in menu.models:
            place = pairs.index(pair)
            table.offer_model(at[place], scores[place], endings[place])
        less: dict[tuple[Strategy, Tone], list[tuple[int, Draws]]] = {}
        of_level = self._common.tired
        for variant in {**repeated, **dict.fromkeys(taken)}:
            ending = table.places.get((variant.opener, variant.call))
            if ending is None or variant.strategy not in menu.strategies:
                continue
            before = tired.get(variant.strategy, 0.0)
            after = before + repeated.get(variant, 0.0)
            more = of_level[habit.tired(before)] - of_level[habit.tired(after)]
            penalty = np.full_like(more, np.inf) if variant in taken else more
            less.setdefault((variant.strategy, variant.tone), []).append((ending, penalty))
        for place, pair in enumerate(pairs):
            if pair in less:
                table.lessen(at[place], less[pair], pair in menu.models, scores[place], endings[place])
        scores += of_level.take(levels, axis=0)
        scores += np.array(offsets, np.float32)[:, None]
        return _Contest(pairs, table.places, scores, endings)

    def _table(self, menu: Menu, circumstances: Circumstances) -> Table:
        key = (menu.locale, circumstances.key, menu.openers, menu.calls)
        table = self._tables.get(key)
        if table is None:
            openers = self._liked("opener", opener_weights(menu.openers))
            calls = self._liked("call", call_weights(menu.calls))
            table = Table.build(self._common, menu, circumstances.key, (openers, calls))
            self._tables[key] = table
            if len(self._tables) > CACHED_TABLES:
                self._tables.popitem(last=False)
        else:
            self._tables.move_to_end(key)
        return table

    def _liked(self, factor: str, weights: Weights) -> Draws:
        """What handwritten weights add to the score of each level: [levels]."""
        counted = self._handwritten[factor]
        return np.array([counted[code(factor, name)] * math.log(one) for name, one in weights], np.float32)


class _Contest:
    """Who wins by each draw: `scores` and `endings` are [pairs, draws]."""

    def __init__(
        self,
        pairs: list[tuple[Strategy, Tone]],
        places: dict[tuple[str, str], int],
        scores: Draws,
        endings: NDArray[np.intp],
    ) -> None:
        self._pairs = pairs
        self._places = places
        self._endings = endings
        self._best = scores.argmax(axis=0)
        self._open = scores[self._best[0], 0] > -np.inf

    def pick(self, draw: int) -> Variant | None:
        """The best by one draw; None where nothing is left."""
        if not self._open:
            return None
        pair = int(self._best[draw])
        ending = int(self._endings[pair, draw])
        return Variant(*self._pairs[pair], *list(self._places)[ending])

    def share(self, variant: Variant) -> float:
        """The share of draws by which a variant of the menu is the best."""
        if not self._open:
            return 0.0
        pair = self._pairs.index((variant.strategy, variant.tone))
        ending = self._places[variant.opener, variant.call]
        won = np.count_nonzero((self._best == pair) & (self._endings[pair] == ending))
        return won / len(self._best)


def _handwritten(name: str, lesson: Lesson) -> list[float]:
    """How much the logarithm of a handwritten weight still counts, by level: as a prior mean fades."""
    one = family(name)
    left = np.square(lesson.deviation[one.place]) / one.deviation**2
    counted: list[float] = (_TRUST * one.deviation * np.minimum(left, 1.0)).tolist()
    return counted
