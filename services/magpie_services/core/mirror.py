"""A live copy of the catalogue and its popularity, made from entries of the feed and of the events streams.

Candidate and ranking both read the items through it, so that the popularity they see is counted by one rule.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core import cleaning
from magpie_services.core.cleaning import Pace
from magpie_services.core.columns import ItemColumns, Popularity
from magpie_services.core.events import ITEM_KINDS, KIND_CODES, Event
from magpie_services.core.items import Item

MAX_USERS = 200_000  # whose pace is remembered; the longest silent fall out


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Popularity as stored: what was counted up to `positions`, the last entry read of each events stream."""

    positions: dict[str, str]
    popularity: Popularity


class Mirror:
    """`columns`, kept up to date by `put` and `observe`. Not safe for use from several threads at once."""

    def __init__(self) -> None:
        self.columns = ItemColumns()
        self._versions: dict[str, int] = {}
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def put(self, items: Iterable[Item]) -> tuple[list[Item], NDArray[np.int32]]:
        """Takes items in any order; a version that is not newer than the one held is left out.

        Answers the items taken and their rows, int32 [n].
        """
        newer = []
        for item in items:
            if item.version > self._versions.get(item.item_id, -1):
                self._versions[item.item_id] = item.version
                newer.append(item)
        return newer, self.columns.upsert(newer)

    def observe(self, events: Sequence[Event]) -> list[Event]:
        """Counts interactions with items towards popularity; answers those counted, without noise.

        Noise is what `cleaning` calls so: impossible values and the events of a bot beyond its pace.
        """
        kept = [event for event in events if event.kind in ITEM_KINDS and self._human(event)]
        self.columns.observe(
            [event.item_id for event in kept],
            [KIND_CODES[event.kind] for event in kept],
            [event.occurred_ms for event in kept],
            [event.again for event in kept],
        )
        return kept

    def _human(self, event: Event) -> bool:
        if cleaning.impossible(event):
            return False
        pace = self._paces.pop(event.user_id, None) or Pace()
        self._paces[event.user_id] = pace
        if len(self._paces) > MAX_USERS:
            self._paces.popitem(last=False)
        return pace.count(event.occurred_ms) <= cleaning.BOT_INTERACTIONS
