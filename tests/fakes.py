"""Stand-ins for what tests must control; everything else in the tests is real."""


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
