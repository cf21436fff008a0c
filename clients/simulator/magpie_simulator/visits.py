"""What people do by themselves: needs come and go, they drop in at their hours, look around, buy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from magpie_simulator.acts import Kind, Table, acts, joined, rows
from magpie_simulator.parameters import DAY_MS, HOUR_MS
from magpie_simulator.people import Bools, Floats, Ints
from magpie_simulator.shop import fairs
from magpie_simulator.words import CATEGORIES

if TYPE_CHECKING:
    from magpie_simulator.world import World

SLOTS = 3
_SLOT_CHANCE = np.array([1.0, 0.3, 0.1])
_WEEKDAYS = np.array([0.95, 0.93, 0.95, 0.98, 1.05, 1.1, 1.08])
MOST_VIEWS = 8
CHUNK = 64
NEED_RATE, NEED_GOES = 0.055, 0.12
FAIR_PULL = 0.5


def tastes(world: World) -> Floats:
    """Taste for each aisle today, [U, C]: it wanders about what it was at the start, and with the season."""
    keys = np.arange(len(world.people))
    turns = world.luck.uniform("drift", 0, keys, len(CATEGORIES))
    drift = 0.25 * np.sin(2 * np.pi * (world.day / (50 + 60 * turns) + turns)) - 0.25 * np.sin(
        2 * np.pi * turns
    )
    return np.asarray(np.clip(world.people.taste * np.exp(drift), 0.0, 1.2) * _season(world)[None, :])


def fit(world: World, users: Ints, items: Ints) -> Floats:
    """How well items suit users today, 0 to 1: aisle, looks and price must all be right; [n], float64."""
    return _fit(world, users, items, world.matches[users, items]).astype(np.float64)


def fit_all(world: World, users: Ints) -> Floats:
    """How well every item suits these users today, [n, N], float32."""
    found: Floats = np.empty((len(users), len(world.goods)), np.float32)
    items = np.arange(len(world.goods))[None, :]
    for start in range(0, len(users), CHUNK):
        some = users[start : start + CHUNK]
        found[start : start + CHUNK] = _fit(world, some[:, None], items, world.matches[some])
    return found


def _fit(world: World, users: Ints, items: Ints, suits: Floats) -> Floats:
    """`users` and `items` are broadcast against each other."""
    folk, category = world.people, world.goods.category[items]
    usual = np.log([aisle.price * 100 for aisle in CATEGORIES])[category]
    moderate = (np.log(world.shelf.price[items]) - usual).astype(np.float32)
    dear = moderate - folk.budget[users].astype(np.float32)
    elasticity = folk.elasticity[users].astype(np.float32)
    # Too dear hurts more than too cheap, the more so the more somebody looks at prices.
    dear *= np.where(dear > 0, elasticity / np.float32(0.55), np.float32(1 / 0.9))
    affordable = np.exp(np.float32(-0.5) * dear * dear)
    discount = (0.8 * world.shelf.discount[items]).astype(np.float32)
    lure = 1 + np.minimum(np.float32(2.0), elasticity) * discount
    joy = world.likes[users, category] * suits * affordable * lure
    return np.asarray(joy / (joy + np.float32(0.22)))


def feel_needs(world: World) -> None:
    """Some needs arise, some are forgotten; the rest grow a little."""
    keys = np.arange(len(world.people))
    needs, day = world.minds.needs, world.day
    arise = world.luck.uniform("need", day, keys, len(CATEGORIES))
    forget = world.luck.uniform("need.gone", day, keys, len(CATEGORIES))
    needs[forget < NEED_GOES] = 0.0
    np.minimum(1.0, needs * 1.15, out=needs)
    chance = NEED_RATE * world.tastes**1.5
    needs[(arise < chance) & (needs == 0.0)] = 0.7


def plan(world: World) -> Table:
    """The visits of the day: one row a visit, with its time; [n]."""
    folk, day = world.people, world.day
    keys = np.arange(len(folk))
    pull = 1.0 + 0.5 * world.minds.needs.max(axis=1)
    pull = pull + FAIR_PULL * (world.tastes * fairs(world.luck, day)).max(axis=1)
    weekday = _WEEKDAYS[datetime.fromtimestamp(world.day_start_ms / 1000, UTC).weekday()]
    chance = np.clip(folk.visits * pull * weekday * np.exp(-world.minds.annoyance), 0.0, 0.97)
    comes = world.luck.uniform("visit", day, keys, SLOTS) < chance[:, None] * _SLOT_CHANCE
    comes &= (world.minds.installed & ~folk.bot)[:, None]
    users, slots = np.nonzero(comes)
    dice = world.luck.uniform("visit.hour", day, users * SLOTS + slots, 2)
    hours = (np.cumsum(folk.hours[users], axis=1) < dice[:, :1]).sum(axis=1).clip(0, 23)
    local_ms = ((hours + dice[:, 1]) * HOUR_MS).astype(np.int64)
    at_ms = world.day_start_ms + (local_ms - world.offsets[folk.zone[users]]) % DAY_MS
    return acts(Kind.SESSION_START, ms=at_ms, user=users, day=day, slot=slots)


def visit(world: World, starts: Table) -> Table:
    """What is done in the visits that begin with `starts`, by time."""
    if not len(starts):
        return rows(0)
    users, luck, day, needs = starts["user"], world.luck, world.day, world.minds.needs
    keys = users * SLOTS + starts["slot"]
    dice = luck.uniform("session", day, keys, 6)
    liking = np.log(world.tastes[users] + 0.02) + 2.2 * needs[users]
    aisle = np.argmax(liking + luck.gumbel("session.aisle", day, keys, len(CATEGORIES)), axis=1)
    views = np.minimum(MOST_VIEWS, 1 + np.floor(np.log(dice[:, 0]) / np.log(0.72))).astype(np.int64)
    items = np.empty((len(starts), MOST_VIEWS), np.int64)
    seen = np.arange(MOST_VIEWS)[None, :] < views[:, None]
    for start in range(0, len(starts), CHUNK):  # what fits a processor's cache
        some = slice(start, start + CHUNK)
        items[some], there = _shown(world, users[some], keys[some], aisle[some])
        seen[some] &= there
    return _session(world, starts, aisle, items, seen, dice)


def _shown(world: World, users: Ints, keys: Ints, aisle: Ints) -> tuple[Ints, Bools]:
    """The items that somebody meets who looks around in an aisle, in order, and whether they are there."""
    same = world.goods.category[None, :] == aisle[:, None]
    draw = 1.6 * np.log(fit_all(world, users) + 0.02) + np.where(same, 3.5, 0.0) + 0.5 * world.goods.fame
    draw = draw + 1.5 * world.shelf.discount
    draw = np.where(world.shelf.on_sale, draw, -np.inf)
    draw += world.luck.gumbel("session.items", world.day, keys, len(world.goods))
    best = np.argpartition(-draw, MOST_VIEWS, axis=1)[:, :MOST_VIEWS]
    items = np.take_along_axis(best, np.argsort(-np.take_along_axis(draw, best, axis=1), axis=1), axis=1)
    return items, np.isfinite(np.take_along_axis(draw, items, axis=1))


def chance_to_buy(world: World, users: Ints, items: Ints) -> Floats:
    """Chance that somebody who looks at an item buys it: a need decides, liking alone now and then; [n]."""
    liked = fit(world, users, items)
    need = world.minds.needs[users, world.goods.category[items]]
    since = world.day + 1 - world.minds.owned[users, items]
    fresh = np.where((world.minds.owned[users, items] > 0) & (since < 45), 0.15, 1.0)
    return np.asarray((0.012 * liked**2 + 0.34 * need * liked**1.5) * fresh)


def _session(world: World, starts: Table, aisle: Ints, items: Ints, seen: Bools, dice: Floats) -> Table:
    """The acts of visits: `items` and `seen` are [n, 8], in the order of looking."""
    luck, day, users = world.luck, world.day, starts["user"]
    keys = users * SLOTS + starts["slot"]
    looks = luck.uniform("session.looks", day, keys, MOST_VIEWS)
    suits = fit(world, users[:, None], items)
    dwell = 4.0 + 50.0 * (-np.log(looks)) * (0.3 + suits)
    begins = starts["ms"][:, None] + 25_000 + (np.cumsum(dwell + 3.0, axis=1) * 1000).astype(np.int64)
    chance = chance_to_buy(world, np.repeat(users, MOST_VIEWS), items.ravel()).reshape(items.shape)
    wish = luck.uniform("session.wish", day, keys, MOST_VIEWS)
    buys = seen & (wish < chance)
    buys &= np.cumsum(buys, axis=1) == 1
    carts = seen & (wish < 0.02 + 3.0 * chance)
    saved = seen & ~carts & (wish > 1.0 - 0.12 * suits)
    regret = carts & ~buys & (luck.uniform("session.regret", day, keys, MOST_VIEWS) < 0.2)
    common = {"day": day}
    parts = [starts]
    browse, search = dice[:, 1] < 0.35, dice[:, 2] < 0.3
    for kind, some, late in ((Kind.VIEW_CATEGORY, browse, 6_000), (Kind.SEARCH, search, 15_000)):
        step = 1 if kind == Kind.VIEW_CATEGORY else 2
        word = (dice[some, 3] * 2**20).astype(np.int64)
        part = starts[some]
        parts.append(
            acts(kind, ms=part["ms"] + late, user=part["user"], slot=part["slot"], step=step,
                 category=aisle[some], word=word, seconds=8.0 if step == 1 else 0.0, **common)
        )  # fmt: skip
    deeds = (
        (Kind.VIEW_ITEM, seen, 0, 10),
        (Kind.ADD_TO_WISHLIST, saved, 1_000, 20),
        (Kind.ADD_TO_CART, carts, 2_000, 30),
        (Kind.REMOVE_FROM_CART, regret, 40_000, 40),
        (Kind.PURCHASE, buys, 90_000, 50),
    )
    for kind, some, late, step in deeds:
        visit_, place = np.nonzero(some)
        item = items[visit_, place]
        after = (dwell[visit_, place] * 500).astype(np.int64) if late else 0
        part = acts(
            kind, ms=begins[visit_, place] + late + after, user=users[visit_], slot=starts["slot"][visit_],
            item=item, step=step + place, category=world.goods.category[item], price=world.shelf.price[item],
            discounted=world.shelf.list_price[item] > 0, **common,
        )  # fmt: skip
        if kind == Kind.VIEW_ITEM:
            part["seconds"] = np.round(dwell[visit_, place], 1)
        parts.append(part)
    return joined(parts)


def _season(world: World) -> Floats:
    month = datetime.fromtimestamp(world.day_start_ms / 1000, UTC).timetuple().tm_yday / 30.4
    peak = np.array([aisle.season[0] for aisle in CATEGORIES])
    swing = np.array([aisle.season[1] for aisle in CATEGORIES])
    return np.asarray(1.0 + swing * np.cos(2 * np.pi * (month - peak) / 12))
