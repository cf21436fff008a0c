"""Posts pushes to an address of the app's own, signed, in batches; the answer says what became of each.

Request: POST, a JSON array of at most 100 messages, with the headers
`Magpie-Timestamp: <seconds>` and `Magpie-Signature: v1=<hex>`, the HMAC-SHA256 of "<seconds>.<body>".
Answer: 200 with a JSON array of {"decision_id", "status", "message_id", "reason"}, status one of "accepted",
"gone", "rejected", "later". A 2xx answer without a body accepts all. A `decision_id` seen before must be
answered as before and not sent again.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import random
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx
import msgspec

from magpie_services.push.delivery import Fate, PushMessage, Receipt

MAX_BATCH = 100
MAX_ANSWER_BYTES = 1 << 20
MIN_SECRET_BYTES = 16
SIGNATURE_HEADER = "Magpie-Signature"
TIMESTAMP_HEADER = "Magpie-Timestamp"
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_FATES = {fate.value: fate for fate in (Fate.ACCEPTED, Fate.GONE, Fate.REJECTED, Fate.LATER)}


class _Answer(msgspec.Struct):
    decision_id: str
    status: str
    message_id: str = ""


class _Refused(Exception):
    """The whole batch got no receipts; `fate` of every message, and whether another try may help."""

    def __init__(self, fate: Fate, reason: str, *, retry: bool, after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.fate = fate
        self.reason = reason
        self.retry = retry
        self.after_seconds = after_seconds


def check_url(url: str) -> None:
    """Only https, or http on the loopback. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _loopback(parts.hostname):
        return
    raise ValueError("webhook_url must be an https address (http is for the loopback only)")


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """The value of the signature header."""
    return "v1=" + hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


class WebhookProvider:
    """One connection pool to one address; never follows redirects. The caller closes it."""

    name = "webhook"

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        timeout_seconds: float = 3.0,
        attempts: int = 3,
        wall_seconds: Callable[[], float] = time.time,
    ) -> None:
        """Raises ValueError for a bad address or a secret under 16 bytes."""
        check_url(url)
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"a secret of at least {MIN_SECRET_BYTES} bytes is needed")
        self._url = url
        self._secret = secret
        self._attempts = attempts
        self._wall_seconds = wall_seconds
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            # Loading the certificates of the world takes a third of a second, for nothing on the loopback.
            verify=urlsplit(url).scheme == "https",
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=30),
        )

    async def send(self, messages: Sequence[PushMessage]) -> list[Receipt]:
        """Posts batches of 100, all at once; a batch that fails is tried again with the same ids."""
        batches = [messages[start : start + MAX_BATCH] for start in range(0, len(messages), MAX_BATCH)]
        # One after another they could outlast the claim of the last.
        answers = await asyncio.gather(*(self._send_batch(batch) for batch in batches))
        return [receipt for answer in answers for receipt in answer]

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _send_batch(self, batch: Sequence[PushMessage]) -> list[Receipt]:
        body = json.dumps([_to_json(message) for message in batch], ensure_ascii=False).encode()
        pause, maybe_accepted = _FIRST_PAUSE_SECONDS, False
        for attempt in range(1, self._attempts + 1):
            try:
                return _receipts(batch, await self._post(body))
            except _Refused as error:
                maybe_accepted |= error.fate is Fate.UNKNOWN
                if not error.retry or attempt == self._attempts:
                    fate = Fate.UNKNOWN if maybe_accepted else error.fate
                    return [_receipt(message, fate, error.reason, error.after_seconds) for message in batch]
                wait = min(max(pause, error.after_seconds), _LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (spreads retries)
                pause *= 2
        raise AssertionError("at least one attempt")

    async def _post(self, body: bytes) -> bytes:
        """The body of a 2xx answer. Raises _Refused."""
        timestamp = int(self._wall_seconds())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._secret, timestamp, body),
        }
        try:
            # httpx limits each read; this limits the whole, against a server that answers byte by byte.
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.post(self._url, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise _Refused(Fate.LATER, "the webhook cannot be reached", retry=True) from None
        except (httpx.HTTPError, TimeoutError):
            raise _Refused(Fate.UNKNOWN, "the webhook did not answer", retry=True) from None
        status = response.status_code
        if 200 <= status < 300:
            if len(response.content) > MAX_ANSWER_BYTES:
                raise _Refused(Fate.UNKNOWN, "the webhook answered too much", retry=False)
            return response.content
        if status in (429, 503):
            after = _retry_after(response.headers.get("Retry-After", ""))
            raise _Refused(
                Fate.LATER, f"the webhook is busy ({status})", retry=after <= 2.0, after_seconds=after
            )
        if status >= 500:
            raise _Refused(Fate.UNKNOWN, f"the webhook failed ({status})", retry=True)
        raise _Refused(Fate.REJECTED, f"the webhook refused the batch ({status})", retry=False)


def _receipts(batch: Sequence[PushMessage], body: bytes) -> list[Receipt]:
    if not body.strip():
        return [_receipt(message, Fate.ACCEPTED, "") for message in batch]
    try:
        answers = {answer.decision_id: answer for answer in msgspec.json.decode(body, type=list[_Answer])}
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = "the webhook answered with something else than receipts"
        return [_receipt(message, Fate.UNKNOWN, reason) for message in batch]
    receipts = []
    for message in batch:
        answer = answers.get(message.decision_id)
        if answer is None or answer.status not in _FATES:
            receipts.append(_receipt(message, Fate.UNKNOWN, "the webhook gave no receipt for it"))
            continue
        fate = _FATES[answer.status]
        reason = "" if fate is Fate.ACCEPTED else f"the webhook says: {fate.value}"
        receipt = _receipt(message, fate, reason)
        receipts.append(msgspec.structs.replace(receipt, provider_message_id=answer.message_id[:256]))
    return receipts


def _receipt(message: PushMessage, fate: Fate, reason: str, after_seconds: float = 0.0) -> Receipt:
    return Receipt(
        decision_id=message.decision_id, fate=fate, reason=reason, retry_after_seconds=after_seconds
    )


def _to_json(message: PushMessage) -> dict[str, str | int]:
    return {
        "decision_id": message.decision_id,
        "attribution_token": message.attribution_token,
        "user_id": message.user_id,
        "device_id": message.device_id,
        "address": message.address,
        "title": message.title,
        "body": message.body,
        "link": message.link,
        "image_uri": message.image_uri,
        "item_id": message.item_id,
        "campaign_id": message.campaign_id,
        "send_time_ms": message.send_ms,
        "expire_time_ms": message.expires_ms,
    }


def _retry_after(text: str) -> float:
    """Seconds of a Retry-After header; dates are not worth the trouble."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
