"""The place of an item among its like."""

from tests import shop

from magpie_services.candidate.charts import FRESH_MS, Charts, Place
from magpie_services.candidate.shelf import Shelf
from magpie_services.core.events import EventKind
from magpie_services.core.items import Item
from magpie_services.core.mirror import Mirror


class World:
    def __init__(self, items: list[Item]) -> None:
        self.mirror = Mirror()
        self.shelf = Shelf(self.mirror.columns)
        self.charts = Charts(self.mirror.columns, self.shelf)
        self.put(items)

    def put(self, items: list[Item]) -> None:
        self.shelf.put(*self.mirror.put(items))

    def viewed(self, number: int, times: int) -> None:
        """By as many people, none of whom looks like a bot."""
        kind = EventKind.VIEW_ITEM
        self.mirror.observe([shop.event(f"u{number}.{at}", number, kind, shop.NOW_MS) for at in range(times)])


def kettle(number: int, **fields: object) -> Item:
    return shop.item(number, **({"categories": ["Home", "Kettles"], "version": 1} | fields))


def test_places_are_within_the_narrowest_category_and_equals_share_the_last() -> None:
    world = World(
        [*map(kettle, range(6)), kettle(9, categories=["Home", "Lamps"]), kettle(10, categories=[])]
    )
    for number, times in {0: 50, 1: 40, 2: 40, 3: 11, 4: 3, 9: 60, 10: 45}.items():
        world.viewed(number, times)
    assert world.charts.at(shop.NOW_MS) == {
        "i0": Place(1, "Kettles"),
        "i1": Place(3, "Kettles"),
        "i2": Place(3, "Kettles"),
        # i3 is below the average of the kettles, i9 the only lamp; i10 has no category: third of the shop
        "i10": Place(3, ""),
    }


def test_what_hardly_anybody_met_is_nowhere_and_a_purchase_is_worth_five_views() -> None:
    world = World([*map(kettle, range(6))])
    world.viewed(0, 9)
    assert world.charts.at(shop.NOW_MS) == {}
    world.mirror.observe([shop.event("u", 0, EventKind.PURCHASE, shop.NOW_MS)])
    assert world.charts.at(shop.NOW_MS + FRESH_MS - 1) == {}  # as drawn up
    assert world.charts.at(shop.NOW_MS + FRESH_MS) == {"i0": Place(1, "Kettles")}


def test_the_withdrawn_stand_in_nobodys_way_and_only_a_hundred_have_a_place() -> None:
    world = World([*map(kettle, range(300))])
    for number in range(150):
        world.viewed(number, 20)
    assert world.charts.at(shop.NOW_MS) == {}, "they all share place 150"
    world.put([kettle(number, version=2, withdrawn=True) for number in range(60)])
    places = world.charts.at(shop.NOW_MS + FRESH_MS)
    assert len(places) == 90
    assert set(places.values()) == {Place(90, "Kettles")}
    assert "i0" not in places


def test_an_empty_shop_has_no_charts() -> None:
    assert World([]).charts.at(shop.NOW_MS) == {}
