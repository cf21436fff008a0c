"""The scores of all forms by every draw of the weights, put together once for each place where words are
chosen.

A pair is a strategy with a tone, an ending an opener with a call, or the text by a language model. Arrays
have the draws last, so that what belongs to one level lies together.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.content.choice import MODEL_ENDING, Menu
from magpie_services.content.learning.features import CIRCUMSTANCES, FACTORS, PARTS, code, family

Draws = NDArray[np.float32]
Endings = NDArray[np.intp]

PAIRS = len(FACTORS["strategy"]) * len(FACTORS["tone"])


def pair(strategy: str, tone: str) -> int:
    """The place of a pair. Raises KeyError."""
    return code("strategy", strategy) * len(FACTORS["tone"]) + code("tone", tone)


class Common(NamedTuple):
    """What the circumstances do not change: weights [SIZE, draws]; of pairs [PAIRS, draws], of openers and
    calls after each pair [levels, PAIRS, draws].
    """

    weights: Draws
    pairs: Draws
    openers: Draws
    calls: Draws
    tired: Draws

    @classmethod
    def of(cls, draws: Draws) -> "Common":
        """From draws of all weights, [draws, SIZE]."""
        weights = np.ascontiguousarray(draws.T)

        def after_pairs(part: str) -> Draws:
            """[levels, PAIRS, draws]"""
            both = (
                _of(weights, "strategy", part)[:, None] + _of(weights, "tone", part)[None, :]
            )  # strategies, tones, levels, draws
            return np.ascontiguousarray(both.reshape(PAIRS, *both.shape[2:]).swapaxes(0, 1))

        pairs = _of(weights, "strategy", "tone").reshape(PAIRS, -1)
        # A level never counts for more than one below, whatever a draw says.
        tired = np.minimum.accumulate(_of(weights, "tired"), axis=0)
        return cls(weights, pairs, after_pairs("opener"), after_pairs("call"), tired)


class Table(NamedTuple):
    """The scores in one place: pairs [PAIRS, draws]; openers and calls [levels, PAIRS, draws]; model [PAIRS,
    draws]; best [PAIRS, draws] with the grammar's best ending of each, and which it is; the places of
    endings.
    """

    places: dict[tuple[str, str], int]
    pairs: Draws
    openers: Draws
    calls: Draws
    model: Draws
    best: Draws
    ending: Endings

    @classmethod
    def build(cls, common: Common, menu: Menu, key: str, liked: tuple[Draws, Draws]) -> "Table":
        """For menus with these openers and calls, in circumstances `key`; `liked` is added to either's
        scores.
        """
        levels = (*key.split("."), menu.locale)
        where = [(name, code(name, level)) for name, level in zip(CIRCUMSTANCES, levels, strict=True)]

        def here(part: str) -> Draws:
            """The weights of a part in these circumstances: [levels, draws]."""
            found = _of(common.weights, part).copy()
            for name, level in where:
                found += _of(common.weights, part, name)[:, level]
            return found

        strategy, tone, opener, call = map(here, PARTS)
        pairs = common.pairs + (strategy[:, None] + tone[None, :]).reshape(PAIRS, -1)
        model_opener, model_call = code("opener", MODEL_ENDING[0]), code("call", MODEL_ENDING[1])
        model = pairs + common.openers[model_opener] + opener[model_opener]
        model += common.calls[model_call] + call[model_call]
        first = [code("opener", name) for name in menu.openers]
        last = [code("call", name) for name in menu.calls]
        openers = common.openers[first] + (opener[first] + liked[0][:, None])[:, None]
        calls = common.calls[last] + (call[last] + liked[1][:, None])[:, None]
        # With nothing taken away, the best ending is the best opener with the best call.
        best_opener, which_opener = _best(openers)
        best_call, which_call = _best(calls)
        endings = [*product(menu.openers, menu.calls), MODEL_ENDING]
        return cls(
            {name: place for place, name in enumerate(endings)},
            pairs,
            openers,
            calls,
            model,
            pairs + best_opener + best_call,
            which_opener * len(menu.calls) + which_call,
        )

    def offer_model(self, at: int, scores: Draws, endings: Endings) -> None:
        """Lets the text by a model compete in one pair, by `scores` and `endings` [draws], in place."""
        better = self.model[at] > scores
        scores[better] = self.model[at][better]
        endings[better] = len(self.places) - 1

    def lessen(
        self, at: int, less: list[tuple[int, Draws]], model: bool, scores: Draws, endings: Endings
    ) -> None:
        """Takes penalties [draws] from endings of one pair, in `scores` and `endings` [draws], in place.

        Only where such an ending was the best can another be it now.
        """
        hit = endings == less[0][0]
        for ending, _ in less[1:]:
            hit |= endings == ending
        rows = hit.nonzero()[0]
        if not rows.size:
            return
        openers, calls = self.openers[:, at].take(rows, axis=1), self.calls[:, at].take(rows, axis=1)
        every = np.empty((len(self.places), rows.size), np.float32)
        every[:-1] = (openers[:, None] + calls[None, :]).reshape(-1, rows.size)
        every[:-1] += self.pairs[at].take(rows)
        every[-1] = self.model[at].take(rows) if model else -np.inf
        for ending, penalty in less:
            every[ending] -= penalty.take(rows)
        endings[rows] = best = every.argmax(axis=0)
        scores[rows] = every[best, np.arange(rows.size)]


def _of(weights: Draws, *factors: str) -> Draws:
    """The weights of a family: [*levels, draws]."""
    one = family(*factors)
    found: Draws = weights[one.place].reshape(*one.shape, -1)
    return found


def _best(levels: Draws) -> tuple[Draws, Endings]:
    """The greatest over the first axis, and its place; quicker than argmax along so short an axis."""
    best, which = levels[0].copy(), np.zeros(levels.shape[1:], np.intp)
    for place in range(1, len(levels)):
        better = levels[place] > best
        np.copyto(best, levels[place], where=better)
        which[better] = place
    return best, which
