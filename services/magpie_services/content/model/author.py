"""Fills the pool, off the send path: what is wanted most, from Redis, else from the language model."""

import asyncio
from collections.abc import Iterable

import structlog

from magpie_services.content.compose import Composer
from magpie_services.content.model import prompt
from magpie_services.content.model.asks import Ask
from magpie_services.content.model.endpoint import NOT_ASKED, USELESS, Endpoint, Failed
from magpie_services.content.model.pool import Pool
from magpie_services.content.model.rehearsal import Rehearsal
from magpie_services.content.model.screening import screen
from magpie_services.content.model.shelf import Shelf
from magpie_services.content.model.templates import Refused, Template, parse
from magpie_services.core.items import Item
from magpie_services.kit import metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import MagpieError

log = structlog.get_logger()

# Asks looked up in Redis and asks brought to the model, each round.
LOOKED_UP = 64
CALLS = 4
# So long is no other answer asked for where one had nothing to keep.
NOTHING_SECONDS = 6 * 3_600.0


class Author:
    """Writes what the pool lacks; `kept_seconds` is how long texts stay."""

    def __init__(
        self,
        composer: Composer,
        pool: Pool,
        shelf: Shelf,
        endpoint: Endpoint,
        clock: Clock,
        *,
        kept_seconds: float,
        pause_seconds: float,
    ) -> None:
        self._composer = composer
        self._pool = pool
        self._shelf = shelf
        self._endpoint = endpoint
        self._clock = clock
        self._kept_seconds = kept_seconds
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Write until cancelled. While the store or the model is away nothing is written."""
        told = ""
        while True:
            try:
                await self.round()
                told = ""
            except (MagpieError, Failed) as error:
                if error.reason != told:
                    log.warning("model.writes_nothing", reason=error.reason)
                told = error.reason
            await asyncio.sleep(self._pause_seconds)

    async def round(self) -> None:
        """One round. Raises Unavailable and Failed."""
        wanted = self._pool.demand.most(LOOKED_UP)
        left = []
        found = await self._shelf.get([ask for ask, _ in wanted])
        for (ask, item), stored in zip(wanted, found, strict=True):
            if stored is None:
                left.append((ask, item))
            else:
                scene = Rehearsal(self._composer, ask, item, self._clock.now_ms())
                self._pool.keep(ask, self._screened(scene, stored.texts), stored.end_ms)
                await asyncio.sleep(0)  # screening takes milliseconds: calls in between
        calls = 0
        for ask, item in left:
            if calls == CALLS:
                break
            if await self._shelf.claim(ask):
                calls += 1
                try:
                    await self._write(ask, item)
                except Failed as error:
                    if error.reason in NOT_ASKED:
                        await self._shelf.release(ask)
                    raise
            # Written, or another process writes it: who wants it still asks again.
            self._pool.demand.drop(ask)

    async def _write(self, ask: Ask, item: Item) -> None:
        """Has the model write for an ask, and keeps what passes. Raises Failed, and Unavailable."""
        scene = Rehearsal(self._composer, ask, item, self._clock.now_ms())
        offered = scene.offers()
        texts: list[Template] = []
        if offered:
            texts = self._screened(scene, await self._answer(prompt.messages(ask, item, offered)))
            metrics.MODEL_TEXTS.labels("kept").inc(len(texts))
            log.info("model.wrote", strategy=ask.strategy, locale=ask.locale, kept=len(texts))
        stored = await self._shelf.put(ask, texts, self._kept_seconds if texts else NOTHING_SECONDS)
        self._pool.keep(ask, texts, stored.end_ms)

    async def _answer(self, messages: list[dict[str, str]]) -> list[tuple[str, str]]:
        """Titles and bodies; none where the answer was paid for and is of no use. Raises Failed otherwise."""
        try:
            content = await self._endpoint.complete(messages, prompt.SCHEMA)
        except Failed as error:
            if error.reason not in USELESS:
                raise
            return []
        try:
            return [(text.title, text.body) for text in prompt.read(content)]
        except ValueError:
            metrics.MODEL_TEXTS.labels("schema").inc()
            return []

    def _screened(self, scene: Rehearsal, texts: Iterable[tuple[str, str]]) -> list[Template]:
        """Those that pass, each once."""
        kept: dict[str, Template] = {}
        for title, body in texts:
            try:
                template = parse(title, body, scene.ask.strategy, scene.ask.locale)
                screen(template, scene.item, scene.ask.locale, self._composer)
                scene.play(template)
            except Refused as error:
                metrics.MODEL_TEXTS.labels(error.reason).inc()
            else:
                kept.setdefault(template.id, template)
        return list(kept.values())
