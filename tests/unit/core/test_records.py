"""Events, items, money and decisions: what is refused, and that blobs of older versions still open."""

from decimal import Decimal

import msgspec
import pytest
from tests.unit.core.worlds import NOW_MS, event, item

from magpie_services.core import events, items, outcomes
from magpie_services.core.checks import Violation
from magpie_services.core.codec import decode, encode
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode, Span, Stage, Verdict
from magpie_services.core.events import KIND_CODES, Event, EventKind
from magpie_services.core.money import Money
from magpie_services.core.outcomes import Outcome, OutcomeKind


def fields(found: list[Violation]) -> list[str]:
    return [violation.field for violation in found]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("JPY", "1200", 1200), ("CNY", "19.9", 1990), ("KWD", "1.234", 1234)]
)
def test_money_counts_minor_units_of_its_currency(currency: str, amount: str, minor: int) -> None:
    money = Money.parse(currency, amount)
    assert (money.minor, money.amount) == (minor, Decimal(amount))


@pytest.mark.parametrize("amount", ["0.5", "NaN", "Infinity"])
def test_money_refuses_what_is_not_whole_minor_units(amount: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        Money.parse("JPY", amount)


def test_kind_codes_are_those_that_models_were_trained_with() -> None:
    names = (
        "view_item view_category search add_to_cart remove_from_cart add_to_wishlist purchase return_item "
        "review session_start push_sent push_delivered push_opened push_clicked push_dismissed "
        "push_unsubscribed consent_changed device_registered device_removed identity_linked erased"
    )
    assert " ".join(KIND_CODES) == names, "append kinds, never move or rename: codes are in trained weights"
    assert list(KIND_CODES.values()) == list(range(1, len(EventKind) + 1))


def test_a_good_event_has_no_violations() -> None:
    assert events.violations(event(1, EventKind.VIEW_ITEM, item_id="i1", dwell_seconds=3.5), NOW_MS) == []


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (EventKind.VIEW_ITEM, {"item_id": ""}, "item_id"),
        (EventKind.VIEW_ITEM, {"event_id": ""}, "event_id"),
        (EventKind.VIEW_ITEM, {"user_id": "x" * 129}, "user_id"),
        (EventKind.VIEW_ITEM, {"user_id": "a\nb"}, "user_id"),
        (EventKind.VIEW_ITEM, {"occurred_ms": NOW_MS + 300_001}, "occurred_ms"),
        (EventKind.VIEW_ITEM, {"occurred_ms": 946_684_799_999}, "occurred_ms"),
        (EventKind.VIEW_ITEM, {"dwell_seconds": float("nan")}, "dwell_seconds"),
        (EventKind.VIEW_ITEM, {"dwell_seconds": 86_401.0}, "dwell_seconds"),
        (EventKind.PURCHASE, {"quantity": -1}, "quantity"),
        (EventKind.PURCHASE, {"unit_price": Money("CNY", -1)}, "unit_price.minor"),
        (EventKind.PURCHASE, {"unit_price": Money("yuan", 1)}, "unit_price.currency"),
        (EventKind.REVIEW, {"rating": 6}, "rating"),
        (EventKind.REVIEW, {"text": "好" * 5_001, "rating": 5}, "text"),
        (EventKind.SEARCH, {"query": "x" * 501}, "query"),
        (EventKind.SEARCH, {"query": "  "}, "query"),
        (EventKind.PUSH_OPENED, {"decision_id": ""}, "decision_id"),
    ],
)
def test_a_bad_event_names_its_field(kind: EventKind, changes: dict[str, object], field: str) -> None:
    good: dict[str, object] = {"item_id": "i1", "query": "q", "decision_id": "d1", "occurred_ms": NOW_MS}
    bad = Event(**{"event_id": "e", "user_id": "u", "kind": kind} | good | changes)  # type: ignore[arg-type]
    assert fields(events.violations(bad, NOW_MS)) == [field]


def test_an_item_is_available_unless_withdrawn_or_known_to_be_out_of_stock() -> None:
    assert item(1).available
    assert item(1, stock=3).available
    assert not item(1, stock=0).available
    assert not item(1, withdrawn=True).available


def test_a_bad_item_names_its_fields() -> None:
    bad = item(1, title="", stock=-1, rating=5.5, list_price=Money("USD", 5), categories=[""])
    expected = ["rating", "title", "list_price.currency", "stock", "categories"]
    assert fields(items.violations(bad)) == expected
    assert items.violations(item(1)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rating": float("nan")}, "rating"),
        ({"rating": 0.5}, "rating"),
        ({"locale": "x" * 129}, "locale"),
        ({"published_ms": -1}, "published_ms"),
        ({"published_ms": 2**62 * 1_000}, "published_ms"),
        ({"translations": {"en": items.Text(description="no title")}}, "translations[en].title"),
        ({"attributes": {"colour": [""]}}, "attributes[colour]"),
        ({"attributes": {"colour": []}}, "attributes[colour]"),
    ],
)
def test_an_item_out_of_bounds_names_its_field(changes: dict[str, object], field: str) -> None:
    assert fields(items.violations(item(1, **changes))) == [field]


def test_what_the_service_sets_is_not_asked_of_the_caller() -> None:
    assert items.violations(item(1, version=-5, updated_ms=-5)) == []


def test_an_outcome_needs_its_decision() -> None:
    bad = Outcome(outcome_id="o", decision_id="", kind=OutcomeKind.CLICKED, occurred_ms=NOW_MS)
    assert fields(outcomes.violations(bad, NOW_MS)) == ["decision_id"]


def test_records_survive_the_codec() -> None:
    decision = Decision(
        decision_id="d",
        user_id="u",
        mode=Mode.LIVE,
        verdict=DecisionVerdict.SENT,
        decided_ms=NOW_MS,
        reasons=[Verdict(predicate="consent", passed=True, stage=Stage.TARGET)],
        arms=[Arm(item_id="i1", sources=["vector"], features=b"\0" * 8), Arm()],
        chosen=0,
        copy=Copy(title="新品", spans=[Span(part="title", start=0, end=2, field="title")]),
    )
    assert decode(Decision, encode(decision)) == decision
    assert (decision.item_id, decision.arms[1].item_id) == ("i1", "")
    seen = event(1, EventKind.PURCHASE, item_id="i1", unit_price=Money("CNY", 1990), attributes={"a": "b"})
    assert decode(Event, encode(seen)) == seen
    assert decode(items.Item, encode(item(3))) == item(3)


def test_a_blob_without_later_fields_and_with_unknown_ones_still_opens() -> None:
    old = {"event_id": "e", "user_id": "u", "kind": "search", "occurred_ms": 5, "gone": 1}
    assert decode(Event, msgspec.msgpack.encode(old)).query == ""
