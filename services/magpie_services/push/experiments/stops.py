"""Experiments that were stopped, in Redis: every process of `push` learns of one within seconds."""

import asyncio

import structlog

from magpie_services.kit.errors import MagpieError
from magpie_services.kit.redis import Redis, store_errors
from magpie_services.push.experiments.declared import Experiments

log = structlog.get_logger()

_KEY = "magpie:push:experiments:stopped"


class Stops:
    """Why each was stopped, by id. All methods raise Unavailable."""

    def __init__(self, redis: Redis, experiments: Experiments, *, poll_seconds: float) -> None:
        self._redis, self._experiments, self._poll_seconds = redis, experiments, poll_seconds

    async def all(self) -> dict[str, str]:
        """The reasons, by id."""
        with store_errors():
            found = await self._redis.hgetall(_KEY)
        return {_text(name): _text(reason) for name, reason in found.items()}

    async def stop(self, experiment_id: str, reason: str) -> None:
        """Stops one for good; the first reason stands. An experiment begun anew needs a new id."""
        with store_errors():
            await self._redis.hsetnx(_KEY, experiment_id, reason)
        await self.refresh()

    async def refresh(self) -> None:
        """Tells this process what was stopped."""
        self._experiments.stopped = frozenset(await self.all())

    async def run(self) -> None:
        """Refreshes until cancelled."""
        while True:
            try:
                await self.refresh()
            except MagpieError as error:
                log.warning("experiments.waiting", error=error.reason)
            await asyncio.sleep(self._poll_seconds)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
