"""Keep a copy of something fresh: look every few seconds, and at once when a call finds it stale."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context

import structlog

from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import DeadlineExceeded, MagpieError

log = structlog.get_logger()

MAX_POLL_SECONDS = 10.0
SOON_SECONDS = 1.0


class Refresher:
    """Runs `refresh`, one at a time; `name` is for the log. `refresh` may raise any MagpieError."""

    def __init__(self, name: str, refresh: Callable[[], Awaitable[None]], *, poll_seconds: float) -> None:
        self._name = name
        self._refresh = refresh
        self._poll_seconds = poll_seconds
        self._turn = asyncio.Lock()
        self._started = 0
        self._under_way: set[asyncio.Task[None]] = set()  # the event loop alone would not keep them alive

    async def run(self) -> None:
        """Refresh every few seconds until cancelled; a failure is told once, then tried ever less often."""
        told, pause = "", self._poll_seconds
        while True:
            try:
                await self._once()
                told, pause = "", self._poll_seconds
            except MagpieError as error:
                if error.reason != told:
                    log.warning("refresh.failed", of=self._name, reason=error.reason)
                told, pause = error.reason, min(2 * pause, max(MAX_POLL_SECONDS, self._poll_seconds))
            await asyncio.sleep(pause)

    async def soon(self) -> None:
        """Refresh now, for a call that found its copy stale: waits a second or what the call has left.

        Raises DeadlineExceeded when it takes longer (it then goes on by itself), and what `refresh` raises.
        """
        patience = remaining(SOON_SECONDS)
        # In a context of its own: it serves all calls and must not end with the deadline of this one.
        refreshing = asyncio.create_task(self._once(), context=Context())
        self._under_way.add(refreshing)
        refreshing.add_done_callback(self._note)
        done, _ = await asyncio.wait([refreshing], timeout=patience)
        if not done:
            raise DeadlineExceeded(f"{self._name} is being replaced")
        refreshing.result()

    async def _once(self) -> None:
        before = self._started
        async with self._turn:
            # Of many calls that find the copy stale at once, one refreshes and the others get what it got.
            if self._started == before:
                self._started += 1
                await self._refresh()

    def _note(self, refreshing: asyncio.Task[None]) -> None:
        self._under_way.discard(refreshing)
        if not refreshing.cancelled() and (error := refreshing.exception()):
            reason = getattr(error, "reason", type(error).__name__)
            log.warning("refresh.failed", of=self._name, reason=reason)
