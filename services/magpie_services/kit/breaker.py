"""A circuit breaker: stop asking what keeps failing, and try it again, once, after a while."""

import time
from collections.abc import Callable
from enum import Enum


class State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after `failures` failed or slow calls in a row; after `cool_down_seconds` lets one probe through.

    Use: `if not breaker.allow(): fall back`, then `breaker.record(ok=…, seconds=…)` once for every allowed
    call, cancelled ones included. Not for threads; `monotonic` gives seconds.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        slow_seconds: float = float("inf"),
        cool_down_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._slow_seconds = slow_seconds
        self._cool_down = cool_down_seconds
        self._monotonic = monotonic
        self._in_a_row = 0
        self._opened_at: float | None = None
        self._probe_at: float | None = None

    @property
    def state(self) -> State:
        if self._opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._monotonic() - self._opened_at >= self._cool_down else State.OPEN

    def allow(self) -> bool:
        """Whether to call now. When half open, True for one caller, and for another if its probe got lost."""
        match self.state:
            case State.CLOSED:
                return True
            case State.OPEN:
                return False
            case State.HALF_OPEN:
                now = self._monotonic()
                if self._probe_at is not None and now - self._probe_at < self._cool_down:
                    return False
                self._probe_at = now
                return True

    def record(self, *, ok: bool, seconds: float = 0.0) -> None:
        """How an allowed call went. A slow success counts as a failure."""
        if ok and seconds < self._slow_seconds:
            self._in_a_row = 0
            self._opened_at = self._probe_at = None
            return
        self._in_a_row += 1
        if self._opened_at is not None or self._in_a_row >= self._limit:
            self._opened_at = self._monotonic()
            self._probe_at = None
