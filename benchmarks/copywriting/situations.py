"""Whom to write to about what: users with a past in the simulated marketplace and in a shop's real log."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import item_pb2 as item_pb
from magpie_cli.importing import job, online_retail
from magpie_cli.importing.table import open_table
from magpie_services.core.events import Event, EventKind
from magpie_services.core.portraits import Portrait, fold
from magpie_services.wire import portraits as wire_portraits
from magpie_simulator import catalogue
from magpie_simulator.draws import Luck
from magpie_simulator.parameters import Parameters

DAY_MS = 86_400_000
USERS = 2_000
TRAITS = {
    "zh": ("年轻", "时尚", "注重品质", "文艺", "活泼", "喜欢旅行", "热爱运动", "务实", "爱阅读", "细心"),
    "en": ("young", "fashionable", "quality-minded", "sporty", "curious", "loves travel", "practical"),
}


class Person(NamedTuple):
    """A portrait as services pass it along, and the items of this user's past."""

    portrait: Portrait
    snapshot: bytes
    viewed: list[str]
    bought: list[str]


class Shop(NamedTuple):
    """Items by id, people, and the rank of each item within its category (1 is the most bought)."""

    name: str
    items: dict[str, item_pb.Item]
    people: list[Person]
    ranks: dict[str, int]

    def briefs(self, count: int, locale: str, seed: int) -> Iterator[content_pb.Brief]:
        """Pushes as a decision would ask for them: an item of the user's past or one near to it."""
        rng = random.Random(f"{self.name}/{locale}/{seed}")
        ids = list(self.items)
        for number in range(count):
            person = self.people[rng.randrange(len(self.people))]
            past = [one for one in (*person.viewed, *person.bought) if one in self.items]
            own = bool(past) and rng.random() < 0.3
            item = self.items[rng.choice(past) if own else ids[rng.randrange(len(ids))]]
            brief = content_pb.Brief(
                item=item,
                locale=locale,
                channel=device_pb.CHANNEL_FCM,
                seed=rng.getrandbits(48) + number,
            )
            brief.portrait.user_id = person.portrait.user_id
            brief.portrait.snapshot = person.snapshot
            others = [one for one in past if one != item.item_id]
            if others and rng.random() < 0.5:
                brief.because_item.CopyFrom(self.items[rng.choice(others)])
            rank = self.ranks.get(item.item_id, 0)
            if 0 < rank <= 50:
                brief.facts["popular_rank"] = str(rank)
                brief.facts["trend_category"] = item.categories[-1]
            yield brief


def marketplace(locale: str, now_ms: int, items: int = 3_000, seed: int = 11) -> Shop:
    """The simulator's catalogue in both languages, on its shelves for a while."""
    rng = random.Random(f"marketplace/{seed}")
    goods = catalogue.draw_goods(Parameters(seed=seed, users=1, items=items), Luck(seed))
    found = {}
    for index in range(items):
        usual = int(goods.price[index])
        price = usual if rng.random() < 0.6 else max(100, round(usual * rng.uniform(0.5, 0.97) / 100) * 100)
        stars = rng.randrange(0, 900) if rng.random() < 0.7 else 0
        message = catalogue.item_message(
            goods,
            index,
            locale="en" if locale == "en" else "zh-CN",
            price=price,
            list_price=usual if price < usual else 0,
            stock=rng.choice((1, 2, 3, 5, 8)) if rng.random() < 0.15 else rng.randrange(11, 400),
            stars=(round(stars * rng.uniform(3.2, 4.95)), stars),
        )
        message.version = rng.randrange(1, 90)
        message.publish_time.CopyFrom(_moment(now_ms - int(rng.expovariate(1 / 120) * DAY_MS)))
        if rng.random() < 0.06:
            message.restock_time.CopyFrom(_moment(now_ms - int(rng.random() * 4 * DAY_MS)))
        found[message.item_id] = message
    return _shop("marketplace", found, _made_up_pasts(found, rng), locale, now_ms, rng)


