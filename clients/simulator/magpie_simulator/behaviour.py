"""How people take a push: opened, followed, swiped away, bought, opted out; now or hours later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from magpie_simulator import visits
from magpie_simulator.acts import PUSH_SLOT, RETURN_SLOT, REVIEW_SLOT, Kind, Table, acts, joined, rows
from magpie_simulator.parameters import DAY_MS
from magpie_simulator.people import Floats, Ints

if TYPE_CHECKING:
    from magpie_simulator.world import World

MOST_PUSHES = 16  # a day; the luck of any further one is that of the last
_LONGEST_MS = 20 * 3_600_000


def relevance(world: World, users: Ints, items: Ints) -> Floats:
    """How much a push of the item is what the user would have wanted to hear, 0 to 1; [n]."""
    liked = visits.fit(world, users, items)
    need = world.minds.needs[users, world.goods.category[items]]
    owned = world.minds.owned[users, items] > max(0, world.day - 30)
    return np.asarray(np.minimum(1.0, liked * (0.5 + 0.6 * need)) * np.where(owned, 0.3, 1.0))


def chance_to_open(world: World, pushes: Table) -> Floats:
    """Chance that each push is opened, given the hour, the user's fatigue and what they are used to; [n]."""
    users, minds, folk = pushes["user"], world.minds, world.people
    aisle = world.goods.category[pushes["item"]]
    hours = folk.hours[users, world.local_hours(users, pushes["ms"])] * 24
    hour = 0.35 + 0.65 * np.minimum(2.2, hours) ** 0.7
    used_to = 1.0 / (1.0 + 0.16 * minds.aisle_habit[users, aisle])
    used_to = used_to / (1.0 + 0.10 * minds.opening_habit[users, pushes["opening"]])
    mood = np.exp(-0.9 * minds.fatigue[users] - minds.annoyance[users]) * np.where(
        folk.annoyed[users], 0.45, 1.0
    )
    what = relevance(world, users, pushes["item"])
    base = world.parameters.open_floor + world.parameters.open_fitting * what**1.2
    return np.asarray(np.clip(folk.attention[users] * hour * used_to * mood * base, 0.0, 0.7))


def chance_to_click(what: Floats) -> Floats:
    """Chance that an opened push is followed, by its relevance; [n]."""
    return 0.22 + 0.6 * what


def chance_to_mean_to_buy(world: World, users: Ints, items: Ints, what: Floats) -> Floats:
    """Chance that who followed a push means to buy; [n]."""
    return np.minimum(1.0, 2.2 * visits.chance_to_buy(world, users, items) + 0.03 * what)


def chance_to_dismiss(world: World, users: Ints) -> Floats:
    """Chance that a push that is not opened is swiped away; [n]."""
    tired = np.minimum(1.0, world.minds.fatigue[users])
    return np.asarray(0.07 + 0.22 * world.people.annoyed[users] + 0.06 * tired)


def chance_to_leave(world: World, users: Ints, what: Floats) -> Floats:
    """Chance that a push makes its user turn pushes off; [n]."""
    tired = 1.0 + world.minds.fatigue[users] ** 2
    return world.parameters.opt_out * (1.0 + 7.0 * world.people.annoyed[users]) * tired * (1.6 - what)


def weariness(world: World, users: Ints, what: Floats) -> tuple[Floats, Floats]:
    """By how much a push adds to fatigue, and to the annoyance of who hates pushes; [n] both."""
    annoys = np.where(world.people.annoyed[users], 0.05 * (1.3 - what), 0.0)
    return world.parameters.fatigue_push * (1.3 - 0.8 * what), annoys


def react(world: World, pushes: Table) -> Table:
    """All that will come of pushes that arrive now, with its times; fatigue and habits move at once."""
    minds, users, items = world.minds, pushes["user"], pushes["item"]
    turn = np.minimum(minds.pushes_today[users] + _occurrence(users), MOST_PUSHES - 1)
    keys = users * MOST_PUSHES + turn
    dice = world.luck.uniform("push", world.day, keys, 8)
    bell = world.luck.normal("push.delays", world.day, keys, 3)
    what = relevance(world, users, items)

    opened = dice[:, 0] < chance_to_open(world, pushes)
    clicked = opened & (dice[:, 1] < chance_to_click(what))
    means_to_buy = clicked & (dice[:, 2] < chance_to_mean_to_buy(world, users, items, what))
    dismissed = ~opened & (dice[:, 3] < chance_to_dismiss(world, users))
    leaves = dice[:, 4] < chance_to_leave(world, users, what)

    arrival = pushes["ms"] + 500 + (dice[:, 5] * 20_000).astype(np.int64)
    seen = arrival + np.minimum(_LONGEST_MS, 1_000_000 * np.exp(1.3 * bell[:, 0])).astype(np.int64)
    click = seen + 3_000 + (dice[:, 6] * 40_000).astype(np.int64)
    hours = np.where(dice[:, 7] < 0.6, 0.08, 5.0) * np.exp(0.8 * bell[:, 1])
    buy = click + np.minimum(2.0 * DAY_MS, hours * 3_600_000).astype(np.int64)
    swipe = arrival + np.minimum(_LONGEST_MS, 1_500_000 * np.exp(1.1 * bell[:, 2])).astype(np.int64)
    every = np.ones(len(pushes), np.bool_)
    parts = [
        acts(kind, ms=at_ms[some], user=users[some], item=items[some], push=pushes["number"][some],
             category=world.goods.category[items[some]], day=world.day, slot=PUSH_SLOT + turn[some],
             step=step)
        for step, (kind, some, at_ms) in enumerate(
            (
                (Kind.DELIVERED, every, arrival),
                (Kind.OPENED, opened, seen),
                (Kind.CLICKED, clicked, click),
                (Kind.BUY, means_to_buy, buy),
                (Kind.DISMISSED, dismissed, swipe),
                (Kind.UNSUBSCRIBED, leaves, np.where(opened, seen, swipe) + 15_000),
            )
        )
    ]  # fmt: skip
    _weary(world, pushes, what)
    return joined(parts)


