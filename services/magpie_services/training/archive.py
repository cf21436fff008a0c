"""Frozen dataclasses of arrays, tuples of texts and numbers, also within each other, as one .npz and back."""

import struct
import zlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from zipfile import BadZipFile

import numpy as np

from magpie_services.training import whole

T = TypeVar("T")

#: What reading a .npz raises that is not there, was cut short, has a bit turned over or is of another make.
UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,
    MemoryError,
    OverflowError,
    BadZipFile,
    struct.error,
    zlib.error,
)


def save(path: Path, value: Any) -> None:
    """Writes a file that is there whole or not at all. A dictionary of text → place is not written: `load`
    makes it again from the texts of the field `ids`.
    """
    with whole.writing(path) as file:
        np.savez(file, **_columns(value, ""))


def load(path: Path, kind: type[T]) -> T | None:
    """What `save` wrote; None where there is none or it is of another make."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            found: T = _read(held, kind, "")
            return found
    except UNREADABLE:
        return None


def _columns(value: Any, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(value):
        part, name = getattr(value, field.name), f"{prefix}{field.name}"
        if is_dataclass(part):
            found |= _columns(part, f"{name}.")
        elif isinstance(part, tuple):
            # An array of texts would take the width of the longest for each.
            found[name] = np.frombuffer("".join(part).encode(), np.uint8)
            found[f"{name}.lengths"] = np.array([len(text) for text in part], np.int64)
        elif not isinstance(part, dict):
            found[name] = np.asarray(part)
    return found


def _read(held: Any, kind: Any, prefix: str) -> Any:
    hints, values = get_type_hints(kind), {}
    for field in fields(kind):
        hint, name = hints[field.name], f"{prefix}{field.name}"
        if is_dataclass(hint):
            values[field.name] = _read(held, hint, f"{name}.")
        elif getattr(hint, "__origin__", hint) is dict:
            texts = enumerate(_texts(held, f"{prefix}ids"))
            values[field.name] = {text: place for place, text in texts if text}
        elif getattr(hint, "__origin__", hint) is tuple:
            values[field.name] = _texts(held, name)
        else:
            array = held[name]
            values[field.name] = hint(array) if hint in (int, float, str) else array
    return kind(**values)


def _texts(held: Any, name: str) -> tuple[str, ...]:
    every, ends = held[name].tobytes().decode(), np.cumsum(held[f"{name}.lengths"]).tolist()
    return tuple(every[low:high] for low, high in zip([0, *ends], ends, strict=False))
