"""Expressions over users match as they say, and bad ones are named by their path."""

import pytest

from magpie_services.core.events import Event, EventKind
from magpie_services.core.money import Money
from magpie_services.core.portraits import fold, new_portrait
from magpie_services.kit.errors import Invalid
from magpie_services.profile.audience import All, AnyOf, Compare, Expression, Not, Operator, predicate
from magpie_services.profile.state import UserState

NOW_MS = 1_760_000_000_000
DAY_MS = 86_400_000


def user() -> UserState:
    """Speaks Chinese, bought item "cup" once, five days ago; never got a push."""
    portrait = new_portrait("u1")
    fold(
        portrait,
        Event(
            event_id="e1",
            user_id="u1",
            kind=EventKind.PURCHASE,
            occurred_ms=NOW_MS - 5 * DAY_MS,
            item_id="cup",
            category="kitchen",
            unit_price=Money("CNY", 1990),
            attributes={"locale": "zh-CN", "traits": "年轻,时尚"},
        ),
    )
    return UserState(portrait=portrait)


@pytest.mark.parametrize(
    ("compare", "expected"),
    [
        (Compare("locale", Operator.EQUAL, "zh-CN"), True),
        (Compare("locale", Operator.NOT_EQUAL, "zh-CN"), False),
        (Compare("stage", Operator.EQUAL, "new"), True),
        (Compare("traits", Operator.CONTAINS, "时尚"), True),
        (Compare("traits", Operator.CONTAINS, "奢华"), False),
        (Compare("orders", Operator.GREATER_OR_EQUAL, number=1), True),
        (Compare("days_since_seen", Operator.LESS, number=5), False),
        (Compare("days_since_seen", Operator.LESS_OR_EQUAL, number=5), True),
        (Compare("days_since_push", Operator.GREATER, number=1e9), True),
        (Compare("item", Operator.CONTAINS, "cup"), True),
        (Compare("bought", Operator.CONTAINS, "cup"), True),
        (Compare("bought", Operator.CONTAINS, "plate"), False),
        (Compare("category", Operator.CONTAINS, "kitchen"), True),
    ],
)
def test_a_comparison_says_what_it_says(compare: Compare, expected: bool) -> None:
    assert predicate(compare)(user(), NOW_MS) is expected


def test_parts_are_joined() -> None:
    yes, no = Compare("orders", Operator.EQUAL, number=1), Compare("orders", Operator.EQUAL, number=2)
    for expression, expected in (
        (All(()), True),
        (All((yes, yes)), True),
        (All((yes, no)), False),
        (AnyOf((no, yes)), True),
        (AnyOf((no,)), False),
        (Not(no), True),
        (All((AnyOf((no, yes)), Not(All((yes, no))))), True),
    ):
        assert predicate(expression)(user(), NOW_MS) is expected


def deep(levels: int) -> Expression:
    expression: Expression = All(())
    for _ in range(levels - 1):
        expression = Not(expression)
    return expression


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        (Compare("horoscope", Operator.EQUAL), "audience.compare.field"),
        (All((All(()), Compare("orders", None))), "audience.all.of[1].compare.operator"),
        (AnyOf((Not(Compare("orders", Operator.CONTAINS)),)), "audience.any.of[0].not.compare.operator"),
        (Compare("locale", Operator.LESS, "zh"), "audience.compare.operator"),
        (Compare("stage", Operator.EQUAL, "sleepy"), "audience.compare.text"),
        (Compare("orders", Operator.EQUAL, number=float("nan")), "audience.compare.number"),
        (AnyOf(()), "audience.any.of"),
        (All((All(()),) * 33), "audience.all.of"),
        (Not(None), "audience.not"),
        (deep(9), "audience" + ".not" * 8),
    ],
)
def test_a_fault_is_named_by_its_path(expression: Expression, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        predicate(expression)
    assert caught.value.violations[0][0] == field


def test_eight_levels_are_allowed() -> None:
    predicate(deep(8))
