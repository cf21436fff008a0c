"""Worlds for the tests, and ways to live in them."""

from collections import Counter

import numpy as np

from magpie_simulator import behaviour
from magpie_simulator.acts import Kind
from magpie_simulator.forks import Choice, Choose, random_items
from magpie_simulator.parameters import Parameters
from magpie_simulator.people import Ints
from magpie_simulator.timetable import PUSH_HOUR, moment_ms
from magpie_simulator.world import World, arrived


def world(seed: int = 7, users: int = 300, items: int = 120) -> World:
    return World.create(Parameters(seed=seed, users=users, items=items))


def live(place: World, days: int, choose: Choose | None = None) -> Counter[str]:
    """Lives some days; `choose` picks a push for everybody reachable at the shop's hour. Counts by kind."""
    counts: Counter[str] = Counter(users=0)
    for _ in range(days):
        place.begin_day()
        for start, end in ((0, PUSH_HOUR), (PUSH_HOUR, 24)):
            happened = place.live(moment_ms(place, start), moment_ms(place, end))
            counts.update(Kind(kind).name for kind in happened["kind"].tolist())
            counts["bought"] += int(((happened["kind"] == Kind.PURCHASE) & (happened["push"] >= 0)).sum())
            if end == PUSH_HOUR and choose is not None:
                push(place, choose)
        counts["users"] += len(place.people)
        place.end_day()
    return counts


def push(place: World, choose: Choose) -> None:
    users = np.flatnonzero(place.reachable)
    zeros = np.zeros(len(users), np.int64)
    users, items = choose(place, users)
    place.receive(arrived(moment_ms(place, PUSH_HOUR), users, items, zeros, users + place.day))


def fitting_items(place: World, users: Ints) -> Choice:
    """What a mind reader would push: the item that says most to each user."""
    shelf = np.flatnonzero(place.shelf.on_sale)
    each = [behaviour.relevance(place, users, np.full(len(users), item)) for item in shelf]
    return users, shelf[np.argmax(np.stack(each), axis=0)]


__all__ = ["fitting_items", "live", "push", "random_items", "world"]
