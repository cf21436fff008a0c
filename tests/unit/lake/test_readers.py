"""Readers give each thing once, in order of time, as it was at a moment, with memory bounded by a day."""

from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from magpie_services.core.decisions import Decision, DecisionVerdict, Mode
from magpie_services.core.events import Event, EventKind
from magpie_services.core.items import Item, Text
from magpie_services.core.money import Money
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.lake import readers
from magpie_services.lake.schemas import DAY, DECISIONS, EVENTS, ITEMS, OUTCOMES, TableSpec

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS  # 2024-10-04


def write(folder: Path, spec: TableSpec, *rows: Any, first_place: int = 1) -> None:
    batch = spec.batch(rows, range(first_place, first_place + len(rows)))
    write_deltalake(str(folder / spec.name), batch, mode="append", partition_by=[DAY])


def event(event_id: str, occurred_ms: int, user_id: str = "u1", **rest: Any) -> Event:
    kind = EventKind.SESSION_START
    return Event(event_id=event_id, user_id=user_id, kind=kind, occurred_ms=occurred_ms, **rest)


def test_an_absent_lake_is_an_empty_one(tmp_path: Path) -> None:
    assert readers.read_events(str(tmp_path)).schema == EVENTS.schema
    assert list(readers.scan_decisions(str(tmp_path))) == []


def test_events_come_once_and_in_order_a_day_at_a_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        EVENTS,
        event("late", START_MS + DAY_MS),
        event("b", START_MS + 5),
        event("a", START_MS + 3),
        event("a", START_MS + 3),
        event("a", START_MS + 4, user_id="u2"),
    )
    days = [day["event_id"].to_pylist() for day in readers.scan_events(str(tmp_path), ["event_id"])]
    assert days == [["a", "a", "b"], ["late"]]


