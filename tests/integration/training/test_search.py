"""A search by real workers: one killed in the midst of a trial loses that trial's time and nothing more."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from celery import Celery
from tests.integration.training.conftest import Starter
from tests.integration.training.test_worker import environment, until
from tests.unit.training import worlds

from magpie_services.kit.redis import Redis
from magpie_services.training import broker
from magpie_services.training.search.ask import Searches
from magpie_services.training.search.records import Search
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.settings import TrainingSettings
from magpie_services.training.sweep import Sweep

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(300)]
TRIALS = 2


async def until_ended(store: SearchStore, search_id: str, count: int) -> Search:
    end = time.monotonic() + 200
    while True:
        search = await store.search(search_id)
        if sum(trial.ended for trial in search.trials.values()) >= count:
            return search
        assert time.monotonic() < end, search
        await asyncio.sleep(0.1)


async def test_a_killed_worker_loses_one_trial(
    redis: Redis, redis_url: str, tmp_path: Path, start_worker: Starter
) -> None:
    worlds.lake(tmp_path / "lake", users=60, events=20, items=30, decisions=300)
    store, producer = SearchStore(redis), broker.create(TrainingSettings(redis_url=redis_url))

    def enqueue(name: str) -> None:
        queue(producer, name)

    search_id = await Searches(store, enqueue).begin("ranker", TRIALS, 0, 3, 1_000)
    settings = environment(redis_url, tmp_path) | {"MAGPIE_TRAINING_RANKER_EPOCHS": "2"}
    worker = start_worker(settings)
    first = await until_ended(store, search_id, 1)
    # The next trial has begun when its child has its plan and draws its settings.
    plan = tmp_path / "models" / ".searches" / search_id / "trial-1" / "plan.json"
    await until(plan.exists, 60)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    kept = (await store.search(search_id)).trials[0]
    assert kept == first.trials[0]

    await redis.delete(f"magpie:{{models}}:search-lease:{search_id}:1")  # a minute later
    sweep = Sweep(store, enqueue)
    for _ in range(2):
        await sweep.look()
    start_worker(settings)
    search = await until_ended(store, search_id, TRIALS)
    producer.close()
    assert search.done
    assert search.trials[0] == kept
    assert [trial.number for trial in search.trials.values()] == list(range(TRIALS))
    assert all(trial.score is not None for trial in search.trials.values()), search
    assert search.trials[1].tries == 2
    settings_tried = {str(trial.settings) for trial in search.trials.values()}
    assert len(settings_tried) == TRIALS
    best = search.best(higher_is_better=False)
    assert best is not None
    end = time.monotonic() + 20
    while await redis.exists(f"magpie:{{models}}:study:{search_id}:log_number"):
        assert time.monotonic() < end, "the study is still there"
        await asyncio.sleep(0.1)
    assert not (tmp_path / "models" / ".searches" / search_id).exists()


def queue(producer: Celery, name: str) -> None:
    search_id, _, number = name.rpartition("/")
    producer.send_task(broker.TRIAL, args=[search_id, int(number)], queue=broker.SEARCH)
