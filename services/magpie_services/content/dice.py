"""Seeded chance whose probabilities are known exactly."""

from collections.abc import Sequence
from typing import TypeVar

Key = TypeVar("Key")

_MASK = (1 << 64) - 1


class Dice:
    """SplitMix64: the same seed rolls the same numbers on every machine and Python."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def roll(self) -> float:
        """A number in [0, 1)."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def below(self, bound: int) -> int:
        """A whole number in [0, bound)."""
        return int(self.roll() * bound)

    def pick(self, options: Sequence[tuple[Key, float]]) -> tuple[Key, float]:
        """One of the (key, weight) pairs by weight, and the probability that it was picked."""
        total = sum(weight for _, weight in options)
        left = self.roll() * total
        for key, weight in options:
            left -= weight
            if left < 0:
                return key, weight / total
        key, weight = options[-1]
        return key, weight / total

    def shuffled(self, options: Sequence[Key]) -> list[Key]:
        """All of them in some order."""
        left, found = list(options), []
        while left:
            found.append(left.pop(self.below(len(left))))
        return found
