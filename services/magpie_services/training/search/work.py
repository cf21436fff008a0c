"""What a worker does for one trial: takes it up, lets a child process learn, keeps what came of it.

A trial may be delivered twice, or after a worker died over it: a lease keeps two workers apart, and one that
has ended is left alone. Nothing here knows Celery or Optuna.
"""

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from magpie_services.training import child
from magpie_services.training.child import ChildFailed
from magpie_services.training.plan import Plan
from magpie_services.training.progress import News
from magpie_services.training.search import records
from magpie_services.training.search.records import Search, Task, Trial, TrialState
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.settings import TrainingSettings

MODULE = "magpie_services.training.search.trial"
FOLDER = ".searches"
MAX_TRIES = 3
# Of trials that take the worker along, or are stopped with it.
MAX_BEGUN = 10
# A search that nobody works at any more; its folder holds histories of users.
STALE_SECONDS = 7 * 24 * 3_600.0


@dataclass(frozen=True)
class Trials:
    """The trials of searches, one call for each."""

    settings: TrainingSettings
    store: SearchStore

    async def run(self, search_id: str, number: int, worker: str) -> None:
        """Does one trial to its end, whatever that is. Raises NotFound, Conflict while another worker is at
        it, ChildFailed where another try may help.
        """
        search = await self.store.search(search_id)
        await self.store.claim(search_id, number, worker)
        try:
            trial = (await self.store.search(search_id)).trials.get(number) or Trial(number=number)
            if not trial.ended and number < search.wanted:
                await self._learn(search, trial, worker)
        finally:
            await self.store.let_go(search_id, number, worker)
        if (await self.store.search(search_id)).done:
            shutil.rmtree(self._folder(search_id), ignore_errors=True)
            await self.store.forget_study(search_id)
        sweep(self.settings.model_folder / FOLDER)

    async def _learn(self, search: Search, trial: Trial, worker: str) -> None:
        if trial.tries >= MAX_BEGUN:
            reason = f"was begun {trial.tries} times and never came to an end"
            ended = msgspec.structs.replace(trial, state=TrialState.FAILED, reason=reason, score=None)
            return await self.store.write(search.search_id, ended, worker)
        trial = msgspec.structs.replace(trial, tries=trial.tries + 1)
        await self.store.write(search.search_id, trial, worker)
        plan = self._plan(search, trial)
        Task(search_id=search.search_id, model=search.model, number=trial.number).save(plan.path)

        async def progress(news: News) -> None:
            score = trial.score if news.metric is None else news.metric
            await self.store.write(search.search_id, msgspec.structs.replace(trial, score=score), worker)

        limits = self.settings.child_memory_mb, self.settings.child_timeout_seconds
        try:
            await child.run(MODULE, plan, progress, memory_mb=limits[0], timeout_seconds=limits[1])
            found = records.ended(plan.path)
            if found is None:
                raise ChildFailed("left nothing that can be read", final=False)
            ended = found
        except ChildFailed as error:
            if not error.final and trial.tries < MAX_TRIES:
                raise
            ended = msgspec.structs.replace(trial, state=TrialState.FAILED, reason=str(error), score=None)
        await self.store.write(search.search_id, msgspec.structs.replace(ended, tries=trial.tries), worker)

    def _folder(self, search_id: str) -> Path:
        return (self.settings.model_folder / FOLDER / search_id).resolve()

    def _plan(self, search: Search, trial: Trial) -> Plan:
        folder = self._folder(search.search_id) / f"trial-{trial.number}"
        plan = Plan(
            run_id=f"{search.search_id}/{trial.number}",
            folder=str(folder),
            lake_folder=self.settings.lake_folder,
            as_of_ms=search.as_of_ms,
            seed=search.seed,
            threads=self.settings.threads,
            retriever=self.settings.retriever,
            ranker=self.settings.ranker,
        )
        plan.save()
        return plan


def sweep(searches: Path, now: float | None = None) -> None:
    """Removes the folders of searches in which no trial was begun for a week."""
    for folder in searches.glob("*"):
        with suppress(FileNotFoundError):  # another worker removes them too
            if (time.time() if now is None else now) - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
