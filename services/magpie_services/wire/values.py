"""Times, money and enums: the small values that every message is made of."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from magpie.v1 import money_pb2 as money_pb
from magpie_services.core.money import Money

Name = TypeVar("Name", bound=StrEnum)


def timestamp(ms: int) -> Timestamp | None:
    """Milliseconds since the epoch as a Timestamp; None for 0, which inside means "never"."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000) if ms else None


def milliseconds(time: Timestamp) -> int:
    """A Timestamp as milliseconds since the epoch, rounded down; 0 for an empty one."""
    return time.seconds * 1000 + time.nanos // 1_000_000


def duration(seconds: float) -> Duration:
    """Seconds as a Duration, to the microsecond."""
    whole = int(seconds)
    return Duration(seconds=whole, nanos=int((seconds - whole) * 1_000_000) * 1000)


def seconds(value: Duration) -> float:
    """A Duration as seconds."""
    return value.seconds + value.nanos / 1e9


def money_to_proto(money: Money | None) -> money_pb.Money | None:
    """Money as a message; None stays None."""
    return money_pb.Money(currency=money.currency, minor_units=money.minor) if money else None


def money_from_proto(message: money_pb.Money) -> Money | None:
    """A message as money; None for an empty one, which means "unknown"."""
    if not message.currency and not message.minor_units:
        return None
    return Money(message.currency, message.minor_units)


def numbers(names: type[Name], prefix: str, values: Mapping[str, int]) -> dict[Name, int]:
    """The wire number of every name of a core enum, by the naming rule PREFIX_NAME.

    Raises KeyError at import time when the proto lacks one, so that the two never drift apart unseen.
    """
    return {name: values[f"{prefix}_{name.value.upper()}"] for name in names}
