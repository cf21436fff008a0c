"""Items that came after the model was trained: each gets a vector by what it is, and is found then."""

import asyncio
import itertools
from typing import Protocol

import numpy as np
import structlog

from magpie_services.candidate.catalogue import Store
from magpie_services.candidate.release import Release
from magpie_services.candidate.vector_index import Floats
from magpie_services.core.columns import ItemColumns
from magpie_services.core.items import Item
from magpie_services.kit.errors import MagpieError

log = structlog.get_logger()

LOOK_SECONDS = 0.5
PAGE = 512
CHUNK = 16


class Model(Protocol):
    """The retrieval model; see retriever.Retriever."""

    @property
    def release(self) -> Release | None: ...

    async def describe(self, release: Release, items: list[Item]) -> Floats:
        """Unit vectors float32 [m, d]; zeros where it finds none."""
        ...


class Newcomers:
    """Looks through the rows of the catalogue once for each release, and then at those that are appended."""

    def __init__(self, model: Model, columns: ItemColumns, store: Store) -> None:
        self._model = model
        self._columns = columns
        self._store = store
        self._release: Release | None = None
        self._looked = 0

    async def run(self) -> None:
        """Look twice a second until cancelled."""
        told = ""
        while True:
            try:
                await self.look()
                told = ""
            except MagpieError as error:
                if error.reason != told:
                    log.warning("newcomers.waiting", reason=error.reason)
                told = error.reason
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Give a vector to every item that has none yet. Raises what the store and the model raise."""
        release = self._model.release
        if release is not self._release:
            self._release, self._looked = release, 0
        if release is None or not release.describes:
            return
        while self._looked < len(self._columns):
            page = list(itertools.islice(self._columns.ids, self._looked, self._looked + PAGE))
            unknown = [item_id for item_id in page if item_id not in release.codes]
            items = [item for item in await self._store.get(unknown) if item] if unknown else []
            if items:
                await self._join(release, items)
            self._looked += len(page)

    async def _join(self, release: Release, items: list[Item]) -> None:
        vectors = await self._model.describe(release, items)
        found = np.flatnonzero(vectors.any(axis=1))  # the others are found by what people do with them
        for start in range(0, len(found), CHUNK):
            chunk = found[start : start + CHUNK]
            release.join([items[at].item_id for at in chunk], vectors[chunk])
            await asyncio.sleep(0)  # a large graph takes half a millisecond an item: calls go between
        log.info("newcomers.joined", items=len(found), version=release.version)
