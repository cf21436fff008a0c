"""What was fetched or drawn lately, bounded by its bytes; the least recently used goes first."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Values by key; `size` tells how many bytes one takes. Not for use by two threads at once."""

    def __init__(self, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._most_bytes = most_bytes
        self._size = size
        self._values: OrderedDict[str, Value] = OrderedDict()
        self.held_bytes = 0

    def get(self, key: str) -> Value | None:
        """The value, now the most recently used; None where there is none."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: str, value: Value) -> None:
        """Keeps a value and lets go of others until there is room; one too large is not kept."""
        self.drop(key)
        if self._size(value) > self._most_bytes:
            return
        self._values[key] = value
        self.held_bytes += self._size(value)
        while self.held_bytes > self._most_bytes:
            _, gone = self._values.popitem(last=False)
            self.held_bytes -= self._size(gone)

    def drop(self, key: str) -> None:
        """Forgets a value, if it is there."""
        if (gone := self._values.pop(key, None)) is not None:
            self.held_bytes -= self._size(gone)

    def __len__(self) -> int:
        return len(self._values)
