"""What became of a decision: the labels that models and policies learn from."""

from enum import StrEnum

import msgspec

from magpie_services.core import checks, money
from magpie_services.core.checks import Violation
from magpie_services.core.events import EventKind
from magpie_services.core.money import Money


class OutcomeKind(StrEnum):
    """Every kind of outcome. New kinds are appended."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    PURCHASED = "purchased"
    DISMISSED = "dismissed"
    UNSUBSCRIBED = "unsubscribed"
    TOKEN_GONE = "token_gone"  # noqa: S105 (a kind of outcome)
    FAILED = "failed"


# The event that goes into the user's portrait for an outcome; the others say nothing about the person.
EVENT_KINDS: dict[OutcomeKind, EventKind] = {
    OutcomeKind.DELIVERED: EventKind.PUSH_DELIVERED,
    OutcomeKind.OPENED: EventKind.PUSH_OPENED,
    OutcomeKind.CLICKED: EventKind.PUSH_CLICKED,
    OutcomeKind.DISMISSED: EventKind.PUSH_DISMISSED,
    OutcomeKind.UNSUBSCRIBED: EventKind.PUSH_UNSUBSCRIBED,
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One outcome of one decision; `value` is what a purchase was worth."""

    outcome_id: str
    decision_id: str
    kind: OutcomeKind
    user_id: str = ""
    item_id: str = ""
    campaign_id: str = ""
    occurred_ms: int = 0
    received_ms: int = 0
    value: Money | None = None


def violations(outcome: Outcome, now_ms: int) -> list[Violation]:
    """Everything that is wrong with an outcome as it came in; empty when it may be kept."""
    return [
        *checks.identifier("outcome_id", outcome.outcome_id),
        *checks.identifier("decision_id", outcome.decision_id),
        *checks.identifier("user_id", outcome.user_id, required=False),
        *checks.identifier("item_id", outcome.item_id, required=False),
        *checks.identifier("campaign_id", outcome.campaign_id, required=False),
        *checks.moment("occurred_ms", outcome.occurred_ms, now_ms),
        *money.violations("value", outcome.value),
    ]
