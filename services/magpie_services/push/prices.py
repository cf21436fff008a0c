"""Shadow prices of what pushes share: their number, opt-outs, the room of a category or of a vendor. Pure.

A push is worth its value less what it takes of each shared thing times that thing's price. Given prices, a
user is decided alone; the prices are those at which all decisions together keep to the limits: the duals of
the assignment's linear programme (for notifications: Gupta et al., "Email Volume Optimization at LinkedIn",
KDD 2016; with multipliers paced online: arXiv 2302.04835).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SWEEPS = 40
HALVINGS = 40
# Of a limit: what a plan may miss it by before another sweep is of use.
TOLERANCE = 0.005
# How fast a price follows, and how far one step may take it: e to the power of this.
RATE = 0.35
MOST = 1.0
# The least price that can grow by factors, as a share of the scale of values.
FLOOR = 1e-4


def dual_prices(values: Floats, usage: Floats, limits: Floats, start: Floats | None = None) -> Floats:
    """Prices [J] at which the best choices of U users keep to `limits` [J], as nearly as choices can.

    `values` [U, K] are of K alternatives of each user, `usage` [U, K, J] what each takes; none at all is
    always possible and worth 0. Coordinate ascent of the dual, from `start` or from 0: one price after the
    other is set where its own limit is kept, by bisection, until all are. With one thing shared that each
    push takes one of, the price is exact. Raises ValueError for shapes that do not agree, a limit below 0 and
    usage below 0.
    """
    if values.shape != usage.shape[:2] or usage.shape[2:] != limits.shape:
        raise ValueError(f"values {values.shape}, usage {usage.shape} and limits {limits.shape} do not agree")
    if (limits < 0).any() or (usage < 0).any():
        raise ValueError("limits and usage must not be negative")
    if len(limits) == 1 and (usage == 1).all():
        return np.array([_price_of_volume(values.max(axis=1), float(limits[0]))])
    prices = np.zeros(len(limits)) if start is None else np.maximum(np.asarray(start, np.float64), 0.0)
    best, best_gap = prices.copy(), math.inf
    for _ in range(SWEEPS):
        gap = _gap(chosen_usage(values, usage, prices), limits, prices)
        if gap < best_gap:
            best, best_gap = prices.copy(), gap
        if gap <= TOLERANCE:
            break
        for thing in range(len(limits)):
            prices[thing] = _price_of(thing, values, usage, limits, prices)
    return best


def _price_of(thing: int, values: Floats, usage: Floats, limits: Floats, prices: Floats) -> float:
    """The least price of one thing at which its limit is kept, the others' prices as they are."""
    takes = usage[:, :, thing]
    others = values - usage @ np.where(np.arange(len(prices)) == thing, 0.0, prices)

    def fits(price: float) -> bool:
        net = others - takes * price
        best = net.argmax(axis=1)
        rows = np.arange(len(net))
        return bool(takes[rows, best][net[rows, best] > 0.0].sum() <= limits[thing])

    if fits(0.0):
        return 0.0
    low, high = 0.0, max(float(np.abs(values).max()), 1e-12)
    while not fits(high):
        low, high = high, 2.0 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def chosen_usage(values: Floats, usage: Floats, prices: Floats) -> Floats:
    """What all users' best choices take together at these prices: [J]."""
    net = values - usage @ prices
    best = net.argmax(axis=1)
    users = np.flatnonzero(net[np.arange(len(net)), best] > 0.0)
    total: Floats = usage[users, best[users]].sum(axis=0)
    return total


def _price_of_volume(best: Floats, limit: float) -> float:
    """The value of the last push that still finds room; 0 where all that are worth something do."""
    worth = np.sort(best[best > 0.0])[::-1]
    room = int(limit)
    return float(worth[room]) if len(worth) > room else 0.0


def _gap(taken: Floats, limits: Floats, prices: Floats) -> float:
    """How far from optimal: what is taken too much, and room left over that has a price; shares of limits."""
    whole = np.maximum(limits, 1e-12)
    over = np.maximum(taken - limits, 0.0) / whole
    idle = np.where(prices > 0.0, np.maximum(limits - taken, 0.0) / whole, 0.0)
    return float(np.maximum(over, idle).max(initial=0.0))


class Pace(NamedTuple):
    """Where one shared thing stands in the course of a run.

    `limit` is what may be taken until the end, `taken` what was so far, both in pushes or in what they use.
    """

    price: float
    limit: float
    taken: float = 0.0


def paced(pace: Pace, taken: float, asked: float, left: float, scale: float) -> Pace:
    """The pace after a step in which `taken` was used by `asked` users, with `left` users still to ask.

    Mirror descent in the price's logarithm (exponentiated gradient): the price rises by what the step used
    beyond its even share of what is left of the limit, and falls by what it used less. `scale` is a typical
    value of a push, by which a price of 0 begins to grow.
    """
    before = max(pace.limit - pace.taken, 0.0)
    now = Pace(pace.price, pace.limit, pace.taken + taken)
    if asked <= 0:
        return now
    due = before * asked / (asked + max(left, 0.0))
    if due <= 0.0:
        # Nothing is left: nothing may be worth its price.
        return now._replace(price=math.inf)
    error = (taken - due) / due
    floor = FLOOR * abs(scale)
    price = max(pace.price, floor) * math.exp(max(-MOST, min(MOST, RATE * error)))
    return now._replace(price=price if price > floor else 0.0)
