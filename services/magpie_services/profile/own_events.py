"""Events that the service writes itself: what changed about a user by a call of its own."""

from collections.abc import Mapping

from magpie_services.core.events import Event, EventKind
from magpie_services.profile.state import Consent

# An event from outside that only claims that somebody consented or was erased is refused.
KINDS = frozenset(
    {
        EventKind.CONSENT_CHANGED,
        EventKind.DEVICE_REGISTERED,
        EventKind.DEVICE_REMOVED,
        EventKind.IDENTITY_LINKED,
        EventKind.ERASED,
    }
)


def happened(
    user_id: str, kind: EventKind, what: str, now_ms: int, facts: Mapping[str, str], platform: str = ""
) -> Event:
    """Something done now; `what` tells it from others of its kind."""
    return Event(
        event_id=f"{kind}:{what}:{now_ms}",
        user_id=user_id,
        kind=kind,
        occurred_ms=now_ms,
        received_ms=now_ms,
        platform=platform,
        attributes=dict(facts),
    )


def answered(user_id: str, answer: Consent, now_ms: int) -> Event:
    """An answer on consent, at the time it was given."""
    return Event(
        event_id=f"consent:{answer.purpose}:{answer.at_ms}:{'yes' if answer.granted else 'no'}",
        user_id=user_id,
        kind=EventKind.CONSENT_CHANGED,
        occurred_ms=answer.at_ms,
        received_ms=now_ms,
        attributes={
            "purpose": answer.purpose,
            "granted": "true" if answer.granted else "false",
            "text_version": answer.text_version,
            "source": answer.source,
        },
    )
