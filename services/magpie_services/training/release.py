"""Which version serves: kept in Redis, told to the model server by its configuration file, seen through to
the index.

The file is TensorFlow Serving's own (`--model_config_file`, polled), so that a restarted server serves the
wanted version, not the newest folder, and a rollback needs no special right on the server.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog

from magpie_services.kit.errors import DeadlineExceeded, NotAllowed, NotFound, Unavailable
from magpie_services.training import publish, whole
from magpie_services.training.redis_store import RedisStore

CONFIG = "models.config"
POLL_SECONDS = 0.5
CALL_SECONDS = 5.0

log = structlog.get_logger()


class Statuses(Protocol):
    """What is asked of a model server; `kit.prediction.Prediction` answers it."""

    async def status(self, model: str, *, timeout_seconds: float = 5.0) -> list[tuple[int, str]]: ...


class Releases:
    """Publishes which version serves, in Redis and in the configuration file beside the models."""

    def __init__(self, store: RedisStore, models: Path, served_folder: str = "") -> None:
        self._store = store
        self._models = models
        self._served_folder = served_folder or str(models.resolve())

    async def promote(self, version: int) -> None:
        """Raises NotFound for an unknown release, NotAllowed where its files are gone."""
        await self._store.release(version)
        if not publish.complete(self._models, version):
            raise NotAllowed(f"the files of release {version} are gone", reason="RELEASE_REMOVED")
        await self._store.promote(version)
        await self.write_config()

    async def roll_back(self) -> int:
        """Goes back to the newest earlier release whose files are there; answers its version. Raises
        NotAllowed.
        """
        earlier = (await self._store.served())[1:]
        if not any(publish.complete(self._models, version) for version in earlier):
            raise NotAllowed("no release served before this one", reason="NO_EARLIER_RELEASE")
        version = await self._store.roll_back()
        while not publish.complete(self._models, version):
            version = await self._store.roll_back()
        await self.write_config()
        return version

    async def withdraw(self, version: int) -> int:
        """Takes back a release that does not work; answers what serves now, 0 for none."""
        now = await self._store.withdraw(version)
        await self.write_config()
        return now

    async def write_config(self) -> None:
        """Writes the configuration for what serves now; with nothing to serve the file goes away."""
        path = self._models / CONFIG
        self._models.mkdir(parents=True, exist_ok=True)
        while True:
            wanted = (await self._store.served())[:1]
            if wanted:
                await asyncio.to_thread(whole.write, path, self._config(wanted[0]).encode())
            else:
                path.unlink(missing_ok=True)
            # Another may have changed its mind in between: the last word is Redis's.
            if (await self._store.served())[:1] == wanted:
                return

    def _config(self, version: int) -> str:
        models = "\n".join(
            f"  config {{\n"
            f'    name: "{name}"\n'
            f'    base_path: "{self._served_folder}/{name}"\n'
            f'    model_platform: "tensorflow"\n'
            f"    model_version_policy {{ specific {{ versions: {version} }} }}\n"
            f'    version_labels {{ key: "stable" value: {version} }}\n'
            f"  }}"
            for name in publish.MODELS
        )
        return f"model_config_list {{\n{models}\n}}\n"


async def wait_until_served(server: Statuses, version: int, seconds: float) -> None:
    """Returns once the server serves the version of both models.

    Raises Unavailable when it does not in time, or gave up loading it.
    """

    async def served() -> bool:
        for model in publish.MODELS:
            states = dict(await server.status(model, timeout_seconds=CALL_SECONDS))
            if states.get(version) == "END":
                raise Unavailable(f"the model server could not load {model} {version}", reason="LOAD_FAILED")
            if states.get(version) != "AVAILABLE":
                return False
        return True

    await _until(served, seconds, f"the model server did not serve release {version} within {seconds:g} s")


async def wait_until_indexed(
    version_of_index: Callable[[], Awaitable[int]], version: int, seconds: float
) -> None:
    """Returns once the index of candidates was built from this version. Raises Unavailable when not in
    time.
    """

    async def indexed() -> bool:
        return await version_of_index() == version

    await _until(indexed, seconds, f"the index did not follow release {version} within {seconds:g} s")


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float, complaint: str) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if await holds():
                return
        except Unavailable as error:
            if error.reason == "LOAD_FAILED":
                raise
            log.info("release.waiting", problem=error.message)
        except (DeadlineExceeded, NotFound) as error:
            log.info("release.waiting", problem=error.message)
        if time.monotonic() > end:
            raise Unavailable(complaint)
        await asyncio.sleep(POLL_SECONDS)
