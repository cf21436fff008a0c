"""What the shop sells: goods drawn from a seed, and their words in Chinese and English."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import money_pb2 as money_pb
from magpie_simulator.draws import Luck
from magpie_simulator.parameters import Parameters
from magpie_simulator.words import BRANDS, CATEGORIES, COLOURS, SEASONS, STYLES, Word

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CURRENCY = "CNY"
LATEST_ARRIVAL = 120  # goods that are not there at the start arrive within this many days


@dataclass(frozen=True)
class Goods:
    """The N items that ever come. Index columns point into words.py, `colour` -1 where there is none; `price`
    is the usual one, in fen.

    `styles` [N, S] marks one or two styles; `quality` is about 0.3 to 1 and seen by nobody but buyers;
    `fame` is the logarithm of how well known an item is; `arrival` is the day it comes, 0 for the first ones.
    """

    category: Ints
    brand: Ints
    noun: Ints
    colour: Ints
    material: Ints
    size: Ints
    season: Ints
    styles: Floats
    price: Ints
    quality: Floats
    fame: Floats
    depth: Ints
    arrival: Ints

    def __len__(self) -> int:
        return len(self.category)


def draw_goods(parameters: Parameters, luck: Luck) -> Goods:
    """The goods of a world: `items` at the start and a share more that arrive later."""
    first = parameters.items
    count = first + round(first * parameters.arrivals_share)
    keys = np.arange(count)
    dice = luck.uniform("goods", 0, keys, 10)
    bell = luck.normal("goods.bell", 0, keys, 3)
    # Every aisle is filled from the first dozen on, so that the smallest shop has them all.
    category = np.where(
        keys < 2 * len(CATEGORIES), keys % len(CATEGORIES), _pick(dice[:, 0], len(CATEGORIES))
    )
    median = np.array([aisle.price for aisle in CATEGORIES])[category]
    spread = np.array([aisle.spread for aisle in CATEGORIES])[category]
    # A brand sells in a few aisles at its own level of price.
    brand = (category * 5 + _pick(dice[:, 1], 6)) % len(BRANDS)
    level = luck.normal("brands", 0, np.arange(len(BRANDS)))[:, 0][brand]
    yuan = median * np.exp(spread * (0.6 * level + 0.8 * bell[:, 0]))
    styles = np.zeros((count, len(STYLES)))
    noun = _pick_of(dice[:, 5], [len(CATEGORIES[c].nouns) for c in category])
    colour, material = np.full(count, -1), np.zeros(count, np.int64)
    for index, aisle in enumerate([CATEGORIES[c] for c in category]):
        styles[index, _one(aisle.styles, dice[index, 2])] = 1.0
        if dice[index, 3] < 0.6:
            styles[index, _one(aisle.styles, dice[index, 4])] = 1.0
        material[index] = _one(aisle.made_of[noun[index]], dice[index, 7])
        if aisle.colours:
            colour[index] = _one(aisle.colours, dice[index, 6])
    return Goods(
        category=category,
        brand=brand,
        noun=noun,
        colour=colour,
        material=material,
        size=_pick_of(dice[:, 8], [max(1, len(CATEGORIES[c].sizes)) for c in category]),
        season=_pick(dice[:, 9], len(SEASONS)),
        styles=styles,
        price=_shelf_price(yuan),
        quality=np.clip(0.68 + 0.12 * level + 0.13 * bell[:, 1], 0.3, 1.0),
        fame=0.8 * bell[:, 2],
        depth=np.maximum(4, np.round(40 * np.exp(0.8 * bell[:, 1] - 0.0004 * yuan))).astype(np.int64),
        arrival=np.where(keys < first, 0, 1 + (keys - first) * LATEST_ARRIVAL // max(1, count - first)),
    )


def item_id(index: int) -> str:
    """The public id of an item."""
    return f"item-{index:05d}"


def item_index(identity: str) -> int:
    """The item behind a public id; -1 when it is none of ours."""
    tail = identity.removeprefix("item-")
    return int(tail) if tail != identity and tail.isascii() and tail.isdigit() else -1


def category_id(category: int) -> str:
    """How events name an aisle."""
    return CATEGORIES[category].name.zh


def item_message(
    goods: Goods,
    index: int,
    *,
    locale: str,
    price: int,
    list_price: int,
    stock: int,
    stars: tuple[float, int],
    published_ms: int = 0,
) -> item_pb.Item:
    """One item as the API takes it. Prices in fen, `list_price` 0 for none; `stars` is (sum, count)."""
    aisle = CATEGORIES[goods.category[index]]
    texts = {"zh-CN": _chinese(goods, index), "en": _english(goods, index)}
    total, count = stars
    message = item_pb.Item(
        item_id=item_id(index),
        text=texts.pop(locale),
        locale=locale,
        translations=texts,
        categories=[aisle.aisle.zh, aisle.name.zh],
        brand=BRANDS[goods.brand[index]].en,
        price=money(price),
        stock=stock,
        image_uri=f"{aisle.key}.png",
        link=f"magpie-shop://item/{item_id(index)}",
        rating=round(total / count, 2) if count else 0.0,
        rating_count=count,
    )
    if published_ms:
        message.publish_time.FromMilliseconds(published_ms)
    if list_price:
        message.list_price.CopyFrom(money(list_price))
    for name, words in _attributes(goods, index).items():
        # Both languages side by side, so that words for either find facts; sizes are the same in both.
        values = [word.zh for word in words] + [word.en for word in words]
        message.attributes[name].values.extend(dict.fromkeys(values))
    return message


def since(goods: Goods, index: int) -> int:
    """The day on which an item came; the first ones have been there for a month to a year."""
    return int(goods.arrival[index]) or -(31 + 37 * index % 335)


def money(fen: int) -> money_pb.Money:
    """An amount in fen."""
    return money_pb.Money(currency=CURRENCY, minor_units=int(fen))


def _attributes(goods: Goods, index: int) -> dict[str, list[Word]]:
    aisle = CATEGORIES[goods.category[index]]
    found = {
        "material": [aisle.materials[goods.material[index]]],
        "style": [STYLES[style] for style in np.flatnonzero(goods.styles[index])],
    }
    if goods.colour[index] >= 0:
        found["colour"] = [COLOURS[goods.colour[index]]]
    if aisle.sizes:
        found["size"] = [aisle.sizes[goods.size[index]]]
    if aisle.key in ("dresses", "menswear", "shoes"):
        found["season"] = [SEASONS[goods.season[index]]]
    return found


def _chinese(goods: Goods, index: int) -> item_pb.ItemText:
    aisle, facts = CATEGORIES[goods.category[index]], _attributes(goods, index)
    name, noun = BRANDS[goods.brand[index]], aisle.nouns[goods.noun[index]].zh
    brand = f"{name.en}{name.zh}"  # as shops write a brand that goes by both names
    style, material = facts["style"][0].zh, facts["material"][0].zh
    look = facts.get("colour", facts["material"])[0].zh
    rest = [words[0].zh for name, words in facts.items() if name in ("colour", "size", "season")]
    styles = "、".join(word.zh for word in facts["style"])
    return item_pb.ItemText(
        title=f"{brand} {style}{look}{noun}",
        description="，".join([f"{brand}{noun}", material, f"{styles}款", *rest]) + "。",
    )


def _english(goods: Goods, index: int) -> item_pb.ItemText:
    aisle, facts = CATEGORIES[goods.category[index]], _attributes(goods, index)
    brand, noun = BRANDS[goods.brand[index]].en, aisle.nouns[goods.noun[index]].en
    style, material = facts["style"][0].en, facts["material"][0].en
    look = f"in {facts['colour'][0].en}" if "colour" in facts else f"with {material}"
    rest = [words[0].en for name, words in facts.items() if name in ("colour", "size", "season")]
    styles = " and ".join(word.en for word in facts["style"])
    return item_pb.ItemText(
        title=f"{brand} {style} {noun} {look}",
        description=f"{noun[:1].upper()}{noun[1:]} by {brand}: {', '.join([material, styles, *rest])}.",
    )


def _one(choice: tuple[int, ...], die: float) -> int:
    """One of the indexes by a number in (0, 1)."""
    return choice[int(die * len(choice))]


def _pick(dice: Floats, count: int) -> Ints:
    """An index below `count` for every number in (0, 1)."""
    return np.minimum((dice * count).astype(np.int64), count - 1)


def _pick_of(dice: Floats, counts: list[int]) -> Ints:
    return np.asarray(np.minimum((dice * np.array(counts)).astype(np.int64), np.array(counts) - 1))


def _shelf_price(yuan: Floats) -> Ints:
    """Prices as shops write them: whole yuan that end in 9."""
    tens = np.maximum(1, np.round(yuan / 10)).astype(np.int64)
    return np.asarray((tens * 10 - 1) * 100)
