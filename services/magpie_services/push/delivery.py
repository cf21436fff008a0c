"""What a provider of delivery is given and answers. Pure; the providers themselves are in `providers/`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class PushMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One push for one device. `decision_id` is the idempotency key: the same id is the same push."""

    decision_id: str
    attribution_token: str
    user_id: str
    device_id: str
    address: str
    title: str
    body: str
    link: str
    image_uri: str
    item_id: str
    campaign_id: str
    send_ms: int
    expires_ms: int


class Fate(StrEnum):
    """What the provider made of a message."""

    ACCEPTED = "accepted"
    GONE = "gone"  # the device's address is gone for good
    REJECTED = "rejected"  # never, in this form
    LATER = "later"  # not accepted now; may be tried again
    UNKNOWN = "unknown"  # perhaps accepted: only the same idempotency key may be tried again


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The fate of one message; `reason` is fit for a person and holds no text of the provider's own."""

    decision_id: str
    fate: Fate
    provider_message_id: str = ""
    reason: str = ""
    retry_after_seconds: float = 0.0


class Provider(Protocol):
    """A way out. Trouble is in the receipts: `send` raises nothing that is to be expected."""

    name: str

    async def send(self, messages: Sequence[PushMessage]) -> list[Receipt]:
        """One receipt for each message, in order."""
        ...

    async def aclose(self) -> None:
        """Lets go of connections."""
        ...
