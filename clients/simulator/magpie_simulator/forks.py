"""The same days lived differently: forks of a world under simple policies, with the same luck."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from magpie_simulator.people import ZONES, Ints
from magpie_simulator.tally import Tally
from magpie_simulator.timetable import EDGES, PUSH_HOUR, moment_ms
from magpie_simulator.world import World, arrived

Choose = Callable[[World, Ints], Ints]


def random_items(world: World, users: Ints) -> Ints:
    """Any item that can be bought, by chance."""
    shelf = np.flatnonzero(world.shelf.on_sale)
    dice = world.luck.one("fork.random", world.day, users)
    return np.asarray(shelf[(dice * len(shelf)).astype(np.int64)])


def popular_items(world: World, users: Ints) -> Ints:
    """The items bought most in the last seven days, each user another of the first ten each day."""
    sold = np.where(world.shelf.on_sale, world.shelf.popular + 0.001 * world.goods.fame, -np.inf)
    best = np.argsort(-sold)[:10]
    return np.asarray(best[(users + world.day) % len(best)])


def live_forks(world: World, days: int, volumes: Sequence[int]) -> dict[str, Tally]:
    """The next `days` days of `world` under each simple policy. `volumes` are the pushes a day of the real
    run, for the variants that send as many."""
    return {
        "none": live_fork(world.fork(), days, None),
        "random": live_fork(world.fork(), days, random_items),
        "popular": live_fork(world.fork(), days, popular_items),
        "random, same volume": live_fork(world.fork(), days, random_items, volumes),
        "popular, same volume": live_fork(world.fork(), days, popular_items, volumes),
    }


def live_fork(world: World, days: int, choose: Choose | None, volumes: Sequence[int] | None = None) -> Tally:
    """Lives `days` days in `world`, one push a day at the shop's hour to everybody who can be reached.

    `choose` None pushes nothing. `volumes` limits the pushes of each day to that many users drawn by chance.
    Quiet hours are waited out, as the shop promised; one push a day is within its caps.
    """
    tally = Tally()
    for number in range(days):
        world.begin_day()
        held = _Held(world)
        for start, end in pairwise(EDGES):
            tally.add(world.live(moment_ms(world, start), moment_ms(world, end)))
            if end == PUSH_HOUR and choose is not None:
                users = np.flatnonzero(world.reachable)
                if volumes is not None:
                    order = np.argsort(world.luck.one("fork.volume", world.day, users))
                    users = np.sort(users[order[: volumes[number]]])
                held.add(users, choose(world, users))
            tally.pushes += held.release(moment_ms(world, end))
        tally.user_days += len(world.people)
        world.end_day()
    return tally


class _Held:
    """Pushes that wait for the end of their users' quiet hours."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users = np.zeros(0, np.int64)
        self._items = np.zeros(0, np.int64)

    def add(self, users: Ints, items: Ints) -> None:
        """More pushes to go out."""
        self._users = np.concatenate([self._users, users])
        self._items = np.concatenate([self._items, items])

    def release(self, now_ms: int) -> int:
        """Hands out those whose users may be disturbed now; answers how many."""
        rules, zones = self._world.parameters.rules, self._world.people.zone
        awake = np.array([rules.quiet_until_ms(now_ms, zone) is None for zone in ZONES])
        go = awake[zones[self._users]] & self._world.reachable[self._users]
        users, items = self._users[go], self._items[go]
        keep = ~awake[zones[self._users]]
        self._users, self._items = self._users[keep], self._items[keep]
        openings = users * 7 + self._world.day  # the words of a baseline change by user and day
        self._world.receive(arrived(now_ms, users, items, np.full(len(users), 0), openings))
        return len(users)
