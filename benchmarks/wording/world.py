"""A world that hides how words work, in another kind of model than ours: rates that multiply, and fatigue.

A push is followed with probability `1 - exp(-rate)`. The rate is a product: of the user's own readiness, of
effects of strategy, tone, opener and call, of how each of them works in each circumstance, of pairs, of
triples (opener, tone and part of the day; strategy, tone and stage) that our model has no features for, and
of fatigue: each push with a strategy, and each with the very form, adds to a load that fades over days, and
the rate is divided by 1 + load. Clicks come after a log-normal delay. A few dismiss a push, fewer opt out.
"""

import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from magpie_services.content.choice import PARTS, PRICES, Circumstances, Menu, Variant
from magpie_services.content.grammar.packs import CALLS, OPENERS
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.memory import DAY_MS, HOUR_MS
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.core.portraits import Stage

STRATEGIES, TONES, STAGES = tuple(Strategy), tuple(Tone), tuple(Stage)
SHAPE = (len(STRATEGIES), len(TONES), len(OPENERS), len(CALLS))
LOCALE = "en"
DAYS = 30
BASE_RATE = 0.05
START_MS = 1_790_000_000_000 // DAY_MS * DAY_MS
_REMEMBERED = 20
_WEIGHTS = (0.4, 1.0, 1.2, 1.5, 2.0, 3.0)
_TONES = {Tone.PLAIN: 0.6, Tone.PLAYFUL: 0.3, Tone.PREMIUM: 0.1}


class Occasion(NamedTuple):
    """One push to be worded: for whom, when, in which circumstances, and what is on the menu."""

    user: int
    at_ms: int
    key: str
    menu: Menu


class Response(NamedTuple):
    """What came back, if anything, and when."""

    kind: OutcomeKind
    at_ms: int


