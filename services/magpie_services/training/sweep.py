"""Finds runs, and trials of searches, that nobody is at, and puts them into the queue again.

A run is left behind where its request died between record and queue, where the queue lost its task, or where
a worker was killed (the queue by itself would wait an hour before it gives the task to another). A task too
many does no harm: the lease lets one worker work, and a run that has ended is left alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

log = structlog.get_logger()

LOOK_SECONDS = 30.0

#: Puts a task of the run into the queue; blocks. Raises Unavailable.
Enqueue = Callable[[str], None]


class Waiting(Protocol):
    """What stands still: a run, or a trial as "<search>/<number>"."""

    @property
    def run_id(self) -> str: ...

    @property
    def state(self) -> str: ...


class Store(Protocol):
    """Who knows what stands still."""

    async def idle(self) -> Sequence[Waiting]: ...


class Sweep:
    """`look` is called again and again; it remembers what it saw."""

    def __init__(self, store: Store, enqueue: Enqueue) -> None:
        self._store = store
        self._enqueue = enqueue
        self._idle: dict[str, tuple[Waiting, int]] = {}  # as it was, and for how many looks

    async def look(self) -> None:
        """Queues the runs that stand still since the last look; those that go on standing less and less
        often, for they may only wait behind others. Raises Unavailable.
        """
        before, self._idle = self._idle, {}
        for run in await self._store.idle():
            held, looks = before.get(run.run_id, (run, 0))
            looks = looks + 1 if held == run else 1
            self._idle[run.run_id] = run, looks
            if looks & (looks - 1) == 0 and looks > 1:  # 2, 4, 8, …
                log.warning("run.left_behind", run_id=run.run_id, state=run.state)
                await asyncio.to_thread(self._enqueue, run.run_id)
