"""What a push is worth, and which arm to choose with which chance. Pure: a seed always chooses the same."""

import hashlib
import heapq
import math
import random
from collections.abc import Sequence

import msgspec

from magpie_services.core.decisions import Arm
from magpie_services.core.feature_schema import HEADS

NO_SEND = ""
MAX_ARMS = 100
VALUED = 4  # heads that the objective must have; a decision logged by an older model may have no others
_ORGANIC = HEADS.index("organic_purchase")


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """Worth of each outcome, in units of the caller's choosing; costs are positive numbers.

    A purchase is worth `purchase` and `margin` of the item's price.
    """

    click: float = 1.0
    purchase: float = 20.0
    dismiss: float = 0.1
    unsubscribe: float = 30.0
    min_value: float = 0.0
    margin: float = 0.0

    def value(self, probabilities: Sequence[float], price: float = 0.0) -> float:
        """Expected worth of a push, from probabilities in the order of `features.HEADS`.

        Of purchases only what the push adds counts: those after it less those without it. A decision logged
        before models told the latter has all of them.
        """
        click, purchase, dismiss, unsubscribe = probabilities[:VALUED]
        added = purchase - probabilities[_ORGANIC] if len(probabilities) > _ORGANIC else purchase
        return (
            self.click * click
            + (self.purchase + self.margin * price) * added
            - self.dismiss * dismiss
            - self.unsubscribe * unsubscribe
        )


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items may be pushed; every condition that is set must hold."""

    item_ids: tuple[str, ...] = ()
    excluded_item_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    min_discount: float = 0.0


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How decisions are made. Shares are in [0, 1]; `exploration` + `no_send_share` is at most 1.

    `arms` is how many of the best items may be drawn. The features of the `logged_best` candidates, and of at
    least as many as may be drawn, go into the ledger, and of `logged_rest` others at random. `strategy` is a
    core name, "" leaves the words' reason to the content service.
    """

    objective: Objective = Objective()
    exploration: float = 0.05
    no_send_share: float = 0.02
    candidate_limit: int = 100
    arms: int = 20
    filter: Filter = Filter()
    transactional: bool = False
    drop_in_quiet_hours: bool = False
    expiry_seconds: float = 86_400.0
    strategy: str = ""
    logged_best: int = 10
    logged_rest: int = 5

    @property
    def version(self) -> str:
        """Hash of the parameters: 16 hexadecimal digits."""
        return hashlib.sha256(msgspec.msgpack.encode(self)).hexdigest()[:16]

    @property
    def randomised(self) -> tuple[float, float]:
        """Shares drawn to learn: (evenly over the arms, nothing sent). A message about one's own order is
        never left out to learn."""
        return (0.0, 0.0) if self.transactional else (self.exploration, self.no_send_share)


class Choice(msgspec.Struct, frozen=True):
    """The arms with their values and propensities, best first, and the one chosen."""

    arms: list[Arm]
    chosen: int
    explored: bool


def seed_of(request_id: str, user_id: str) -> int:
    """The seed of every draw of one decision: 63 bits, so that it fits a signed column."""
    digest = hashlib.sha256(f"{request_id}\0{user_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def propensities(values: Sequence[float], policy: Policy) -> list[float]:
    """The chance of each eligible item (values, best first) and, last, of no-send. They sum to 1."""
    even, silent = policy.randomised
    drawn = even / (len(values) + 1)
    chances = [drawn] * (len(values) + 1)
    chances[-1] += silent
    chances[_best(values, policy)] += 1.0 - even - silent
    return chances


def choose(arms: Sequence[Arm], policy: Policy, seed: int) -> Choice:
    """Chooses among the best `policy.arms` of `arms` and no-send.

    Arms beyond those are kept, with propensity 0, when their features are logged; at most 101 come back.
    Arms without probabilities cannot be valued: they are left out.
    """
    scored = [arm for arm in arms if len(arm.probabilities) >= VALUED]
    valued = [(policy.objective.value(arm.probabilities, arm.price), arm) for arm in scored]
    valued = [(value, arm) for value, arm in valued if math.isfinite(value)]
    best = heapq.nlargest(MAX_ARMS, valued, key=lambda pair: pair[0])
    eligible, rest = best[: policy.arms], [pair for pair in best[policy.arms :] if pair[1].features]
    chances = propensities([value for value, _ in eligible], policy)
    drawn, explored = _draw(len(eligible), [value for value, _ in eligible], policy, seed)
    options = [
        msgspec.structs.replace(arm, value=value, propensity=chance)
        for (value, arm), chance in zip(eligible, chances[:-1], strict=True)
    ]
    options += [msgspec.structs.replace(arm, value=value, propensity=0.0) for value, arm in rest]
    nothing = Arm(item_id=NO_SEND, value=0.0, propensity=chances[-1])
    chosen = options[drawn] if drawn < len(eligible) else nothing
    # No-send is worth nothing: it stands after the last item that is worth something.
    place = next((index for index, arm in enumerate(options) if arm.value <= 0.0), len(options))
    options.insert(place, nothing)
    index = next(number for number, arm in enumerate(options) if arm is chosen)
    return Choice(options, index, explored)


def _best(values: Sequence[float], policy: Policy) -> int:
    """Index of the best item when it is worth sending, else of no-send."""
    worth = policy.transactional or (bool(values) and values[0] > policy.objective.min_value)
    return 0 if values and worth else len(values)


def _draw(count: int, values: Sequence[float], policy: Policy, seed: int) -> tuple[int, bool]:
    """The index drawn (`count` is no-send) and whether it was drawn to learn."""
    random_source = random.Random(seed)  # noqa: S311 (reproducible by intent, guards nothing)
    even, silent = policy.randomised
    point = random_source.random()
    if point < silent:
        return count, True
    if point < silent + even:
        return random_source.randrange(count + 1), True
    return _best(values, policy), False
