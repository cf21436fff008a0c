"""Keeps the lexicon learnt from the catalogue: now, and every so often again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import structlog

from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.extraction.lexicon import learn
from magpie_services.content.extraction.samples import sample
from magpie_services.core.items import Item
from magpie_services.kit.errors import MagpieError

log = structlog.get_logger()

SOON_SECONDS = 5.0


class Catalogue(Protocol):
    """All items of the shop."""

    def items(self) -> AsyncIterator[Item]:
        """The items in no particular order. Raises MagpieError where they cannot be read."""
        ...


class Learner:
    """Gives `extractor` a new lexicon every `seconds`, from at most `most_items` items."""

    def __init__(
        self,
        extractor: Extractor,
        catalogue: Catalogue,
        most_items: int,
        seconds: float,
        learnt: Callable[[], None] = lambda: None,
    ) -> None:
        """`learnt` is called after each new lexicon, to forget what was read by the one before."""
        self._learnt = learnt
        self._extractor = extractor
        self._catalogue = catalogue
        self._most_items = most_items
        self._seconds = seconds

    async def run(self) -> None:
        """Learn until cancelled. While the catalogue is away the lexicon stays: at first, the seeds."""
        pause, told = min(SOON_SECONDS, self._seconds), ""
        while True:
            try:
                read = await self.learn()
                # An empty catalogue is one that is being filled.
                pause, told = self._seconds if read else min(2 * pause, self._seconds), ""
            except MagpieError as error:
                if error.reason != told:
                    log.warning("lexicon.stays", reason=error.reason)
                pause, told = min(2 * pause, self._seconds), error.reason
            await asyncio.sleep(pause)

    async def learn(self) -> int:
        """Learn once, from how many items it answers. Raises MagpieError where the catalogue is away."""
        samples = []
        async for item in self._catalogue.items():
            samples.append(sample(item))
            if len(samples) >= self._most_items:
                break
        if samples:
            lexicon = await asyncio.to_thread(learn, samples)
            self._extractor.lexicon = lexicon
            self._learnt()
            log.info("lexicon.learnt", words=len(lexicon.entries), items=len(samples))
        return len(samples)
