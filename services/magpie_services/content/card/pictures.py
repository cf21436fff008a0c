"""Pictures by the address that an item gives, from folder or web, the latest of them kept for a while."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

from magpie_services.content.card.cache import Cache
from magpie_services.content.card.decoding import Unusable
from magpie_services.core.untrusted import safe_image

# How long a picture is taken for what its address still holds, and how long one that failed is let be.
FRESH_SECONDS = 600.0
FAILED_SECONDS = 60.0
_OVERHEAD_BYTES = 512


class Picture(NamedTuple):
    """A picture as it came, unchecked, and the hash of its bytes."""

    data: bytes
    digest: str


class Source(Protocol):
    """Where pictures are."""

    async def fetch(self, uri: str) -> bytes:
        """The bytes of a picture. Raises Unusable."""
        ...


class _Kept(NamedTuple):
    picture: Picture | None
    reason: str
    until: float


class Pictures:
    """Fetches pictures; `monotonic` gives seconds. A source of None has none."""

    def __init__(
        self,
        folder: Source | None,
        web: Source | None,
        cache_bytes: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._web = web
        self._monotonic = monotonic
        self._kept: Cache[_Kept] = Cache(
            cache_bytes, lambda kept: _OVERHEAD_BYTES + len(kept.picture.data if kept.picture else b"")
        )

    async def get(self, uri: str) -> Picture:
        """The picture at an address. Raises Unusable: NO_PICTURE, NOT_ALLOWED and what sources raise."""
        if not uri:
            raise Unusable("NO_PICTURE")
        kept = self._kept.get(uri)
        if kept is None or kept.until < self._monotonic():
            kept = await self._fetched(uri)
            self._kept.put(uri, kept)
        if kept.picture is None:
            raise Unusable(kept.reason)
        return kept.picture

    async def _fetched(self, uri: str) -> _Kept:
        safe = safe_image(uri)
        source = self._web if safe.casefold().startswith("https:") else self._folder
        if not safe or source is None:
            return _Kept(None, "NOT_ALLOWED", self._monotonic() + FAILED_SECONDS)
        try:
            data = await source.fetch(safe)
        except Unusable as error:
            return _Kept(None, error.reason, self._monotonic() + FAILED_SECONDS)
        picture = Picture(data, hashlib.sha256(data).hexdigest())
        return _Kept(picture, "", self._monotonic() + FRESH_SECONDS)
