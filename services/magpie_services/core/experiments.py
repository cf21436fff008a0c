"""Who is in which experiment, and in which arm of it: by hash, so that nobody has to remember. Pure.

A layer is a line from 0 to 1 on which every user has a place of their own in each layer; an experiment takes
a piece of one layer's line, so experiments of one layer never share a user, and those of two layers are
independent. Which arm a user of an experiment is in is drawn by weighted rendezvous (Thaler & Ravishankar
1998; weights by Schindelhauer & Schomaker 2005): a change of one arm's weight moves users to or from that arm
only.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

CONTROL = 0  # the first arm is what the others are compared with
_TOLERANCE = 1e-9


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A user's arm of one experiment."""

    experiment_id: str
    arm: str


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One arm of an experiment: a name and its weight among the arms."""

    name: str
    weight: float = 1.0


class Place(NamedTuple):
    """The piece [first, first + share) of a layer's line."""

    layer: str
    first: float
    share: float

    def holds(self, user_id: str) -> bool:
        """Whether a user stands on it."""
        return self.first <= position(f"layer\0{self.layer}", user_id) < self.first + self.share


def position(salt: str, user_id: str) -> float:
    """A number in [0, 1) that is even over users and the same for ever, independent between salts."""
    digest = hashlib.sha256(f"{salt}\0{user_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def arm_of(experiment_id: str, variants: Sequence[Variant], user_id: str) -> Variant:
    """The arm of a user of an experiment: the least of the arms' draws, exponential with their weights as
    rates.

    There must be an arm with a weight above 0.
    """
    return min(
        (variant for variant in variants if variant.weight > 0),
        key=lambda one: (
            -math.log(1.0 - position(f"arm\0{experiment_id}\0{one.name}", user_id)) / one.weight,
            one.name,
        ),
    )


def overlapping(places: Iterable[Place]) -> tuple[Place, Place] | None:
    """Two pieces of one layer that share users; None where there are none."""
    ordered = sorted(places)
    for one, other in pairwise(ordered):
        if one.layer == other.layer and other.first < one.first + one.share - _TOLERANCE:
            return one, other
    return None
