"""From acts to the messages of the API: events with their ids, outcomes with their tokens."""

from collections.abc import Iterator, Mapping
from typing import SupportsInt

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie_simulator.acts import Kind, Table
from magpie_simulator.catalogue import category_id, item_id, money
from magpie_simulator.people import COUNTRIES, PLATFORMS, ZONES, user_id
from magpie_simulator.words import BRANDS, CATEGORIES, COLOURS, COMPLAINTS, PRAISE, TRAITS
from magpie_simulator.world import World

# The kinds of an app's events share their numbers with the API.
EVENTS = {int(kind): event_pb.EventKind.ValueType(int(kind)) for kind in Kind if kind < Kind.DELIVERED}
OUTCOMES: dict[int, feedback_pb.OutcomeKind.ValueType] = {
    Kind.DELIVERED: feedback_pb.OUTCOME_KIND_DELIVERED,
    Kind.OPENED: feedback_pb.OUTCOME_KIND_OPENED,
    Kind.CLICKED: feedback_pb.OUTCOME_KIND_CLICKED,
    Kind.PURCHASE: feedback_pb.OUTCOME_KIND_PURCHASED,
    Kind.DISMISSED: feedback_pb.OUTCOME_KIND_DISMISSED,
    Kind.UNSUBSCRIBED: feedback_pb.OUTCOME_KIND_UNSUBSCRIBED,
}


def timestamp(at_ms: SupportsInt) -> Timestamp:
    """A moment; ms since the epoch."""
    return Timestamp(seconds=int(at_ms) // 1000, nanos=int(at_ms) % 1000 * 1_000_000)


def events(world: World, happened: Table) -> Iterator[event_pb.Event]:
    """The events of the app, in the order of `happened`; outcomes of pushes are left out."""
    for row in happened:
        kind = int(row["kind"])
        if kind in EVENTS:
            yield _event(world, row, kind)


def outcomes(happened: Table, tokens: Mapping[int, str]) -> Iterator[feedback_pb.Outcome]:
    """What came of pushes, each with the token of its push; `tokens` by number of the push."""
    for row in happened[happened["push"] >= 0]:
        kind, token = OUTCOMES.get(int(row["kind"])), tokens.get(int(row["push"]))
        if kind is None or token is None:
            continue
        outcome = feedback_pb.Outcome(
            attribution_token=token,
            kind=kind,
            occur_time=timestamp(row["ms"]),
            outcome_id=f"{user_id(int(row['user']))}-{row['push']}-{row['kind']}",
        )
        if row["kind"] == Kind.PURCHASE:
            outcome.value.CopyFrom(money(int(row["price"])))
        yield outcome


def declared(world: World, user: int) -> dict[str, str]:
    """What the app knows of a user when they open it."""
    folk = world.people
    zone, chinese = int(folk.zone[user]), bool(folk.chinese[user])
    words = [
        word.zh if chinese else word.en for bit, word in enumerate(TRAITS) if folk.traits[user] >> bit & 1
    ]
    found = {
        "locale": "zh-CN" if chinese else "en",
        "timezone": ZONES[zone],
        "country": COUNTRIES[zone],
    }
    return found | ({"traits": ",".join(words)} if words else {})


def _event(world: World, row: Table, kind: int) -> event_pb.Event:
    user, item, aisle = int(row["user"]), int(row["item"]), int(row["category"])
    event = event_pb.Event(
        event_id=f"{world.parameters.seal[:8]}-{row['day']}-{user}-{row['slot']}.{row['step']}",
        user_id=user_id(user),
        kind=EVENTS[kind],
        occur_time=timestamp(row["ms"]),
        platform=PLATFORMS[int(world.people.platform[user])],
    )
    if item >= 0:
        event.item_id = item_id(item)
    if aisle >= 0 and kind != Kind.SEARCH:
        event.category = category_id(aisle)
    if row["price"] and kind != Kind.REVIEW:
        event.unit_price.CopyFrom(money(int(row["price"])))
    if row["seconds"]:
        event.dwell.CopyFrom(Duration(seconds=int(row["seconds"]), nanos=int(row["seconds"] % 1 * 1e9)))
    if kind == Kind.PURCHASE:
        event.quantity = 1
        event.attributes["discounted"] = "true" if row["discounted"] else "false"
    elif kind == Kind.SESSION_START:
        event.attributes.update(declared(world, user))
    elif kind == Kind.SEARCH:
        event.query = _query(world, user, aisle, int(row["word"]))
    elif kind == Kind.REVIEW:
        event.rating = float(row["stars"])
        event.text = _review(world, user, int(row["stars"]), int(row["word"]))
    return event


def _query(world: World, user: int, aisle: int, word: int) -> str:
    """What somebody types who looks for a thing in an aisle, with a colour or a brand now and then."""
    noun = CATEGORIES[aisle].nouns[word % len(CATEGORIES[aisle].nouns)]
    colour, brand = COLOURS[word // 5 % len(COLOURS)], BRANDS[word // 45 % len(BRANDS)]
    style = word // 1_080 % 4
    if world.people.chinese[user]:
        return (noun.zh, colour.zh + noun.zh, f"{brand.zh} {noun.zh}", noun.zh)[style]
    return (noun.en, f"{colour.en} {noun.en}", f"{brand.en} {noun.en}", noun.en)[style]


def _review(world: World, user: int, stars: int, word: int) -> str:
    said = PRAISE if stars >= 4 else COMPLAINTS
    return said[word % len(said)].zh if world.people.chinese[user] else said[word % len(said)].en
