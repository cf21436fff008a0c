"""What a shop can see of its world: events, receipts, its own shelf. All that a rival of Magpie's may use."""

from dataclasses import dataclass, field

import numpy as np

from magpie_simulator.acts import Kind, Table
from magpie_simulator.people import PLATFORMS, Floats, Ints
from magpie_simulator.words import BRANDS, CATEGORIES
from magpie_simulator.world import World

FORGETS = 0.9  # what was seen counts a tenth less every day
_WEIGHTS = {
    Kind.VIEW_CATEGORY: 1.0,
    Kind.SEARCH: 2.0,
    Kind.VIEW_ITEM: 1.0,
    Kind.ADD_TO_WISHLIST: 2.0,
    Kind.ADD_TO_CART: 3.0,
    Kind.PURCHASE: 4.0,
}


@dataclass
class Sight:
    """Of U users, N items, C aisles, B brands. Sums by user fade by FORGETS a day; `last_visit`, `bought`,
    `pushed` are a day's number plus one, 0 for never; those by item count everything."""

    aisles: Floats
    brands: Floats
    items: Floats
    prices: Floats
    looks: Floats
    visits: Floats
    sent: Floats
    clicked: Floats
    sent_aisles: Floats
    last_visit: Ints
    bought: Ints
    pushed: Ints
    sent_items: Floats = field(default_factory=lambda: np.zeros(0))
    clicked_items: Floats = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, world: World) -> "Sight":
        """Nothing seen yet."""
        users, items = len(world.people), len(world.goods)
        sums = {name: np.zeros(users) for name in ("prices", "looks", "visits", "sent", "clicked")}
        return cls(
            aisles=np.zeros((users, len(CATEGORIES))),
            brands=np.zeros((users, len(BRANDS))),
            items=np.zeros((users, items), np.float32),
            sent_aisles=np.zeros((users, len(CATEGORIES))),
            last_visit=np.zeros(users, np.int64),
            bought=np.zeros((users, items), np.int32),
            pushed=np.zeros((users, items), np.int32),
            sent_items=np.zeros(items),
            clicked_items=np.zeros(items),
            **sums,
        )

    def morning(self) -> None:
        """A night has passed."""
        for fading in (self.aisles, self.brands, self.items, self.prices, self.looks, self.visits,
                       self.sent, self.clicked, self.sent_aisles):  # fmt: skip
            fading *= FORGETS

    def see(self, world: World, happened: Table) -> None:
        """Takes in what people did. Receipts of clicks get lost as they do for everybody."""
        for kind, weight in _WEIGHTS.items():
            some = happened[happened["kind"] == kind]
            np.add.at(self.aisles, (some["user"], some["category"]), weight)
            some = some[some["item"] >= 0]
            users, items = some["user"], some["item"]
            np.add.at(self.brands, (users, world.goods.brand[items]), weight)
            np.add.at(self.items, (users, items), weight)
            np.add.at(self.prices, users, weight * np.log(world.shelf.price[items]))
            np.add.at(self.looks, users, weight)
            if kind == Kind.PURCHASE:
                self.bought[users, items] = world.day + 1
        starts = happened[happened["kind"] == Kind.SESSION_START]["user"]
        np.add.at(self.visits, starts, 1.0)
        self.last_visit[starts] = world.day + 1
        clicks = heard_clicks(world, happened)
        np.add.at(self.clicked, clicks["user"], 1.0)
        np.add.at(self.clicked_items, clicks["item"], 1.0)

    def send(self, world: World, pushes: Table) -> None:
        """Remembers pushes that went out."""
        users, items = pushes["user"], pushes["item"]
        np.add.at(self.sent, users, 1.0)
        np.add.at(self.sent_aisles, (users, world.goods.category[items]), 1.0)
        np.add.at(self.sent_items, items, 1.0)
        self.pushed[users, items] = world.day + 1

    def may_push(self, world: World, users: Ints) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """Items on sale that were not pushed to the user in the last seven days, [n, N]."""
        lately = self.pushed[users] > max(0, world.day + 1 - world.parameters.rules.repeat_days)
        return np.asarray(world.shelf.on_sale[None, :] & ~lately)


def heard_clicks(world: World, happened: Table) -> Table:
    """The clicks on pushes whose receipts reached the shop."""
    clicks = happened[happened["kind"] == Kind.CLICKED]
    heard = world.luck.one("fork.receipts", world.day, clicks["push"]) >= world.parameters.lost_receipts
    return np.asarray(clicks[heard])


def describe(world: World, sight: Sight, users: Ints, items: Ints) -> Floats:
    """Features of pairs of user and item, as far as the shop can know them: float32 [n, F]."""
    goods, shelf = world.goods, world.shelf
    aisle, brand = goods.category[items], goods.brand[items]
    looks = sight.aisles[users]
    share = looks[np.arange(len(users)), aisle] / (looks.sum(axis=1) + 1.0)
    likes_brand = sight.brands[users, brand] / (sight.brands[users].sum(axis=1) + 1.0)
    known = sight.looks[users] > 0
    usual = np.where(known, sight.prices[users] / np.maximum(sight.looks[users], 1e-9), 0.0)
    dear = np.where(known, np.log(shelf.price[items]) - usual, 0.0)
    stars = shelf.stars[items] / np.maximum(1, shelf.ratings[items])
    away = np.where(sight.last_visit[users] > 0, world.day + 1 - sight.last_visit[users], 30)
    own = (sight.clicked[users] + 0.5) / (sight.sent[users] + 10.0)
    items_own = np.log((sight.clicked_items[items] + 0.5) / (sight.sent_items[items] + 10.0))
    seen = np.log1p(sight.items[users, items])
    columns = [
        share,
        share**2,
        np.log1p(looks[np.arange(len(users)), aisle]),
        seen,
        likes_brand,
        np.abs(dear),
        dear,
        shelf.discount[items],
        np.log1p(shelf.popular[items]),
        np.where(shelf.ratings[items] > 0, stars, 4.0),
        np.log1p(shelf.ratings[items]),
        (goods.arrival[items] > 0) & (world.day - goods.arrival[items] < 14),
        np.log1p(sight.visits[users]),
        np.log1p(np.minimum(30, away)),
        np.log1p(sight.sent[users]),
        np.log(own),
        np.log1p(sight.sent_aisles[users, aisle]),
        items_own,
        sight.bought[users, items] > 0,
        share * np.log1p(sight.visits[users]),
        share * shelf.discount[items],
        share * np.abs(dear),
        share * np.log(own),
        seen * np.log1p(np.minimum(30, away)),
        world.people.chinese[users],
        *(world.people.platform[users] == place for place in range(len(PLATFORMS) - 1)),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
