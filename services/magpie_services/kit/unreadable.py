"""Requests that are no message at all: which field is at fault, in place of gRPC's INTERNAL."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from magpie_services.kit.errors import Invalid

MAX_DEPTH = 100  # protobuf's own limit
_VARINT, _EIGHT_BYTES, _SIZED, _FOUR_BYTES = 0, 1, 2, 5


class Unreadable:
    """Stands for a request that could not be parsed; `error` says why."""

    def __init__(self, error: Invalid) -> None:
        self.error = error


def reading(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """The same deserializer, answering Unreadable where it would raise: gRPC would say INTERNAL for that."""
    if deserialize is None:
        return None

    def parse(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            descriptor = getattr(getattr(deserialize, "__self__", None), "DESCRIPTOR", None)
            found = fault(descriptor, data) if descriptor is not None else None
            return Unreadable(Invalid(*(found or ("request", "is no message of this method"))))

    return parse


def fault(descriptor: Descriptor, data: bytes, path: str = "", depth: int = 0) -> tuple[str, str] | None:
    """(field, problem) of the first text that is not UTF-8, else of where the bytes make no sense; None
    where they do."""
    place, counts = 0, Counter[int]()
    try:
        while place < len(data):
            tag, place = _varint(data, place)
            number, kind = tag >> 3, tag & 7
            if kind == _VARINT:
                _, place = _varint(data, place)
            elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
                place += 8 if kind == _EIGHT_BYTES else 4
            elif kind == _SIZED:
                size, place = _varint(data, place)
                piece, place = data[place : place + size], place + size
                if len(piece) < size:
                    raise IndexError
                field = descriptor.fields_by_number.get(number)
                if field is not None and (found := _sized(field, piece, path, counts[number], depth)):
                    return found
                counts[number] += 1
            else:
                raise IndexError
            if place > len(data):
                raise IndexError
    except IndexError:
        return path or "request", "is cut short or damaged"
    return None


def _sized(field: FieldDescriptor, piece: bytes, path: str, index: int, depth: int) -> tuple[str, str] | None:
    name = f"{path}.{field.name}" if path else str(field.name)
    if field.is_repeated:
        name += f"[{index}]"
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            piece.decode()
        except UnicodeDecodeError:
            return name, "is not valid UTF-8"
    elif field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type is not None:
        if depth == MAX_DEPTH:
            return name, "is nested too deep"
        return fault(field.message_type, piece, name, depth + 1)
    return None


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """The number at `place` and the place after it. Raises IndexError where there is none."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise IndexError
