"""Events between the wire and core."""

from magpie.v1 import event_pb2 as event_pb
from magpie_services.core.events import KINDS_BY_CODE, Event, EventKind
from magpie_services.wire import values

NUMBERS = values.numbers(EventKind, "EVENT_KIND", dict(event_pb.EventKind.items()))
KINDS = {number: kind for kind, number in NUMBERS.items()}

# Where the names of a field differ between core (as violations give them) and the wire.
FIELDS = {
    "occurred_ms": "occur_time",
    "dwell_seconds": "dwell",
    "unit_price.minor": "unit_price.minor_units",
}


def event_from_proto(message: event_pb.Event, received_ms: int) -> Event | None:
    """The event in core's words, unchecked but for its kind; None where the kind is not set or unknown."""
    kind = KINDS.get(message.kind)
    if kind is None:
        return None
    return Event(
        event_id=message.event_id,
        user_id=message.user_id,
        kind=kind,
        occurred_ms=values.milliseconds(message.occur_time),
        received_ms=received_ms,
        item_id=message.item_id,
        category=message.category,
        query=message.query,
        dwell_seconds=values.seconds(message.dwell) if message.HasField("dwell") else 0.0,
        quantity=message.quantity,
        unit_price=values.money_from_proto(message.unit_price) if message.HasField("unit_price") else None,
        rating=message.rating,
        text=message.text,
        platform=message.platform,
        decision_id=message.decision_id,
        campaign_id=message.campaign_id,
        attributes=dict(message.attributes),
    )


def kind_to_proto(code: int) -> event_pb.EventKind.ValueType:
    """The kind with this code of `core.events.KIND_CODES`; unspecified for one of a newer release."""
    kind = KINDS_BY_CODE.get(code)
    return event_pb.EventKind.ValueType(NUMBERS[kind] if kind else 0)


def event_to_proto(event: Event) -> event_pb.Event:
    """The event as a message."""
    return event_pb.Event(
        event_id=event.event_id,
        user_id=event.user_id,
        kind=event_pb.EventKind.ValueType(NUMBERS[event.kind]),
        occur_time=values.timestamp(event.occurred_ms),
        item_id=event.item_id,
        category=event.category,
        query=event.query,
        dwell=values.duration(event.dwell_seconds) if event.dwell_seconds else None,
        quantity=event.quantity,
        unit_price=values.money_to_proto(event.unit_price),
        rating=event.rating,
        text=event.text,
        platform=event.platform,
        decision_id=event.decision_id,
        campaign_id=event.campaign_id,
        attributes=event.attributes,
    )
