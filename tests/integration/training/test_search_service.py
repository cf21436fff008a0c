"""Searches and reports over real gRPC and a real Redis, without the training itself."""

from pathlib import Path

import grpc
import msgspec
import pytest
from tests.integration.training.test_release_service import Room, room

from magpie.v1 import release_service_pb2 as release_pb
from magpie_services.kit.clock import SystemClock
from magpie_services.kit.errors import Conflict
from magpie_services.training.redis_store import open_run
from magpie_services.training.search.records import Trial, TrialState
from magpie_services.training.search.space import Value
from magpie_services.training.search.work import MAX_BEGUN, Trials
from magpie_services.training.settings import TrainingSettings
from magpie_services.training.steps import Steps
from magpie_services.training.sweep import Sweep

__all__ = ["room"]


async def begin(room: Room, trials: int = 3, request_id: str = "s") -> release_pb.Search:
    request = release_pb.StartSearchRequest(
        model=release_pb.MODEL_RETRIEVER, trials=trials, seed=7, request_id=request_id
    )
    answer: release_pb.StartSearchResponse = await room.stub.StartSearch(request, timeout=5)
    return answer.search


async def end(room: Room, search_id: str, trial: Trial) -> None:
    await room.searches.claim(search_id, trial.number, "w")
    await room.searches.write(search_id, trial, "w")
    await room.searches.let_go(search_id, trial.number, "w")


async def test_a_search_is_a_task_for_each_trial(room: Room) -> None:
    search = await begin(room)
    assert (await begin(room)).search_id == search.search_id
    assert room.queued == [f"{search.search_id}/{number}" for number in range(3)]
    assert (search.wanted_trials, search.measure, search.done) == (3, "ndcg_at_10", False)
    assert not search.HasField("best_trial")


async def test_the_best_trial_is_adopted_by_later_retrainings(room: Room, tmp_path: Path) -> None:
    search_id = (await begin(room)).search_id
    adopt = release_pb.AdoptSearchRequest(search_id=search_id, request_id="a")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await room.stub.AdoptSearch(adopt, timeout=5)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    for number, (state, score) in enumerate(
        [(TrialState.FINISHED, 0.1), (TrialState.FINISHED, 0.2), (TrialState.PRUNED, 0.9)]
    ):
        drawn: dict[str, Value] = {"dropout": 0.1 * number, "encoder": "recurrent", "gone_since": 1}
        await end(room, search_id, Trial(number=number, state=state, score=score, settings=drawn))
    found = (await room.stub.GetSearch(release_pb.GetSearchRequest(search_id=search_id), timeout=5)).search
    assert found.done
    assert found.best_trial == 1
    adopt.request_id = "b"
    adopted = await room.stub.AdoptSearch(adopt, timeout=5)
    assert (adopted.model, adopted.settings["dropout"]) == (release_pb.MODEL_RETRIEVER, "0.1")

    settings = TrainingSettings(model_folder=tmp_path / "models")
    steps = Steps(
        settings=settings,
        store=room.store,
        searches=room.searches,
        releases=room.releases,
        clock=SystemClock(),
    )
    plan = await steps._plan(open_run("r", 0, 1, 1_000))
    assert (plan.retriever.dropout, plan.retriever.encoder) == (0.1, "recurrent")
    back = release_pb.AdoptSearchRequest(model=release_pb.MODEL_RETRIEVER, request_id="c")
    await room.stub.AdoptSearch(back, timeout=5)
    assert (await steps._plan(open_run("r", 0, 1, 1_000))).retriever == settings.retriever


async def test_bad_requests_name_the_field(room: Room) -> None:
    retriever = release_pb.MODEL_RETRIEVER
    bad = [
        (room.stub.StartSearch, release_pb.StartSearchRequest(trials=1, request_id="x"), "model"),
        (room.stub.StartSearch, release_pb.StartSearchRequest(model=retriever, request_id="x"), "trials"),
        (room.stub.StartSearch, release_pb.StartSearchRequest(model=retriever, trials=1), "request_id"),
        (room.stub.GetSearch, release_pb.GetSearchRequest(), "search_id"),
        (room.stub.AdoptSearch, release_pb.AdoptSearchRequest(request_id="x"), "model"),
    ]
    for method, request, field in bad:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await method(request, timeout=5)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert field in (refused.value.details() or "")


async def test_trials_left_behind_are_queued_again_and_no_two_workers_share_one(room: Room) -> None:
    search_id = (await begin(room, trials=2)).search_id
    room.queued.clear()
    sweep = Sweep(room.searches, room.queued.append)
    await room.searches.claim(search_id, 0, "a")
    with pytest.raises(Conflict):
        await room.searches.claim(search_id, 0, "b")
    with pytest.raises(Conflict):
        await room.searches.write(search_id, Trial(number=0), "b")
    for _ in range(2):
        await sweep.look()
    assert room.queued == [f"{search_id}/1"]
    await room.searches.let_go(search_id, 0, "a")
    for number in range(2):
        await end(room, search_id, Trial(number=number, state=TrialState.FAILED, reason="x"))
    assert await room.searches.idle() == []


async def test_a_report_is_read_by_run_and_by_release(room: Room) -> None:
    folder = room.models / ".runs" / "run-1"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<p>of the run</p>")
    found = await room.stub.GetTrainingReport(release_pb.GetTrainingReportRequest(run_id="run-1"), timeout=5)
    assert (found.html, found.run_id) == ("<p>of the run</p>", "run-1")
    await room.publish(1)
    by_version = release_pb.GetTrainingReportRequest(version=1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await room.stub.GetTrainingReport(by_version, timeout=5)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    (room.models / "ranker" / "1.report.html").write_text("<p>kept</p>")
    assert (await room.stub.GetTrainingReport(by_version, timeout=5)).html == "<p>kept</p>"


def test_trials_are_plain_json() -> None:
    trial = Trial(number=1, score=0.5, settings={"encoder": "recurrent", "blocks": 2, "logq": True})
    assert msgspec.json.decode(msgspec.json.encode(trial), type=Trial) == trial


async def test_a_trial_that_takes_its_worker_along_is_given_up(room: Room) -> None:
    search_id = (await begin(room, trials=1)).search_id
    await end(room, search_id, Trial(number=0, tries=MAX_BEGUN))
    await Trials(TrainingSettings(model_folder=room.models), room.searches).run(search_id, 0, "one")
    trial = (await room.searches.search(search_id)).trials[0]
    assert (trial.state, trial.reason) == (TrialState.FAILED, "was begun 10 times and never came to an end")
