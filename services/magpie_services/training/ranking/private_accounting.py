"""What differentially private steps have cost, by Google's accountant. One unit is all that one user did.

Neighbouring logs differ by one user, there or not. Each step draws every user by itself with one chance
(Poisson sampling) and adds Gaussian noise; losses are composed as distributions (PLD), rounded up.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache

import dp_accounting
import msgspec
from dp_accounting import pld

from magpie_services.kit.errors import Invalid

MIN_NOISE, MAX_NOISE = 0.1, 200.0
_TOLERANCE = 5e-3


class Mechanism(msgspec.Struct, frozen=True, kw_only=True):
    """`steps` noisy sums: `noise` is the standard deviation over the clip, `rate` each user's chance to be in
    one. Making one raises ValueError where that cannot be.
    """

    noise: float
    rate: float
    steps: int

    def __post_init__(self) -> None:
        if not (0 <= self.noise < float("inf") and 0 < self.rate <= 1 and self.steps >= 1):
            raise ValueError("noise, rate or steps are out of range")


def epsilon(mechanisms: Iterable[Mechanism], delta: float) -> float:
    """What all of them together cost at `delta`; infinite where one has no noise."""
    return _epsilon(tuple(sorted(Counter(mechanisms).items(), key=repr)), delta)


def noise_for(target: float, delta: float, rate: float, steps: int) -> float:
    """The least noise, to half a percent, with which the steps cost at most `target`. Raises Invalid
    (epsilon) where not even 200 is enough.
    """

    def cost(noise: float) -> float:
        return epsilon([Mechanism(noise=noise, rate=rate, steps=steps)], delta)

    low, high = 0.5, 1.0
    while cost(high) > target:
        low, high = high, 2 * high
        if high > MAX_NOISE:
            raise Invalid("privacy.epsilon", "cannot be kept with any useful noise: allow more or step less")
    while low < 1.0 and low > MIN_NOISE and cost(low) <= target:
        low, high = low / 2, low
    while high - low > _TOLERANCE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle) > target else (low, middle)
    return high


@cache
def _epsilon(counted: tuple[tuple[Mechanism, int], ...], delta: float) -> float:
    accountant = pld.PLDAccountant(dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)
    for mechanism, times in counted:
        if mechanism.noise <= 0:
            return float("inf")
        noisy = dp_accounting.GaussianDpEvent(mechanism.noise)
        step = dp_accounting.PoissonSampledDpEvent(mechanism.rate, noisy)
        accountant.compose(dp_accounting.SelfComposedDpEvent(step, mechanism.steps * times))
    return float(accountant.get_epsilon(delta)) if counted else 0.0
