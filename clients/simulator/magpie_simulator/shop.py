"""The shop's side of a world: what is on the shelf, at which price, how many; it moves every night."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_simulator.catalogue import Goods
from magpie_simulator.draws import Luck
from magpie_simulator.words import CATEGORIES

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DROPS_A_DAY, MOVES_A_DAY, WITHDRAWALS_A_DAY, RESTOCKED_A_DAY = 0.02, 0.006, 0.0012, 0.2
POPULAR_DAYS = 7
FAIRS_A_DAY, FAIR_DAYS, IN_FAIR = 0.012, 3, 0.5  # an aisle has one about every twelve weeks
FEW = 10  # pieces left from which on each that goes is told: a push may speak of them


@dataclass
class Shelf:
    """State of N items. Prices in fen, `list_price` 0 where there is no offer; `offer_until` is a day;
    `sales` [7, N] counts purchases by day modulo 7; `changed` marks what the shop's system must be told."""

    price: Ints
    list_price: Ints
    stock: Ints
    offer_until: Ints
    withdrawn: Bools
    here: Bools
    stars: Ints
    ratings: Ints
    sales: Ints
    changed: Bools

    @classmethod
    def stocked(cls, goods: Goods, luck: Luck) -> "Shelf":
        """The shelf on the first morning: a rating history, stock, a few offers to come."""
        count = len(goods)
        keys = np.arange(count)
        ratings = np.round(np.exp(2.0 + 0.9 * luck.normal("shelf", 0, keys)[:, 0] + 0.4 * goods.fame)).astype(
            int
        )
        ratings[goods.arrival > 0] = 0
        mean = np.clip(2.6 + 2.4 * goods.quality, 1.0, 5.0)
        return cls(
            price=goods.price.copy(),
            list_price=np.zeros(count, np.int64),
            stock=goods.depth.copy(),
            offer_until=np.full(count, -1, np.int64),
            withdrawn=np.zeros(count, np.bool_),
            here=np.asarray(goods.arrival == 0),
            stars=np.round(mean * ratings).astype(np.int64),
            ratings=ratings.astype(np.int64),
            sales=np.zeros((POPULAR_DAYS, count), np.int64),
            changed=np.asarray(goods.arrival == 0),
        )

    @property
    def on_sale(self) -> Bools:
        """Items that can be bought now, [N]."""
        return self.here & ~self.withdrawn & (self.stock > 0)

    @property
    def discount(self) -> NDArray[np.float64]:
        """Share off the list price, 0 to 1, [N]."""
        full = np.where(self.list_price > 0, self.list_price, self.price)
        return 1.0 - self.price / full

    @property
    def popular(self) -> Ints:
        """Purchases in the last seven days, [N]."""
        return np.asarray(self.sales.sum(axis=0))

    def sell(self, items: Ints, day: int) -> None:
        """Takes one piece of each item off the shelf (an item may come more than once)."""
        np.subtract.at(self.stock, items, 1)
        np.maximum(self.stock, 0, out=self.stock)
        np.add.at(self.sales[day % POPULAR_DAYS], items, 1)
        self.changed[items[self.stock[items] <= FEW]] = True

    def rate(self, items: Ints, stars: Ints) -> None:
        """Adds reviews."""
        np.add.at(self.stars, items, stars)
        np.add.at(self.ratings, items, 1)

    def night(self, goods: Goods, luck: Luck, day: int) -> None:
        """What changes before the shop opens on `day`: offers begin and end, goods arrive, sell out, go."""
        keys = np.arange(len(goods))
        dice = luck.uniform("shelf.night", day, keys, 7)
        before = self.price.copy(), self.list_price.copy()
        ended = (self.offer_until >= 0) & (self.offer_until < day)
        self.price[ended] = self.list_price[ended]
        self.list_price[ended] = 0
        self.offer_until[ended] = -1
        fair = fairs(luck, day, 1)[goods.category] & (dice[:, 6] < IN_FAIR)
        begins = (self.offer_until < 0) & ((dice[:, 0] < DROPS_A_DAY) | fair)
        self.list_price[begins] = self.price[begins]
        self.price[begins] = _ending(self.price[begins] * (0.9 - 0.35 * dice[begins, 1]))
        self.offer_until[begins] = day + 2 + (8 * dice[begins, 2]).astype(np.int64)
        self.offer_until[begins & fair] = day + FAIR_DAYS - 1
        moves = (self.offer_until < 0) & (dice[:, 3] < MOVES_A_DAY)
        self.price[moves] = _ending(self.price[moves] * (0.92 + 0.16 * dice[moves, 1]))
        arrives = ~self.here & (goods.arrival <= day)
        self.here |= arrives
        goes = self.here & ~self.withdrawn & (dice[:, 4] < WITHDRAWALS_A_DAY)
        self.withdrawn |= goes
        empty = self.here & (self.stock == 0) & (dice[:, 5] < RESTOCKED_A_DAY)
        self.stock[empty] = goods.depth[empty]
        self.sales[day % POPULAR_DAYS] = 0
        repriced = (before[0] != self.price) | (before[1] != self.list_price)
        self.changed |= (arrives | goes | empty | repriced) & self.here


def fairs(luck: Luck, day: int, days: int = FAIR_DAYS) -> Bools:
    """Aisles whose fair began within the `days` days up to `day`: half of their goods are on offer, [C]."""
    aisles = np.arange(len(CATEGORIES))
    begun = [luck.one("fair", day - ago, aisles) < FAIRS_A_DAY for ago in range(days)]
    return np.asarray(np.any(begun, axis=0))


def _ending(fen: NDArray[np.float64]) -> Ints:
    """A price in whole yuan, at least one."""
    return np.maximum(1, np.round(fen / 100)).astype(np.int64) * 100