def real_log(path: Path, locale: str, now_ms: int, seed: int = 12) -> Shop:
    """A gift shop's catalogue and customers; its last day becomes yesterday. Titles, prices, categories only.

    Where the median of an item's latest prices is below the one of its first, that is its list price.
    """
    rng = random.Random(f"real log/{seed}")
    with open_table(path) as table:
        reader = job.Reader(path, False, lambda _done: None)
        lines = list(job.clean_lines(table, reader, online_retail.Cleaner()))
    shift_ms = now_ms - DAY_MS - max(line.at_ms for line in lines)
    known, first = online_retail.Catalogue(), dict[str, int]()
    pasts: dict[str, list[tuple[EventKind, str, int]]] = defaultdict(list)
    for line in lines:
        known.observe(line)
        first.setdefault(line.item_id, line.price_minor)
        if line.user_id and not line.returned:
            pasts[line.user_id].append((EventKind.PURCHASE, line.item_id, line.at_ms + shift_ms))
    found = {}
    for item in known.changes():
        if not item.text.title or item.price.minor_units <= 0:
            continue
        item.version = 1
        item.publish_time.CopyFrom(_moment(item.publish_time.ToMilliseconds() + shift_ms))
        if first[item.item_id] > item.price.minor_units:
            item.list_price.CopyFrom(item.price)
            item.list_price.minor_units = first[item.item_id]
        found[item.item_id] = item
    chosen = rng.sample(sorted(pasts), min(USERS, len(pasts)))
    return _shop("real log", found, {user: pasts[user] for user in chosen}, locale, now_ms, rng)


def _moment(at_ms: int) -> Timestamp:
    moment = Timestamp()
    moment.FromMilliseconds(at_ms)
    return moment


def _made_up_pasts(
    items: dict[str, item_pb.Item], rng: random.Random
) -> dict[str, list[tuple[EventKind, str, int]]]:
    """Ten to forty acts a user, mostly within two categories."""
    by_category: dict[str, list[str]] = defaultdict(list)
    for item in items.values():
        by_category[item.categories[-1]].append(item.item_id)
    kinds = (EventKind.VIEW_ITEM,) * 7 + (EventKind.ADD_TO_CART, EventKind.PURCHASE, EventKind.PURCHASE)
    pasts: dict[str, list[tuple[EventKind, str, int]]] = {}
    for number in range(USERS):
        liked = rng.sample(sorted(by_category), 2)
        pasts[f"user-{number}"] = [
            (rng.choice(kinds), rng.choice(by_category[rng.choice(liked)]), -int(rng.random() * 40 * DAY_MS))
            for _ in range(rng.randrange(10, 41))
        ]
    return pasts


def _shop(
    name: str,
    items: dict[str, item_pb.Item],
    pasts: dict[str, list[tuple[EventKind, str, int]]],
    locale: str,
    now_ms: int,
    rng: random.Random,
) -> Shop:
    people = [_person(user, acts, items, locale, now_ms, rng) for user, acts in pasts.items()]
    sold: dict[str, int] = defaultdict(int)
    for person in people:
        for item_id in person.bought:
            sold[item_id] += 1
    by_category: dict[str, list[str]] = defaultdict(list)
    for item_id in sorted(sold, key=lambda one: (-sold[one], one)):
        if item_id in items:
            by_category[items[item_id].categories[-1]].append(item_id)
    ranks = {one: place for listed in by_category.values() for place, one in enumerate(listed, 1)}
    return Shop(name, items, people, ranks)


def _person(
    user: str,
    acts: Sequence[tuple[EventKind, str, int]],
    items: dict[str, item_pb.Item],
    locale: str,
    now_ms: int,
    rng: random.Random,
) -> Person:
    portrait = Portrait(user_id=user, version=len(acts), locale=locale)
    traits = rng.sample(TRAITS["en" if locale == "en" else "zh"], 3)
    for number, (kind, item_id, at_ms) in enumerate(sorted(acts, key=lambda act: act[2])):
        category = items[item_id].categories[-1] if item_id in items else ""
        attributes = {"timezone": "Europe/London" if locale == "en" else "Asia/Shanghai"}
        if number == 0 and rng.random() < 0.6:
            attributes["traits"] = ",".join(traits)
        at = at_ms if at_ms > 0 else now_ms + at_ms
        fold(
            portrait,
            Event(
                event_id=f"{user}-{number}",
                user_id=user,
                kind=kind,
                occurred_ms=at,
                item_id=item_id,
                category=category,
                attributes=attributes,
            ),
        )
    snapshot = wire_portraits.to_snapshot(portrait, now_ms).snapshot
    viewed = [item_id for kind, item_id, _ in acts if kind is EventKind.VIEW_ITEM]
    bought = [item_id for kind, item_id, _ in acts if kind is EventKind.PURCHASE]
    return Person(portrait, snapshot, viewed, bought)
