"""How much a user likes an item, and a set of items: the first two of Magpie's three formulas."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

UNRATED_STARS = 4.0  # silence is mild approval: most people who like a thing never say so


class InterestWeights(msgspec.Struct, frozen=True, kw_only=True):
    """What a view and a purchase are worth, and the worth at which interest is half of its ceiling."""

    view: float = 0.3
    purchase: float = 1.5
    half: float = 2.0


DEFAULT = InterestWeights()


def interest(views: float, purchases: float, rating: float, weights: InterestWeights = DEFAULT) -> float:
    """Interest of a user in an item, in [0, 1]; negative counts are read as 0, rating 0 as "unrated".

    x = view * views + purchase * purchases; interest = x / (x + half) * stars / 5. So it grows and
    saturates in views and in purchases, and the stars scale it: interest(5, 3, 4) is 0.6.
    """
    worth = weights.view * max(views, 0.0) + weights.purchase * max(purchases, 0.0)
    stars = min(rating, 5.0) if rating > 0 else UNRATED_STARS
    return worth / (worth + weights.half) * stars / 5.0


def interests(
    views: ArrayLike, purchases: ArrayLike, rating: ArrayLike, weights: InterestWeights = DEFAULT
) -> NDArray[np.float64]:
    """`interest` over arrays of one shape (or broadcastable); the same operations in the same order."""
    worth = weights.view * np.maximum(views, 0.0) + weights.purchase * np.maximum(purchases, 0.0)
    given = np.asarray(rating, dtype=np.float64)
    stars = np.where(given > 0, np.minimum(given, 5.0), UNRATED_STARS)
    return np.asarray(worth / (worth + weights.half) * stars / 5.0, dtype=np.float64)


def affinity(interests: Sequence[float], weights: Sequence[float]) -> float:
    """Affinity of a user to a set of items: the sum of weight times interest, correctly rounded.

    Raises ValueError where the two differ in length.
    """
    return math.fsum(weight * value for weight, value in zip(weights, interests, strict=True))
