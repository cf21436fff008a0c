"""ReleaseService over gRPC: asks for runs, reads them, and moves what serves forth and back."""

import asyncio
import secrets
import uuid
from typing import Any

import grpc
import structlog

from magpie.v1 import release_service_pb2 as release_pb
from magpie.v1 import release_service_pb2_grpc as release_grpc
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid, Unavailable
from magpie_services.kit.idempotency import Answers
from magpie_services.training.records import Learning, Release, ReleaseState, Run, RunState
from magpie_services.training.redis_store import RedisStore, open_run
from magpie_services.training.release import Releases
from magpie_services.training.reports import Reports
from magpie_services.training.search import messages
from magpie_services.training.search.ask import Searches
from magpie_services.training.sweep import Enqueue
from magpie_services.wire import values

MAX_REASON_CHARS = 500
DEFAULT_PAGE, MAX_PAGE = 50, 200
MAX_SEED = 2**31 - 1
MAX_RUN_ID_CHARS = 128
MAX_TRIALS = 1_000

_RUN_STATES = values.numbers(RunState, "RUN_STATE", dict(release_pb.RunState.items()))
_RELEASE_STATES = values.numbers(ReleaseState, "RELEASE_STATE", dict(release_pb.ReleaseState.items()))

Context = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger()


class ReleaseServicer(release_grpc.ReleaseServiceServicer):
    """The RPCs of release_service.proto."""

    def __init__(
        self,
        store: RedisStore,
        releases: Releases,
        answers: Answers,
        enqueue: Enqueue,
        clock: Clock,
        searches: Searches,
        reports: Reports,
    ) -> None:
        self._store = store
        self._releases = releases
        self._answers = answers
        self._enqueue = enqueue
        self._clock = clock
        self._searches = searches
        self._reports = reports

    async def RequestRetraining(
        self, request: release_pb.RequestRetrainingRequest, context: Context
    ) -> release_pb.RequestRetrainingResponse:
        as_of_ms = self._as_of(request)

        async def work() -> bytes:
            seed = request.seed or secrets.randbelow(MAX_SEED) + 1
            run = open_run(f"run-{uuid.uuid4().hex[:16]}", as_of_ms, seed, self._clock.now_ms())
            await self._store.create(run)
            try:
                await asyncio.to_thread(self._enqueue, run.run_id)
            except Unavailable as error:  # it is on record: the sweep puts it into the queue
                log.warning("run.not_queued", run_id=run.run_id, problem=error.message)
            return run.run_id.encode()

        answer = await self._answers.once(
            "ReleaseService/RequestRetraining", request.request_id, request, work
        )
        run = await self._store.run(answer.decode())
        return release_pb.RequestRetrainingResponse(run=_run(run))

    async def GetRun(self, request: release_pb.GetRunRequest, context: Context) -> release_pb.GetRunResponse:
        if not 0 < len(request.run_id) <= MAX_RUN_ID_CHARS:
            raise Invalid("run_id", f"must be 1 to {MAX_RUN_ID_CHARS} characters")
        return release_pb.GetRunResponse(run=_run(await self._store.run(request.run_id)))

    async def ListReleases(
        self, request: release_pb.ListReleasesRequest, context: Context
    ) -> release_pb.ListReleasesResponse:
        if not 0 <= request.page_size <= MAX_PAGE:
            raise Invalid("page_size", f"must be 0 to {MAX_PAGE}")
        if request.page_token and not (request.page_token.isdecimal() and len(request.page_token) <= 18):
            raise Invalid("page_token", "is not one that this service gave")
        below = int(request.page_token) if request.page_token else None
        found = [one for one in await self._store.releases() if below is None or one.version < below]
        size = request.page_size or DEFAULT_PAGE
        page = found[:size]
        token = str(page[-1].version) if len(found) > size else ""
        return release_pb.ListReleasesResponse(releases=map(_release, page), next_page_token=token)

    async def PromoteRelease(
        self, request: release_pb.PromoteReleaseRequest, context: Context
    ) -> release_pb.PromoteReleaseResponse:
        if request.version <= 0:
            raise Invalid("version", "is required")

        async def work() -> bytes:
            await self._releases.promote(request.version)
            release = await self._store.release(request.version)
            return release_pb.PromoteReleaseResponse(release=_release(release)).SerializeToString()

        answer = await self._answers.once("ReleaseService/PromoteRelease", request.request_id, request, work)
        return release_pb.PromoteReleaseResponse.FromString(answer)

    async def RollbackRelease(
        self, request: release_pb.RollbackReleaseRequest, context: Context
    ) -> release_pb.RollbackReleaseResponse:
        if len(request.reason) > MAX_REASON_CHARS:
            raise Invalid("reason", f"has more than {MAX_REASON_CHARS} characters")

        async def work() -> bytes:
            release = await self._store.release(await self._releases.roll_back())
            return release_pb.RollbackReleaseResponse(release=_release(release)).SerializeToString()

        answer = await self._answers.once("ReleaseService/RollbackRelease", request.request_id, request, work)
        return release_pb.RollbackReleaseResponse.FromString(answer)

    async def GetTrainingReport(
        self, request: release_pb.GetTrainingReportRequest, context: Context
    ) -> release_pb.GetTrainingReportResponse:
        if request.version < 0:
            raise Invalid("version", "must not be negative")
        run_id, html = await self._reports.page(request.run_id, request.version)
        return release_pb.GetTrainingReportResponse(html=html, run_id=run_id)

    async def StartSearch(
        self, request: release_pb.StartSearchRequest, context: Context
    ) -> release_pb.StartSearchResponse:
        if request.model not in messages.MODELS:
            raise Invalid("model", "is required")
        if not 0 < request.trials <= MAX_TRIALS:
            raise Invalid("trials", f"must be 1 to {MAX_TRIALS}")
        as_of_ms = self._as_of(request)

        async def work() -> bytes:
            seed = request.seed or secrets.randbelow(MAX_SEED) + 1
            model, now_ms = messages.MODELS[request.model], self._clock.now_ms()
            return (await self._searches.begin(model, request.trials, as_of_ms, seed, now_ms)).encode()

        answer = await self._answers.once("ReleaseService/StartSearch", request.request_id, request, work)
        search = await self._searches.store.search(answer.decode())
        return release_pb.StartSearchResponse(search=messages.search_to_proto(search))

    async def GetSearch(
        self, request: release_pb.GetSearchRequest, context: Context
    ) -> release_pb.GetSearchResponse:
        if not 0 < len(request.search_id) <= MAX_RUN_ID_CHARS:
            raise Invalid("search_id", f"must be 1 to {MAX_RUN_ID_CHARS} characters")
        search = await self._searches.store.search(request.search_id)
        return release_pb.GetSearchResponse(search=messages.search_to_proto(search))

    async def AdoptSearch(
        self, request: release_pb.AdoptSearchRequest, context: Context
    ) -> release_pb.AdoptSearchResponse:
        if len(request.search_id) > MAX_RUN_ID_CHARS:
            raise Invalid("search_id", f"has more than {MAX_RUN_ID_CHARS} characters")
        if bool(request.search_id) == (request.model in messages.MODELS):
            raise Invalid("model", "is required without a search, and only then")

        async def work() -> bytes:
            if request.search_id:
                model, settings = await self._searches.adopt(request.search_id)
            else:
                model, settings = messages.MODELS[request.model], {}
                await self._searches.store.adopt(model, settings)
            return release_pb.AdoptSearchResponse(
                model=messages.NUMBERS[model],  # type: ignore[arg-type]
                settings=messages.texts(settings),
            ).SerializeToString()

        answer = await self._answers.once("ReleaseService/AdoptSearch", request.request_id, request, work)
        return release_pb.AdoptSearchResponse.FromString(answer)

    def _as_of(self, request: release_pb.RequestRetrainingRequest | release_pb.StartSearchRequest) -> int:
        """The end of what is to be learnt from in ms, 0 for all. Raises Invalid."""
        if not request.HasField("as_of_time"):
            return 0
        as_of_ms = values.milliseconds(request.as_of_time)
        if as_of_ms <= 0:  # 0 would mean all
            raise Invalid("as_of_time", "is not after the start of 1970")
        if as_of_ms > self._clock.now_ms():
            raise Invalid("as_of_time", "is in the future")
        return as_of_ms


