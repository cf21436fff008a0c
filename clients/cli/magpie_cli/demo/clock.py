"""The time of a sandbox: what the services are told it is."""


class SandboxClock:
    """Milliseconds since 1970 that only move forwards."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """The sandbox's time."""
        return self._now_ms

    def advance(self, at_ms: int) -> None:
        """Moves to a later time; an earlier one changes nothing."""
        self._now_ms = max(self._now_ms, at_ms)
