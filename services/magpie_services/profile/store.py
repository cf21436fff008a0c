"""What the domain asks of a store of users: rows read, changed by compare-and-set, walked in order of id."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from magpie_services.core.events import Event
from magpie_services.profile.state import UserState


class Row(msgspec.Struct, kw_only=True):
    """One user as read at `version` (0: never written).

    `moved_to` is set when the user was folded into another (`state` may still wait to be), `erased_ms` when
    erased. `seen` answers, for the event ids asked about, which were recorded in the last two days. `key` is
    the store's own.
    """

    user_id: str
    version: int = 0
    state: UserState | None = None
    moved_to: str = ""
    erased_ms: int = 0
    seen: list[bool] = []
    key: bytes = b""


class Change(msgspec.Struct, kw_only=True):
    """A new state for a row, with the events that brought it about; `event_ids` are to be known as seen.

    `marks` are what `marks_of` gave for identities folded into this one.
    """

    row: Row
    state: UserState
    events: list[Event]
    event_ids: list[str] = []
    marks: list[bytes] = []


class ProfileStore(Protocol):
    """Where users live. Every method raises kit.errors.Unavailable when the store is away."""

    async def load(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[Row]:
        """The rows of (user id, event ids to look for), in order."""
        ...

    async def commit(self, changes: Sequence[Change], now_ms: int) -> list[bool]:
        """Each change whole or not at all: False where the row's version had moved on. One change a user."""
        ...

    async def move(self, row: Row, to: str) -> bool:
        """Sends the user's events to another from now on; the state stays until `wipe`."""
        ...

    async def marks_of(self, user_id: str) -> list[bytes]:
        """The user's marks of events seen in the last two days, for `Change.marks`."""
        ...

    def linking(self) -> AbstractAsyncContextManager[None]:
        """Inside it nobody else links identities."""
        ...

    async def wipe(self, user_id: str) -> None:
        """Destroys state, data key and marks, and keeps where the user moved to."""
        ...

    async def erase(self, row: Row, events: Sequence[Event]) -> bool:
        """As `wipe`, and blocks the id; the events go to the log. False where the row had moved on."""
        ...

    async def user_ids(self, part: str, after: str, limit: int) -> list[str]:
        """Ids of a partition in order, beyond `after`."""
        ...

    async def logged(self, user_id: str, after: str, limit: int) -> tuple[list[Event], str]:
        """Events of the user in the log beyond the place `after`, oldest first; and where to go on, or "".

        Fewer than `limit` where they are large, or far apart.
        """
        ...
