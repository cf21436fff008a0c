"""The light scorer's weights in Redis, so that a restart without a model server still scores as learnt."""

from typing import Any

import msgspec

from magpie_services.core import codec
from magpie_services.kit.redis import Redis, store_errors
from magpie_services.ranking.light import Light

KEY = "magpie:{models}:light"


class LightStore:
    """One scorer, the newest written."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self) -> Light | None:
        """The scorer stored, None when there is none that fits our features. Raises Unavailable."""
        with store_errors():
            blob: Any = await self._redis.get(KEY)
        if blob is None:
            return None
        try:
            found = codec.decode(Light, blob)
        except msgspec.DecodeError:
            return None
        return found if found.fits else None

    async def write(self, light: Light) -> None:
        """Store a scorer. Raises Unavailable."""
        with store_errors():
            await self._redis.set(KEY, codec.encode(light))
