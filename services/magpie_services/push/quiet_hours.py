"""When a user is not to be disturbed: a span of their local day, right across changes of the clocks."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec


class QuietHours(msgspec.Struct, frozen=True):
    """Quiet from `start` until `end` local time; over midnight when `end` is earlier, never when equal."""

    start: time
    end: time
    fallback_zone: str = "UTC"

    def until_ms(self, now_ms: int, timezone: str) -> int | None:
        """When the quiet span that holds `now_ms` ends (ms, UTC); None when it is not quiet.

        An unknown or empty `timezone` counts as `fallback_zone`. Where the clocks skip the end of the span,
        it ends at the skip; where they repeat it, at the second time: quiet is never cut short.
        """
        if self.start == self.end:
            return None
        zone = zone_named(timezone) or zone_named(self.fallback_zone) or UTC
        local = datetime.fromtimestamp(now_ms / 1000, zone)
        for days in (0, -1):
            day = (local + timedelta(days=days)).date()
            last = day if self.start < self.end else day + timedelta(days=1)
            begin_ms = _moment_ms(datetime.combine(day, self.start, zone), fold=0)
            end_ms = _moment_ms(datetime.combine(last, self.end, zone), fold=1)
            if begin_ms <= now_ms < end_ms:
                return end_ms
        return None

    def __str__(self) -> str:
        return f"{self.start:%H:%M} to {self.end:%H:%M}"


def parse(start: str, end: str, fallback_zone: str) -> QuietHours:
    """From "21:30" and the like. Raises ValueError when a time or the zone is not one."""
    if zone_named(fallback_zone) is None:
        raise ValueError(f"{fallback_zone!r} is not a time zone")
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end), fallback_zone)


@lru_cache(maxsize=1024)
def zone_named(name: str) -> tzinfo | None:
    """The time zone of an IANA name; None for an empty or unknown one."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def _moment_ms(wall: datetime, fold: int) -> int:
    """UTC ms of a local time. `fold` 0 takes the first of a repeated hour, 1 the second.

    A local time that the clocks skip becomes the moment of the skip.
    """
    moment = wall.replace(fold=fold).astimezone(UTC)
    back = moment.astimezone(wall.tzinfo)
    if back.replace(tzinfo=None) != wall.replace(tzinfo=None):
        # In a gap, fold 0 is read by the offset before it and lands after it, fold 1 the other way round.
        before = wall.replace(fold=0).utcoffset() or timedelta()
        after = wall.replace(fold=1).utcoffset() or timedelta()
        moment = _skip(wall, before, after)
    return int(moment.timestamp() * 1000)


def _skip(wall: datetime, before: timedelta, after: timedelta) -> datetime:
    """The first moment of the later offset, between two readings of a local time that does not exist."""
    naive = wall.replace(tzinfo=None)
    low = (naive - max(before, after)).replace(tzinfo=UTC)
    high = (naive - min(before, after)).replace(tzinfo=UTC)
    while high - low > timedelta(milliseconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(wall.tzinfo).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high
