"""Names of strategies, tones and channels as people type them, and their numbers on the wire."""

from collections.abc import Mapping

from magpie.v1 import content_service_pb2, device_pb2
from magpie_cli.failures import BadInput


def strategy(name: str) -> content_service_pb2.Strategy.ValueType:
    """Raises BadInput for an unknown one, as the others do; "" is the service's own choice."""
    numbers = content_service_pb2.Strategy
    return numbers.ValueType(_number("--strategy", "STRATEGY", name, dict(numbers.items())))


def tone(name: str) -> content_service_pb2.Tone.ValueType:
    numbers = content_service_pb2.Tone
    return numbers.ValueType(_number("--tone", "TONE", name, dict(numbers.items())))


def channel(name: str) -> device_pb2.Channel.ValueType:
    numbers = device_pb2.Channel
    return numbers.ValueType(_number("--channel", "CHANNEL", name, dict(numbers.items())))


def word(full: str) -> str:
    """STRATEGY_PRICE_DROP as "price drop"."""
    return full.partition("_")[2].lower().replace("_", " ")


def _number(option: str, prefix: str, name: str, numbers: Mapping[str, int]) -> int:
    if not name:
        return 0
    full = f"{prefix}_{name.strip().upper().replace('-', '_').replace(' ', '_')}"
    if not numbers.get(full):
        known = ", ".join(one.removeprefix(f"{prefix}_").lower() for one, number in numbers.items() if number)
        raise BadInput(f"{option} {name!r}: there are {known}")
    return numbers[full]
