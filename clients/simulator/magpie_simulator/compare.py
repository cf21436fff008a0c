"""The evaluator's part, after the run: the days that Magpie lived, lived again by every rival and the oracle.

A world's history is its parameters and the pushes that arrived. So the days up to `first_day` are lived again
as they were, seen by a shop's eyes; from there on everybody sends in a fork of their own, with the same luck,
and who learns learns again after every round. Rivals with a volume and the oracle's price are tuned in
hindsight, on the very days that are compared: that favours them, not Magpie.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from magpie_simulator import keep
from magpie_simulator.acts import Table
from magpie_simulator.forks import Scheduled, Sender, live, popular_items, random_items
from magpie_simulator.observer import Belief, Observer
from magpie_simulator.oracle import Oracle, value
from magpie_simulator.rivals import ClickGreedy, ClickLog, Recorded, Rules
from magpie_simulator.sight import Sight
from magpie_simulator.tally import FORMULA, Tally
from magpie_simulator.world import World, twin

SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
PRICES, BELIEVED_PRICES = (0.25, 0.5, 1.0), (0.0, 0.25)
MAGPIE, ORACLE, OBSERVER, CLICKS = "magpie", "oracle", "observer", "click-greedy"
Tell = Callable[[dict[str, Any]], None]


class Judged:
    """A sender whose pushes are weighed by who knows their true chances, before the dice fall."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.value = 0.0

    def morning(self, world: World) -> None:
        """As the sender does."""
        self._sender.morning(world)

    def see(self, world: World, happened: Table) -> None:
        """As the sender does."""
        self._sender.see(world, happened)

    def send(self, world: World, block: int, hour: int) -> Table:
        """As the sender does; adds up what its pushes can be expected to earn by themselves."""
        pushes = self._sender.send(world, block, hour)
        if len(pushes):
            self.value += float(value(world, pushes, np.zeros(len(pushes)))[0].sum())
        return pushes


@dataclass
class Lived:
    """One sender's tallies by round, and what its pushes could be expected to earn by themselves, in CNY."""

    rounds: list[Tally]
    margin: float
    value: float

    @property
    def total(self) -> Tally:
        """All rounds together."""
        return sum(self.rounds[1:], self.rounds[0])

    @property
    def reward(self) -> float:
        """The reward of all rounds, by the report's formula."""
        return self.total.reward(self.margin)

    def summary(self) -> dict[str, Any]:
        """As it is printed."""
        return {
            "total": self.total.summary(self.margin),
            "true_value": round(self.value, 2),
            "rounds": [tally.summary(self.margin) for tally in self.rounds],
        }


class Comparison:
    """Of one world whose days were lived. Raises keep.NoWorld when its folder does not hold together."""

    def __init__(self, folder: Path, first_day: int, round_days: int, tell: Tell) -> None:
        lived, _ = keep.load(folder)
        if not 0 < first_day < lived.day or round_days < 1:
            raise ValueError(f"days: the world has lived {lived.day}, deciding cannot begin on {first_day}")
        self._tell = tell
        self._pushes = {day: keep.load_arrivals(folder, day) for day in range(lived.day)}
        self._days = [min(round_days, lived.day - day) for day in range(first_day, lived.day, round_days)]
        self._world = World.create(lived.parameters)
        self._sight, self._log = Sight.of(self._world), ClickLog()
        self._belief = Belief.of(self._world)
        live(self._world, first_day, Recorded(self._pushes, self._sight, self._log, self._belief))
        again = self._world.fork()
        self.magpie = self._live(again, Recorded(self._pushes, *self._eyes(), self._belief.copy()))
        if any(
            (getattr(again.minds, name) != getattr(lived.minds, name)).any() for name in ("needs", "fatigue")
        ):
            raise keep.NoWorld(f"{folder}: the pushes that arrived do not lead to the world as it is")

    def report(self) -> dict[str, Any]:
        """All senders by name, the volumes that the click model was tried at, the oracle's tuning."""
        world = self._world
        volumes = self._volumes()
        senders: dict[str, Callable[[World], Sender]] = {
            "none": lambda _: Scheduled(None),
            "random": lambda _: Scheduled(random_items),
            "popular": lambda _: Scheduled(popular_items),
            "rules": lambda _: Rules(self._eyes()[0]),
            "random, same volume": lambda _: Scheduled(random_items, volumes=volumes),
            "popular, same volume": lambda _: Scheduled(popular_items, volumes=volumes),
            "rules, same volume": lambda _: Rules(self._eyes()[0], volumes),
        }
        found = {MAGPIE: self.magpie}
        for name, sender in senders.items():
            found[name] = self._fork(name, sender)
        greedy = {share: self._fork(f"{CLICKS} {share}", self._click_greedy(share)) for share in SHARES}
        best_share = max(greedy, key=lambda share: greedy[share].reward)
        found[CLICKS] = greedy[best_share]
        oracles = {price: self._fork(f"{ORACLE} {price}", partial(Oracle, price=price)) for price in PRICES}
        best_price = max(oracles, key=lambda price: oracles[price].reward)
        found[ORACLE] = oracles[best_price]
        observers = {
            price: self._fork(f"{OBSERVER} {price}", self._observer(price)) for price in BELIEVED_PRICES
        }
        found[OBSERVER] = max(observers.values(), key=lambda lived: lived.reward)
        tireless = world.fork()
        tireless.tireless = True
        bound = self._live(tireless, Oracle(tireless, price=0.0))
        return {
            "seal": world.parameters.seal,
            "parameters": msgspec.to_builtins(world.parameters),  # unsealed: anyone can hash them again
            "first_day": world.day,
            "round_days": self._days,
            "senders": {name: lived.summary() for name, lived in found.items()},
            "click_greedy": {
                "best_share": best_share,
                "volumes": [lived.total.summary(world.parameters.margin) for lived in greedy.values()],
            },
            "oracle": {
                "best_price": best_price,
                "rewards": {str(price): round(lived.reward, 2) for price, lived in oracles.items()},
                "tireless_bound": round(bound.reward, 2),
            },
            "reward_formula": FORMULA.format(margin=world.parameters.margin),
        }

    def _click_greedy(self, share: float) -> Callable[[World], Sender]:
        return lambda _: ClickGreedy(*self._eyes(), share)

    def _observer(self, price: float) -> Callable[[World], Sender]:
        return lambda fork: Observer(fork, self._belief.copy(), price)

    def _eyes(self) -> tuple[Sight, ClickLog]:
        """What the shop knew when deciding began, to go on from."""
        return twin(self._sight), self._log.copy()

    def _volumes(self) -> Sequence[int]:
        """Magpie's pushes a day."""
        return [len(self._pushes[self._world.day + number]) for number in range(sum(self._days))]

    def _fork(self, name: str, sender: Callable[[World], Sender]) -> Lived:
        self._tell({"activity": f"living the same days: {name}"})
        fork = self._world.fork()
        return self._live(fork, sender(fork))

    def _live(self, world: World, sender: Sender) -> Lived:
        judged = Judged(sender)
        rounds = []
        for number, days in enumerate(self._days):
            if number and isinstance(sender, ClickGreedy):
                sender.learn()
            rounds.append(live(world, days, judged))
        return Lived(rounds, world.parameters.margin, judged.value)


def compare(folder: Path, first_day: int, round_days: int, tell: Tell) -> dict[str, Any]:
    """The whole comparison as one report. Raises keep.NoWorld or ValueError."""
    return Comparison(folder, first_day, round_days, tell).report()
