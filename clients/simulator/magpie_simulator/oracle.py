"""The oracle: a sender that reads minds, and so knows every true chance and value, but not the dice.

Each day it weighs, for every user it can reach, every item at the best of the hours that are left: the value
by the report's formula of click, purchase, dismissal and opt-out at their true chances; of a purchase only
what exceeds the purchases that its need would have led to anyway; less what the push costs later. Later costs
are the slide of fatigue, habit and annoyance times what is at stake: the user's own visits, and, for half of
their recent value, the pushes to come. It pushes once a day like everybody, whenever the balance is above
`price`, a shadow price of pushes in CNY that the evaluator tunes by world on forks: it stands for what the
balance cannot see, above all a better push tomorrow.

How near to the best that is possible is bounded from above by the same sender in a world that never tires
(`World.tireless`): no policy of one push a day can be expected to win much more than that. In three worlds
that were used for nothing else (500 users, 300 items, 14 days) it won 75 to 78 % of that bound with any price
from 0.3 to 0.8, and 66 % with none.
"""

import numpy as np

from magpie_simulator import behaviour, visits
from magpie_simulator.acts import PUSH, Table, rows
from magpie_simulator.forks import awake
from magpie_simulator.people import Bools, Floats, Ints
from magpie_simulator.tally import CLICK_VALUE, DISMISSAL_COST, OPT_OUT_COST
from magpie_simulator.timetable import EDGES, moment_ms
from magpie_simulator.world import World, arrived

LOOKS = 3.3  # items looked at in a visit, on average
AWAY_DAYS = 25.0  # how long somebody stays away who removed the app
REMEMBERS = 0.9  # share of the value of a user's pushes that is kept in mind from day to day
LATER = 0.5  # share of the recent value of a user's pushes that later ones are taken to have
AHEAD_DAYS = 30.0  # how far the value of a lost user is counted
CHUNK = 256


class Oracle:
    """Sends what is worth more than `price`, CNY."""

    def __init__(self, world: World, price: float) -> None:
        self._price = price
        self._worth = np.zeros(len(world.people))  # CNY, of a user's pushes lately, a day
        self._pushed = np.zeros((len(world.people), len(world.goods)), np.int32)
        self._done = np.zeros(len(world.people), np.bool_)
        self._number = 0

    def morning(self, world: World) -> None:
        """Everybody can be pushed to again."""
        self._done[:] = False
        self._best = np.zeros(len(world.people))

    def see(self, world: World, happened: Table) -> None:
        """Needs no eyes."""

    def send(self, world: World, block: int, hour: int) -> Table:
        """Pushes to those for whom this is the best hour that is left of the day."""
        users = np.flatnonzero(world.reachable & ~self._done & self._best_hour_is_now(world, block))
        parts = [rows(0, PUSH)]
        for start in range(0, len(users), CHUNK):
            some = users[start : start + CHUNK]
            parts.append(self._choose(world, some, moment_ms(world, hour)))
        self._done[users] = True
        if block == len(EDGES) - 1:
            self._worth = REMEMBERS * self._worth + (1.0 - REMEMBERS) * self._best
        return np.concatenate(parts)

    def _best_hour_is_now(self, world: World, block: int) -> Bools:
        everybody = np.arange(len(world.people))
        hours = []
        for edge in EDGES[block:]:
            at_ms = moment_ms(world, edge)
            about = world.people.hours[everybody, world.local_hours(everybody, np.array(at_ms))]
            hours.append(np.where(awake(world, at_ms), about, -1.0))
        return np.asarray((hours[0] >= np.max(hours, axis=0)) & (hours[0] >= 0.0))

    def _choose(self, world: World, users: Ints, now_ms: int) -> Table:
        minds, count = world.minds, len(world.goods)
        opening = np.argmin(minds.opening_habit[users], axis=1)
        pairs = arrived(
            now_ms,
            np.repeat(users, count),
            np.tile(np.arange(count), len(users)),
            np.zeros(len(users) * count, np.int64),
            np.repeat(opening, count),
        )
        shape = (len(users), count)
        worth = LATER * self._worth[pairs["user"]]
        now, later = (part.reshape(shape) for part in self._value(world, pairs, worth))
        lately = self._pushed[users] > max(0, world.day + 1 - world.parameters.rules.repeat_days)
        balance = np.where(world.shelf.on_sale[None, :] & ~lately, now - later, -np.inf)
        best = np.argmax(balance, axis=1)
        each = np.arange(len(users))
        self._best[users] = np.maximum(0.0, now[each, best])
        go = balance[each, best] > self._price
        numbers = np.arange(self._number, self._number + go.sum())
        self._number += int(go.sum())
        self._pushed[users[go], best[go]] = world.day + 1
        return arrived(now_ms, users[go], best[go], numbers, opening[go])

    def _value(self, world: World, pairs: Table, worth: Floats) -> tuple[Floats, Floats]:
        return value(world, pairs, worth)


