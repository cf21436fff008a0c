"""The errors a service may answer with: one small hierarchy, free of gRPC, whose text is safe to show."""

from collections.abc import Iterable


class MagpieError(Exception):
    """The root. `message` is for the caller to read; `reason` is a stable UPPER_SNAKE name for programs."""

    default_reason = "ERROR"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason


class Invalid(MagpieError):
    """The request breaks the contract: fix it and try again. Names each field, e.g. `events[3].item_id`."""

    default_reason = "INVALID"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.violations: tuple[tuple[str, str], ...] = ((field, problem),)

    @classmethod
    def many(cls, violations: Iterable[tuple[str, str]]) -> "Invalid":
        """One error for all the (field, problem) pairs; there must be at least one."""
        pairs = tuple(violations)
        error = cls(*pairs[0])
        error.violations = pairs
        if len(pairs) > 1:
            error.message = "; ".join(f"{field}: {problem}" for field, problem in pairs)
            error.args = (error.message,)
        return error


class NotFound(MagpieError):
    """The thing named does not exist."""

    default_reason = "NOT_FOUND"


class AlreadyExists(MagpieError):
    """The thing to create is there already: treat as done."""

    default_reason = "ALREADY_EXISTS"


class NotAllowed(MagpieError):
    """The state forbids it (opted out, quiet hours, cap): stop until the state changes."""

    default_reason = "NOT_ALLOWED"


class Conflict(MagpieError):
    """A race was lost: read again, then retry."""

    default_reason = "CONFLICT"


class TooMany(MagpieError):
    """A quota is used up: come back after `retry_after_ms`."""

    default_reason = "TOO_MANY"

    def __init__(self, message: str, *, retry_after_ms: int, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_ms = retry_after_ms


class Unavailable(MagpieError):
    """Something this service depends on is away: retry with backoff."""

    default_reason = "UNAVAILABLE"


class DeadlineExceeded(MagpieError):
    """The caller's time is over, or too little of it is left to be worth a call."""

    default_reason = "DEADLINE_EXCEEDED"

    def __init__(self, message: str = "the deadline has passed", *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)


class Unimplemented(MagpieError):
    """The contract names it and this release does not serve it yet."""

    default_reason = "UNIMPLEMENTED"


class CannotStart(Exception):
    """The process cannot start: bad settings, a dependency absent. One clear line for each problem."""
