"""Figures are summed by group and step, and impossible spans are refused by name."""

from collections.abc import Sequence

import pytest

from magpie_services.feedback.metrics import HOUR_MS, Group, Row, rows
from magpie_services.kit.errors import Invalid


class Counts:
    """Hour -> counts by field."""

    def __init__(self, by_hour: dict[int, dict[str, int]]) -> None:
        self.by_hour = by_hour

    async def counts(self, hours: Sequence[int]) -> list[dict[str, int]]:
        return [self.by_hour.get(hour, {}) for hour in hours]


STORE = Counts(
    {
        10: {"all::sent": 2, "campaign:a:b:sent": 2, "all::clicked": 1},
        12: {"all::sent": 3, "campaign:a:b:sent": 1, "campaign:z:sent": 2},
    }
)


async def test_one_row_without_a_step() -> None:
    assert await rows(STORE, Group.ALL, 10 * HOUR_MS, 13 * HOUR_MS, 0) == [
        Row("", 10 * HOUR_MS, {"sent": 5, "clicked": 1})
    ]


async def test_a_row_a_step_empty_ones_too() -> None:
    assert await rows(STORE, Group.ALL, 10 * HOUR_MS + 5, 13 * HOUR_MS, HOUR_MS) == [
        Row("", 10 * HOUR_MS, {"sent": 2, "clicked": 1}),
        Row("", 11 * HOUR_MS, {}),
        Row("", 12 * HOUR_MS, {"sent": 3}),
    ]


async def test_groups_with_counts_oldest_first_within_a_group() -> None:
    found = await rows(STORE, Group.CAMPAIGN, 10 * HOUR_MS, 13 * HOUR_MS, HOUR_MS)
    assert found == [
        Row("a:b", 10 * HOUR_MS, {"sent": 2}),
        Row("a:b", 12 * HOUR_MS, {"sent": 1}),
        Row("z", 12 * HOUR_MS, {"sent": 2}),
    ]


@pytest.mark.parametrize(
    ("start", "end", "step", "field"),
    [
        (10, 10, 0, "end_time"),
        (10, 10 + 93 * 24, 0, "start_time"),
        (10, 12, HOUR_MS // 2, "step"),
    ],
)
async def test_a_bad_span_is_refused(start: int, end: int, step: int, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await rows(STORE, Group.ALL, start * HOUR_MS, end * HOUR_MS, step)
    assert caught.value.violations[0][0] == field
