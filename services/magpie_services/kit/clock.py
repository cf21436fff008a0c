"""The time, injected: the wall's, or in a sandbox the one that the request brings."""

import time
from typing import Protocol

from magpie_services.kit import context


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        ...


class SystemClock:
    """The clock on the wall."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class RequestClock:
    """The clock of a sandbox: inside a request the time it brought, elsewhere the latest that any brought.

    Until a first request brings a time it answers `fallback`.
    """

    def __init__(self, fallback: Clock | None = None) -> None:
        self._fallback = fallback or SystemClock()
        self._latest_ms: int | None = None

    def observe(self, now_ms: int) -> None:
        """A request brought this time. Called by the server; the latest never goes back."""
        self._latest_ms = max(now_ms, self._latest_ms or 0)

    @property
    def latest_ms(self) -> int | None:
        """The latest time that a request brought; None before any did."""
        return self._latest_ms

    def now_ms(self) -> int:
        brought = context.request_time_ms.get()
        if brought is not None:
            return brought
        return self._fallback.now_ms() if self._latest_ms is None else self._latest_ms


def clock_for(sandbox: bool) -> Clock:
    """The clock a service should be wired with."""
    return RequestClock() if sandbox else SystemClock()
