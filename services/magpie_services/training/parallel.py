"""Several processes that learn one model: each has its share of every batch, all take the same step.

Alone is the usual case and costs nothing. In a group every process draws the same batches from the same seed,
keeps its share, and adds its gradients to those of the others, so that the weights stay the same everywhere.
Whatever depends on a clock is agreed upon: who stopped alone would leave the others waiting.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Group(Protocol):
    """The processes that learn together. Number 0 writes what comes of it."""

    @property
    def member(self) -> int:
        """Which of them this is, from 0."""
        ...

    @property
    def members(self) -> int:
        """How many they are."""
        ...

    def total(self, tensors: Sequence[Any]) -> list[Any]:
        """The sums over all processes; within a compiled step, called by all in the same order."""
        ...

    def any(self, yes: bool) -> bool:
        """Whether one of them says yes; waits for all."""
        ...


class _Alone:
    member = 0
    members = 1

    def total(self, tensors: Sequence[Any]) -> list[Any]:
        return list(tensors)

    def any(self, yes: bool) -> bool:
        return yes


ALONE: Group = _Alone()
_group: list[Group] = [ALONE]


def group() -> Group:
    """The group that this process is in: a process is in one or in none, for good."""
    return _group[-1]


@contextmanager
def joined(one: Group) -> Iterator[None]:
    """Fits within learn in this group."""
    _group.append(one)
    try:
        yield
    finally:
        _group.pop()