class World:
    """One world of a seed. Everything hidden is private; a policy sees occasions and responses."""

    def __init__(self, seed: int, sends: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self._rng = rng
        users = max(1, sends // 12)
        self._stage = rng.choice(len(STAGES), users, p=(0.2, 0.35, 0.15, 0.2, 0.1))
        self._price = rng.choice(len(PRICES), users, p=(0.35, 0.4, 0.25))
        self._ready = rng.lognormal(0.0, 0.5, users)
        self._effects = _Effects(rng)
        self._fatigue = rng.uniform(0.2, 0.6), rng.uniform(2.0, 8.0)
        self._staleness = rng.uniform(0.2, 0.6), rng.uniform(4.0, 14.0)
        self._common = rng.uniform(0.15, 0.7, len(STRATEGIES))
        self._common[0] = 1.0  # plain words are always possible
        self.occasions = self._schedule(np.random.default_rng([seed, 2]), sends, users)

    def _schedule(self, rng: np.random.Generator, sends: int, users: int) -> list[Occasion]:
        times = np.sort(rng.integers(0, DAYS * 24, sends)) * HOUR_MS + rng.integers(0, HOUR_MS, sends)
        times.sort()
        found = []
        for at in times.tolist():
            user = int(rng.integers(users))
            part = PARTS[int(at // HOUR_MS % 24 // 6)]
            key = f"{STAGES[self._stage[user]]}.{PRICES[self._price[user]]}.{part}"
            able = np.flatnonzero(rng.random(len(STRATEGIES)) < self._common).tolist()
            weights = {STRATEGIES[one]: _WEIGHTS[(one * 7 + 3) % len(_WEIGHTS)] for one in able}
            openers = OPENERS if rng.random() < 0.4 else OPENERS[:-1]
            menu = Menu(LOCALE, weights, dict.fromkeys(weights, _TONES), openers, CALLS)
            found.append(Occasion(user, START_MS + at, key, menu))
        return found

    def life(self, seed: int) -> "Life":
        """The world as it goes on under one policy; the same seed, the same luck."""
        return Life(self, np.random.default_rng(seed))

    def log_rates(self, key: str) -> NDArray[np.float64]:
        """Hidden: the logarithm of the rate of every form in some circumstances, [*SHAPE]."""
        return self._effects.of(key)

    def readiness(self, user: int) -> float:
        """Hidden: how ready a user is to follow anything."""
        return float(self._ready[user])

    @property
    def tiring(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Hidden: load of one push and days in which it fades, of strategies and of forms."""
        return self._fatigue, self._staleness


class _Effects:
    def __init__(self, rng: np.random.Generator) -> None:
        strategy, tone, opener, call = SHAPE
        stages, prices, parts = len(STAGES), len(PRICES), len(PARTS)

        def effects(deviation: float, *shape: int) -> NDArray[np.float64]:
            found: NDArray[np.float64] = rng.normal(0.0, deviation, shape)
            return found

        self._where = (effects(0.3, stages), effects(0.2, prices), effects(0.3, parts))
        self._own = (
            effects(0.4, strategy)[:, None, None, None]
            + effects(0.25, tone)[None, :, None, None]
            + effects(0.2, opener)[None, None, :, None]
            + effects(0.2, call)[None, None, None, :]
            + effects(0.15, strategy, tone)[:, :, None, None]
            + effects(0.1, strategy, call)[:, None, None, :]
            + effects(0.1, opener, call)[None, None, :, :]
        )
        self._strategy = effects(0.2, stages, strategy), effects(0.2, prices, strategy)
        self._tone = effects(0.2, stages, tone), effects(0.15, prices, tone)
        self._opener = effects(0.1, parts, opener)
        self._triple = effects(0.1, parts, opener, tone), effects(0.1, stages, strategy, tone)
        self._cache: dict[str, NDArray[np.float64]] = {}

    def of(self, key: str) -> NDArray[np.float64]:
        found = self._cache.get(key)
        if found is None:
            names = key.split(".")
            stage, price, part = STAGES.index(Stage(names[0])), PRICES.index(names[1]), PARTS.index(names[2])
            place = self._where[0][stage] + self._where[1][price] + self._where[2][part]
            found = self._own + math.log(BASE_RATE) + place
            found = found + (self._strategy[0][stage] + self._strategy[1][price])[:, None, None, None]
            found = found + (self._tone[0][stage] + self._tone[1][price])[None, :, None, None]
            found = found + self._opener[part][None, None, :, None]
            found = (
                found + self._triple[0][part].T[None, :, :, None] + self._triple[1][stage][:, :, None, None]
            )
            self._cache[key] = found
        return found


class Life:
    """What one policy's pushes did to the users: loads, and what was sent to whom."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._world = world
        self._rng = rng
        self._loads: dict[tuple[int, object], tuple[float, int]] = {}
        self._recent: dict[int, list[tuple[str, int]]] = defaultdict(list)

    def circumstances(self, occasion: Occasion) -> Circumstances:
        """What a policy may know: the circumstances and what the user was sent lately."""
        recent = self._recent[occasion.user]
        ages = tuple((name, (occasion.at_ms - at_ms) / DAY_MS) for name, at_ms in recent)
        return Circumstances(occasion.key, ages)

    def rate(self, occasion: Occasion, variant: Variant) -> float:
        """Hidden: the rate at which a form is followed now."""
        log_rate = self._world.log_rates(occasion.key)[_place(variant)]
        tired = self._load(occasion, variant.strategy, 0) + self._load(occasion, variant, 1)
        return self._world.readiness(occasion.user) * math.exp(log_rate) / (1.0 + tired)

    def best(self, occasion: Occasion) -> Variant:
        """What who knows everything would send."""
        menu = occasion.menu
        rates = self._world.log_rates(occasion.key)
        able = [STRATEGIES.index(strategy) for strategy in menu.strategies]
        tired = np.array([self._load(occasion, STRATEGIES[one], 0) for one in able])
        loads = np.tile(tired[:, None, None, None], (1, *SHAPE[1:]))
        for name, _ in self._recent[occasion.user]:
            variant = Variant(*_parts(name))
            if variant.strategy in menu.strategies:
                at = _place(variant)
                loads[able.index(at[0]), at[1], at[2], at[3]] = tired[able.index(at[0])] + self._load(
                    occasion, variant, 1
                )
        score = rates[able][:, :, : len(menu.openers)] - np.log1p(loads[:, :, : len(menu.openers)])
        one, tone, opener, call = np.unravel_index(int(score.argmax()), score.shape)
        return Variant(STRATEGIES[able[one]], TONES[tone], OPENERS[opener], CALLS[call])

    def send(self, occasion: Occasion, variant: Variant) -> tuple[float, list[Response]]:
        """Sends it: the (hidden) chance that it is followed, and what comes back."""
        chance = 1.0 - math.exp(-self.rate(occasion, variant))
        for which, what in enumerate((variant.strategy, variant)):
            load = self._load(occasion, what, which) + self._world.tiring[which][0]
            self._loads[occasion.user, what] = (load, occasion.at_ms)
        recent = self._recent[occasion.user]
        recent.append((variant.variant_id(LOCALE), occasion.at_ms))
        del recent[:-_REMEMBERED]
        back = []
        luck = self._rng.random(3)
        if luck[0] < chance:
            delay_ms = int(60_000 * min(3 * 1_440.0, self._rng.lognormal(math.log(12.0), 1.5)))
            back.append(Response(OutcomeKind.CLICKED, occasion.at_ms + delay_ms))
        elif luck[1] < 0.04:
            back.append(Response(OutcomeKind.DISMISSED, occasion.at_ms + 600_000))
        if luck[2] < 0.001:
            back.append(Response(OutcomeKind.UNSUBSCRIBED, occasion.at_ms + 700_000))
        return chance, back

    def _load(self, occasion: Occasion, what: object, which: int) -> float:
        load, at_ms = self._loads.get((occasion.user, what), (0.0, 0))
        if not load:
            return 0.0
        return load * math.exp(-(occasion.at_ms - at_ms) / DAY_MS / self._world.tiring[which][1])


def _parts(variant_id: str) -> tuple[Strategy, Tone, str, str]:
    _, strategy, tone, opener, call = variant_id.split(":")
    return Strategy(strategy), Tone(tone), opener, call


def _place(variant: Variant) -> tuple[int, int, int, int]:
    return (
        STRATEGIES.index(variant.strategy),
        TONES.index(variant.tone),
        OPENERS.index(variant.opener),
        CALLS.index(variant.call),
    )
