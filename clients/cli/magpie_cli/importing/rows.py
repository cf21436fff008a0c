"""Rows to events and items by a mapping of columns."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from magpie.v1 import event_pb2, item_pb2
from magpie_cli.importing import values
from magpie_cli.importing.mapping import ATTRIBUTE, ColumnMapping
from magpie_cli.importing.table import BadRow, Row


class _Cells:
    """The mapped cells of one row; a fault in one becomes a BadRow that names its column."""

    def __init__(self, mapping: ColumnMapping, row: Row) -> None:
        self._mapping = mapping
        self._row = row

    def text(self, name: str) -> str:
        column = self._mapping.columns.get(name)
        value = "" if column is None else self._row.cells[column].strip()
        return value or self._mapping.constants.get(name, "")

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise BadRow(self._row.number, self._column(name), "is empty")
        return value

    def parse(self, name: str, parse: Callable[[str], Any], default: Any = None) -> Any:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            raise BadRow(self._row.number, self._column(name), str(error)) from None

    def _column(self, name: str) -> str:
        return self._mapping.columns.get(name, name)


class EventRows:
    """Makes events. Ids are made of the row's own content, so that the same file again changes nothing.

    The same row twice in a run of rows of one time is two events; elsewhere it is the same event again.
    """

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping
        self._ids = RowIds()

    def event(self, row: Row) -> event_pb2.Event:
        """Raises BadRow naming the column."""
        cells = _Cells(self._mapping, row)
        cells.required("time"), cells.required("kind")
        at_ms = cells.parse("time", self._mapping.time_ms)
        currency = cells.text("currency")
        event = event_pb2.Event(
            user_id=cells.required("user_id"),
            kind=cells.parse("kind", values.event_kind),
            occur_time=values.timestamp(at_ms),
            item_id=cells.text("item_id"),
            category=cells.text("category"),
            query=cells.text("query"),
            quantity=cells.parse("quantity", values.whole, 0),
            rating=cells.parse("rating", values.number, 0.0),
            text=cells.text("text"),
            platform=cells.text("platform"),
            unit_price=cells.parse("price", lambda text: values.money(text, currency)),
            dwell=cells.parse("dwell_seconds", values.seconds),
        )
        for name in (*self._mapping.columns, *self._mapping.constants):
            if name.startswith(ATTRIBUTE) and (value := cells.text(name)):
                event.attributes[name.removeprefix(ATTRIBUTE)] = value
        event.event_id = cells.text("event_id") or self._ids.of(row.cells, at_ms)
        return event


class RowIds:
    """Ids from content; counts repeats within a run of rows of one time, in memory of that run."""

    def __init__(self) -> None:
        self._time_ms = -1
        self._seen: dict[bytes, int] = {}

    def of(self, cells: Mapping[str, str], at_ms: int) -> str:
        """The id of a row of 32 hexadecimal digits."""
        if at_ms != self._time_ms:
            self._time_ms = at_ms
            self._seen.clear()
        digest = hashlib.blake2b("\x1f".join(cells.values()).encode(), digest_size=16)
        count = self._seen[digest.digest()] = self._seen.get(digest.digest(), 0) + 1
        if count > 1:
            digest.update(str(count).encode())
        return digest.hexdigest()


class ItemRows:
    """Makes items."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping

    def item(self, row: Row) -> item_pb2.Item:
        """Raises BadRow naming the column."""
        cells = _Cells(self._mapping, row)
        currency = cells.text("currency")
        separator = self._mapping.category_separator
        item = item_pb2.Item(
            item_id=cells.required("item_id"),
            text=item_pb2.ItemText(title=cells.required("title"), description=cells.text("description")),
            locale=cells.text("locale"),
            categories=[part.strip() for part in cells.text("category").split(separator) if part.strip()],
            brand=cells.text("brand"),
            vendor=cells.text("vendor"),
            price=cells.parse("price", lambda text: values.money(text, currency)),
            list_price=cells.parse("list_price", lambda text: values.money(text, currency)),
            stock=cells.parse("stock", values.whole),
            image_uri=cells.text("image_uri"),
            picture_vector=cells.parse("picture_vector", values.numbers),
            link=cells.text("link"),
            rating=cells.parse("rating", values.number, 0.0),
            rating_count=cells.parse("rating_count", values.whole, 0),
        )
        if published_ms := cells.parse("publish_time", self._mapping.time_ms):
            item.publish_time.CopyFrom(values.timestamp(published_ms))
        for name in (*self._mapping.columns, *self._mapping.constants):
            if name.startswith(ATTRIBUTE) and (value := cells.text(name)):
                item.attributes[name.removeprefix(ATTRIBUTE)].values.append(value)
        return item
