"""Structs to msgpack bytes and back; the one encoding used in streams, hashes and portraits' blobs."""

from collections.abc import Iterable
from functools import cache
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

_ENCODER = msgspec.msgpack.Encoder()


@cache
def _decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    return msgspec.msgpack.Decoder(kind)


def encode(value: msgspec.Struct) -> bytes:
    """Bytes of one struct."""
    return _ENCODER.encode(value)


def decode(kind: type[T], blob: bytes) -> T:
    """The struct of type `kind` held in `blob`; fields that an older blob lacks take their defaults.

    Raises msgspec.DecodeError (msgspec.ValidationError when a field has the wrong type).
    """
    try:
        value: T = _decoder(kind).decode(blob)
    except (UnicodeDecodeError, RecursionError) as error:  # which msgspec lets through
        raise msgspec.DecodeError("text that is not UTF-8, or nested too deep") from error
    return value


def readable(kind: type[T], blobs: Iterable[bytes]) -> list[T]:
    """The structs that this release can read; what a newer one wrote in another way is left out."""
    found = []
    for blob in blobs:
        try:
            found.append(decode(kind, blob))
        except msgspec.DecodeError:
            continue
    return found
