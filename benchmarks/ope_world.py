"""Decisions of the marketplace with their true chances: what an off-policy estimate is held against.

A world lives some weeks while its shop pushes random items, one a day to everybody who can be reached. Each
of those moments is a context: the arms that could have been pushed, what a shop can observe of user and arms,
and the chance of a click on each, which the world knows exactly. A shop learns its models from the earlier
weeks; decisions of the later ones are what policies are compared on.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from magpie_simulator import behaviour
from magpie_simulator.acts import Kind, Table
from magpie_simulator.parameters import Parameters
from magpie_simulator.people import ZONES
from magpie_simulator.timetable import EDGES, PUSH_HOUR, moment_ms
from magpie_simulator.words import BRANDS, CATEGORIES
from magpie_simulator.world import World, arrived

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Contexts:
    """n moments with K arms: who, when [n], observed features [n, K, F], true chances of a click [n, K]."""

    user: Ints
    day: Ints
    features: NDArray[np.float32]
    chance: Floats

    def where(self, chosen: NDArray[np.bool_]) -> "Contexts":
        return Contexts(self.user[chosen], self.day[chosen], self.features[chosen], self.chance[chosen])


class Observer:
    """What a shop has seen of its users: counts that fade, per user and aisle, brand and item."""

    def __init__(self, world: World) -> None:
        users, items, aisles = len(world.people), len(world.goods), len(CATEGORIES)
        self.world = world
        self.views, self.lately = np.zeros((users, aisles)), np.zeros((users, aisles))
        self.brands = np.zeros((users, len(BRANDS)))
        self.seen = np.zeros((users, items), np.float32)
        self.bought = np.full((users, aisles), 99.0)
        self.price, self.looks = np.zeros(users), np.zeros(users)
        self.pushed, self.opened = np.zeros(users), np.zeros(users)
        self.tired = np.zeros(users)
        self.same_aisle = np.zeros((users, aisles))
        self.visits = np.zeros(users)
        self.fame = np.zeros(items)

    def night(self) -> None:
        self.lately *= 0.7
        self.views *= 0.97
        self.bought += 1.0
        self.tired *= 0.8
        self.same_aisle *= 0.85
        self.fame *= 0.95
        self.visits *= 0.9

    def saw(self, happened: Table) -> None:
        goods = self.world.goods
        views = happened[happened["kind"] == Kind.VIEW_ITEM]
        users, items = views["user"], views["item"]
        aisle = goods.category[items]
        np.add.at(self.views, (users, aisle), 1.0)
        np.add.at(self.lately, (users, aisle), 1.0)
        np.add.at(self.brands, (users, goods.brand[items]), 1.0)
        np.add.at(self.seen, (users, items), 1.0)
        np.add.at(self.fame, items, 1.0)
        np.add.at(self.price, users, np.log(np.maximum(1, self.world.shelf.price[items])))
        np.add.at(self.looks, users, 1.0)
        buys = happened[happened["kind"] == Kind.PURCHASE]
        self.bought[buys["user"], goods.category[buys["item"]]] = 0.0
        np.add.at(self.opened, happened[happened["kind"] == Kind.OPENED]["user"], 1.0)
        np.add.at(self.visits, happened[happened["kind"] == Kind.SESSION_START]["user"], 1.0)

    def push(self, users: Ints, items: Ints) -> None:
        np.add.at(self.pushed, users, 1.0)
        np.add.at(self.tired, users, 1.0)
        np.add.at(self.same_aisle, (users, self.world.goods.category[items]), 1.0)

    def features(self, users: Ints, items: Ints, now_ms: int) -> NDArray[np.float32]:
        """[n, K, F] of users [n] and items [n, K]."""
        world, goods, shelf = self.world, self.world.goods, self.world.shelf
        who = np.broadcast_to(users[:, None], items.shape)
        aisle = goods.category[items]
        price = np.log(np.maximum(1, shelf.price[items]))
        usual = np.where(self.looks > 0, self.price / np.maximum(1, self.looks), 9.5)
        hours = world.local_hours(users, np.full(len(users), now_ms))
        stars = shelf.stars[items] / np.maximum(1, shelf.ratings[items])
        parts = [
            self.views[who, aisle],
            self.views[who, aisle] / (1.0 + self.views[users].sum(1)[:, None]),
            self.lately[who, aisle],
            self.lately[users].sum(1)[:, None],
            self.brands[who, goods.brand[items]],
            self.seen[who, items],
            self.bought[who, aisle],
            price,
            price - usual[users][:, None],
            shelf.discount[items],
            np.log1p(self.fame[items]),
            np.log1p(shelf.popular[items]),
            stars,
            self.tired[users][:, None],
            (self.opened[users] / (3.0 + self.pushed[users]))[:, None],
            self.same_aisle[who, aisle],
            self.visits[users][:, None],
            hours[:, None],
            world.people.platform[users][:, None],
        ]
        return np.stack([np.broadcast_to(part, items.shape) for part in parts], axis=2).astype(np.float32)


def live(seed: int, *, users: int, items: int, days: int, settling: int, arms: int) -> Contexts:
    """Contexts of `days` days after `settling` ones in which nothing is pushed."""
    world = World.create(Parameters(seed=seed, users=users, items=items))
    rng = np.random.default_rng(seed)
    observer, found = Observer(world), list[Contexts]()
    for day in range(settling + days):
        world.begin_day()
        observer.night()
        waiting = np.zeros(len(world.people), np.bool_)
        for start, end in pairwise(EDGES):
            observer.saw(world.live(moment_ms(world, start), moment_ms(world, end)))
            now_ms = moment_ms(world, end)
            if end == PUSH_HOUR and day >= settling:
                waiting = world.reachable.copy()
            awake = np.array([world.parameters.rules.quiet_until_ms(now_ms, zone) is None for zone in ZONES])
            going = np.flatnonzero(waiting & awake[world.people.zone] & world.reachable)
            waiting[going] = False
            if len(going):
                found.append(_push(world, observer, rng, going, now_ms, arms))
        world.end_day()
    return Contexts(
        *(np.concatenate([getattr(c, n) for c in found]) for n in ("user", "day", "features", "chance"))
    )


def _push(
    world: World, observer: Observer, rng: np.random.Generator, users: Ints, now_ms: int, arms: int
) -> Contexts:
    """A random arm to each user; the context it was drawn in."""
    items = _candidates(world, observer, rng, users, arms)
    features = observer.features(users, items, now_ms)
    flat, who = items.ravel(), np.repeat(users, arms)
    every = arrived(
        now_ms, who, flat, np.zeros(len(flat), np.int64), rng.integers(0, 8, len(users)).repeat(arms)
    )
    opens = behaviour.chance_to_open(world, every)
    clicks = opens * np.clip(0.22 + 0.6 * behaviour.relevance(world, who, flat), 0, 1)
    chosen = items[np.arange(len(users)), rng.integers(0, arms, len(users))]
    world.receive(
        arrived(now_ms, users, chosen, np.zeros(len(users), np.int64), rng.integers(0, 8, len(users)))
    )
    observer.push(users, chosen)
    day = np.full(len(users), world.day)
    return Contexts(users, day, features, clicks.reshape(items.shape))


def _candidates(world: World, observer: Observer, rng: np.random.Generator, users: Ints, arms: int) -> Ints:
    """The arms of each user, [n, K]: a noisy blend of the aisles looked at, popularity and chance."""
    goods, shelf = world.goods, world.shelf
    aisles = np.log(0.3 + observer.views[users] + 3.0 * observer.lately[users])
    score = aisles[:, goods.category] + 0.4 * np.log1p(observer.fame + shelf.popular)[None, :]
    score += 1.0 * rng.gumbel(size=score.shape)
    score = np.where(shelf.on_sale[None, :], score, -np.inf)
    return np.asarray(np.argpartition(-score, arms, axis=1)[:, :arms])
