"""What the real world adds: bots that look at everything, events sent twice, receipts lost or doubled."""

from typing import TypeVar

import numpy as np

from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie_simulator.acts import NOISE_SLOT, Kind, Table, acts, rows
from magpie_simulator.people import Bools
from magpie_simulator.world import World

BOT_VIEWS = 200
BOT_HOUR = 3
T = TypeVar("T", event_pb.Event, feedback_pb.Outcome)


def bots(world: World, start_ms: int, end_ms: int) -> Table:
    """Views by bots: all in one minute of the night, on most days."""
    minute_ms = world.day_start_ms + BOT_HOUR * 3_600_000
    users = np.flatnonzero(world.people.bot)
    users = users[world.luck.one("bots", world.day, users) < 0.7]
    shelf = np.flatnonzero(world.shelf.on_sale)
    if not start_ms <= minute_ms < end_ms or not len(users) or not len(shelf):
        return rows(0)
    number = np.tile(np.arange(BOT_VIEWS), len(users))
    items = shelf[(number * 7 + world.day) % len(shelf)]
    return acts(
        Kind.VIEW_ITEM, ms=minute_ms + number * 250, user=np.repeat(users, BOT_VIEWS), item=items,
        category=world.goods.category[items], price=world.shelf.price[items], seconds=0.2,
        day=world.day, slot=NOISE_SLOT, step=number,
    )  # fmt: skip


def with_doubles(world: World, events: list[event_pb.Event], block: int) -> list[event_pb.Event]:
    """The events with a few sent a second time, as phones with bad connections do."""
    dice = world.luck.one("doubles", world.day * 100 + block, np.arange(len(events)))
    return events + _some(events, dice < world.parameters.doubled_events)


def receipts(world: World, outcomes: list[feedback_pb.Outcome], block: int) -> list[feedback_pb.Outcome]:
    """The outcomes that reach the shop: some are lost, some come twice. Opt-outs are never lost."""
    dice = world.luck.uniform("receipts", world.day * 100 + block, np.arange(len(outcomes)), 2)
    sure = np.array([outcome.kind == feedback_pb.OUTCOME_KIND_UNSUBSCRIBED for outcome in outcomes], np.bool_)
    kept = _some(outcomes, (dice[:, 0] >= world.parameters.lost_receipts) | sure)
    return kept + _some(outcomes, dice[:, 1] < world.parameters.doubled_receipts)


def _some(messages: list[T], chosen: Bools) -> list[T]:
    return [message for message, yes in zip(messages, chosen, strict=True) if yes]
