"""The Celery tasks: a step of a run each, told only the run's id, with bounded retries that end in a reason;
and a trial of a search.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import structlog

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import candidate_service_pb2_grpc as candidate_grpc
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie_services.kit import channels, redis
from magpie_services.kit.clock import SystemClock
from magpie_services.kit.errors import Conflict, MagpieError, NotFound, Unavailable
from magpie_services.kit.prediction import Prediction
from magpie_services.training import broker
from magpie_services.training.app import app, settings
from magpie_services.training.child import ChildFailed
from magpie_services.training.redis_store import RedisStore
from magpie_services.training.release import CALL_SECONDS, Releases
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.search.work import Trials
from magpie_services.training.steps import Steps

MAX_RETRIES = 4
BUSY_SECONDS = 20
FIRST_PAUSE_SECONDS = 2
READS = ("magpie.v1.CandidateService/RetrieveCandidates",)

log = structlog.get_logger()


@app.task(name=broker.RETRAIN, bind=True, max_retries=MAX_RETRIES)
def retrain(task: Any, run_id: str) -> None:
    """Reads the lake and trains, in a process of its own."""
    _do(task, run_id)


@app.task(name=broker.EVALUATE, bind=True, max_retries=MAX_RETRIES)
def evaluate(task: Any, run_id: str) -> None:
    """Compares what was trained with the champion and refuses what is worse."""
    _do(task, run_id)


@app.task(name=broker.RELEASE, bind=True, max_retries=MAX_RETRIES)
def release(task: Any, run_id: str) -> None:
    """Publishes what passed and lets it serve."""
    _do(task, run_id)


@app.task(name=broker.REFRESH_INDEX, bind=True, max_retries=MAX_RETRIES)
def refresh_index(task: Any, run_id: str) -> None:
    """Waits until the release serves and the index of candidates has followed."""
    _do(task, run_id)


@app.task(name=broker.TRIAL, bind=True, max_retries=MAX_RETRIES)
def trial(task: Any, search_id: str, number: int) -> None:
    """One trial of a search, in a process of its own. Left behind it is queued again by the sweep."""
    try:
        asyncio.run(_trial(search_id, number))
    except (Conflict, NotFound) as error:
        log.info("trial.skipped", search_id=search_id, number=number, reason=error.message)
    except (Unavailable, OSError, ChildFailed) as error:
        log.warning("trial.retry", search_id=search_id, number=number, error=repr(error))
        raise task.retry(countdown=FIRST_PAUSE_SECONDS, exc=error) from None


async def _trial(search_id: str, number: int) -> None:
    client = redis.connect(settings.redis_url)
    try:
        await Trials(settings, SearchStore(client)).run(search_id, number, uuid.uuid4().hex)
    finally:
        await client.aclose()


def _do(task: Any, run_id: str) -> None:
    """One step, then the next task. What may pass is tried again; what will not, or not in time, fails the
    run.
    """
    worker = uuid.uuid4().hex
    try:
        following = asyncio.run(_step(task.name, run_id, worker))
    except NotFound:
        log.warning("run.unknown", run_id=run_id, task=task.name)
        return
    except Conflict as error:
        # A second delivery: either the first finishes, or its lease ends and this one takes over.
        log.info("run.busy", run_id=run_id, task=task.name)
        if task.request.retries < task.max_retries:
            raise task.retry(countdown=BUSY_SECONDS, exc=error) from None
        return
    except (Unavailable, OSError, ChildFailed) as error:
        final = isinstance(error, ChildFailed) and error.final
        if not final and task.request.retries < task.max_retries:
            log.warning("run.retry", run_id=run_id, task=task.name, error=repr(error))
            raise task.retry(countdown=FIRST_PAUSE_SECONDS * 2**task.request.retries, exc=error) from None
        _fail(run_id, _words(error), error)
        return
    except MagpieError as error:
        _fail(run_id, error.message, error)
        return
    except Exception as error:
        _fail(run_id, "an unexpected error, see the worker's log", error)
        raise
    if following:
        app.send_task(following, args=[run_id], queue=broker.ROUTES[following]["queue"])


def _words(error: Exception) -> str:
    if isinstance(error, ChildFailed | MagpieError):
        return str(error)
    return "a file could not be read or written, see the worker's log"


def _fail(run_id: str, reason: str, error: Exception) -> None:
    log.error("run.failed", run_id=run_id, reason=reason, error=repr(error))
    asyncio.run(_give_up(run_id, reason))


async def _step(step: str, run_id: str, worker: str) -> str:
    async with _steps() as wired:
        return await wired.run(step, run_id, worker)


async def _give_up(run_id: str, reason: str) -> None:
    async with _steps() as wired:
        await wired.fail(run_id, uuid.uuid4().hex, reason)


@asynccontextmanager
async def _steps() -> AsyncIterator[Steps]:
    """The steps wired to Redis, the model server and candidate, for the length of one task."""
    async with AsyncExitStack() as stack:
        client = redis.connect(settings.redis_url)
        stack.push_async_callback(client.aclose)
        store = RedisStore(client)
        server = index = None
        if settings.model_server_address:
            channel = channels.open_channel(settings.model_server_address)
            stack.push_async_callback(channel.close)
            server = Prediction(channel)
        if settings.candidate_address:
            channel = channels.open_channel(settings.candidate_address, retry_reads=READS)
            stack.push_async_callback(channel.close)
            index = _Index(candidate_grpc.CandidateServiceStub(channel)).version
        yield Steps(
            settings=settings,
            store=store,
            searches=SearchStore(client),
            releases=Releases(store, settings.model_folder, settings.served_model_folder),
            clock=SystemClock(),
            server=server,
            index=index,
        )


class _Index:
    """Which retriever the candidates come from, asked with the portrait of nobody."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    async def version(self) -> int:
        """Raises Unavailable where candidate does not answer."""
        request = candidate_pb.RetrieveCandidatesRequest(
            portraits=[portrait_pb.Portrait(user_id="magpie-release-check")], limit=1
        )
        try:
            response = await self._stub.RetrieveCandidates(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise Unavailable("candidate does not answer") from error
        return int(response.retriever_version)