def value(world: World, pushes: Table, worth: Floats) -> tuple[Floats, Floats]:
    """What each push can be expected to earn by itself, and to cost later, CNY [n] both. `worth` [n] is what
    the user's other pushes are taken to earn a day."""
    users, items = pushes["user"], pushes["item"]
    what = behaviour.relevance(world, users, items)
    opened = behaviour.chance_to_open(world, pushes)
    clicked = opened * behaviour.chance_to_click(what)
    bought = clicked * behaviour.chance_to_mean_to_buy(world, users, items, what)
    dismissed = (1.0 - opened) * behaviour.chance_to_dismiss(world, users)
    leaves = behaviour.chance_to_leave(world, users, what)
    people, each = np.unique(users, return_inverse=True)
    by_themselves, need_worth = organic(world, people)
    aisle = world.goods.category[items]
    kept = world.parameters.margin * world.shelf.price[items] / 100 * (1.0 - _returns(world, users, items))
    now = (
        CLICK_VALUE * clicked
        + bought * (kept - need_worth[each, aisle])
        - DISMISSAL_COST * dismissed
        - leaves * (OPT_OUT_COST + AHEAD_DAYS * worth)
    )
    return now, _later(world, pushes, what, worth, by_themselves[each])


def organic(world: World, users: Ints) -> tuple[Floats, Floats]:
    """What users spend by themselves: margin a day, CNY [n]; and the margin that a need of theirs will lead
    to before it is forgotten, CNY [n, C], 0 where there is none."""
    goods, shelf, needs = world.goods, world.shelf, world.minds.needs[users]
    liked = visits.fit_all(world, users).astype(np.float64)
    pull = (liked + 0.02) ** 1.6 * np.exp(0.5 * goods.fame + 1.5 * shelf.discount)[None, :] * shelf.on_sale
    margin = world.parameters.margin * shelf.price / 100
    buys = 0.012 * liked**2 + 0.34 * needs[:, goods.category] * liked**1.5
    aisles = np.eye(needs.shape[1])[goods.category]  # [N, C]
    total = np.maximum(pull @ aisles, 1e-12)
    rate, money = (pull * buys) @ aisles / total, (pull * buys * margin[None, :]) @ aisles / total
    liking = world.tastes[users] + 0.02
    goes = liking * np.exp(2.2 * needs)
    goes /= goes.sum(axis=1, keepdims=True)
    comes = 1.4 * np.clip(world.people.visits[users] * (1.0 + 0.5 * needs.max(axis=1)), 0.0, 0.97)
    daily = comes[:, None] * goes * (1.0 - np.exp(-LOOKS * rate))
    price = money / np.maximum(rate, 1e-12)
    met = daily / (daily + visits.NEED_GOES)
    return (daily * price).sum(axis=1), np.where(needs > 0, met * price, 0.0)


def _returns(world: World, users: Ints, items: Ints) -> Floats:
    joy = 0.5 * visits.fit(world, users, items) + 0.6 * world.goods.quality[items]
    return np.asarray(0.015 + 0.12 * np.clip(0.8 - joy, 0.0, 1.0))


def _later(world: World, pairs: Table, what: Floats, worth: Floats, by_themselves: Floats) -> Floats:
    """Cost of what a push leaves behind, CNY [n]: each slide times the days that it lasts."""
    users, minds, parameters = pairs["user"], world.minds, world.parameters
    aisle = world.goods.category[pairs["item"]]
    tires, annoys = behaviour.weariness(world, users, what)
    tired_days = parameters.fatigue_recovery / (1.0 - parameters.fatigue_recovery)
    annoyed_days = 0.93 / (1.0 - 0.93)
    habit_days = parameters.habit_recovery / (1.0 - parameters.habit_recovery)
    goes = AWAY_DAYS * (by_themselves + worth) + 0.5 * (OPT_OUT_COST + AHEAD_DAYS * worth)
    fatigue = tires * tired_days * (0.9 * worth + 0.0004 * 3.0 * goes)
    annoyance = annoys * annoyed_days * (by_themselves + worth + 0.0004 * 4.0 * goes)
    habit = minds.aisle_habit[users, aisle]
    again = (habit + 0.5) / (minds.aisle_habit[users].sum(axis=1) + 1.0)  # how often the aisle comes again
    bored = habit_days * 0.16 / (1.0 + 0.16 * habit) * np.minimum(1.0, again) * worth
    return np.asarray(fatigue + annoyance + bored)
