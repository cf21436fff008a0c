"""A world: people and a shop over days. Ask what happens in a span of time; hand in pushes."""

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from magpie_simulator import behaviour, people, visits
from magpie_simulator.acts import PUSH, SETTINGS_SLOT, Kind, Table, acts, joined, rows
from magpie_simulator.catalogue import Goods, draw_goods
from magpie_simulator.draws import Luck
from magpie_simulator.parameters import DAY_MS, HOUR_MS, Parameters
from magpie_simulator.people import ZONES, Bools, Floats, Ints, People
from magpie_simulator.shop import Shelf
from magpie_simulator.words import CATEGORIES

Group = TypeVar("Group")
DELIVERY_HABITS = 8  # openings of a push that a user tells apart
SETTLING_NIGHTS = 5


@dataclass
class Minds:
    """What changes in U users. `needs` [U, C] is 0 or up to 1; `owned` [U, N] is the day after the last
    purchase, 0 for never, `last_visit` [U] that after the last visit; `fatigue`, `annoyance` [U] and the
    habits, by aisle [U, C] and by opening words [U, 8], rise with pushes and recover overnight."""

    needs: Floats
    owned: NDArray[np.int32]
    fatigue: Floats
    annoyance: Floats
    aisle_habit: Floats
    opening_habit: Floats
    consents: Bools
    asked: Bools
    installed: Bools
    pushes_today: Ints
    away_until: Ints
    last_visit: Ints


