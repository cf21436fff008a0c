"""The lake's tables: their Arrow schemas and the turning of core structs into columns, many rows at a time.

Every table is partitioned by `day`, the UTC date of its time column, and has `position`, the place of the row
in its stream (later is larger): of several words on one thing it tells the last. Columns are only ever added.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from magpie_services.core.decisions import Copy, Decision
from magpie_services.core.events import Event
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.outcomes import Outcome

DAY = "day"
POSITION = "position"
STRING, INT, FLOAT, BOOL, BINARY = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.binary()
STRINGS = pa.list_(STRING)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Column:
    """One column: where its values come from, and the columns inside where it is a list of structs."""

    name: str
    type: pa.DataType
    read: Callable[[Any], Any]
    inner: tuple["Column", ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One table: what a row is made from, which columns name a row and which orders them in time."""

    name: str
    row: type[msgspec.Struct]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema: the columns, then `position` and `day`."""
        return _schema(self)

    def batch(self, rows: Sequence[Any], positions: Sequence[int]) -> pa.RecordBatch:
        """The rows and their places in the stream as columns, in the order given."""
        days = [day_of(at_ms) for at_ms in map(attrgetter(self.time), rows)]
        arrays = [*_arrays(self.columns, rows), pa.array(positions, INT), pa.array(days, STRING)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def day_of(at_ms: int) -> str:
    """The UTC date of a time, "2026-11-23". Raises OverflowError beyond the years 1 to 9999."""
    return _date(at_ms // 86_400_000)


@cache
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


@cache
def _schema(spec: TableSpec) -> pa.Schema:
    return pa.schema(
        [*((column.name, column.type) for column in spec.columns), (POSITION, INT), (DAY, STRING)]
    )


def _arrays(columns: Iterable[Column], rows: Sequence[Any]) -> list[pa.Array]:
    arrays = []
    for column in columns:
        values = [column.read(row) for row in rows]
        if not column.inner:
            arrays.append(pa.array(values, column.type))
            continue
        # Lists of structs are built flat with offsets: far quicker than from a dict a struct.
        offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        flat = [value for row_values in values for value in row_values]
        fields = list(column.type.value_type)
        structs = pa.StructArray.from_arrays(_arrays(column.inner, flat), fields=fields)
        arrays.append(pa.ListArray.from_arrays(offsets, structs, type=column.type))
    return arrays


def _plain(name: str, kind: pa.DataType) -> Column:
    return Column(name, kind, attrgetter(name))


def _plains(kind: pa.DataType, *names: str) -> tuple[Column, ...]:
    return tuple(_plain(name, kind) for name in names)


def _structs(name: str, read: Callable[[Any], Any], *inner: Column) -> Column:
    return Column(name, pa.list_(pa.struct([(field.name, field.type) for field in inner])), read, inner)


def _money(name: str) -> tuple[Column, ...]:
    """Money is two columns, null where unknown."""

    def part(field: str) -> Callable[[Any], Any]:
        def read(row: Any) -> Any:
            money: Money | None = getattr(row, name)
            return None if money is None else getattr(money, field)

        return read

    return Column(f"{name}_currency", STRING, part("currency")), Column(f"{name}_minor", INT, part("minor"))


_NO_COPY = Copy()


def _copy(name: str, kind: pa.DataType) -> Column:
    """One field of the words, under "copy_<name>"; its default where there are none."""
    return Column(f"copy_{name}", kind, lambda row: getattr(row.copy or _NO_COPY, name))


EVENTS = TableSpec(
    "events",
    Event,
    (
        *_plains(STRING, "event_id", "user_id", "kind"),
        *_plains(INT, "occurred_ms", "received_ms"),
        *_plains(STRING, "item_id", "category", "query"),
        _plain("dwell_seconds", FLOAT),
        _plain("quantity", INT),
        *_money("unit_price"),
        _plain("rating", FLOAT),
        *_plains(STRING, "text", "platform", "decision_id", "campaign_id"),
        Column("attributes", pa.map_(STRING, STRING), lambda row: list(row.attributes.items())),
    ),
    key=("user_id", "event_id"),
    time="occurred_ms",
)

ITEMS = TableSpec(
    "items",
    Item,
    (
        _plain("item_id", STRING),
        _plain("version", INT),
        *_plains(STRING, "title", "description", "locale"),
        Column(
            "translations",
            pa.map_(STRING, pa.struct([("title", STRING), ("description", STRING)])),
            lambda row: [
                (locale, {"title": text.title, "description": text.description})
                for locale, text in row.translations.items()
            ],
        ),
        _plain("categories", STRINGS),
        *_plains(STRING, "brand", "vendor"),
        *_money("price"),
        *_money("list_price"),
        _plain("stock", INT),
        Column("attributes", pa.map_(STRING, STRINGS), lambda row: list(row.attributes.items())),
        *_plains(STRING, "image_uri", "link"),
        _plain("rating", FLOAT),
        *_plains(INT, "rating_count", "published_ms", "updated_ms", "restock_ms"),
        _plain("withdrawn", BOOL),
        _plain("picture_vector", STRING),  # base64 of float16, see core.items.pictured
    ),
    key=("item_id", "version"),
    time="updated_ms",
)

DECISIONS = TableSpec(
    "decisions",
    Decision,
    (
        *_plains(STRING, "decision_id", "user_id", "mode", "verdict"),
        _plain("decided_ms", INT),
        *_plains(STRING, "request_id", "campaign_id"),
        _structs(
            "reasons",
            attrgetter("reasons"),
            *_plains(STRING, "stage", "predicate"),
            _plain("passed", BOOL),
            *_plains(STRING, "reason", "item_id"),
        ),
        _structs(
            "arms",
            attrgetter("arms"),
            _plain("item_id", STRING),
            _plain("sources", STRINGS),
            _plain("probabilities", pa.list_(FLOAT)),
            *_plains(FLOAT, "value", "propensity"),
            _plain("features", BINARY),
            *_plains(FLOAT, "inclusion", "similarity"),
            _plain("because_item_id", STRING),
            _plain("price", FLOAT),
        ),
        _plain("chosen", INT),
        _plain("item_id", STRING),
        _plain("propensity", FLOAT),
        *_plains(BOOL, "explored", "holdout"),
        _plain("policy_version", STRING),
        *_plains(INT, "ranker_version", "retriever_version"),
        _plain("fallbacks", STRINGS),
        *(_copy(name, STRING) for name in ("strategy", "tone", "locale", "title", "body", "description")),
        *(_copy(name, STRING) for name in ("image_uri", "link", "variant_id", "context", "writer")),
        _copy("propensity", FLOAT),
        _copy("safe_template", BOOL),
        _structs(
            "copy_spans",
            lambda row: (row.copy or _NO_COPY).spans,
            _plain("part", STRING),
            *_plains(INT, "start", "end"),
            *_plains(STRING, "field", "value", "source"),
            _plain("version", INT),
        ),
        *_plains(STRING, "channel", "device_id", "provider", "provider_message_id"),
        _plain("send_ms", INT),
        *_plains(STRING, "attribution_token", "schema_hash"),
        # 64 unsigned bits, which no column type of Delta holds.
        Column("seed", STRING, lambda row: str(row.seed)),
        *_plains(INT, "portrait_version", "item_version"),
        _structs("assignments", attrgetter("assignments"), *_plains(STRING, "experiment_id", "arm")),
    ),
    key=("decision_id",),
    time="decided_ms",
)

OUTCOMES = TableSpec(
    "outcomes",
    Outcome,
    (
        *_plains(STRING, "outcome_id", "decision_id", "kind", "user_id", "item_id", "campaign_id"),
        *_plains(INT, "occurred_ms", "received_ms"),
        *_money("value"),
    ),
    # A kind counts once a decision; `outcome_id` is the caller's and may be anything.
    key=("decision_id", "kind"),
    time="occurred_ms",
)

TABLES: dict[str, TableSpec] = {spec.name: spec for spec in (EVENTS, ITEMS, DECISIONS, OUTCOMES)}
