"""The token that travels from a decision through the push to its outcome: opaque, url-safe, signed."""

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple

import msgspec

from magpie_services.kit.errors import Invalid

FIELD = "attribution_token"
MAX_TOKEN_LENGTH = 1024
MIN_SECRET_BYTES = 16

_PREFIX = "m1."
_MAC_BYTES = 16


class Attribution(NamedTuple):
    """What a token says: which decision, for whom, made when (ms since the epoch)."""

    decision_id: str
    user_id: str
    issued_ms: int


class AttributionTokens:
    """Signs with the first secret and accepts all of them: a secret can change while pushes are out."""

    def __init__(self, *secrets: bytes) -> None:
        """Each secret has at least 16 bytes, else ValueError."""
        if not secrets or any(len(secret) < MIN_SECRET_BYTES for secret in secrets):
            raise ValueError(f"a secret of at least {MIN_SECRET_BYTES} bytes is needed")
        self._secrets = secrets

    def sign(self, decision_id: str, user_id: str, issued_ms: int) -> str:
        """A token of letters, digits, `.`, `-` and `_`."""
        payload = msgspec.msgpack.encode((decision_id, user_id, issued_ms))
        sealed = payload + _mac(self._secrets[0], payload)
        return _PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def verify(self, token: str) -> Attribution:
        """What the token says. Raises Invalid("attribution_token") for any text that we did not sign."""
        if not token.startswith(_PREFIX) or len(token) > MAX_TOKEN_LENGTH:
            raise Invalid(FIELD, "is not an attribution token")
        body = token[len(_PREFIX) :]
        try:
            sealed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Invalid(FIELD, "is not an attribution token") from None
        payload, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        if not any(hmac.compare_digest(_mac(secret, payload), mac) for secret in self._secrets):
            raise Invalid(FIELD, "was not signed here")
        return Attribution(*msgspec.msgpack.decode(payload, type=tuple[str, str, int]))


def _mac(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _PREFIX.encode() + payload, hashlib.sha256)[:_MAC_BYTES]
