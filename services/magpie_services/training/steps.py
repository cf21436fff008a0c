"""The steps of a run, one for each task: each takes the run up, does its part, and says what comes next.

Every step may be delivered twice, at once or after a crash: a lease keeps two workers apart, a fence keeps a
late one from writing, and what is on disk from an earlier try is used. Nothing here knows Celery.
"""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from magpie_services.core.feature_schema import SCHEMA_HASH
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Unavailable
from magpie_services.training import child, publish, results
from magpie_services.training import plan as plans
from magpie_services.training import release as releases
from magpie_services.training.broker import EVALUATE, REFRESH_INDEX, RELEASE, RETRAIN
from magpie_services.training.plan import Plan
from magpie_services.training.progress import News
from magpie_services.training.publish import Manifest
from magpie_services.training.records import ENDED, Learning, Release, ReleaseState, Run, RunState
from magpie_services.training.redis_store import RedisStore
from magpie_services.training.release import Releases, Statuses
from magpie_services.training.report.write import PAGE
from magpie_services.training.search import space
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.settings import TrainingSettings

log = structlog.get_logger()

LEASE_SECONDS = 60.0
MAX_TRIES = 10
# How long what is on no record may take.
UNKNOWN_SECONDS = 2 * 24 * 3_600

# The step that a run in this state waits for.
NEXT: dict[RunState, str] = {
    RunState.QUEUED: RETRAIN,
    RunState.TRAINING: RETRAIN,
    RunState.EVALUATING: EVALUATE,
    RunState.RELEASING: RELEASE,
}


