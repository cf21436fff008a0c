"""Files and mappings: the header first, then rows; every fault names its place."""

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from magpie.v1 import event_pb2
from magpie_cli.failures import BadInput
from magpie_cli.importing import values
from magpie_cli.importing.mapping import ColumnMapping, parse_pairs, read_mapping
from magpie_cli.importing.rows import EventRows, ItemRows, RowIds
from magpie_cli.importing.table import BadRow, Row, open_table

EVENTS = ColumnMapping(
    kind="events",
    columns={
        **{"user_id": "who", "item_id": "what", "time": "when", "kind": "did", "price": "paid"},
        **{"quantity": "pieces", "dwell_seconds": "stay"},
    },
    constants={"currency": "EUR"},
)


def rows(path: Path) -> list[Row | BadRow]:
    with open_table(path) as table:
        return list(table)


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_rows_with_their_numbers(tmp_path: Path, pack: object) -> None:
    content = 'a,b\n1,"x, ""y"""\n\n2,喜鹊\n'.encode()
    path = written(tmp_path, gzip.compress(content) if pack is gzip.compress else content)
    assert rows(path) == [Row(2, {"a": "1", "b": 'x, "y"'}), Row(4, {"a": "2", "b": "喜鹊"})]


def test_a_faulty_row_spoils_only_itself(tmp_path: Path) -> None:
    found = rows(written(tmp_path, b"a,b\n1\n2,\xff\n3,4\n"))
    assert [str(row) for row in found if isinstance(row, BadRow)] == [
        "row 2: has 1 cells, the header 2",
        "row 3, column 'b': is not UTF-8",
    ]
    assert found[2] == Row(4, {"a": "3", "b": "4"})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "row 1 must be a header"), (b"\n1\n", "row 1 must be a header"), (b"a,b,a\n", "columns twice: a")],
)
def test_a_header_is_needed(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        rows(written(tmp_path, content))


def test_a_missing_column_is_named_with_those_there(tmp_path: Path) -> None:
    with (
        open_table(written(tmp_path, b"who,when\n")) as table,
        pytest.raises(BadInput, match=r"no column 'what', 'paid'; it has 'who', 'when'"),
    ):
        table.require(["who", "what", "paid"])


def test_a_damaged_gzip_names_the_row(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n" + b"\n".join(str(number).encode() for number in range(50_000)))
    with pytest.raises(BadInput, match=r"row \d+: the compressed file is damaged"):
        rows(written(tmp_path, packed[: len(packed) // 2]))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        rows(tmp_path / "none.csv")


def event(**changes: str) -> event_pb2.Event:
    cells = {"who": "u", "what": "i", "when": "2026-01-02T03:04:05", "did": "buy", "paid": "1.99"}
    cells |= {"pieces": "", "stay": "", **changes}
    return EventRows(EVENTS).event(Row(9, cells))


def test_an_event() -> None:
    made = event()
    assert (made.user_id, made.item_id, made.kind) == ("u", "i", event_pb2.EVENT_KIND_PURCHASE)
    assert made.occur_time.ToMilliseconds() == 1767323045000
    assert (made.unit_price.currency, made.unit_price.minor_units) == ("EUR", 199)
    assert made.event_id == event().event_id != event(what="j").event_id


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"who": " "}, "who", "is empty"),
        ({"when": ""}, "when", "is empty"),
        ({"when": "soon"}, "when", "must be a time"),
        ({"did": "sneezed"}, "did", "is no kind of event"),
        ({"paid": "-1"}, "paid", "0 or more"),
        ({"paid": "much"}, "paid", "must be a price"),
        ({"paid": "1e30"}, "paid", "too large"),
        ({"pieces": "99999999999"}, "pieces", "from 0 to 2,147,483,647"),
        ({"pieces": "1e300"}, "pieces", "from 0 to 2,147,483,647"),
        ({"stay": "-5.5"}, "stay", "0 or more"),
        ({"stay": "1e300"}, "stay", "0 or more"),
    ],
)
def test_a_bad_cell_names_row_and_column(changes: dict[str, str], column: str, reason: str) -> None:
    with pytest.raises(BadRow, match=reason) as caught:
        event(**changes)
    assert (caught.value.number, caught.value.column) == (9, column)


@pytest.mark.parametrize("cell", ["[0.5, -1, 2e-1]", "0.5 -1 0.2", " 0.5;-1;0.2 "])
def test_a_picture_vector_is_numbers_in_one_cell(cell: str) -> None:
    columns = {"item_id": "id", "title": "t", "picture_vector": "v"}
    rows = ItemRows(ColumnMapping(kind="items", columns=columns))
    assert list(rows.item(Row(2, {"id": "1", "t": "茶", "v": cell})).picture_vector) == pytest.approx(
        [0.5, -1, 0.2]
    )
    assert not rows.item(Row(3, {"id": "1", "t": "茶", "v": ""})).picture_vector
    for bad in ("0.5 red", "0.5 nan"):
        with pytest.raises(BadRow, match="row 4, column 'v': must be a number"):
            rows.item(Row(4, {"id": "1", "t": "茶", "v": bad}))


def test_an_item_says_since_when_it_is_in_the_shop() -> None:
    columns = {"item_id": "id", "title": "t", "publish_time": "since"}
    rows = ItemRows(ColumnMapping(kind="items", columns=columns))
    item = rows.item(Row(2, {"id": "1", "t": "茶", "since": "2026-03-02T00:00:00Z"}))
    assert item.publish_time.seconds == 1_772_409_600
    assert not rows.item(Row(3, {"id": "1", "t": "茶", "since": ""})).HasField("publish_time")
    with pytest.raises(BadRow, match="row 4, column 'since': must be a time"):
        rows.item(Row(4, {"id": "1", "t": "茶", "since": "soon"}))


def test_an_item() -> None:
    mapping = ColumnMapping(
        kind="items",
        columns={"item_id": "id", "title": "t", "category": "c", "price": "p", "attribute.colour": "col"},
        constants={"currency": "JPY", "locale": "ja"},
    )
    item = ItemRows(mapping).item(
        Row(2, {"id": "1", "t": "茶", "c": "Home > Tea", "p": "1200", "col": "green"})
    )
    assert list(item.categories) == ["Home", "Tea"]
    assert (item.price.currency, item.price.minor_units) == ("JPY", 1200)
    assert list(item.attributes["colour"].values) == ["green"]
    assert not item.HasField("stock")


def test_repeats_count_within_a_run_of_one_time_only() -> None:
    ids = RowIds()
    cells = {"a": "1"}
    first, second = ids.of(cells, 1), ids.of(cells, 1)
    assert first != second
    assert ids.of({"a": "2"}, 2) != first
    assert ids.of(cells, 1) == first


@pytest.mark.parametrize(
    ("columns", "constants", "complaint"),
    [
        ({"user": "who"}, {}, "events have no field 'user'"),
        ({"user_id": "who"}, {}, "events need kind, time"),
        ({"user_id": "a", "kind": "b", "time": "c", "price": "d"}, {}, "price needs currency"),
    ],
)
def test_a_mapping_is_checked(columns: dict[str, str], constants: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        ColumnMapping(kind="events", columns=columns, constants=constants)


def test_a_mapping_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(
        'timezone = "Asia/Shanghai"\n[columns]\nuser_id = "u"\ntime = "t"\n[constants]\nkind = "view"\n'
    )
    mapping = read_mapping("events", path)
    assert (mapping.columns["user_id"], mapping.constants["kind"]) == ("u", "view")
    assert mapping.timezone == ZoneInfo("Asia/Shanghai")
    path.write_text("columns = 3")
    with pytest.raises(BadInput, match="columns must be a table"):
        read_mapping("events", path)
    path.write_text("nonsense = 1")
    with pytest.raises(BadInput, match="unknown keys nonsense"):
        read_mapping("events", path)
    path.write_text('timezone = "Mars/Base"')
    with pytest.raises(BadInput, match="not an IANA name"):
        read_mapping("events", path)


def test_pairs() -> None:
    assert parse_pairs("--map", ["a=b", "c=d=e"]) == {"a": "b", "c": "d=e"}
    with pytest.raises(BadInput, match="--map 'a'"):
        parse_pairs("--map", ["a"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1700000000", 1_700_000_000_000),
        ("1700000000123", 1_700_000_000_123),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-15 06:13:20", 1_700_000_000_000),
    ],
)
def test_times(text: str, expected: int) -> None:
    assert values.time_ms(text, "", ZoneInfo("Asia/Shanghai")) == expected
    assert values.timestamp(expected).ToMilliseconds() == expected


def test_money_in_minor_units_of_its_currency() -> None:
    assert values.money("1,234.5", "usd").minor_units == 123_450
    assert values.money("1200", "JPY").minor_units == 1_200
    assert values.money("1.234", "KWD").minor_units == 1_234
    with pytest.raises(ValueError, match="three letters"):
        values.money("1", "pounds")
