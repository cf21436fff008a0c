"""Runs through a real worker: two identical deliveries are one release, and a killed worker loses nothing."""

import asyncio
import contextlib
import fcntl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from tests.integration.training.conftest import Starter
from tests.unit.training import worlds

from magpie_services.kit.redis import Redis
from magpie_services.training import broker, publish
from magpie_services.training.records import ENDED, ReleaseState, RunState
from magpie_services.training.redis_store import RedisStore, open_run
from magpie_services.training.settings import TrainingSettings
from magpie_services.training.sweep import Sweep

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(300)]


def environment(redis_url: str, folder: Path) -> dict[str, str]:
    return {
        "MAGPIE_TRAINING_REDIS_URL": redis_url,
        "MAGPIE_TRAINING_LAKE_FOLDER": str(folder / "lake"),
        "MAGPIE_TRAINING_MODEL_FOLDER": str(folder / "models"),
        "MAGPIE_TRAINING_MODEL_SERVER_ADDRESS": "",
        "MAGPIE_TRAINING_CANDIDATE_ADDRESS": "",
        "MAGPIE_TRAINING_RETRIEVER_EPOCHS": "6",
        "MAGPIE_TRAINING_RETRIEVER_SECONDS": "3",
        "MAGPIE_TRAINING_RANKER_EPOCHS": "0",
    }


async def deliver(redis: Redis, redis_url: str, run_id: str, times: int) -> RunState:
    """Queues the same task several times and waits for the end of the run."""
    store = RedisStore(redis)
    await store.create(open_run(run_id, 0, 1, 1_000))
    producer = broker.create(TrainingSettings(redis_url=redis_url))
    for _ in range(times):
        producer.send_task(broker.RETRAIN, args=[run_id], queue=broker.TRAIN)
    producer.close()
    end = time.monotonic() + 240
    while (run := await store.run(run_id)).state not in ENDED:
        assert time.monotonic() < end, run
        await asyncio.sleep(0.3)
    return run.state


async def test_two_identical_deliveries_make_one_release(
    redis: Redis, redis_url: str, tmp_path: Path, start_worker: Starter
) -> None:
    worlds.lake(tmp_path / "lake", users=60, events=20, items=30, decisions=150)
    start_worker(environment(redis_url, tmp_path))
    state = await deliver(redis, redis_url, "run-a", 2)
    store = RedisStore(redis)
    assert state == RunState.RELEASED, (await store.run("run-a")).reason
    end = time.monotonic() + 30
    while await redis.exists("magpie:celery:train", "magpie:celery:publish", "magpie:celery:unacked"):
        assert time.monotonic() < end, "the second delivery is not done with"
        await asyncio.sleep(0.2)
    releases = await store.releases()
    assert [(one.version, one.state, one.run_id) for one in releases] == [(1, ReleaseState.STABLE, "run-a")]
    assert publish.complete(tmp_path / "models", 1)
    assert publish.versions(tmp_path / "models" / "ranker") == [1]
    assert not list((tmp_path / "models" / "ranker").glob(".staging-*"))
    assert "versions: 1" in (tmp_path / "models" / "models.config").read_text()
    assert releases[0].metrics["interactions"] > 0
    page = publish.report_page(tmp_path / "models", 1).read_text()
    assert "passed the gate" in page
    assert not (tmp_path / "models" / ".runs" / "run-a" / "partial").exists()


async def test_what_a_killed_worker_left_behind_is_taken_up(
    redis: Redis, redis_url: str, tmp_path: Path, start_worker: Starter
) -> None:
    settings = TrainingSettings(redis_url=redis_url)
    store, producer = RedisStore(redis), broker.create(settings)
    sweep = Sweep(store, lambda run_id: queue(producer, run_id))
    await store.create(open_run("run-c", 0, 1, 1_000))
    folder = tmp_path / "models" / ".runs" / "run-c"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as long as this is held, the fit child is in the midst of it
        await sweep.look()
        await sweep.look()  # the request that made the run died before it queued it
        worker = start_worker(environment(redis_url, tmp_path))
        await until(lambda: any("training.fit" in words for words in family(worker.pid)), 30)
        worker.kill()
        worker.wait()
        await until(lambda: not family(worker.pid), 10)
    assert (await store.run("run-c")).state == RunState.TRAINING
    await sweep.look()
    assert not await store.idle()  # as far as anybody knows, the worker is still at it
    await redis.delete("magpie:{models}:lease:run-c")  # a minute later
    await sweep.look()
    await sweep.look()
    producer.close()
    start_worker(environment(redis_url, tmp_path))
    end = time.monotonic() + 60
    while (run := await store.run("run-c")).state not in ENDED:
        assert time.monotonic() < end, run
        await asyncio.sleep(0.2)
    assert "too little to learn from" in run.reason
    assert not await redis.exists("magpie:{models}:open")


def queue(producer: Celery, run_id: str) -> None:
    producer.send_task(broker.RETRAIN, args=[run_id], queue=broker.TRAIN)


def family(session: int) -> list[str]:
    """Command lines of the processes that a worker started, itself too."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(status[3]) == session and status[0] != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
    return found


async def until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def test_a_run_without_data_fails_and_says_why(
    redis: Redis, redis_url: str, tmp_path: Path, start_worker: Starter
) -> None:
    start_worker(environment(redis_url, tmp_path))
    assert await deliver(redis, redis_url, "run-b", 1) == RunState.FAILED
    run = await RedisStore(redis).run("run-b")
    assert run.reason == "lake: has too little to learn from: 0 items and 0 interactions"
