"""Sends events and items in batches that are safe to repeat, several users' lanes at a time."""

import asyncio
import uuid
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from magpie import Magpie
from magpie.v1 import catalog_service_pb2, event_pb2, item_pb2, profile_service_pb2

BATCH = 1_000
LANES = 4
SHOWN_REFUSALS = 20


@dataclass
class Sent:
    """What the service said to what was sent."""

    accepted: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, row: int, name: str, reason: str) -> None:
        """Counts a refusal by field and reason; keeps the first as examples."""
        self.refused[f"{name}: {reason}"] += 1
        if len(self.examples) < SHOWN_REFUSALS:
            self.examples.append({"row": row, "field": name, "reason": reason})


class EventSender:
    """Sends events in the order given for each user: users are spread over lanes, a lane is sequential.

    At most two batches a lane are in memory. `clock` hears of the newest time (ms) of a batch before it
    goes; a sandbox sets its clock by it. Raises grpc.aio.AioRpcError where the service fails.
    """

    def __init__(self, magpie: Magpie, clock: Callable[[int], None] = lambda at_ms: None) -> None:
        self.sent = Sent()
        self._magpie = magpie
        self._clock = clock
        self._batches: list[list[tuple[int, event_pb2.Event]]] = [[] for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None] | None] = [None] * LANES

    async def add(self, row: int, event: event_pb2.Event) -> None:
        """Takes an event; waits where its lane is busy."""
        lane = zlib.crc32(event.user_id.encode()) % LANES
        self._batches[lane].append((row, event))
        if len(self._batches[lane]) == BATCH:
            await self._flush(lane)

    async def finish(self) -> Sent:
        """Sends what is left and waits for every answer."""
        for lane in range(LANES):
            await self._flush(lane)
        await asyncio.gather(*(task for task in self._tasks if task is not None))
        self._tasks = [None] * LANES
        return self.sent

    async def _flush(self, lane: int) -> None:
        if (before := self._tasks[lane]) is not None:
            await before
        batch, self._batches[lane] = self._batches[lane], []
        self._tasks[lane] = asyncio.create_task(self._send(batch)) if batch else None

    async def _send(self, batch: list[tuple[int, event_pb2.Event]]) -> None:
        self._clock(max(event.occur_time.ToMilliseconds() for _, event in batch))
        answer = await self._magpie.profile.RecordEvents(
            profile_service_pb2.RecordEventsRequest(events=[event for _, event in batch])
        )
        self.sent.accepted += answer.accepted_count
        self.sent.duplicates += answer.duplicate_count
        for refusal in answer.refusals:
            self.sent.refuse(batch[refusal.index][0], _field(refusal.field), refusal.reason)


class ItemSender:
    """Adds or replaces items in batches; an id that comes twice in a batch counts by its last row."""

    def __init__(self, magpie: Magpie) -> None:
        self.sent = Sent()
        self._magpie = magpie
        self._batch: dict[str, tuple[int, item_pb2.Item]] = {}
        # Never made from the content: an item that changes there and back would be taken for the first again.
        self._run = uuid.uuid4().hex
        self._number = 0

    async def add(self, row: int, item: item_pb2.Item) -> None:
        """Takes an item; sends a full batch."""
        self._batch[item.item_id] = (row, item)
        if len(self._batch) == BATCH:
            await self.finish()

    async def finish(self) -> Sent:
        """Sends what is left."""
        batch, self._batch = list(self._batch.values()), {}
        if batch:
            self._number += 1
            request = catalog_service_pb2.UpsertItemsRequest(
                items=[item for _, item in batch], request_id=f"import-{self._run}-{self._number}"
            )
            answer = await self._magpie.catalog.UpsertItems(request)
            self.sent.accepted += answer.changed_count
            self.sent.duplicates += answer.unchanged_count
            for refusal in answer.refusals:
                self.sent.refuse(batch[refusal.index][0], _field(refusal.field), refusal.reason)
        return self.sent


def _field(path: str) -> str:
    """ "quantity" of "events[3].quantity"."""
    return path.rpartition("].")[2] or path