def test_a_span_of_time_is_cut_by_when_things_occurred(tmp_path: Path) -> None:
    write(tmp_path, EVENTS, *(event(f"e{n}", START_MS + n * DAY_MS // 2) for n in range(6)))
    found = readers.read_events(
        str(tmp_path), ["event_id"], since_ms=START_MS + DAY_MS // 2, until_ms=START_MS + 2 * DAY_MS
    )
    assert found["event_id"].to_pylist() == ["e1", "e2", "e3"]


def test_what_was_not_given_is_null_for_money_and_zero_or_empty_else(tmp_path: Path) -> None:
    full = event("e1", START_MS, unit_price=Money("CNY", 1990), attributes={"a": "b"}, rating=4.5)
    write(tmp_path, EVENTS, full, event("e2", START_MS + 1))
    columns = ["unit_price_currency", "unit_price_minor", "attributes", "rating", "item_id"]
    first, second = readers.read_events(str(tmp_path), columns).to_pylist()
    assert list(first.values()) == ["CNY", 1990, [("a", "b")], 4.5, ""]
    assert list(second.values()) == [None, None, [], 0.0, ""]


def test_the_last_word_on_a_decision_counts(tmp_path: Path) -> None:
    def decision(verdict: DecisionVerdict) -> Decision:
        return Decision(decision_id="d1", user_id="u1", mode=Mode.LIVE, verdict=verdict, decided_ms=START_MS)

    write(tmp_path, DECISIONS, decision(DecisionVerdict.SENT), first_place=9)
    write(tmp_path, DECISIONS, decision(DecisionVerdict.QUEUED), first_place=3)
    assert readers.read_decisions(str(tmp_path), ["verdict"]).to_pylist() == [{"verdict": "sent"}]


def test_a_kind_of_outcome_counts_once_a_decision_whatever_its_receipts_are_called(tmp_path: Path) -> None:
    def outcome(decision_id: str, kind: OutcomeKind, receipt: str) -> Outcome:
        return Outcome(decision_id=decision_id, kind=kind, outcome_id=receipt, occurred_ms=START_MS)

    opened, clicked = OutcomeKind.OPENED, OutcomeKind.CLICKED
    write(
        tmp_path,
        OUTCOMES,
        outcome("d1", opened, "receipt"),
        outcome("d1", clicked, "receipt"),
        outcome("d2", clicked, "receipt"),
        outcome("d2", clicked, "another receipt"),
    )
    found = readers.read_outcomes(str(tmp_path), ["decision_id", "kind"]).to_pylist()
    assert [tuple(row.values()) for row in found] == [("d1", opened), ("d1", clicked), ("d2", clicked)]


def test_items_are_as_they_were_at_a_moment(tmp_path: Path) -> None:
    def item(item_id: str, version: int) -> Item:
        return Item(
            item_id=item_id,
            version=version,
            title=f"v{version}",
            translations={"en": Text(title="cup")},
            attributes={"colour": ["blue", "white"]},
            updated_ms=START_MS + version * DAY_MS,
        )

    write(tmp_path, ITEMS, item("b", 3), item("b", 1), item("a", 2), item("b", 2))
    columns = ["item_id", "version"]
    newest = readers.read_items(str(tmp_path), columns)
    assert newest.to_pylist() == [{"item_id": "a", "version": 2}, {"item_id": "b", "version": 3}]
    before = readers.read_items(str(tmp_path), columns, until_ms=START_MS + 2 * DAY_MS)
    assert before.to_pylist() == [{"item_id": "b", "version": 1}]
    (row, _) = readers.read_items(str(tmp_path)).to_pylist()
    assert row["attributes"] == [("colour", ["blue", "white"])]
    assert row["translations"] == [("en", {"title": "cup", "description": ""})]


def test_an_unknown_column_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        readers.read_events(str(tmp_path), ["horoscope"])


def decided(number: int, decided_ms: int, verdict: DecisionVerdict, chosen: int = 0) -> Decision:
    return Decision(
        decision_id=f"d{number}",
        user_id="u",
        mode=Mode.LIVE,
        verdict=verdict,
        decided_ms=decided_ms,
        chosen=chosen,
    )


def test_the_newest_decisions_come_once_with_the_last_word_whatever_the_size(tmp_path: Path) -> None:
    queued = [decided(n, START_MS + n * DAY_MS // 8, DecisionVerdict.QUEUED) for n in range(24)]
    blocked = [decided(100 + n, START_MS + DAY_MS, DecisionVerdict.BLOCKED, chosen=-1) for n in range(9)]
    write(tmp_path, DECISIONS, *queued, *blocked)
    # Another partition's stream has the same places.
    write(tmp_path, DECISIONS, *(decided(200 + n, START_MS, DecisionVerdict.NO_SEND) for n in range(24)))
    sent = [decided(n, START_MS + n * DAY_MS // 8, DecisionVerdict.SENT) for n in range(0, 24, 2)]
    write(tmp_path, DECISIONS, *sent, first_place=500)

    def newest(limit: int, since_ms: int = 0, until_ms: int | None = None) -> dict[str, str]:
        rows = [
            row
            for batch in readers.newest_decisions(
                str(tmp_path), ["decision_id", "verdict"], since_ms, until_ms, limit
            )
            for row in batch.to_pylist()
        ]
        found = {row["decision_id"]: row["verdict"] for row in rows}
        assert len(found) == len(rows)
        return found

    assert newest(4) == {"d23": "queued", "d22": "sent", "d21": "queued", "d20": "sent"}
    assert newest(2, until_ms=START_MS + DAY_MS) == {"d7": "queued", "d6": "sent"}
    assert newest(50, since_ms=START_MS + 2 * DAY_MS).keys() == {f"d{n}" for n in range(16, 24)}
    assert len(newest(1_000)) == 48
    assert list(readers.newest_decisions(str(tmp_path / "none"), ["decision_id"], 0, None, 5)) == []


def test_outcomes_of_some_decisions(tmp_path: Path) -> None:
    rows = [
        Outcome(
            outcome_id=f"o{n}",
            decision_id=f"d{n}",
            kind=OutcomeKind.CLICKED,
            occurred_ms=START_MS + n * DAY_MS,
        )
        for n in range(6)
    ]
    write(tmp_path, OUTCOMES, *rows)
    found = [
        row
        for batch in readers.outcomes_of(str(tmp_path), ["d1", "d4", "d9"], START_MS + 2 * DAY_MS)
        for row in batch.to_pylist()
    ]
    assert found == [{"decision_id": "d4", "kind": "clicked"}]
    assert list(readers.outcomes_of(str(tmp_path / "none"), ["d1"], 0)) == []
