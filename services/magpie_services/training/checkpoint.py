"""Where a fit stands, in one file that is there whole or not at all, so that a killed fit goes on from it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from magpie_services.training import whole
from magpie_services.training.archive import UNREADABLE

Arrays = Sequence[NDArray[Any]]
Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Saved:
    """What was kept: plain numbers (epoch, best score, ...) and named lists of arrays."""

    numbers: dict[str, float]
    parts: dict[str, list[NDArray[Any]]]

    def into(self, name: str, variables: Sequence[Any]) -> None:
        """Assigns a part to Keras variables, in order. Raises ValueError where they are not alike."""
        for variable, value in zip(variables, self.parts[name], strict=True):
            variable.assign(value)

    def fits(self, name: str, variables: Sequence[Any]) -> bool:
        """Whether a part has the shapes of these variables."""
        held = [value.shape for value in self.parts.get(name, [])]
        return held == [tuple(variable.shape) for variable in variables]


class Checkpoint(Protocol):
    """One fit's place to keep its state."""

    def load(self) -> Saved | None:
        """What an earlier try left; None where there is nothing that can be used."""

    def save(self, numbers: Numbers, **parts: Iterable[Any]) -> None:
        """Keeps numbers and lists of variables or arrays in place of what was there."""


class File:
    """A checkpoint in a .npz file. `key` says what learns from what: a file with another key is as none.
    Where several learn together, one `writes` and all read.
    """

    def __init__(self, path: Path, key: str, *, writes: bool = True) -> None:
        self._path = path
        self._key = key
        self._writes = writes

    def load(self) -> Saved | None:
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                told = json.loads(str(held["told"]))
                if told["key"] != self._key:
                    return None
                parts = {
                    name: [held[f"{name}/{place}"] for place in range(count)]
                    for name, count in told["parts"].items()
                }
                return Saved(dict(told["numbers"]), parts)
        except UNREADABLE:  # none yet, or not one of ours
            return None

    def save(self, numbers: Numbers, **parts: Iterable[Any]) -> None:
        if not self._writes:
            return
        lists = {name: [np.asarray(one) for one in values] for name, values in parts.items()}
        told = {"key": self._key, "numbers": dict(numbers), "parts": {n: len(v) for n, v in lists.items()}}
        arrays = {f"{name}/{at}": one for name, values in lists.items() for at, one in enumerate(values)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with whole.writing(self._path) as file:
            np.savez(file, told=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]


class _Nowhere:
    def load(self) -> Saved | None:
        return None

    def save(self, numbers: Numbers, **parts: Iterable[Any]) -> None:
        pass


#: For a fit that need not be resumed.
NONE: Checkpoint = _Nowhere()
