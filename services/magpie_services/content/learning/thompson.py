"""Chooses variants by Thompson sampling with exact propensities.

Some draws of all weights from their posterior are held at a time. A message takes one of them at random and
the best variant by it; so the probability of a variant is the share of the draws by which it is the best: it
is counted, not estimated. A small share of messages follows the menu's weights alone, whatever was learnt.
"""

import math
from collections import OrderedDict
from collections.abc import Collection
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.content.choice import (
    MODEL_ENDING,
    Circumstances,
    Menu,
    PriorChooser,
    Variant,
    Weights,
    call_weights,
    opener_weights,
)
from magpie_services.content.dice import Dice
from magpie_services.content.learning import regression
from magpie_services.content.learning.features import CIRCUMSTANCES, FACTORS, PARTS, code, family
from magpie_services.content.learning.habit import Habit
from magpie_services.content.strategies import Strategy, Tone

Draws = NDArray[np.float32]

DRAWS = 128
FLOOR = 0.02
CACHED_TABLES = 128  # of a third of a megabyte each
# A handwritten weight counts as a prior mean: its logarithm times this share of the prior's deviation. Before
# anything is learnt, choice then follows the weights about as far as they go (a Gumbel has deviation 1.28).
_TRUST = 1.0 / 1.28
_STRATEGIES = {Strategy(name): at for at, name in enumerate(FACTORS["strategy"])}
_TONES = {Tone(name): at for at, name in enumerate(FACTORS["tone"])}
_OPENERS = {name: at for at, name in enumerate(FACTORS["opener"])}
_CALLS = {name: at for at, name in enumerate(FACTORS["call"])}


class Lesson(NamedTuple):
    """What is known at a time: draws of all weights [draws, SIZE] and the posterior's deviation [SIZE]."""

    draws: Draws
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, posterior: regression.Posterior, seed: int, draws: int = DRAWS) -> "Lesson":
        """The lesson of a posterior; the same seed draws the same."""
        return cls(posterior.draws(draws, np.random.default_rng(seed)), posterior.deviation)


class ThompsonChooser:
    """See `choice.Chooser`. Not safe for use from several threads at once."""

    def __init__(self, *, floor: float = FLOOR, habit: Habit | None = None) -> None:
        """`floor` is the share of messages that are chosen by the menu's weights alone."""
        self._floor = floor
        self._habit = habit or Habit()
        self._prior = PriorChooser()
        self.learn(Lesson.of(regression.prior(), seed=0))

    def learn(self, lesson: Lesson) -> None:
        """Chooses by this from now on."""
        self._lesson = lesson
        self._handwritten = {name: _handwritten(name, lesson) for name in PARTS}
        self._tables: OrderedDict[tuple[object, ...], _Table] = OrderedDict()

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
        repeated |= dict.fromkeys(taken, math.inf)
        weights, chances = self._handwritten["strategy"], self._handwritten["tone"]
        pairs: list[tuple[Strategy, Tone]] = []
        offsets: list[float] = []
        for strategy, weight in menu.strategies.items():
            liking = weights[_STRATEGIES[strategy]] * math.log(weight) - tired.get(strategy, 0.0)
            for tone, chance in menu.tones[strategy].items():
                pairs.append((strategy, tone))
                offsets.append(liking + chances[_TONES[tone]] * math.log(chance))
        at = [_STRATEGIES[strategy] * len(_TONES) + _TONES[tone] for strategy, tone in pairs]
        scores, endings = table.best.take(at, axis=0), table.ending.take(at, axis=0)
        for pair in menu.models:
            place = pairs.index(pair)
            table.offer_model(at[place], scores[place], endings[place])
        less: dict[tuple[Strategy, Tone], list[tuple[int, float]]] = {}
        for variant, penalty in repeated.items():
            ending = table.places.get((variant.opener, variant.call))
            if ending is not None:
                less.setdefault((variant.strategy, variant.tone), []).append((ending, penalty))
        for place, pair in enumerate(pairs):
            if pair in less:
                table.lessen(at[place], less[pair], pair in menu.models, scores[place], endings[place])
        scores += np.array(offsets, np.float32)[:, None]
        return _Contest(pairs, table.places, scores, endings)

    def _table(self, menu: Menu, circumstances: Circumstances) -> "_Table":
        key = (menu.locale, circumstances.key, menu.openers, menu.calls)
        table = self._tables.get(key)
        if table is None:
            openers = self._liked("opener", opener_weights(menu.openers))
            calls = self._liked("call", call_weights(menu.calls))
            table = _Table.build(self._lesson.draws, menu, circumstances.key, openers, calls)
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