@dataclass
class World:
    """Everything of one world. `day` is the next day to live; `waiting` are acts that are still to come,
    `going_on` those of visits that the end of a span cut in two; `tastes` and, with their curve, `likes`
    [U, C] are those of today. A `tireless` world is no world of people: it bounds from above what pushes
    could win."""

    parameters: Parameters
    luck: Luck
    goods: Goods
    people: People
    matches: Floats
    shelf: Shelf
    minds: Minds
    day: int = 0
    tireless: bool = False
    waiting: Table = field(default_factory=lambda: rows(0))
    going_on: Table = field(default_factory=lambda: rows(0))
    tastes: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    likes: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    today: Table = field(default_factory=lambda: rows(0))
    offsets: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def create(cls, parameters: Parameters) -> "World":
        """The world on its first morning."""
        luck = Luck(parameters.seed)
        goods, folk = draw_goods(parameters, luck), people.draw_people(parameters, luck)
        users, aisles = len(folk), len(CATEGORIES)
        minds = Minds(
            needs=np.zeros((users, aisles)),
            owned=np.zeros((users, len(goods)), np.int32),
            fatigue=np.zeros(users),
            annoyance=np.zeros(users),
            aisle_habit=np.zeros((users, aisles)),
            opening_habit=np.zeros((users, DELIVERY_HABITS)),
            consents=folk.consents.copy(),
            asked=folk.consents.copy(),
            installed=np.ones(users, np.bool_),
            pushes_today=np.zeros(users, np.int64),
            away_until=np.zeros(users, np.int64),
            last_visit=np.zeros(users, np.int64),
        )
        shelf = Shelf.stocked(goods, luck)
        world = cls(parameters, luck, goods, folk, people.matches(folk, goods), shelf, minds)
        for night in range(-SETTLING_NIGHTS, 0):  # people have needs before the first morning
            world.day = night
            world._wake()
            visits.feel_needs(world)
        world.day = 0
        return world

    def fork(self) -> "World":
        """The same world, to be lived differently with the same luck."""
        return replace(
            self,
            shelf=twin(self.shelf),
            minds=twin(self.minds),
            waiting=self.waiting.copy(),
            going_on=self.going_on.copy(),
        )

    @property
    def day_start_ms(self) -> int:
        """Midnight UTC of `day`, ms since the epoch."""
        return self.parameters.start_ms + self.day * DAY_MS

    @property
    def reachable(self) -> Bools:
        """Who consents and has the app, [U]."""
        return self.minds.consents & self.minds.installed & ~self.people.bot

    def local_hours(self, users: Ints, at_ms: Ints) -> Ints:
        """Hour of the local day, 0 to 23."""
        return np.asarray(((at_ms + self.offsets[self.people.zone[users]]) // HOUR_MS) % 24)

    def begin_day(self) -> None:
        """The night before `day`: the shelf moves, people recover, needs come and go, visits are planned."""
        self.shelf.night(self.goods, self.luck, self.day)
        noon = datetime.fromtimestamp(self.day_start_ms / 1000, UTC) + timedelta(hours=12)
        offsets = [noon.astimezone(ZoneInfo(zone)).utcoffset() or timedelta() for zone in ZONES]
        self.offsets = np.array([round(offset.total_seconds()) * 1000 for offset in offsets])
        self._recover()
        self._wake()
        visits.feel_needs(self)
        self.today = visits.plan(self)

    def live(self, start_ms: int, end_ms: int) -> Table:
        """All that happens from `start_ms` until before `end_ms`, by time; shelf and minds move with it."""
        due = self.waiting["ms"] < end_ms
        later, self.waiting = self.waiting[due], self.waiting[~due]
        span = (self.today["ms"] >= start_ms) & (self.today["ms"] < end_ms)
        begun = joined([visits.visit(self, self.today[span]), behaviour.realise(self, later)])
        self._settle(begun)
        happened = joined([self.going_on, begun])
        self.going_on = happened[happened["ms"] >= end_ms]
        return happened[happened["ms"] < end_ms]

    def receive(self, pushes: Table) -> None:
        """Pushes arrive on phones; what comes of them waits for its time."""
        if len(pushes):
            self.waiting = np.concatenate([self.waiting, behaviour.react(self, pushes)])

    def end_day(self) -> None:
        """The day is over."""
        self.day += 1

    def _wake(self) -> None:
        """What everybody likes today."""
        self.tastes = visits.tastes(self)
        self.likes = (self.tastes**0.8).astype(np.float32)

    def _recover(self) -> None:
        minds, world = self.minds, self.parameters
        minds.fatigue *= world.fatigue_recovery
        minds.annoyance *= 0.93
        minds.aisle_habit *= world.habit_recovery
        minds.opening_habit *= world.habit_recovery
        minds.pushes_today[:] = 0
        back = ~minds.installed & (minds.away_until <= self.day)
        minds.installed |= back
        keys = np.arange(len(self.people))
        weary = 0.0004 * (1.0 + 3.0 * minds.fatigue + 4.0 * minds.annoyance)
        gone = minds.installed & (self.luck.one("uninstall", self.day, keys) < weary)
        minds.installed &= ~gone
        dice = self.luck.one("uninstall.days", self.day, keys)
        minds.away_until[gone] = self.day + 5 + (40 * dice[gone]).astype(np.int64)
        quiet = minds.consents & (self.luck.one("settings", self.day, keys) < 0.5 * weary)
        users = np.flatnonzero(quiet)
        hours = self.luck.one("settings.hour", self.day, users)
        at_ms = self.day_start_ms + (hours * DAY_MS).astype(np.int64)
        silent = acts(Kind.SILENT_OPT_OUT, ms=at_ms, user=users, day=self.day, slot=SETTINGS_SLOT)
        self.waiting = np.concatenate([self.waiting, silent])

    def _settle(self, happened: Table) -> None:
        """Purchases leave the shelf and still the need; reviews count; who opted out consents no more."""
        kinds, users, items = happened["kind"], happened["user"], happened["item"]
        bought = kinds == Kind.PURCHASE
        self.shelf.sell(items[bought], self.day)
        self.minds.owned[users[bought], items[bought]] = self.day + 1
        self.minds.needs[users[bought], self.goods.category[items[bought]]] = 0.0
        self.waiting = np.concatenate([self.waiting, behaviour.afterwards(self, happened[bought])])
        reviews = kinds == Kind.REVIEW
        self.shelf.rate(items[reviews], happened["stars"][reviews])
        leaving = np.isin(kinds, [Kind.UNSUBSCRIBED, Kind.SILENT_OPT_OUT])
        self.minds.consents[users[leaving]] = False
        self.minds.last_visit[users[kinds == Kind.SESSION_START]] = self.day + 1


def twin(group: Group) -> Group:
    """A copy of a dataclass of arrays with arrays of its own."""
    copies = {each.name: getattr(group, each.name).copy() for each in fields(group)}  # type: ignore[arg-type]
    return replace(group, **copies)  # type: ignore[type-var]


def arrived(ms: Ints | int, users: Ints, items: Ints, numbers: Ints, openings: Ints) -> Table:
    """A table of pushes; arrays [n]. `openings` is any number made from the first words."""
    table = rows(len(users), PUSH)
    table["ms"], table["user"], table["item"] = ms, users, items
    table["number"], table["opening"] = numbers, openings % DELIVERY_HABITS
    return table
