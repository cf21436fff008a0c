"""Expressions over what is kept of a user, made into one predicate. Errors name the part at fault."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from magpie_services.core.portraits import Stage, price_sensitivity
from magpie_services.kit.errors import Invalid
from magpie_services.profile.state import UserState

MAX_DEPTH = 8
MAX_OF = 32
MAX_TEXT_CHARS = 128
DAY_MS = 86_400_000


class Operator(StrEnum):
    """How to compare."""

    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greater_or_equal"
    CONTAINS = "contains"


@dataclass(frozen=True)
class All:
    """All of these hold; none given holds for everybody."""

    of: "tuple[Expression, ...]"


@dataclass(frozen=True)
class AnyOf:
    """At least one of these holds."""

    of: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Not:
    """This does not hold."""

    it: "Expression"


@dataclass(frozen=True)
class Compare:
    """One comparison; `operator` None where it was not given."""

    field: str
    operator: Operator | None
    text: str = ""
    number: float = 0.0


Expression = All | AnyOf | Not | Compare | None
Value = TypeVar("Value")
Predicate = Callable[[UserState, int], bool]

EVERYBODY = All(())

_TEXTS: dict[str, Callable[[UserState, int], str]] = {
    "locale": lambda user, _: user.portrait.locale,
    "timezone": lambda user, _: user.portrait.timezone,
    "country": lambda user, _: user.portrait.country,
    "platform": lambda user, _: user.portrait.platform,
    "stage": lambda user, now_ms: user.portrait.stage(now_ms),
}
_NUMBERS: dict[str, Callable[[UserState, int], float]] = {
    "orders": lambda user, _: user.portrait.spend.orders,
    "units": lambda user, _: user.portrait.spend.units,
    "days_since_seen": lambda user, now_ms: _days(user.portrait.last_seen_ms, now_ms),
    "days_since_first_seen": lambda user, now_ms: _days(user.portrait.first_seen_ms, now_ms),
    "days_since_push": lambda user, now_ms: _days(user.portrait.pushes.last_sent_ms, now_ms),
    "price_sensitivity": lambda user, _: price_sensitivity(user.portrait),
    "opened_month": lambda user, now_ms: user.portrait.pushes.opened.at(now_ms)[2],
}
_HOLDS: dict[str, Callable[[UserState, str], bool]] = {
    "traits": lambda user, text: text in user.portrait.traits,
    "item": lambda user, text: text in user.portrait.items,
    "bought": lambda user, text: text in user.portrait.items and user.portrait.items[text].purchases > 0,
    "category": lambda user, text: text in user.portrait.categories,
}
_TEXT_OPERATORS: dict[Operator, Callable[[str, str], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
}
_NUMBER_OPERATORS: dict[Operator, Callable[[float, float], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}


def predicate(expression: Expression, path: str = "audience", depth: int = 1) -> Predicate:
    """Whether a user (state, now in ms) matches. Raises Invalid naming the part at fault."""
    if depth > MAX_DEPTH:
        raise Invalid(path, f"is more than {MAX_DEPTH} levels deep")
    match expression:
        case All(of):
            parts = _parts(of, f"{path}.all.of", depth)
            return lambda user, now_ms: all(part(user, now_ms) for part in parts)
        case AnyOf(of):
            if not of:
                raise Invalid(f"{path}.any.of", "is required")
            parts = _parts(of, f"{path}.any.of", depth)
            return lambda user, now_ms: any(part(user, now_ms) for part in parts)
        case Not(it):
            part = predicate(it, f"{path}.not", depth + 1)
            return lambda user, now_ms: not part(user, now_ms)
        case Compare():
            return _comparison(expression, f"{path}.compare")
        case None:
            raise Invalid(path, "is empty: set one of all, any, not, compare")


def _parts(of: "tuple[Expression, ...]", path: str, depth: int) -> list[Predicate]:
    if len(of) > MAX_OF:
        raise Invalid(path, f"has more than {MAX_OF} parts")
    return [predicate(part, f"{path}[{n}]", depth + 1) for n, part in enumerate(of)]


def _comparison(compare: Compare, path: str) -> Predicate:
    how, field, text, number = compare.operator, compare.field, compare.text, compare.number
    if how is None:
        raise Invalid(f"{path}.operator", "is required")
    if len(text) > MAX_TEXT_CHARS:
        raise Invalid(f"{path}.text", f"has more than {MAX_TEXT_CHARS} characters")
    if field in _TEXTS:
        if field == "stage" and text not in set(Stage):
            raise Invalid(f"{path}.text", f"is not a stage: {', '.join(Stage)}")
        read_text, same = _TEXTS[field], _operator(_TEXT_OPERATORS, how, field, path)
        return lambda user, now_ms: same(read_text(user, now_ms), text)
    if field in _NUMBERS:
        if number != number:
            raise Invalid(f"{path}.number", "is not a number")
        read_number, compared = _NUMBERS[field], _operator(_NUMBER_OPERATORS, how, field, path)
        return lambda user, now_ms: compared(read_number(user, now_ms), number)
    if field in _HOLDS:
        holds = _HOLDS[field]
        if how is not Operator.CONTAINS:
            raise Invalid(f"{path}.operator", f"must be contains for {field}")
        return lambda user, _: holds(user, text)
    raise Invalid(f"{path}.field", f"must be one of {', '.join([*_TEXTS, *_NUMBERS, *_HOLDS])}")


def _operator(
    known: dict[Operator, Callable[[Value, Value], bool]], how: Operator, field: str, path: str
) -> Callable[[Value, Value], bool]:
    if how not in known:
        raise Invalid(f"{path}.operator", f"must be one of {', '.join(known)} for {field}")
    return known[how]


def _days(at_ms: int, now_ms: int) -> float:
    """Days since; infinite where it never happened."""
    return (now_ms - at_ms) / DAY_MS if at_ms else float("inf")
