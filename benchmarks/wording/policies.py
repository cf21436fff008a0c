"""The policies: all-knowing, uniform, test and roll out, and Magpie's own, by the classes of the service."""

import heapq
from collections import defaultdict
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from magpie_services.content.choice import Circumstances, Variant
from magpie_services.content.dice import Dice
from magpie_services.content.grammar.packs import CALLS, OPENERS
from magpie_services.content.learning import regression, tally
from magpie_services.content.learning.features import FACTORS, PARTS, codes
from magpie_services.content.learning.habit import HABIT
from magpie_services.content.learning.tally import Answer, Sent, Tally
from magpie_services.content.learning.thompson import FLOOR, Lesson, ThompsonChooser
from wording.world import LOCALE, SHAPE, STRATEGIES, TONES, Occasion, Response, World

_FORMS = [Variant(*parts) for parts in product(STRATEGIES, TONES, OPENERS, CALLS)]


class Policy(Protocol):
    """Chooses words, and is told what was sent and, when it comes, what came back."""

    def choose(self, occasion: Occasion, here: Circumstances, dice: Dice) -> Variant: ...

    def told(self, sent: list[Sent], answers: list[Answer], now_ms: int) -> None: ...


def run(world: World, policy: Policy | None, *, every: int) -> list[float]:
    """The chance of a click of each push in order, under a policy (None: the all-knowing one).

    The policy is told every `every` pushes what was sent since, and the answers that have come by then.
    """
    life = world.life(5)
    chances: list[float] = []
    under_way: list[tuple[int, int, Sent, Response]] = []
    sent: list[Sent] = []
    for number, occasion in enumerate(world.occasions):
        here = life.circumstances(occasion)
        variant = life.best(occasion) if policy is None else policy.choose(occasion, here, Dice(number))
        chance, back = life.send(occasion, variant)
        chances.append(chance)
        if policy is None:
            continue
        push = Sent(variant.variant_id(LOCALE), HABIT.context(here, variant, LOCALE), occasion.at_ms)
        sent.append(push)
        for response in back:
            heapq.heappush(under_way, (response.at_ms, len(chances), push, response))
        if len(sent) == every:
            answers = []
            while under_way and under_way[0][0] <= occasion.at_ms:
                _, _, old, response = heapq.heappop(under_way)
                answers.append(Answer(old, response.kind, response.at_ms))
            policy.told(sent, answers, occasion.at_ms)
            sent = []
    return chances


class Uniform:
    """Every form on the menu alike."""

    def choose(self, occasion: Occasion, here: Circumstances, dice: Dice) -> Variant:
        menu = occasion.menu
        strategies = list(menu.strategies)
        strategy = strategies[dice.below(len(strategies))]
        tones = list(menu.tones[strategy])
        return Variant(
            strategy,
            tones[dice.below(len(tones))],
            menu.openers[dice.below(len(menu.openers))],
            menu.calls[dice.below(len(menu.calls))],
        )

    def told(self, sent: list[Sent], answers: list[Answer], now_ms: int) -> None:
        """Learns nothing."""


class Learner:
    """Magpie's own: counts, posterior, lesson and chooser as the service has them."""

    def __init__(self, floor: float = FLOOR) -> None:
        self._tally = Tally()
        self._posterior: regression.Posterior | None = None
        self._chooser = ThompsonChooser(floor=floor)
        self._version = 0

    def choose(self, occasion: Occasion, here: Circumstances, dice: Dice) -> Variant:
        drawn = self._chooser.draw(occasion.menu, here, dice, ())
        assert drawn is not None
        return drawn[0]

    def told(self, sent: list[Sent], answers: list[Answer], now_ms: int) -> None:
        self._tally.add(tally.increments(sent, answers))
        self._tally.settled(now_ms)
        self._posterior = regression.fit(self._tally.evidence(now_ms), self._posterior)
        self._version += 1
        self._chooser.learn(Lesson.of(self._posterior, self._version))


class Plan(NamedTuple):
    """A way to test and roll out: how many pushes are a test, and what the winners are found by.

    "parts": the best strategy, tone, opener and call by their rates of clicks; "stages": the same, strategy
    and tone in each stage of life; "regression": the form best by our own model, fitted once.
    """

    test: int
    by: str


class RollOut(Uniform):
    """Uniform for the test, then always the winner among what is on the menu."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen = 0
        self._tally = Tally()
        self._counts: dict[tuple[object, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._mean: NDArray[np.float64] | None = None
        self._known: dict[str, NDArray[np.float64]] = {}

    def choose(self, occasion: Occasion, here: Circumstances, dice: Dice) -> Variant:
        if self._seen < self._plan.test:
            return super().choose(occasion, here, dice)
        menu = occasion.menu
        if self._plan.by == "regression":
            return self._best(occasion)
        stage = here.key.partition(".")[0] if self._plan.by == "stages" else ""
        strategy = max(menu.strategies, key=lambda one: self._share("strategy", one, stage))
        tone = max(menu.tones[strategy], key=lambda one: self._share("tone", one, stage))
        opener = max(menu.openers, key=lambda one: self._share("opener", one, ""))
        return Variant(strategy, tone, opener, max(menu.calls, key=lambda one: self._share("call", one, "")))

    def told(self, sent: list[Sent], answers: list[Answer], now_ms: int) -> None:
        if self._seen >= self._plan.test:
            return
        self._seen += len(sent)
        self._tally.add(tally.increments(sent, answers))
        evidence = self._tally.evidence(now_ms)
        if self._seen < self._plan.test:
            return
        if self._plan.by == "regression":
            self._mean = regression.fit(evidence).mean
            return
        self._count(evidence)

    def _count(self, evidence: regression.Evidence) -> None:
        stages = FACTORS["stage"]
        for row, trials, clicks in zip(evidence.codes, evidence.trials, evidence.clicks, strict=True):
            stage = stages[row[list(FACTORS).index("stage")]]
            for factor in PARTS:
                level = FACTORS[factor][row[list(FACTORS).index(factor)]]
                for place in ("", stage):
                    counts = self._counts[factor, level, place]
                    counts[0] += trials
                    counts[1] += clicks

    def _share(self, factor: str, level: object, stage: str) -> float:
        trials, clicks = self._counts[factor, str(level), stage]
        return (clicks + 0.5) / (trials + 10.0)

    def _best(self, occasion: Occasion) -> Variant:
        """By the model: the best of all forms on the menu."""
        scores = self._known.get(occasion.key)
        if scores is None:
            found = [codes(variant.variant_id(LOCALE), occasion.key) for variant in _FORMS]
            assert self._mean is not None
            scores = regression.score(self._mean, np.array(found)).reshape(SHAPE)
            self._known[occasion.key] = scores
        menu = occasion.menu
        able = [STRATEGIES.index(strategy) for strategy in menu.strategies]
        open_ = scores[able][:, :, : len(menu.openers)]
        at = np.unravel_index(int(open_.argmax()), open_.shape)
        return Variant(STRATEGIES[able[at[0]]], TONES[at[1]], OPENERS[at[2]], CALLS[at[3]])
