"""Counts of decisions and outcomes by group and time, summed from the hours in which decisions were made."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from magpie_services.kit.errors import Invalid

HOUR_MS = 3_600_000
MAX_HOURS = 92 * 24
MAX_ROWS = 10_000


class Group(StrEnum):
    """How to group; the values are the first part of a count's field (see kit.ledger_keys)."""

    ALL = "all"
    CAMPAIGN = "campaign"
    RANKER_VERSION = "ranker"
    STRATEGY = "strategy"


class Row(msgspec.Struct):
    """Counts by name of one group from `start_ms` on."""

    group: str
    start_ms: int
    counts: dict[str, int]


class CountStore(Protocol):
    """Where counts are kept."""

    async def counts(self, hours: Sequence[int]) -> list[dict[str, int]]:
        """Counts of the decisions made in each hour (hours since the epoch) by field."""
        ...


async def rows(store: CountStore, group: Group, start_ms: int, end_ms: int, step_ms: int) -> list[Row]:
    """Rows of all groups that have counts, oldest first within a group; of all together, empty ones too.

    Whole hours are counted: the first is that of `start_ms`, the last that before `end_ms`. `step_ms` 0 gives
    one row a group. Raises Invalid for a step under an hour, an empty span, one over 92 days, too many rows.
    """
    first, end = start_ms // HOUR_MS, -(-end_ms // HOUR_MS)
    if end <= first:
        raise Invalid("end_time", "must be after start_time")
    if end - first > MAX_HOURS:
        raise Invalid("start_time", f"is more than {MAX_HOURS // 24} days before end_time")
    if step_ms and step_ms < HOUR_MS:
        raise Invalid("step", "must be at least an hour")
    step = step_ms // HOUR_MS or end - first
    hours = range(first, end)
    found: dict[tuple[str, int], Row] = {}
    if group is Group.ALL:
        for start in range(first, end, step):
            found["", start] = Row("", start * HOUR_MS, {})
    for hour, counts in zip(hours, await store.counts(hours), strict=True):
        start = first + (hour - first) // step * step
        for field, count in counts.items():
            kind, _, rest = field.partition(":")
            if kind == group:
                name, _, what = rest.rpartition(":")
                row = found.setdefault((name, start), Row(name, start * HOUR_MS, {}))
                row.counts[what] = row.counts.get(what, 0) + count
    if len(found) > MAX_ROWS:
        raise Invalid("step", f"would give more than {MAX_ROWS:,} rows")
    return [found[key] for key in sorted(found)]
