"""What a user did, or what happened to a push: one immutable record an event."""

from enum import StrEnum

import msgspec

from magpie_services.core import checks, money
from magpie_services.core.checks import Violation
from magpie_services.core.money import Money

MAX_QUERY_CHARS = 500
MAX_TEXT_CHARS = 5_000
MAX_DWELL_SECONDS = 86_400.0
MAX_PLATFORM_CHARS = 32
MAX_QUANTITY = 10_000_000
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_KEY_CHARS = 64
MAX_ATTRIBUTE_CHARS = 1_024


class EventKind(StrEnum):
    """Every kind of event. New kinds are appended: `KIND_CODES` follows the order of definition."""

    VIEW_ITEM = "view_item"
    VIEW_CATEGORY = "view_category"
    SEARCH = "search"
    ADD_TO_CART = "add_to_cart"
    REMOVE_FROM_CART = "remove_from_cart"
    ADD_TO_WISHLIST = "add_to_wishlist"
    PURCHASE = "purchase"
    RETURN_ITEM = "return_item"
    REVIEW = "review"
    SESSION_START = "session_start"
    PUSH_SENT = "push_sent"
    PUSH_DELIVERED = "push_delivered"
    PUSH_OPENED = "push_opened"
    PUSH_CLICKED = "push_clicked"
    PUSH_DISMISSED = "push_dismissed"
    PUSH_UNSUBSCRIBED = "push_unsubscribed"
    CONSENT_CHANGED = "consent_changed"
    DEVICE_REGISTERED = "device_registered"
    DEVICE_REMOVED = "device_removed"
    IDENTITY_LINKED = "identity_linked"
    ERASED = "erased"


# Stable small integers for models and columns: they are in trained weights, so never renumber. 0 is padding.
KIND_CODES: dict[EventKind, int] = {kind: code for code, kind in enumerate(EventKind, start=1)}
KINDS_BY_CODE: dict[int, EventKind] = {code: kind for kind, code in KIND_CODES.items()}

# An interaction with one item; these need an item_id and make up the sequence that models read.
ITEM_KINDS = frozenset(
    {
        EventKind.VIEW_ITEM,
        EventKind.ADD_TO_CART,
        EventKind.REMOVE_FROM_CART,
        EventKind.ADD_TO_WISHLIST,
        EventKind.PURCHASE,
        EventKind.RETURN_ITEM,
        EventKind.REVIEW,
    }
)
# What became of a push; these need a decision_id.
PUSH_KINDS = frozenset(kind for kind in EventKind if kind.startswith("push_"))
# Proof that the person was there: what the shop or the vendor did to them is not.
PRESENCE_KINDS = ITEM_KINDS | {
    EventKind.VIEW_CATEGORY,
    EventKind.SEARCH,
    EventKind.SESSION_START,
    EventKind.PUSH_OPENED,
    EventKind.PUSH_CLICKED,
}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event. Empty strings and zeros mean "not given"; times are milliseconds since the epoch, UTC.

    Attributes with a meaning for portraits: `timezone`, `locale`, `country`, `traits` (comma separated), on a
    purchase `discounted` ("true"), and on a push sent `variant_id`, the form of its words. `again` is
    profile's: a purchase of what the user had bought on an earlier day.
    """

    event_id: str
    user_id: str
    kind: EventKind
    occurred_ms: int
    received_ms: int = 0
    item_id: str = ""
    category: str = ""
    query: str = ""
    dwell_seconds: float = 0.0
    quantity: int = 0
    unit_price: Money | None = None
    rating: float = 0.0
    text: str = ""
    platform: str = ""
    decision_id: str = ""
    campaign_id: str = ""
    attributes: dict[str, str] = {}
    again: bool = False


def violations(event: Event, now_ms: int) -> list[Violation]:
    """Everything that is wrong with an event as it came in; empty when it may be kept."""
    found = [
        *checks.identifier("event_id", event.event_id),
        *checks.identifier("user_id", event.user_id),
        *checks.identifier("item_id", event.item_id, required=event.kind in ITEM_KINDS),
        *checks.identifier("decision_id", event.decision_id, required=event.kind in PUSH_KINDS),
        *checks.identifier("campaign_id", event.campaign_id, required=False),
        *checks.identifier("category", event.category, required=event.kind == EventKind.VIEW_CATEGORY),
        *checks.identifier("platform", event.platform, required=False),
        *checks.text("platform", event.platform, MAX_PLATFORM_CHARS),
        *checks.moment("occurred_ms", event.occurred_ms, now_ms),
        *checks.text("query", event.query, MAX_QUERY_CHARS),
        *checks.text("text", event.text, MAX_TEXT_CHARS),
        *checks.within("dwell_seconds", event.dwell_seconds, 0, MAX_DWELL_SECONDS),
        *(checks.within("rating", event.rating, 1, 5) if event.rating else []),
        *money.violations("unit_price", event.unit_price),
    ]
    if event.kind == EventKind.REVIEW and not event.rating:
        found.append(Violation("rating", "is required"))
    if not 0 <= event.quantity <= MAX_QUANTITY:
        found.append(Violation("quantity", f"must be between 0 and {MAX_QUANTITY:,}"))
    if event.kind == EventKind.SEARCH and not event.query.strip():
        found.append(Violation("query", "is required"))
    if len(event.attributes) > MAX_ATTRIBUTES:
        found.append(Violation("attributes", f"has more than {MAX_ATTRIBUTES} entries"))
    for key, value in event.attributes.items():
        found += checks.identifier("attributes.key", key)
        found += checks.text("attributes.key", key, MAX_ATTRIBUTE_KEY_CHARS)
        found += checks.text(f"attributes[{key[:40]}]", value, MAX_ATTRIBUTE_CHARS)
    return found