def realise(world: World, due: Table) -> Table:
    """What waited until now, with what it brings along: an open is a visit, a click a look, a buy a purchase
    when the item can still be had and is still wanted."""
    if not len(due):
        return rows(0)
    opens, clicks = due[due["kind"] == Kind.OPENED], due[due["kind"] == Kind.CLICKED]
    start, look = opens.copy(), clicks.copy()
    start["kind"], start["item"], start["category"] = Kind.SESSION_START, -1, -1
    start["step"] += 100
    look["kind"], look["ms"], look["seconds"] = Kind.VIEW_ITEM, look["ms"] + 1_000, 20.0
    look["step"] += 100
    look["price"] = world.shelf.price[look["item"]]
    buys = due[due["kind"] == Kind.BUY].copy()
    items, users = buys["item"], buys["user"]
    # Who bought it since, by themselves, does not buy it twice.
    wanted = world.minds.owned[users, items] <= world.day - 3
    buys = buys[world.shelf.on_sale[items] & wanted]
    buys["kind"] = Kind.PURCHASE
    buys["price"] = world.shelf.price[buys["item"]]
    buys["discounted"] = world.shelf.list_price[buys["item"]] > 0
    back = due[due["kind"] == Kind.RETURN_ITEM]
    world.shelf.stock[back["item"]] += 1
    return joined([due[due["kind"] != Kind.BUY], start, look, buys])


def afterwards(world: World, purchases: Table) -> Table:
    """Reviews and returns that will follow purchases."""
    if not len(purchases):
        return rows(0)
    users, items = purchases["user"], purchases["item"]
    dice = world.luck.uniform("afterwards", world.day, users * len(world.goods) + items, 5)
    liked = visits.fit(world, users, items)
    joy = 0.5 * liked + 0.6 * world.goods.quality[items] + 0.5 * (dice[:, 0] - 0.5)
    stars = np.clip(np.round(1.2 + 3.9 * joy), 1, 5).astype(np.int64)
    speaks = dice[:, 1] < 0.22
    returns = dice[:, 2] < 0.015 + 0.12 * np.clip(0.8 - joy, 0.0, 1.0)
    parts = []
    for kind, some, slot, first in (
        (Kind.REVIEW, speaks, REVIEW_SLOT, 1.0),
        (Kind.RETURN_ITEM, returns, RETURN_SLOT, 3.0),
    ):
        late = ((first + 5.0 * dice[some, 3]) * DAY_MS).astype(np.int64)
        part = purchases[some].copy()
        part["kind"], part["ms"], part["push"], part["seconds"] = kind, part["ms"] + late, -1, 0.0
        part["step"] += 100 * part["slot"]  # two purchases of one day in different visits
        part["slot"], part["stars"] = slot, stars[some] if kind == Kind.REVIEW else 0
        part["word"] = (dice[some, 4] * 2**20).astype(np.int64)
        parts.append(part)
    return joined(parts)


def _weary(world: World, pushes: Table, what: Floats) -> None:
    """A push tires, the less the better it fits; who hates pushes comes to the shop less."""
    minds, users = world.minds, pushes["user"]
    np.add.at(minds.pushes_today, users, 1)
    if world.tireless:
        return
    tires, annoys = weariness(world, users, what)
    np.add.at(minds.fatigue, users, tires)
    np.add.at(minds.annoyance, users, annoys)
    np.add.at(minds.aisle_habit, (users, world.goods.category[pushes["item"]]), 1.0)
    np.add.at(minds.opening_habit, (users, pushes["opening"]), 1.0)


def _occurrence(users: Ints) -> Ints:
    """How many times each user stands earlier in the list; [n]."""
    order = np.argsort(users, kind="stable")
    ordered = users[order]
    earlier = np.zeros(len(users), np.int64)
    earlier[order] = np.arange(len(users)) - np.searchsorted(ordered, ordered)
    return earlier
