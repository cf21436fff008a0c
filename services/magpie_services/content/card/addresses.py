"""Addresses of cards: what a push names, so that a phone may fetch the card when it is shown.

An address says which item, in which locale and shape, and by a digest what the card showed when it was named.
It is signed: nobody can make us draw what no push spoke of.
"""

import base64
import binascii
import hashlib
import hmac
import re
from typing import NamedTuple

import msgspec

from magpie_services.core.items import Item

MIN_SECRET_BYTES = 16
MOST_CHARS = 1_024
_SHAPES = {2.0: "2x1", 1.0: "1x1"}
_RATIOS = {shape: ratio for ratio, shape in _SHAPES.items()}
_PATH = re.compile(
    r"(?P<signed>(?P<item>[A-Za-z0-9_-]+)/(?P<locale>zh-CN|zh-TW|en)/(?P<shape>2x1|1x1)/(?P<digest>[0-9a-f]{16}))"
    r"/(?P<mac>[A-Za-z0-9_-]{22})\.jpg"
)


class Asked(NamedTuple):
    """What an address names; `digest` is of the facts that the card showed then."""

    item_id: str
    locale: str
    ratio: float
    digest: str


class CardAddresses:
    """Makes addresses below `base` ("https://cards.example.com") and reads them."""

    def __init__(self, base: str, secret: bytes) -> None:
        """Raises ValueError for a secret of fewer than 16 bytes."""
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"a secret of at least {MIN_SECRET_BYTES} bytes is needed")
        self._base = base.rstrip("/")
        self._secret = secret

    def of(self, item: Item, locale: str, ratio: float = 2.0) -> str:
        """The address of an item's card."""
        name = base64.urlsafe_b64encode(item.item_id.encode()).rstrip(b"=").decode()
        path = f"{name}/{locale}/{_SHAPES[ratio]}/{digest(item)}"
        return f"{self._base}/{path}/{self._mac(path)}.jpg"

    def read(self, path: str) -> Asked | None:
        """What the end of a path names; None for one that we did not make."""
        match = _PATH.fullmatch("/".join(path.split("/")[-5:])) if len(path) <= MOST_CHARS else None
        if match is None or not hmac.compare_digest(self._mac(match["signed"]), match["mac"]):
            return None
        try:
            item_id = base64.urlsafe_b64decode(match["item"] + "=" * (-len(match["item"]) % 4)).decode()
        except (binascii.Error, ValueError):
            return None
        return Asked(item_id, match["locale"], _RATIOS[match["shape"]], match["digest"])

    def _mac(self, path: str) -> str:
        mac = hmac.digest(self._secret, b"card " + path.encode(), hashlib.sha256)[:16]
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def digest(item: Item) -> str:
    """Names everything of an item that its cards show."""
    titles = {tag: text.title for tag, text in sorted(item.translations.items())}
    shown = [item.title, item.locale, titles, item.brand, item.price, item.list_price, item.image_uri]
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[:16]