def _run(run: Run) -> release_pb.Run:
    return release_pb.Run(
        run_id=run.run_id,
        state=_RUN_STATES[run.state],  # type: ignore[arg-type]
        activity=run.activity,
        progress=run.progress,
        metrics=run.metrics,
        reason=run.reason,
        version=run.version,
        create_time=values.timestamp(run.created_ms),
        update_time=values.timestamp(run.updated_ms),
        learning=_learning(run.learning),
    )


def _learning(learning: Learning | None) -> release_pb.Learning | None:
    if learning is None:
        return None
    found = release_pb.Learning(
        stage=learning.stage,
        epoch=learning.step,
        loss=learning.loss,
        metric=learning.metric,
        measure=learning.measure,
    )
    if learning.left_seconds is not None:
        found.time_left.FromMilliseconds(int(1000 * learning.left_seconds))
    return found


def _release(release: Release) -> release_pb.Release:
    return release_pb.Release(
        version=release.version,
        state=_RELEASE_STATES[release.state],  # type: ignore[arg-type]
        run_id=release.run_id,
        parent_version=release.parent_version,
        metrics=release.metrics,
        schema_hash=release.schema_hash,
        window_start_time=values.timestamp(release.window_start_ms),
        window_end_time=values.timestamp(release.window_end_ms),
        create_time=values.timestamp(release.created_ms),
    )
