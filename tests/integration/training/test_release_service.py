"""Runs and releases over real gRPC and a real Redis, without the training itself."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from magpie.v1 import release_service_pb2 as release_pb
from magpie.v1 import release_service_pb2_grpc as release_grpc
from magpie_services.kit import serving
from magpie_services.kit.clock import SystemClock
from magpie_services.kit.errors import Conflict, Unavailable
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.redis import Redis
from magpie_services.training.broker import RETRAIN
from magpie_services.training.publish import MODELS
from magpie_services.training.records import Release, ReleaseState, RunState
from magpie_services.training.redis_store import RedisStore, open_run
from magpie_services.training.release import CONFIG, Releases, wait_until_indexed, wait_until_served
from magpie_services.training.reports import Reports
from magpie_services.training.search.ask import Searches
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.servicer import ReleaseServicer
from magpie_services.training.settings import TrainingSettings
from magpie_services.training.steps import MAX_TRIES, Steps
from magpie_services.training.sweep import Sweep


@dataclass
class Room:
    stub: Any
    store: RedisStore
    searches: SearchStore
    releases: Releases
    models: Path
    queued: list[str]
    servicer: ReleaseServicer

    async def publish(self, version: int, *, promote: bool = True) -> None:
        for model in MODELS:
            (self.models / model / str(version)).mkdir(parents=True)
        await self.store.add_release(
            Release(
                version=version,
                run_id=f"run-{version}",
                parent_version=version - 1,
                metrics={"ndcg_at_10": 0.1},
                schema_hash="h",
                window_start_ms=1_000,
                window_end_ms=2_000,
                created_ms=3_000,
            )
        )
        if promote:
            await self.releases.promote(version)

    @property
    def config(self) -> str:
        return (self.models / CONFIG).read_text()


@pytest.fixture
async def room(redis: Redis, tmp_path: Path) -> AsyncIterator[Room]:
    store, queued = RedisStore(redis), list[str]()
    releases = Releases(store, tmp_path / "models")
    searches = Searches(SearchStore(redis), queued.append)
    reports = Reports(store, tmp_path / "models")
    servicer = ReleaseServicer(
        store, releases, Answers(redis), queued.append, SystemClock(), searches, reports
    )
    settings = TrainingSettings(listen="127.0.0.1:0", model_folder=tmp_path / "models", grace_seconds=0)
    async with (
        serving.running(
            settings, lambda server: release_grpc.add_ReleaseServiceServicer_to_server(servicer, server)
        ) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        stub = release_grpc.ReleaseServiceStub(channel)
        yield Room(stub, store, searches.store, releases, tmp_path / "models", queued, servicer)


async def test_the_same_request_id_is_the_same_run_and_one_task(room: Room) -> None:
    request = release_pb.RequestRetrainingRequest(request_id="one", seed=5)
    first = (await room.stub.RequestRetraining(request, timeout=5)).run
    again = (await room.stub.RequestRetraining(request, timeout=5)).run
    assert first.run_id == again.run_id
    assert room.queued == [first.run_id]
    assert first.state == release_pb.RUN_STATE_QUEUED
    assert (await room.stub.GetRun(release_pb.GetRunRequest(run_id=first.run_id), timeout=5)).run == first
    assert (await room.store.run(first.run_id)).seed == 5


async def test_bad_requests_name_the_field(room: Room) -> None:
    future = release_pb.RequestRetrainingRequest(request_id="x")
    future.as_of_time.seconds = 10_000_000_000
    epoch = release_pb.RequestRetrainingRequest(request_id="x")
    epoch.as_of_time.SetInParent()  # present, and zero inside
    bad = [
        (room.stub.RequestRetraining, release_pb.RequestRetrainingRequest(), "request_id"),
        (room.stub.RequestRetraining, future, "as_of_time"),
        (room.stub.RequestRetraining, epoch, "as_of_time"),
        (room.stub.GetRun, release_pb.GetRunRequest(run_id="x" * 129), "run_id"),
        (room.stub.ListReleases, release_pb.ListReleasesRequest(page_token="9" * 5_000), "page_token"),
        (room.stub.GetRun, release_pb.GetRunRequest(), "run_id"),
        (room.stub.GetTrainingReport, release_pb.GetTrainingReportRequest(), "run_id"),
        (room.stub.GetTrainingReport, release_pb.GetTrainingReportRequest(run_id="../x"), "run_id"),
        (room.stub.ListReleases, release_pb.ListReleasesRequest(page_size=201), "page_size"),
        (room.stub.ListReleases, release_pb.ListReleasesRequest(page_token="x"), "page_token"),
        (room.stub.PromoteRelease, release_pb.PromoteReleaseRequest(request_id="x"), "version"),
        (
            room.stub.RollbackRelease,
            release_pb.RollbackReleaseRequest(request_id="x", reason="x" * 501),
            "reason",
        ),
    ]
    for method, request, field in bad:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await method(request, timeout=5)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert field in (caught.value.details() or "")


async def test_an_unknown_run_is_not_found(room: Room) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await room.stub.GetRun(release_pb.GetRunRequest(run_id="nobody"), timeout=5)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_releases_are_listed_newest_first_in_pages(room: Room) -> None:
    for version in range(1, 6):
        await room.publish(version, promote=version != 5)
    first = await room.stub.ListReleases(release_pb.ListReleasesRequest(page_size=2), timeout=5)
    rest = await room.stub.ListReleases(
        release_pb.ListReleasesRequest(page_size=3, page_token=first.next_page_token), timeout=5
    )
    listed = [*first.releases, *rest.releases]
    assert [one.version for one in listed] == [5, 4, 3, 2, 1]
    assert rest.next_page_token == ""
    assert [one.state for one in listed[:3]] == [
        release_pb.RELEASE_STATE_STAGED,
        release_pb.RELEASE_STATE_STABLE,
        release_pb.RELEASE_STATE_RETIRED,
    ]


async def test_back_and_forth_and_the_model_server_is_told(room: Room) -> None:
    await room.publish(1)
    await room.publish(2)
    assert room.config.count("versions: 2") == 2
    back = await room.stub.RollbackRelease(release_pb.RollbackReleaseRequest(request_id="r"), timeout=5)
    assert (back.release.version, back.release.state) == (1, release_pb.RELEASE_STATE_STABLE)
    assert room.config.count("versions: 1") == 2
    assert (await room.store.release(2)).state == ReleaseState.ROLLED_BACK
    again = await room.stub.RollbackRelease(release_pb.RollbackReleaseRequest(request_id="r"), timeout=5)
    assert again == back
    forth = await room.stub.PromoteRelease(
        release_pb.PromoteReleaseRequest(version=2, request_id="p"), timeout=5
    )
    assert (forth.release.version, forth.release.state) == (2, release_pb.RELEASE_STATE_STABLE)
    assert room.config.count("versions: 2") == 2


async def test_nothing_to_go_back_to(room: Room) -> None:
    await room.publish(1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await room.stub.RollbackRelease(release_pb.RollbackReleaseRequest(request_id="r"), timeout=5)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert room.config.count("versions: 1") == 2


async def test_a_release_whose_files_are_gone_is_not_promoted(room: Room) -> None:
    await room.publish(1)
    await room.publish(2)
    (room.models / "ranker" / "1").rmdir()
    for call in (
        room.stub.PromoteRelease(release_pb.PromoteReleaseRequest(version=1, request_id="p"), timeout=5),
        room.stub.RollbackRelease(release_pb.RollbackReleaseRequest(request_id="r"), timeout=5),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert await room.store.served() == [2, 1]


async def test_a_run_has_one_writer(room: Room) -> None:
    await room.store.create(open_run("r", 0, 1, 1_000))
    first = await room.store.claim("r", "one")
    with pytest.raises(Conflict):
        await room.store.claim("r", "two")
    await room.store.let_go("r", "one")
    second = await room.store.claim("r", "two")
    with pytest.raises(Conflict):  # the first was only slow: it must not overwrite
        await room.store.write(msgspec.structs.replace(first, state=RunState.RELEASED))
    await room.store.write(msgspec.structs.replace(second, state=RunState.TRAINING))
    assert (await room.store.run("r")).state == RunState.TRAINING


async def test_a_run_that_stands_still_is_queued_again_and_ever_less_often(room: Room) -> None:
    sweep = Sweep(room.store, room.queued.append)
    await room.store.create(open_run("r", 0, 1, 1_000))
    looks = []
    for _ in range(9):
        await sweep.look()
        looks.append(len(room.queued))
    assert looks == [0, 1, 1, 2, 2, 2, 2, 3, 3]
    taken = await room.store.claim("r", "one")
    await sweep.look()
    await sweep.look()
    await room.store.let_go("r", "one")
    await sweep.look()
    assert len(room.queued) == 3  # somebody was at it: it is looked at anew
    await room.store.write(msgspec.structs.replace(taken, state=RunState.FAILED))
    await room.store.let_go("r", "one")
    assert not await room.store.idle()


async def test_a_queue_that_is_away_leaves_the_run_to_the_sweep(room: Room) -> None:
    def away(run_id: str) -> None:
        raise Unavailable("the task queue is unavailable")

    room.servicer._enqueue = away
    run = (
        await room.stub.RequestRetraining(release_pb.RequestRetrainingRequest(request_id="q"), timeout=5)
    ).run
    assert run.state == release_pb.RUN_STATE_QUEUED
    assert [one.run_id for one in await room.store.idle()] == [run.run_id]


async def test_a_step_that_takes_its_worker_along_is_given_up(room: Room, tmp_path: Path) -> None:
    settings = TrainingSettings(model_folder=tmp_path / "models")
    steps = Steps(
        settings=settings,
        store=room.store,
        searches=room.searches,
        releases=room.releases,
        clock=SystemClock(),
    )
    await room.store.create(msgspec.structs.replace(open_run("r", 0, 1, 1_000), tries=MAX_TRIES))
    assert await steps.run(RETRAIN, "r", "one") == ""
    run = await room.store.run("r")
    assert (run.state, run.reason) == (RunState.FAILED, "was begun 10 times and never came to an end")


async def test_of_runs_that_ended_the_newest_stay_and_none_to_go_on_from(room: Room) -> None:
    settings = TrainingSettings(model_folder=room.models, keep_runs=2)
    parts = {"store": room.store, "searches": room.searches, "releases": room.releases}
    steps = Steps(settings=settings, clock=SystemClock(), **parts)  # type: ignore[arg-type]
    for number, name in enumerate(("open", "a", "b", "unknown", "c")):
        folder = room.models / ".runs" / name
        (folder / "partial").mkdir(parents=True)
        os.utime(folder, (time.time() + number - 99,) * 2)
        if name != "unknown":  # several machines are at that one
            await room.store.create(open_run(name, 0, 1, 1_000))
    for number, name in enumerate(("a", "b", "c")):
        await steps.fail(name, "one", "had no luck")
        # Folders changed within one tick of the file system's clock have no order.
        os.utime(room.models / ".runs" / name, (time.time() + number - 9,) * 2)
    left = {path.name: (path / "partial").exists() for path in (room.models / ".runs").iterdir()}
    assert left == {"open": True, "unknown": True, "b": False, "c": False}


async def test_versions_only_grow(room: Room) -> None:
    assert [await room.store.next_version(floor) for floor in (0, 0, 7, 3)] == [1, 2, 8, 9]


async def test_a_late_worker_does_not_take_back_a_successor(room: Room) -> None:
    for version in (1, 2):
        await room.publish(version)
    assert await room.releases.withdraw(1) == 2
    assert await room.releases.withdraw(2) == 1
    assert room.config.count("versions: 1") == 2


class Server:
    """A model server that has its answers ready."""

    def __init__(self, *states: str) -> None:
        self._states = list(states)

    async def status(self, model: str, *, timeout_seconds: float = 5.0) -> list[tuple[int, str]]:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return [(3, state)]


async def test_waiting_for_the_model_server() -> None:
    await wait_until_served(Server("LOADING", "AVAILABLE"), 3, 5.0)
    with pytest.raises(Unavailable, match="did not serve release 3"):
        await wait_until_served(Server("LOADING"), 3, 0.1)
    with pytest.raises(Unavailable, match="could not load retriever 3"):
        await wait_until_served(Server("LOADING", "END"), 3, 5.0)


async def test_waiting_for_the_index() -> None:
    versions = iter([1, 2, 3])

    async def index() -> int:
        return next(versions)

    await wait_until_indexed(index, 3, 5.0)
