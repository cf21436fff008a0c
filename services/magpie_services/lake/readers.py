"""Reading the lake: for training, evaluation and export. A day at a time, so that memory is bounded by a day.

Rows come back in order of time, each thing once, by the last word on it (a decision is queued, then sent).
Repeats are recognised within a day: they carry the time of the first.
"""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from magpie_services.lake.schemas import DAY, DECISIONS, EVENTS, ITEMS, OUTCOMES, POSITION, TableSpec, day_of

DAY_MS = 86_400_000
_BATCH_ROWS = 2_048


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


def newest_decisions(
    folder: str,
    columns: Sequence[str],
    since_ms: int,
    until_ms: int | None,
    limit: int,
    *,
    arms: Sequence[str] = (),
    but: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """The newest `limit` decisions with arms made in [since_ms, until_ms), the last word on each, in no
    order: plain `columns` and, of `arms`, these parts. Those with ids in `but` do not count.

    Memory is bounded by `limit` narrow rows and a row group, however many there are: which ones they are is
    found first, and no feature is read.
    """
    table = _open(folder, DECISIONS)
    if table is None:
        return
    dataset, names = table.to_pyarrow_dataset(), ["decision_id", "decided_ms", POSITION]
    span = _within(DECISIONS, since_ms, until_ms)
    span &= ~pc.field("decision_id").isin(pa.array(but, pa.string()))
    newest = DECISIONS.schema.empty_table().select(names)
    for batch in _batches(dataset, names, span & (ds.field("chosen") >= 0)):
        newest = pa.concat_tables([newest, pa.table(batch).cast(newest.schema)])
        if newest.num_rows > 4 * limit + _BATCH_ROWS:
            newest = _newest(newest, limit)
    newest = _newest(newest, limit)
    if not newest.num_rows:
        return
    places = dict(zip(newest["decision_id"].to_pylist(), newest[POSITION].to_pylist(), strict=True))
    first, last = pc.min_max(newest["decided_ms"]).as_py().values()
    read, wanted = _with(list(columns), "decision_id", POSITION), [*columns, *(["arms"] if arms else [])]
    for fragment in dataset.get_fragments(filter=_within(DECISIONS, first, last + 1)):
        # A dataset reads whole columns only; of `arms` nine tenths are features.
        with fragment.open() as source:
            file = pq.ParquetFile(source)
            leaves = [*read, *_parts_of_arms(file, arms)]
            for batch in file.iter_batches(_BATCH_ROWS, columns=leaves):
                pairs = zip(batch["decision_id"].to_pylist(), batch[POSITION].to_pylist(), strict=True)
                kept = [places.get(decision_id) == place for decision_id, place in pairs]
                if any(kept):
                    yield batch.filter(pa.array(kept, pa.bool_())).select(wanted)


def _parts_of_arms(file: pq.ParquetFile, parts: Sequence[str]) -> list[str]:
    """Columns of a file that are these parts of arms: what is between the names is the writer's choice."""
    paths = (file.schema.column(number).path for number in range(len(file.schema)))
    return [path for path in paths if path.split(".")[0] == "arms" and path.split(".")[3] in parts]


def outcomes_of(folder: str, decision_ids: Sequence[str], since_ms: int) -> Iterator[pa.RecordBatch]:
    """`decision_id` and `kind` of the outcomes of these decisions that occurred from `since_ms` on; some
    twice.
    """
    table = _open(folder, OUTCOMES)
    if table is None:
        return
    wanted = _within(OUTCOMES, since_ms, None) & pc.field("decision_id").isin(
        pa.array(decision_ids, pa.string())
    )
    yield from _batches(table.to_pyarrow_dataset(), ["decision_id", "kind"], wanted)


def _within(spec: TableSpec, since_ms: int, until_ms: int | None) -> ds.Expression:
    """Rows of a span of time, with the days that it touches, so that no other file is opened."""
    span = (ds.field(spec.time) >= since_ms) & (ds.field(DAY) >= day_of(since_ms))
    if until_ms is not None:
        span &= (ds.field(spec.time) < until_ms) & (ds.field(DAY) <= day_of(until_ms))
    return span


def _batches(dataset: ds.Dataset, columns: list[str], rows: ds.Expression) -> Iterator[pa.RecordBatch]:
    """A few thousand rows at a time, no more than two batches ahead."""
    yield from dataset.to_batches(
        columns=columns, filter=rows, batch_size=_BATCH_ROWS, batch_readahead=2, fragment_readahead=1
    )


def _newest(rows: pa.Table, limit: int) -> pa.Table:
    """The newest `limit` decisions, the last word on each."""
    rows = _last_of_each(rows.sort_by([("decided_ms", "ascending"), (POSITION, "ascending")]), DECISIONS.key)
    return rows.slice(max(0, rows.num_rows - limit))


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


def rows_after(folder: str, spec: TableSpec, columns: Sequence[str], since: int) -> Iterator[pa.Table]:
    """All rows beyond the place `since`, as they came, in no order, a piece at a time. Raises KeyError."""
    wanted = _wanted(spec, columns)
    table = _open(folder, spec)
    if table is None:
        return
    dataset = table.to_pyarrow_dataset()
    held = [name for name in wanted if name in dataset.schema.names]
    for batch in dataset.to_batches(columns=held, filter=ds.field(POSITION) > since):
        if batch.num_rows:
            yield _conform(pa.Table.from_batches([batch]), spec, wanted)


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
