"""Two rivals of Magpie's that see what it sees: a shop's rules, and a click model that greedily pushes."""

from collections.abc import Sequence

import numpy as np

from magpie_simulator.acts import Table
from magpie_simulator.forks import Choice, Choose, Scheduled
from magpie_simulator.observer import Belief
from magpie_simulator.people import Bools, Floats, Ints
from magpie_simulator.sight import Sight, describe, heard_clicks
from magpie_simulator.world import World

RIDGES = (1.0, 10.0, 100.0)
STEPS = 30
CHUNK = 64


class Watching(Scheduled):
    """A sender that keeps its sight of the world up to date."""

    def __init__(
        self, sight: Sight, choose: Choose, *, share: float = 1.0, volumes: Sequence[int] | None = None
    ) -> None:
        super().__init__(choose, share=share, volumes=volumes)
        self.sight = sight

    def morning(self, world: World) -> None:
        """A night has passed."""
        super().morning(world)
        self.sight.morning()

    def see(self, world: World, happened: Table) -> None:
        """Takes in what people did."""
        self.sight.see(world, happened)

    def send(self, world: World, block: int, hour: int) -> Table:
        """Sends and remembers."""
        pushes = super().send(world, block, hour)
        self.sight.send(world, pushes)
        return pushes


class Rules(Watching):
    """What marketers set up: everybody who looked around lately, active users first, gets what is popular in
    the aisle that they looked at most; nothing twice in a week."""

    def __init__(self, sight: Sight, volumes: Sequence[int] | None = None) -> None:
        super().__init__(sight, self._choose_popular, volumes=volumes)

    def _choose_popular(self, world: World, users: Ints) -> Choice:
        users = users[self.sight.aisles[users].max(axis=1) > 0]
        users = users[np.lexsort((-self.sight.visits[users], -self.sight.last_visit[users]))]
        aisle = np.argmax(self.sight.aisles[users], axis=1)
        may = self.sight.may_push(world, users) & (world.goods.category[None, :] == aisle[:, None])
        sold = np.where(may, world.shelf.popular + 0.001 * world.goods.fame, -np.inf)
        some = may.any(axis=1)
        return users[some], np.argmax(sold, axis=1)[some]


class ClickLog:
    """Logged pushes with their features, and which of them were clicked."""

    def __init__(self) -> None:
        self._features: list[Floats] = []
        self._numbers: list[Ints] = []
        self._clicked: list[Ints] = []

    def copy(self) -> "ClickLog":
        """A log that goes on by itself."""
        other = ClickLog()
        other._features, other._numbers = self._features.copy(), self._numbers.copy()
        other._clicked = self._clicked.copy()
        return other

    def sent(self, features: Floats, numbers: Ints) -> None:
        """Pushes went out."""
        self._features.append(features)
        self._numbers.append(numbers)

    def heard(self, clicks: Table) -> None:
        """Receipts came in."""
        self._clicked.append(clicks["push"].copy())

    def lessons(self) -> tuple[Floats, Bools]:
        """Features [n, F] and whether clicked [n], oldest first."""
        numbers = np.concatenate(self._numbers)
        return np.concatenate(self._features), np.isin(numbers, np.concatenate(self._clicked))


class ClickModel:
    """Logistic regression on standardised features; its ridge is chosen on the newest fifth of the log."""

    def __init__(self, features: Floats, clicked: Bools) -> None:
        self._mean = features.mean(axis=0)
        self._scale = features.std(axis=0) + 1e-6
        inputs, old = self._inputs(features), int(0.8 * len(features))
        losses = []
        for ridge in RIDGES:
            chances = _chances(inputs[old:], _fit(inputs[:old], clicked[:old], ridge))
            losses.append(-np.log(np.where(clicked[old:], chances, 1.0 - chances)).mean())
        self.weights = _fit(inputs, clicked, RIDGES[int(np.argmin(losses))])

    def chances(self, features: Floats) -> Floats:
        """Chance of a click, [n]."""
        return _chances(self._inputs(features), self.weights)

    def _inputs(self, features: Floats) -> Floats:
        scaled = np.clip((features - self._mean) / self._scale, -5.0, 5.0)
        return np.concatenate([np.ones((len(features), 1)), scaled], axis=1)


