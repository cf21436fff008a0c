"""Rules: who says no, in which order, with which figures."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magpie_services.core.decisions import Copy, Span
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS, HOUR_MS, PushRecord
from magpie_services.push import predicates
from magpie_services.push.predicates import Rules, Subject, ask, refusal
from magpie_services.push.quiet_hours import parse

NOW_MS = 1_767_268_800_000
RULES = Rules(quiet=parse("21:30", "08:00", "UTC"))
FINE = Subject(
    user_id="ann", now_ms=NOW_MS, known=True, consent=True, reachable=True, devices=1, counts=(0, 0)
)


def said_no(rules: Rules = RULES, **fields: Any) -> tuple[str, str]:
    verdict = refusal(ask(msgspec.structs.replace(FINE, **fields), rules))
    return (verdict.predicate, verdict.reason) if verdict else ("", "")


def test_everybody_says_yes_to_somebody_who_may_be_reached() -> None:
    assert said_no() == ("", "")
    assert [verdict.predicate for verdict in ask(FINE, RULES)] == [
        "known_user", "consent", "device", "frequency_cap",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "name", "figure"),
    [
        ({"known": False, "consent": None}, "known_user", "never seen"),
        ({"consent": None}, "consent", "never asked"),
        ({"consent": False}, "consent", "said no"),
        ({"last_unsubscribed_ms": 5, "consent_ms": 4}, "opt_out", "opted out"),
        ({"reachable": False, "devices": 0}, "device", "has no device"),
        ({"reachable": False, "devices": 2}, "device", "none of 2"),
        ({"last_sent_ms": NOW_MS - HOUR_MS}, "minimum_gap", "1.0 h ago, at least 4 h"),
        ({"counts": (3, 4)}, "frequency_cap", "3 pushes in the last 24 h, at most 3"),
        ({"counts": (0, 10)}, "frequency_cap", "10 pushes in the last 7 d, at most 10"),
    ],
)
def test_the_first_that_says_no_is_named_with_its_figures(
    fields: dict[str, Any], name: str, figure: str
) -> None:
    predicate, reason = said_no(**fields)
    assert predicate == name
    assert figure in reason


def test_consent_given_again_after_opting_out_counts() -> None:
    assert said_no(last_unsubscribed_ms=5, consent_ms=6) == ("", "")


def test_what_is_about_ones_own_order_needs_no_consent_but_keeps_the_cap() -> None:
    assert said_no(transactional=True, consent=None, last_unsubscribed_ms=9) == ("", "")
    assert said_no(transactional=True, counts=(3, 3))[0] == "frequency_cap"


def test_the_gap_ends_exactly_when_it_should() -> None:
    assert said_no(last_sent_ms=NOW_MS - 4 * HOUR_MS) == ("", "")
    assert said_no(last_sent_ms=NOW_MS - 4 * HOUR_MS + 1)[0] == "minimum_gap"


@settings(max_examples=10)
@given(st.floats(0, 1))
def test_the_holdout_is_sticky_and_of_the_size_said(share: float) -> None:
    rules = msgspec.structs.replace(RULES, holdout_share=share)
    held = {name for name in map(str, range(400)) if said_no(rules, user_id=name)[0] == "holdout"}
    assert held == {name for name in map(str, range(400)) if said_no(rules, user_id=name)[0] == "holdout"}
    assert abs(len(held) / 400 - share) < 0.12
    larger = msgspec.structs.replace(rules, holdout_share=min(1.0, share + 0.1))
    assert held <= {name for name in map(str, range(400)) if said_no(larger, user_id=name)[0] == "holdout"}


def test_quiet_hours_wait_or_drop() -> None:
    night = msgspec.structs.replace(FINE, now_ms=NOW_MS + 11 * HOUR_MS)
    waits, until_ms = predicates.quiet_hours(night, RULES, drop=False)
    assert waits is not None
    assert waits.passed
    assert until_ms == NOW_MS + 20 * HOUR_MS
    drops, _ = predicates.quiet_hours(night, RULES, drop=True)
    assert drops is not None
    assert not drops.passed
    own = msgspec.structs.replace(night, transactional=True)
    assert predicates.quiet_hours(own, RULES, drop=True) == (None, 0)


def test_an_item_is_not_repeated_within_a_week() -> None:
    pushes = [PushRecord("d", "kettle", NOW_MS - 6 * DAY_MS), PushRecord("e", "mug", NOW_MS - 7 * DAY_MS)]
    subject = msgspec.structs.replace(FINE, pushes=pushes)
    assert not predicates.repeat_of_item("kettle", subject, RULES).passed
    assert predicates.repeat_of_item("mug", subject, RULES).passed


@pytest.mark.parametrize(
    ("item", "passed"),
    [
        (None, False),
        (Item(item_id="i", stock=0), False),
        (Item(item_id="i", withdrawn=True), False),
        (Item(item_id="i"), True),
        (Item(item_id="i", stock=1), True),
    ],
)
def test_stock(item: Item | None, passed: bool) -> None:
    assert predicates.stock("i", item).passed is passed


def test_words_hold_for_the_version_they_were_written_for() -> None:
    span = Span(part="body", start=0, end=1, field="item.price", source="i", version=3)
    copy = Copy(spans=[span, Span(part="body", start=1, end=2, field="portrait.traits", source="portrait")])
    assert predicates.price(copy, Item(item_id="i", version=3)).passed
    assert not predicates.price(copy, Item(item_id="i", version=4)).passed


def test_a_reservation_tells_which_rule_was_full() -> None:
    assert RULES.slot_refused(0, 3).predicate == "frequency_cap"
    assert RULES.slot_refused(2, 1).predicate == "minimum_gap"
