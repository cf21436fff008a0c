"""What is wrong with a record that came from outside: a list of violations, each naming its field."""

import msgspec

MAX_ID_CHARS = 128
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
LATEST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, the last that a Timestamp can say
FUTURE_TOLERANCE_MS = 5 * 60_000


class Violation(msgspec.Struct, frozen=True):
    """One field that breaks one rule; `reason` is safe to show to the caller."""

    field: str
    reason: str


def identifier(field: str, value: str, *, required: bool = True) -> list[Violation]:
    """Ids are printable and at most 128 characters; empty only where not required."""
    if not value:
        return [Violation(field, "is required")] if required else []
    if len(value) > MAX_ID_CHARS:
        return [Violation(field, f"has more than {MAX_ID_CHARS} characters")]
    if not value.isprintable():
        return [Violation(field, "has characters that cannot be printed")]
    return []


def text(field: str, value: str, limit: int) -> list[Violation]:
    """At most `limit` characters."""
    return [Violation(field, f"has more than {limit} characters")] if len(value) > limit else []


def moment(field: str, at_ms: int, now_ms: int) -> list[Violation]:
    """Not before 2000 and at most five minutes ahead of `now_ms` (clocks of phones drift)."""
    if at_ms < EARLIEST_MS:
        return [Violation(field, "is before 2000-01-01")]
    if at_ms > now_ms + FUTURE_TOLERANCE_MS:
        return [Violation(field, "is more than 5 minutes in the future")]
    return []


def within(field: str, value: float, low: float, high: float) -> list[Violation]:
    """`low <= value <= high`; NaN is never within."""
    return [] if low <= value <= high else [Violation(field, f"must be between {low:g} and {high:g}")]