@dataclass(frozen=True)
class Steps:
    """`server` and `index` are None where a release need not be seen through."""

    settings: TrainingSettings
    store: RedisStore
    releases: Releases
    clock: Clock
    searches: SearchStore
    server: Statuses | None = None
    index: Callable[[], Awaitable[int]] | None = None

    async def run(self, step: str, run_id: str, worker: str) -> str:
        """Does one step; answers the task that comes next, "" where there is none.

        Raises Conflict while another worker is at the run, Unavailable and ChildFailed where a retry may
        help.
        """
        run = await self.store.claim(run_id, worker)
        try:
            if step == REFRESH_INDEX and run.state == RunState.RELEASING and run.version:
                run = await self._see_through(run)
            elif NEXT.get(run.state) == step:
                run = await self._work(step, run)
            await self._write(run)
        finally:
            await self.store.let_go(run_id, worker)
        if run.state in ENDED:
            await self._tidy(run)
        if step == RELEASE and run.state == RunState.RELEASING:
            return REFRESH_INDEX
        return NEXT.get(run.state, "")

    async def fail(self, run_id: str, worker: str, reason: str) -> None:
        """Ends a run that cannot go on. Raises Conflict while another worker is at it."""
        run = await self.store.claim(run_id, worker)
        try:
            if run.state not in ENDED:
                run = await self._write(run, state=RunState.FAILED, reason=reason, activity="", learning=None)
        finally:
            await self.store.let_go(run_id, worker)
        await self._tidy(run)

    async def _work(self, step: str, run: Run) -> Run:
        if run.tries >= MAX_TRIES:  # errors are counted by the queue; this is for what takes the worker along
            reason = f"was begun {run.tries} times and never came to an end"
            return _with(run, state=RunState.FAILED, reason=reason, activity="")
        run = await self._write(run, tries=run.tries + 1)
        work = {RETRAIN: self._retrain, EVALUATE: self._evaluate, RELEASE: self._release}[step]
        return _with(await work(run), tries=0)

    async def _retrain(self, run: Run) -> Run:
        plan = await self._plan(run)
        run = await self._write(run, state=RunState.TRAINING, activity="starts training", reason="")
        run = await self._child(run, "magpie_services.training.fit", plan, 0.0, 0.8)
        metrics = results.report(plan.path).metrics
        return _with(run, state=RunState.EVALUATING, metrics=metrics, activity="waits to be examined")

    async def _evaluate(self, run: Run) -> Run:
        plan = await self._plan(run)
        if not results.judged(plan.path, plan.champion):
            run = await self._child(run, "magpie_services.training.evaluate", plan, 0.8, 0.9)
        outcome = results.outcome(plan.path)
        run = _with(run, metrics={**run.metrics, **outcome.metrics})
        if not outcome.passed:
            return _with(run, state=RunState.REFUSED, reason="; ".join(outcome.reasons), activity="")
        return _with(run, state=RunState.RELEASING, activity="waits to be published")

    async def _release(self, run: Run) -> Run:
        plan = await self._plan(run)
        if not run.version:
            if await self._champion() != plan.champion:
                # Another was released meanwhile: compare with that one.
                return _with(run, state=RunState.EVALUATING, activity="waits to be examined again")
            version = await self.store.next_version(publish.newest(self.settings.model_folder))
            run = await self._write(
                run, version=version, activity=f"publishes version {version}", progress=0.92
            )
        report, models = results.report(plan.path), self.settings.model_folder
        manifest = Manifest(
            model="",
            version=run.version,
            run_id=run.run_id,
            parent_version=plan.champion,
            schema_hash=SCHEMA_HASH,
            tensorflow=report.tensorflow,
            window_start_ms=report.start_ms,
            window_end_ms=report.end_ms,
            created_ms=self.clock.now_ms(),
            metrics=run.metrics,
            privacy=report.privacy,
        )
        publish.keep_twin(plan.path / "twin", models, run.version)
        publish.publish(plan.path / "release", models, manifest)
        publish.keep_report(plan.path / PAGE, models, run.version)
        await self.store.add_release(
            Release(
                version=run.version,
                run_id=run.run_id,
                parent_version=plan.champion,
                metrics=run.metrics,
                schema_hash=SCHEMA_HASH,
                window_start_ms=report.start_ms,
                window_end_ms=report.end_ms,
                created_ms=manifest.created_ms,
            )
        )
        run = await self._write(run, activity=f"lets version {run.version} serve", progress=0.95)
        # Begun again after a crash it may have served already, and somebody may have gone back since.
        if (await self.store.release(run.version)).state == ReleaseState.STAGED:
            await self.releases.promote(run.version)
        return run

    async def _see_through(self, run: Run) -> Run:
        patience = self.settings.load_wait_seconds + LEASE_SECONDS
        activity = f"waits until version {run.version} serves"
        run = await self._write(run, activity=activity, progress=0.97, lease_seconds=patience)
        try:
            if self.server is not None:
                await releases.wait_until_served(self.server, run.version, self.settings.load_wait_seconds)
        except Unavailable as error:
            serving = await self.releases.withdraw(run.version)
            reason = f"{error.message}; {f'release {serving} serves again' if serving else 'nothing serves'}"
            return _with(run, state=RunState.FAILED, reason=reason, activity="")
        if self.index is not None:
            patience = self.settings.index_wait_seconds + LEASE_SECONDS
            run = await self._write(
                run, activity="waits for the index", progress=0.98, lease_seconds=patience
            )
            try:
                await releases.wait_until_indexed(self.index, run.version, self.settings.index_wait_seconds)
            except Unavailable as error:
                # The model serves and the other sources answer: not worth going back for.
                log.warning("release.index_late", run_id=run.run_id, problem=error.message)
        return _with(run, state=RunState.RELEASED, activity="", progress=1.0)

    async def _champion(self) -> int:
        return next(iter(await self.store.served()), 0)

    async def _plan(self, run: Run) -> Plan:
        champion = await self._champion() if not run.version else 0
        folder = (self.settings.model_folder / ".runs" / run.run_id).resolve()
        if run.state == RunState.RELEASING and (folder / "plan.json").exists():
            return plans.load(folder)
        plan = Plan(
            run_id=run.run_id,
            folder=str(folder),
            lake_folder=self.settings.lake_folder,
            as_of_ms=run.as_of_ms,
            seed=run.seed or 1,
            champion=champion,
            champion_folder=str(publish.exam_folder(self.settings.model_folder, champion).resolve()),
            ledger=str(self.settings.privacy_ledger),
            threads=self.settings.threads,
            retriever=self.settings.retriever,
            ranker=self.settings.ranker,
        )
        if (folder / results.REPORT).exists():  # it has learnt, whatever was adopted since
            learnt = plans.load(folder)
            plan = msgspec.structs.replace(plan, retriever=learnt.retriever, ranker=learnt.ranker)
        else:
            for model, chosen in (await self.searches.adopted()).items():
                plan = space.apply(plan, model, chosen)
        plan.save()
        return plan

    async def _child(self, run: Run, module: str, plan: Plan, low: float, high: float) -> Run:
        latest = run

        async def progress(news: News) -> None:
            nonlocal latest
            share = low + (high - low) * news.progress
            latest = await self._write(
                latest, activity=news.activity, progress=share, learning=_learning(news, latest.learning)
            )

        await child.run(
            module,
            plan,
            progress,
            memory_mb=self.settings.child_memory_mb,
            timeout_seconds=self.settings.child_timeout_seconds,
        )
        return _with(latest, learning=None)

    async def _write(self, run: Run, *, lease_seconds: float = LEASE_SECONDS, **changes: object) -> Run:
        run = _with(run, updated_ms=self.clock.now_ms(), **changes)
        await self.store.write(run, lease_ms=int(lease_seconds * 1000))
        return run

    async def _tidy(self, run: Run) -> None:
        """Leaves of a run that has ended nothing to go on from, and of all those that ended the newest."""
        models, keep = self.settings.model_folder, self.settings.keep_runs
        shutil.rmtree(models / ".runs" / run.run_id / results.PARTIAL, ignore_errors=True)
        busy, young_s = await self.store.open(), self.clock.now_ms() / 1000 - UNKNOWN_SECONDS
        runs = sorted((models / ".runs").glob("*"), key=_changed_s)
        for folder in [path for path in runs if path.name not in busy][:-keep]:
            # Several machines put their fit on record when it is done only.
            if not (folder / results.PARTIAL).exists() or _changed_s(folder) < young_s:
                shutil.rmtree(folder, ignore_errors=True)
        served = await self.store.served()
        gone = publish.retain(models, self.settings.keep_releases, served[:2])
        if gone:
            log.info("release.removed", versions=gone)


def _changed_s(path: Path) -> float:
    """When a folder was changed, 0 where another has removed it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _learning(news: News, before: Learning | None) -> Learning | None:
    """What is known of the fit: a word between fits has the time left only."""
    if news.stage:
        return Learning(
            stage=news.stage,
            step=news.step,
            loss=news.loss,
            metric=news.metric,
            measure=news.measure,
            left_seconds=news.left_seconds,
        )
    return msgspec.structs.replace(before or Learning(), left_seconds=news.left_seconds)


def _with(run: Run, **changes: object) -> Run:
    return msgspec.structs.replace(run, **changes)
