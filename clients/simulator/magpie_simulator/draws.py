"""Luck: random numbers that depend on nothing but seed, purpose, day and key, so that forks share them.

A counter-based generator: no state, no order of calls. The same user has the same luck on the same day
whatever was pushed to whom, which is what makes two policies comparable.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.integer]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Luck:
    """The luck of one world."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def uniform(self, purpose: str, day: int, keys: Keys, width: int = 1) -> Floats:
        """Numbers in (0, 1), shape [len(keys), width]; a column does not depend on how many there are."""
        digest = hashlib.blake2b(f"{self._seed}\0{purpose}\0{day}".encode(), digest_size=8).digest()
        rows = _mix(np.uint64(int.from_bytes(digest, "big")) ^ _mix(keys.astype(np.uint64) * _STEP))
        cells = _mix(rows[:, None] + (np.arange(1, width + 1, dtype=np.uint64) * _STEP)[None, :])
        return ((cells >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def one(self, purpose: str, day: int, keys: Keys) -> Floats:
        """Numbers in (0, 1), one a key: shape [len(keys)]."""
        return self.uniform(purpose, day, keys)[:, 0]

    def normal(self, purpose: str, day: int, keys: Keys, width: int = 1) -> Floats:
        """Standard normal numbers, shape [len(keys), width]."""
        pairs = self.uniform(purpose, day, keys, 2 * width)
        radius = np.sqrt(-2.0 * np.log(pairs[:, :width]))
        return radius * np.cos(2.0 * np.pi * pairs[:, width:])

    def gumbel(self, purpose: str, day: int, keys: Keys, width: int) -> Floats:
        """Gumbel noise, shape [len(keys), width]: the argmax of log weights plus this draws by weight."""
        return -np.log(-np.log(self.uniform(purpose, day, keys, width)))


def _mix(values: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64; wraps around by intent."""
    z = np.atleast_1d(np.asarray(values, dtype=np.uint64)) + _STEP
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))
