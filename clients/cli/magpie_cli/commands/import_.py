"""`magpie import`: a file of events or items into the suite."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import BadInput, CommandFailed, give_up, run
from magpie_cli.importing import job, online_retail
from magpie_cli.importing.mapping import ColumnMapping, parse_pairs, read_mapping, zone
from magpie_cli.importing.sending import Sent


class Kind(StrEnum):
    """What a file holds."""

    EVENTS = "events"
    ITEMS = "items"
    ALL = "all"


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or CSV.gz, with a header.")],
    kind: Annotated[Kind | None, typer.Option(help="What it holds; all is for built-in mappings.")] = None,
    mapping: Annotated[str, typer.Option(help="TOML file, or the built-in online-retail.")] = "",
    map_: Annotated[list[str] | None, typer.Option("--map", help="field=column, repeatable.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="field=value for all rows.")] = None,
    time_format: Annotated[str, typer.Option(help="strptime form of times; ISO 8601 otherwise.")] = "",
    timezone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first faulty row.")] = False,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Import events or items. Importing the same file again within two days changes nothing.

    A faulty row is counted, listed and skipped; nothing is sent where the header does not fit the mapping.
    """

    async def work() -> None:
        columns = None
        if mapping == online_retail.NAME:
            if map_ or set_:
                raise BadInput(f"--mapping {mapping} and --map/--set exclude each other")
        else:
            columns = _mapping(kind, mapping, map_ or [], set_ or [], time_format, timezone)
        async with connect(state, endpoints) as magpie:
            with _progress(file, as_json) as progress:
                task = progress.add_task(file.name, total=file.stat().st_size if file.is_file() else None)

                def advance(read: int) -> None:
                    progress.update(task, completed=read)

                if columns is None:
                    report = await job.import_online_retail(
                        magpie,
                        file,
                        events=kind is not Kind.ITEMS,
                        items=kind is not Kind.EVENTS,
                        strict=strict,
                        progress=advance,
                    )
                else:
                    chosen = job.import_events if columns.kind == Kind.EVENTS else job.import_items
                    report = await chosen(magpie, file, columns, strict=strict, progress=advance)
        _show(report, as_json)
        if report.rows and report.bad_rows == report.rows:
            give_up(BadInput(f"{file}: not one of {report.rows} rows could be read"), reported=as_json)
        if strict and any(sent and sent.refused for sent in (report.events, report.items)):
            give_up(CommandFailed("some rows were refused by the service"), reported=as_json)

    run(work(), as_json=as_json)


def _mapping(
    kind: Kind | None, mapping: str, pairs: list[str], constants: list[str], time_format: str, timezone: str
) -> ColumnMapping:
    if kind is None or kind is Kind.ALL:
        raise BadInput("--kind: must be events or items, except with --mapping online-retail")
    if mapping:
        if pairs or constants:
            raise BadInput("--mapping and --map/--set exclude each other")
        return read_mapping(kind.value, Path(mapping))
    return ColumnMapping(
        kind=kind.value,
        columns=parse_pairs("--map", pairs),
        constants=parse_pairs("--set", constants),
        time_format=time_format,
        timezone=zone(timezone),
    )


def _progress(file: Path, as_json: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=as_json or not console.is_terminal,
        transient=True,
    )


def _show(report: job.Report, as_json: bool) -> None:
    if as_json:
        print(json.dumps(to_json(report), ensure_ascii=False))
        return
    console = Console()
    table = Table(title=f"{report.rows} rows", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, sent in (("events", report.events), ("items", report.items)):
        if sent is not None:
            table.add_row(f"{name} taken in", str(sent.accepted))
            table.add_row(f"{name} already there", str(sent.duplicates))
            for reason, count in sent.refused.most_common():
                table.add_row(Text(f"{name} refused: {reason}", "yellow"), str(count))
    for note, count in report.notes.items():
        table.add_row(note, str(count))
    for reason, count in report.cleaned.most_common():
        table.add_row(f"left out: {reason}", str(count))
    if report.bad_rows:
        table.add_row("[red]rows that cannot be read[/]", str(report.bad_rows))
    console.print(table)
    for example in report.examples:
        console.print(f"row {example['row']}: {example['column']} {example['reason']}", markup=False)


def to_json(report: job.Report) -> dict[str, object]:
    """The report as one object."""

    def sent(part: Sent | None) -> dict[str, object] | None:
        if part is None:
            return None
        return {
            "accepted": part.accepted,
            "already_there": part.duplicates,
            "refused": dict(part.refused),
            "examples": part.examples,
        }

    return {
        "rows": report.rows,
        "events": sent(report.events),
        "items": sent(report.items),
        "cleaned": dict(report.cleaned),
        "notes": dict(report.notes),
        "bad_rows": report.bad_rows,
        "examples": report.examples,
    }
