"""The same days lived differently: forks of a world under other senders, with the same luck."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

from magpie_simulator.acts import Table
from magpie_simulator.people import ZONES, Floats, Ints
from magpie_simulator.tally import Tally
from magpie_simulator.timetable import EDGES, PUSH_HOUR, moment_ms
from magpie_simulator.world import World, arrived

# Users and, for each, the item to push; those to push to first stand first.
Choice = tuple[Ints, Ints]
Choose = Callable[[World, Ints], Choice]


class Sender(Protocol):
    """Who sends pushes in a fork. Asked once a day and at the end of every block, in this order."""

    def morning(self, world: World) -> None:
        """A day begins."""

    def see(self, world: World, happened: Table) -> None:
        """What people did in a block."""

    def send(self, world: World, block: int, hour: int) -> Table:
        """The pushes that arrive at the end of a block, which is at `hour` (UTC)."""


def live(world: World, days: int, sender: Sender) -> Tally:
    """Lives `days` days in `world`."""
    tally = Tally()
    for _ in range(days):
        world.begin_day()
        sender.morning(world)
        for block, (start, end) in enumerate(pairwise(EDGES), start=1):
            happened = world.live(moment_ms(world, start), moment_ms(world, end))
            tally.add(happened)
            sender.see(world, happened)
            pushes = sender.send(world, block, end)
            tally.pushes += len(pushes)
            world.receive(pushes)
        tally.user_days += len(world.people)
        world.end_day()
    return tally


class Scheduled:
    """One push a day at the shop's hour to users who can be reached, in the order in which `choose` names
    them: all of them, a share of those reachable, or `volumes` [days] of them. None sends nothing.

    Quiet hours are waited out, as the shop promised; one push a day is within its caps.
    """

    def __init__(
        self, choose: Choose | None, *, share: float = 1.0, volumes: Sequence[int] | None = None
    ) -> None:
        self._choose, self._share, self._volumes = choose, share, volumes
        self._day = -1
        self._number = 0
        self._users, self._items = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def morning(self, world: World) -> None:
        """What still waits for the end of quiet hours goes on waiting."""
        self._day += 1

    def see(self, world: World, happened: Table) -> None:
        """Looks at nothing."""

    def send(self, world: World, block: int, hour: int) -> Table:
        """Chooses at the shop's hour; hands out to those who may be disturbed."""
        if hour == PUSH_HOUR and self._choose is not None:
            reachable = np.flatnonzero(world.reachable)
            users, items = self._choose(world, reachable)
            most = round(self._share * len(reachable)) if self._volumes is None else self._volumes[self._day]
            self._users = np.concatenate([self._users, users[:most]])
            self._items = np.concatenate([self._items, items[:most]])
        now_ms = moment_ms(world, hour)
        may = awake(world, now_ms)[self._users]
        go = may & world.reachable[self._users]
        users, items = self._users[go], self._items[go]
        self._users, self._items = self._users[~may], self._items[~may]
        numbers = np.arange(self._number, self._number + len(users))
        self._number += len(users)
        # The words of a baseline change by user and day.
        return arrived(now_ms, users, items, numbers, users * 7 + world.day)


def awake(world: World, now_ms: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether it is outside of the quiet hours of each user, [U]."""
    zones = [world.parameters.rules.quiet_until_ms(now_ms, zone) is None for zone in ZONES]
    return np.asarray(np.array(zones)[world.people.zone])


def by_chance(world: World, users: Ints) -> Floats:
    """A number a user and day, to put users in an order."""
    return world.luck.one("fork.volume", world.day, users)


def random_items(world: World, users: Ints) -> Choice:
    """Any item that can be bought, to users in any order."""
    shelf = np.flatnonzero(world.shelf.on_sale)
    dice = world.luck.one("fork.random", world.day, users)
    order = np.argsort(by_chance(world, users))
    return users[order], shelf[(dice * len(shelf)).astype(np.int64)][order]


def popular_items(world: World, users: Ints) -> Choice:
    """The items bought most in the last seven days, each user another of the first ten each day."""
    sold = np.where(world.shelf.on_sale, world.shelf.popular + 0.001 * world.goods.fame, -np.inf)
    best = np.argsort(-sold)[:10]
    order = np.argsort(by_chance(world, users))
    return users[order], best[(users + world.day) % len(best)][order]


def live_forks(world: World, days: int, volumes: Sequence[int]) -> dict[str, Tally]:
    """The next `days` days of `world` under simple senders. `volumes` are the pushes a day of the real run,
    for the variants that send as many."""
    senders = {
        "none": Scheduled(None),
        "random": Scheduled(random_items),
        "popular": Scheduled(popular_items),
        "random, same volume": Scheduled(random_items, volumes=volumes),
        "popular, same volume": Scheduled(popular_items, volumes=volumes),
    }
    return {name: live(world.fork(), days, sender) for name, sender in senders.items()}
