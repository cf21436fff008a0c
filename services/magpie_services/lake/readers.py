"""Reading the lake: for training, evaluation and export. A day at a time, so that memory is bounded by a day.

Rows come back in order of time, each thing once, by the last word on it (a decision is queued, then sent).
Repeats are recognised within a day: they carry the time of the first.
"""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from magpie_services.lake.schemas import DAY, DECISIONS, EVENTS, ITEMS, OUTCOMES, POSITION, TableSpec, day_of

DAY_MS = 86_400_000


def scan_events(
    folder: str, columns: Sequence[str] | None = None, since_ms: int = 0, until_ms: int | None = None
) -> Iterator[pa.Table]:
    """Events that occurred in [since_ms, until_ms), one table a day, sorted by time, each id of a user once.

    `columns` names those of schemas.EVENTS wanted, all where None; `until_ms` None means no end.
    A lake without the table yields nothing. Raises KeyError for an unknown column.
    """
    return _scan(folder, EVENTS, columns, since_ms, until_ms)


def scan_decisions(
    folder: str, columns: Sequence[str] | None = None, since_ms: int = 0, until_ms: int | None = None
) -> Iterator[pa.Table]:
    """Decisions made in [since_ms, until_ms), one table a day, sorted by time, the last word on each."""
    return _scan(folder, DECISIONS, columns, since_ms, until_ms)


def scan_outcomes(
    folder: str, columns: Sequence[str] | None = None, since_ms: int = 0, until_ms: int | None = None
) -> Iterator[pa.Table]:
    """Outcomes that occurred in [since_ms, until_ms), one table a day, sorted by time, each id once."""
    return _scan(folder, OUTCOMES, columns, since_ms, until_ms)


def read_events(
    folder: str, columns: Sequence[str] | None = None, since_ms: int = 0, until_ms: int | None = None
) -> pa.Table:
    """`scan_events` as one table."""
    return _whole(EVENTS, columns, scan_events(folder, columns, since_ms, until_ms))


def read_decisions(
    folder: str, columns: Sequence[str] | None = None, since_ms: int = 0, until_ms: int | None = None
) -> pa.Table:
    """`scan_decisions` as one table; with `arms` it is large: scan instead."""
    return _whole(DECISIONS, columns, scan_decisions(folder, columns, since_ms, until_ms))


def read_outcomes(
    folder: str, columns: Sequence[str] | None = None, since_ms: int = 0, until_ms: int | None = None
) -> pa.Table:
    """`scan_outcomes` as one table."""
    return _whole(OUTCOMES, columns, scan_outcomes(folder, columns, since_ms, until_ms))


def read_items(folder: str, columns: Sequence[str] | None = None, until_ms: int | None = None) -> pa.Table:
    """The newest version of every item as it was before `until_ms`, withdrawn ones too, sorted by `item_id`.

    Memory is bounded by the catalogue and one day of changes.
    """
    wanted = _wanted(ITEMS, columns)
    newest = ITEMS.schema.empty_table().select(_with(wanted, *ITEMS.key, ITEMS.time, POSITION))
    for day in _scan(folder, ITEMS, newest.column_names, 0, until_ms):
        both = pa.concat_tables([newest, day])
        both = both.sort_by([("version", "ascending"), (POSITION, "ascending")])
        newest = _last_of_each(both, ("item_id",))
    return newest.sort_by("item_id").select(wanted)


def _scan(
    folder: str, spec: TableSpec, columns: Sequence[str] | None, since_ms: int, until_ms: int | None
) -> Iterator[pa.Table]:
    wanted = _wanted(spec, columns)
    read = _with(wanted, *spec.key, spec.time, POSITION)
    table = _open(folder, spec)
    if table is None:
        return
    first, last = day_of(since_ms), "9999" if until_ms is None else day_of(until_ms)
    dataset = table.to_pyarrow_dataset()
    time = ds.field(spec.time)
    chosen = time >= since_ms if until_ms is None else (time >= since_ms) & (time < until_ms)
    for day in sorted({partition[DAY] for partition in table.partitions()}):
        if not first <= day <= last:
            continue
        # A column that the table does not have yet is null.
        held = [name for name in read if name in dataset.schema.names]
        rows = dataset.to_table(columns=held, filter=(ds.field(DAY) == day) & chosen)
        rows = _conform(rows, spec, read).sort_by([(spec.time, "ascending"), (POSITION, "ascending")])
        if rows.num_rows:
            yield _last_of_each(rows, spec.key).select(wanted)


def _open(folder: str, spec: TableSpec) -> DeltaTable | None:
    try:
        return DeltaTable(f"{folder.rstrip('/')}/{spec.name}")
    except TableNotFoundError:
        return None


def _conform(rows: pa.Table, spec: TableSpec, names: list[str]) -> pa.Table:
    """The columns by name with the types of the schema (Delta names parts of lists and maps otherwise)."""
    schema = _schema(spec, names)
    arrays = [
        rows.column(field.name).cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _last_of_each(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """Of rows with equal keys the last, order kept."""
    numbered = rows.select(list(key)).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    groups = numbered.group_by(list(key), use_threads=False).aggregate([("row", "max")])
    if groups.num_rows == rows.num_rows:
        return rows
    return rows.take(groups["row_max"].sort())


def _wanted(spec: TableSpec, columns: Sequence[str] | None) -> list[str]:
    names = list(spec.schema.names) if columns is None else list(columns)
    for name in names:
        spec.schema.field(name)  # raises KeyError
    return names


def _with(names: list[str], *needed: str) -> list[str]:
    return list(dict.fromkeys([*names, *needed]))


def _whole(spec: TableSpec, columns: Sequence[str] | None, days: Iterator[pa.Table]) -> pa.Table:
    return pa.concat_tables([_schema(spec, _wanted(spec, columns)).empty_table(), *days])


def _schema(spec: TableSpec, names: Sequence[str]) -> pa.Schema:
    return pa.schema([spec.schema.field(name) for name in names])


def matching(
    folder: str, spec: TableSpec, columns: Sequence[str], equal: Mapping[str, str], since: int
) -> pa.Table:
    """Rows beyond the place `since` with these values, in no order."""
    table = _open(folder, spec)
    if table is None:
        return _schema(spec, columns).empty_table()
    wanted = ds.field(POSITION) > since
    for name, value in equal.items():
        wanted &= ds.field(name) == value
    return table.to_pyarrow_dataset().to_table(columns=list(columns), filter=wanted)
