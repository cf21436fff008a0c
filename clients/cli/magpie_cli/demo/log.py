"""A real log as a sequence of weeks around the moment at which deciding begins."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from magpie_cli.importing import job, online_retail
from magpie_cli.importing.online_retail import Line
from magpie_cli.importing.table import open_table

WEEK_MS = 7 * 86_400_000


@dataclass
class Week:
    """One week's clean lines in order of time. Week 0 begins when deciding begins; earlier ones are below."""

    number: int
    start_ms: int
    lines: list[Line] = field(default_factory=list)

    @property
    def end_ms(self) -> int:
        """The moment after the week."""
        return self.start_ms + WEEK_MS

    def bought(self) -> dict[str, set[str]]:
        """The items that each known customer bought in the week."""
        items: dict[str, set[str]] = {}
        for line in self.lines:
            if line.user_id and not line.returned:
                items.setdefault(line.user_id, set()).add(line.item_id)
        return items


def read_weeks(
    path: Path, start_ms: int, reader: job.Reader, cleaner: online_retail.Cleaner
) -> Iterator[Week]:
    """The weeks of a log, one in memory at a time. The log must be in order of time, as the UCI file is.

    Raises BadInput where the header is another's.
    """
    with open_table(path) as table:
        lines = job.clean_lines(table, reader, cleaner)
        for number, group in groupby(lines, key=lambda line: (line.at_ms - start_ms) // WEEK_MS):
            yield Week(number, start_ms + number * WEEK_MS, sorted(group, key=lambda line: line.at_ms))
