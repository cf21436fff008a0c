"""Encryption of what is kept of a user: AES-256-GCM under a key of the user's own.

That key is kept wrapped by the service's. Destroying the wrapped key destroys all that it sealed, wherever
that was copied to; a backup that has the wrapped key as well must go too.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class Unreadable(Exception):
    """The text was not sealed with this key for this user, or was changed since."""


class Vault:
    """Holds the key-encryption key; has no state of its own."""

    def __init__(self, key: bytes) -> None:
        """`key` has 32 bytes, else ValueError."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key must have {KEY_BYTES} bytes")
        self._wrapping = AESGCM(key)

    def new_key(self, user_id: str) -> tuple[bytes, bytes]:
        """A fresh data key for the user: (key, the same wrapped)."""
        key = os.urandom(KEY_BYTES)
        return key, _seal(self._wrapping, key, _label("key", user_id))

    def unwrap(self, wrapped: bytes, user_id: str) -> bytes:
        """The data key. Raises Unreadable."""
        return _open(self._wrapping, wrapped, _label("key", user_id))

    def seal(self, key: bytes, text: bytes, user_id: str) -> bytes:
        """The user's state, encrypted and bound to the user."""
        return _seal(AESGCM(key), text, _label("state", user_id))

    def open(self, key: bytes, sealed: bytes, user_id: str) -> bytes:
        """What was sealed. Raises Unreadable."""
        return _open(AESGCM(key), sealed, _label("state", user_id))


def _label(kind: str, user_id: str) -> bytes:
    """Authenticated with the text, so that one user's blob never opens as another's."""
    return f"{kind}|{user_id}".encode()


def _seal(cipher: AESGCM, text: bytes, label: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, text, label)


def _open(cipher: AESGCM, sealed: bytes, label: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label)
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error
