"""Frozen dataclasses of arrays, texts and numbers, also within each other, as one .npz file and back."""

import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from zipfile import BadZipFile

import numpy as np

T = TypeVar("T")


def save(path: Path, value: Any) -> None:
    """Writes a file that is there whole or not at all. A dictionary of text → place is not written: `load`
    makes it again from the texts of the field `ids`.
    """
    staged = path.with_suffix(".tmp")
    with staged.open("wb") as file:
        np.savez(file, **_columns(value, ""))
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


def load(path: Path, kind: type[T]) -> T | None:
    """What `save` wrote; None where there is none or it is of another make."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            found: T = _read(held, kind, "")
            return found
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, TypeError):
        return None


def _columns(value: Any, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(value):
        part, name = getattr(value, field.name), f"{prefix}{field.name}"
        if is_dataclass(part):
            found |= _columns(part, f"{name}.")
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
            texts = held[f"{prefix}ids"].tolist()
            values[field.name] = {text: place for place, text in enumerate(texts) if text}
        elif getattr(hint, "__origin__", hint) is tuple:
            values[field.name] = tuple(held[name].tolist())
        else:
            array = held[name]
            values[field.name] = hint(array) if hint in (int, float, str) else array
    return kind(**values)
