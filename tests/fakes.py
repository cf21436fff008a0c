"""Stand-ins for what tests must control; everything else in the tests is real."""

from collections.abc import Sequence

from magpie_services.core.items import Item


class FixedClock:
    """A clock that stands still until told to move. Times in ms since the epoch."""

    def __init__(self, now_ms: int = 1_767_225_600_000) -> None:  # 2026-01-01T00:00:00Z
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, *, ms: int = 0, seconds: float = 0.0) -> None:
        self._now_ms += ms + round(seconds * 1000)

    def set(self, now_ms: int) -> None:
        self._now_ms = now_ms


class MemoryCatalogue:
    """A catalogue's store in memory, with the promises of the real one."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    async def get(self, item_ids: Sequence[str]) -> list[Item | None]:
        return [self.items.get(item_id) for item_id in item_ids]

    async def put(self, items: Sequence[Item]) -> bool:
        held = [self.items.get(item.item_id) for item in items]
        if any(new.version != (old.version if old else 0) + 1 for new, old in zip(items, held, strict=True)):
            return False
        self.items |= {item.item_id: item for item in items}
        return True

    async def page(self, cursor: int, size: int) -> tuple[list[Item], int]:
        page = list(self.items.values())[cursor : cursor + size]
        return page, cursor + size if cursor + size < len(self.items) else 0