class _Table(NamedTuple):
    """The scores of everything in one place, by every draw; a pair is strategy and tone.

    pairs [pairs, draws]; openers [pairs, draws, openers]; calls [pairs, draws, calls]; model [pairs, draws];
    best [pairs, draws] with the grammar's best ending of each, and which it is; `places` of all endings.
    """

    places: dict[tuple[str, str], int]
    pairs: Draws
    openers: Draws
    calls: Draws
    model: Draws
    best: Draws
    ending: NDArray[np.intp]

    @classmethod
    def build(cls, draws: Draws, menu: Menu, key: str, liked_openers: Draws, liked_calls: Draws) -> "_Table":
        places = (*key.split("."), menu.locale)
        where = [(name, code(name, level)) for name, level in zip(CIRCUMSTANCES, places, strict=True)]

        def weights(*factors: str) -> Draws:
            one = family(*factors)
            return draws[:, one.place].reshape(len(draws), *one.shape)

        def here(part: str) -> Draws:
            """The weights of a part in these circumstances: [draws, levels]."""
            return weights(part) + sum(weights(part, name)[:, :, level] for name, level in where)

        def by_pair(part: str) -> Draws:
            """The weights of a part after each pair: [pairs, draws, levels]."""
            found = here(part)[:, None, None, :] + weights("strategy", part)[:, :, None, :]
            return _pairs_first(found + weights("tone", part)[:, None, :, :])

        openers, calls = by_pair("opener"), by_pair("call")
        pairs = here("strategy")[:, :, None] + here("tone")[:, None, :] + weights("strategy", "tone")
        model = openers[:, :, _OPENERS[MODEL_ENDING[0]]] + calls[:, :, _CALLS[MODEL_ENDING[1]]]
        openers = openers[:, :, [_OPENERS[name] for name in menu.openers]] + liked_openers
        calls = calls[:, :, [_CALLS[name] for name in menu.calls]] + liked_calls
        # With nothing taken away, the best ending is the best opener with the best call.
        best = openers.max(axis=2) + calls.max(axis=2)
        ending = openers.argmax(axis=2) * len(menu.calls) + calls.argmax(axis=2)
        endings = [*product(menu.openers, menu.calls), MODEL_ENDING]
        flat = _pairs_first(pairs)
        numbered = {name: place for place, name in enumerate(endings)}
        return cls(numbered, flat, openers, calls, flat + model, flat + best, ending)

    def offer_model(self, at: int, scores: Draws, endings: NDArray[np.intp]) -> None:
        """Lets the text by a model compete in one pair, by `scores` and `endings` [draws], in place."""
        better = self.model[at] > scores
        scores[better] = self.model[at][better]
        endings[better] = len(self.places) - 1

    def lessen(
        self,
        at: int,
        less: list[tuple[int, float]],
        model: bool,
        scores: Draws,
        endings: NDArray[np.intp],
    ) -> None:
        """Takes penalties from endings of one pair, in `scores` and `endings` [draws], in place.

        Only where such an ending was the best can another be it now.
        """
        hit = endings == less[0][0]
        for ending, _ in less[1:]:
            hit |= endings == ending
        rows = hit.nonzero()[0]
        if not rows.size:
            return
        openers, calls = self.openers[at].take(rows, axis=0), self.calls[at].take(rows, axis=0)
        every = np.empty((rows.size, len(self.places)), np.float32)
        every[:, :-1] = (openers[:, :, None] + calls[:, None, :]).reshape(rows.size, -1)
        every[:, :-1] += self.pairs[at].take(rows)[:, None]
        every[:, -1] = self.model[at].take(rows) if model else -np.inf
        for ending, penalty in less:
            every[:, ending] -= penalty
        endings[rows] = best = every.argmax(axis=1)
        scores[rows] = every[np.arange(rows.size), best]


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


def _pairs_first(by_draw: Draws) -> Draws:
    """[draws, strategies, tones, …] as [pairs, draws, …]."""
    draws, strategies, tones, *rest = by_draw.shape
    return np.ascontiguousarray(by_draw.reshape(draws, strategies * tones, *rest).swapaxes(0, 1))


def _handwritten(name: str, lesson: Lesson) -> list[float]:
    """How much the logarithm of a handwritten weight still counts, by level: as a prior mean fades."""
    one = family(name)
    left = np.square(lesson.deviation[one.place]) / one.deviation**2
    counted: list[float] = (_TRUST * one.deviation * np.minimum(left, 1.0)).tolist()
    return counted
