"""One import from file to service: header first, then row by row; faulty rows are counted and skipped."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from magpie import Magpie
from magpie_cli.failures import BadInput
from magpie_cli.importing import online_retail
from magpie_cli.importing.mapping import ColumnMapping
from magpie_cli.importing.rows import EventRows, ItemRows
from magpie_cli.importing.sending import EventSender, ItemSender, Sent
from magpie_cli.importing.table import BadRow, Row, Table, open_table

SHOWN_ROWS = 20
PROGRESS_ROWS = 1_000

Progress = Callable[[int], None]  # bytes of the file read so far


@dataclass
class Report:
    """What became of a file. `cleaned` counts rows left out by reason, `bad_rows` those unreadable."""

    rows: int = 0
    cleaned: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    bad_rows: int = 0
    examples: list[dict[str, object]] = field(default_factory=list)
    events: Sent | None = None
    items: Sent | None = None

    def bad(self, row: BadRow) -> None:
        """Counts a faulty row; keeps the first as examples."""
        self.bad_rows += 1
        if len(self.examples) < SHOWN_ROWS:
            self.examples.append({"row": row.number, "column": row.column, "reason": row.reason})


class Reader:
    """Rows of a file for one import: reports progress, counts, and passes over or raises what is faulty."""

    def __init__(self, path: Path, strict: bool, progress: Progress) -> None:
        self.report = Report()
        self._path = path
        self._strict = strict
        self._progress = progress

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows that can be read. Raises BadInput at the first other one when strict."""
        for row in table:
            self.report.rows += 1
            if self.report.rows % PROGRESS_ROWS == 0:
                self._progress(table.bytes_read)
            if isinstance(row, BadRow):
                self.refuse(row)
            else:
                yield row
        self._progress(table.bytes_read)

    def refuse(self, row: BadRow) -> None:
        """Counts a faulty row; raises BadInput when strict."""
        self.report.bad(row)
        if self._strict:
            raise BadInput(f"{self._path}: {row}")


async def import_events(
    magpie: Magpie, path: Path, mapping: ColumnMapping, *, strict: bool, progress: Progress
) -> Report:
    """Records a file's events. Raises BadInput before anything is sent where the header does not fit."""
    reader, maker, sender = Reader(path, strict, progress), EventRows(mapping), EventSender(magpie)
    with open_table(path) as table:
        table.require(mapping.columns.values())
        for row in reader.rows(table):
            try:
                event = maker.event(row)
            except BadRow as bad:
                reader.refuse(bad)
            else:
                await sender.add(row.number, event)
    reader.report.events = await sender.finish()
    return reader.report


async def import_items(
    magpie: Magpie, path: Path, mapping: ColumnMapping, *, strict: bool, progress: Progress
) -> Report:
    """Adds a file's items. Raises BadInput before anything is sent where the header does not fit."""
    reader, maker, sender = Reader(path, strict, progress), ItemRows(mapping), ItemSender(magpie)
    with open_table(path) as table:
        table.require(mapping.columns.values())
        for row in reader.rows(table):
            try:
                item = maker.item(row)
            except BadRow as bad:
                reader.refuse(bad)
            else:
                await sender.add(row.number, item)
    reader.report.items = await sender.finish()
    return reader.report


async def import_online_retail(
    magpie: Magpie, path: Path, *, events: bool, items: bool, strict: bool, progress: Progress
) -> Report:
    """Records the log's purchases and returns, and adds the items that its lines tell of."""
    reader, cleaner = Reader(path, strict, progress), online_retail.Cleaner()
    maker, catalogue = online_retail.Events(), online_retail.Catalogue()
    sender = EventSender(magpie)
    with open_table(path) as table:
        for line in clean_lines(table, reader, cleaner):
            catalogue.observe(line)
            if events and (event := maker.event(line)):
                await sender.add(line.row, event)
    report = reader.report
    if events:
        report.events = await sender.finish()
    if items:
        item_sender = ItemSender(magpie)
        for item in catalogue.changes():
            await item_sender.add(0, item)
        report.items = await item_sender.finish()
    tell(report, cleaner, maker.anonymous)
    return report


def clean_lines(table: Table, reader: Reader, cleaner: online_retail.Cleaner) -> Iterator[online_retail.Line]:
    """The log's clean lines. Raises BadInput where the header is another's."""
    table.require(online_retail.COLUMNS)
    for row in reader.rows(table):
        try:
            line = cleaner.line(row)
        except BadRow as bad:
            reader.refuse(bad)
            continue
        if line is not None:
            yield line


def tell(report: Report, cleaner: online_retail.Cleaner, anonymous: int) -> None:
    """Puts what cleaning did into the report."""
    report.cleaned.update(cleaner.reasons)
    if anonymous:
        report.cleaned["customer not known (used for items only)"] = anonymous
    report.notes["returns recorded"] = cleaner.returns
