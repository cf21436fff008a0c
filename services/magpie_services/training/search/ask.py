"""What the service does about searches: begins them, and lets retrainings learn with what they found."""

import asyncio
import uuid
from dataclasses import dataclass

import structlog

from magpie_services.kit.errors import NotAllowed, Unavailable
from magpie_services.training.search.records import Search
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.search.space import SPACES, Value
from magpie_services.training.sweep import Enqueue

log = structlog.get_logger()


@dataclass(frozen=True)
class Searches:
    """`enqueue` is told "<search>/<number>" for each trial."""

    store: SearchStore
    enqueue: Enqueue

    async def begin(self, model: str, trials: int, as_of_ms: int, seed: int, now_ms: int) -> str:
        """Puts a search on record and its trials into the queue; answers its id."""
        search_id = f"search-{uuid.uuid4().hex[:16]}"
        await self.store.create(
            Search(
                search_id=search_id,
                model=model,
                wanted=trials,
                as_of_ms=as_of_ms,
                seed=seed,
                created_ms=now_ms,
            )
        )

        def queue() -> None:
            for number in range(trials):
                self.enqueue(f"{search_id}/{number}")

        try:
            await asyncio.to_thread(queue)
        except Unavailable as error:  # it is on record: the sweep puts the trials into the queue
            log.warning("search.not_queued", search_id=search_id, problem=error.message)
        return search_id

    async def adopt(self, search_id: str) -> tuple[str, dict[str, Value]]:
        """Lets later retrainings learn with the best settings; answers the model and these. Raises NotFound,
        NotAllowed where no trial has finished.
        """
        search = await self.store.search(search_id)
        best = search.best(SPACES[search.model].higher_is_better)
        if best is None:
            raise NotAllowed("no trial of this search has finished", reason="NO_FINISHED_TRIAL")
        await self.store.adopt(search.model, best.settings)
        return search.model, best.settings
