"""The observer: an oracle without eyes for needs. It knows the world and its people, but not their needs.

Needs come and go, and are seen only by what people do. The observer keeps a belief of each, by Bayes'
rule with the world's own chances, from the aisles that people look around in and from what they buy; it
weighs a push by that belief. What the oracle wins beyond it nobody could win who must look from outside:
the share of the gap that it closes is about the most that any learner can hope for. Approximate: needs
are believed independent and, where there are any, of one strength; before the first visit they are as
common as they are on average.
"""

from dataclasses import dataclass, replace

import numpy as np

from magpie_simulator import visits
from magpie_simulator.acts import Kind, Table
from magpie_simulator.oracle import Oracle, value
from magpie_simulator.people import Floats
from magpie_simulator.world import World

STRENGTH = 0.85  # of a need that somebody has
_PULL = np.exp(2.2 * STRENGTH) - 1.0
_LOOKED_ONLY = 0.75  # chance to look around in the aisle of a need and to leave without
_LOOKS = (Kind.VIEW_ITEM, Kind.SEARCH, Kind.VIEW_CATEGORY)


@dataclass
class Belief:
    """Chances that users need something of an aisle, [U, C]."""

    needs: Floats

    @classmethod
    def of(cls, world: World) -> "Belief":
        """Nothing seen yet: as common as needs are."""
        arise = visits.NEED_RATE * world.tastes**1.5
        return cls(arise / (arise + visits.NEED_GOES))

    def morning(self, world: World) -> None:
        """A night has passed: some needs arose, some are forgotten."""
        arise = visits.NEED_RATE * world.tastes**1.5
        self.needs = self.needs * (1.0 - visits.NEED_GOES) + (1.0 - self.needs) * arise

    def see(self, world: World, happened: Table) -> None:
        """Takes in what people did by themselves."""
        looks = happened[
            np.isin(happened["kind"], _LOOKS) & (happened["push"] < 0) & (happened["category"] >= 0)
        ]
        counts = np.zeros_like(self.needs)
        np.add.at(counts, (looks["user"], looks["category"]), 1.0)
        users = np.flatnonzero(counts.max(axis=1) > 0)
        aisle = np.argmax(counts[users], axis=1)
        likes = world.tastes[users] + 0.02
        share = likes / likes.sum(axis=1, keepdims=True)
        odds = self.needs[users] / np.maximum(1e-9, 1.0 - self.needs[users]) / (1.0 + _PULL * share)
        odds[np.arange(len(users)), aisle] *= (1.0 + _PULL) * _LOOKED_ONLY
        self.needs[users] = odds / (1.0 + odds)
        bought = happened[happened["kind"] == Kind.PURCHASE]
        self.needs[bought["user"], bought["category"]] = 0.0

    def copy(self) -> "Belief":
        """A belief that goes on by itself."""
        return Belief(self.needs.copy())


class Observer(Oracle):
    """Sends what is worth more than `price` by what is believed."""

    def __init__(self, world: World, belief: Belief, price: float) -> None:
        super().__init__(world, price)
        self._belief = belief

    def morning(self, world: World) -> None:
        """A night has passed."""
        super().morning(world)
        self._belief.morning(world)

    def see(self, world: World, happened: Table) -> None:
        """Takes in what people did."""
        self._belief.see(world, happened)

    def _value(self, world: World, pairs: Table, worth: Floats) -> tuple[Floats, Floats]:
        believed = self._belief.needs[pairs["user"], world.goods.category[pairs["item"]]]
        parts = []
        for strength in (0.0, STRENGTH):
            minds = replace(world.minds, needs=np.full_like(world.minds.needs, strength))
            parts.append(value(replace(world, minds=minds), pairs, worth))
        (now, later), (now_needed, later_needed) = parts
        return now + believed * (now_needed - now), later + believed * (later_needed - later)
