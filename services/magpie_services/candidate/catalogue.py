"""The catalogue: which change makes a new version of an item, which is none, and what is refused."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from magpie_services.core.items import Item
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Conflict

TRIES = 5


class Store(Protocol):
    """Where items are kept, one version each, and announced to whoever follows the feed."""

    async def get(self, item_ids: Sequence[str]) -> list[Item | None]:
        """The items in the order asked for, None where there is none. Raises Unavailable."""
        ...

    async def put(self, items: Sequence[Item]) -> bool:
        """Store and announce all of them, or none and False when one is not the next version of its item.

        Raises Unavailable.
        """
        ...

    async def page(self, cursor: int, size: int) -> tuple[list[Item], int]:
        """About `size` items from `cursor` on (0 is the start) and the next cursor, 0 at the end."""
        ...


class Catalogue:
    """Adds, changes and withdraws items. Versions grow by one from 1; an unchanged item keeps its own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def upsert(self, items: Sequence[Item]) -> int:
        """How many of these items, of unique ids, were added or changed. Raises Conflict, Unavailable."""
        incoming = {item.item_id: item for item in items}
        return len(
            await self._change(
                list(incoming), lambda held, item_id, now_ms: revised(held, incoming[item_id], now_ms)
            )
        )

    async def withdraw(self, item_ids: Iterable[str]) -> set[str]:
        """Which of these items were withdrawn now. Raises Conflict, Unavailable."""
        return await self._change(
            list(dict.fromkeys(item_ids)), lambda held, _, now_ms: withdrawn(held, now_ms)
        )

    async def _change(
        self, item_ids: Sequence[str], change: Callable[[Item | None, str, int], Item | None]
    ) -> set[str]:
        for _ in range(TRIES):
            now_ms = self._clock.now_ms()
            held = zip(item_ids, await self._store.get(item_ids), strict=True)
            changes = [item for item_id, old in held if (item := change(old, item_id, now_ms))]
            if not changes or await self._store.put(changes):
                return {item.item_id for item in changes}
        raise Conflict("the items are being changed by others at the same time")


def revised(held: Item | None, incoming: Item, now_ms: int) -> Item | None:
    """The next version of an item, None when `incoming` says nothing new.

    Version, times of update and restocking and withdrawal are ours whatever `incoming` says; an unknown time
    of publication is the first that we saw.
    """
    if held is None:
        held = Item(item_id=incoming.item_id, published_ms=now_ms)
    change = msgspec.structs.replace(
        incoming,
        version=held.version,
        updated_ms=held.updated_ms,
        # A stock that is not told is no evidence that there is any.
        restock_ms=now_ms if held.stock == 0 and (incoming.stock or 0) > 0 else held.restock_ms,
        published_ms=incoming.published_ms or held.published_ms,
        withdrawn=False,
    )
    if held.version and change == held:
        return None
    return msgspec.structs.replace(change, version=held.version + 1, updated_ms=now_ms)


def withdrawn(held: Item | None, now_ms: int) -> Item | None:
    """The withdrawn version of an item, None when there is nothing to withdraw."""
    if held is None or held.withdrawn:
        return None
    return msgspec.structs.replace(held, version=held.version + 1, updated_ms=now_ms, withdrawn=True)