class ClickGreedy(Watching):
    """Pushes to each user the item that is most likely to be clicked, to those first who are most likely to
    click, as many as its share of the reachable; learns from every push that it has seen."""

    def __init__(self, sight: Sight, log: ClickLog, share: float) -> None:
        super().__init__(sight, self._choose_clicked, share=share)
        self._log = log
        self._first = 10**9  # its own pushes are numbered from here on: the log has others
        self.learn()

    def learn(self) -> None:
        """Fits the model anew."""
        self._model = ClickModel(*self._log.lessons())

    def see(self, world: World, happened: Table) -> None:
        """Takes in what people did."""
        super().see(world, happened)
        self._log.heard(heard_clicks(world, happened))

    def send(self, world: World, block: int, hour: int) -> Table:
        """Sends, and logs what it sent with what it knew then."""
        sight = self.sight
        pushes = Scheduled.send(self, world, block, hour)
        pushes["number"] += self._first
        self._log.sent(describe(world, sight, pushes["user"], pushes["item"]), pushes["number"])
        sight.send(world, pushes)
        return pushes

    def _choose_clicked(self, world: World, users: Ints) -> Choice:
        best, chances = np.zeros(len(users), np.int64), np.zeros(len(users))
        count = len(world.goods)
        for start in range(0, len(users), CHUNK):
            some = users[start : start + CHUNK]
            pairs = np.repeat(some, count), np.tile(np.arange(count), len(some))
            scores = self._model.chances(describe(world, self.sight, *pairs)).reshape(len(some), count)
            scores = np.where(self.sight.may_push(world, some), scores, -1.0)
            best[start : start + CHUNK] = np.argmax(scores, axis=1)
            chances[start : start + CHUNK] = scores.max(axis=1)
        order = np.argsort(-chances)
        return users[order], best[order]


class Recorded:
    """Sends again what arrived in the real run, and sees what came of it."""

    def __init__(self, pushes_of: dict[int, Table], sight: Sight, log: ClickLog, belief: Belief) -> None:
        self._pushes_of, self.sight, self.log, self.belief = pushes_of, sight, log, belief

    def morning(self, world: World) -> None:
        """A night has passed."""
        self.sight.morning()
        self.belief.morning(world)

    def see(self, world: World, happened: Table) -> None:
        """Takes in what people did."""
        self.sight.see(world, happened)
        self.belief.see(world, happened)
        self.log.heard(heard_clicks(world, happened))

    def send(self, world: World, block: int, hour: int) -> Table:
        """The pushes that arrived then."""
        day = self._pushes_of[world.day]
        pushes = np.asarray(day[day["block"] == block])
        self.log.sent(describe(world, self.sight, pushes["user"], pushes["item"]), pushes["number"])
        self.sight.send(world, pushes)
        return pushes


def _fit(inputs: Floats, clicked: Bools, ridge: float) -> Floats:
    """Newton's method, with shorter steps where a whole one overshoots; the bias is not pulled to zero."""
    weights = np.zeros(inputs.shape[1])
    rate = (clicked.sum() + 0.5) / (len(clicked) + 1.0)
    weights[0] = np.log(rate / (1.0 - rate))
    pull = np.full(inputs.shape[1], ridge)
    pull[0] = 1e-6

    def loss(tried: Floats) -> float:
        scores = inputs @ tried
        return float((np.logaddexp(0.0, scores) - scores * clicked).sum() + 0.5 * (pull * tried**2).sum())

    now = loss(weights)
    for _ in range(STEPS):
        chances = _chances(inputs, weights)
        slope = inputs.T @ (chances - clicked) + pull * weights
        curve = (inputs * (chances * (1.0 - chances))[:, None]).T @ inputs + np.diag(pull)
        step = np.linalg.solve(curve, slope)
        while (then := loss(weights - step)) > now and np.abs(step).max() > 1e-6:
            step *= 0.5
        if now - then < 1e-6:
            break
        weights, now = weights - step, then
    return weights


def _chances(inputs: Floats, weights: Floats) -> Floats:
    scores = np.clip(inputs @ weights, -20.0, 20.0)
    return np.asarray(1.0 / (1.0 + np.exp(-scores)))
