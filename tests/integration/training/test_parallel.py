"""Two real processes that learn one model: the same weights in both, and those of one process alone; and a
whole fit by two, that a worker would take over.
"""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.kit.redis import Redis
from magpie_services.training import progress, results
from magpie_services.training.progress import Point
from magpie_services.training.records import RunState
from magpie_services.training.redis_store import RedisStore

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(300)]

# Without dropout, whose draws differ from share to share.
PLAN = """
[retriever]
epochs = 2
patience = 9
seconds = 1e6
batch = 8
full_below = 100
dropout = 0
input_dropout = 0
id_dropout = 0
learning_rate = 1e-3
[ranker]
epochs = 0
"""
# What every process runs: the whole fit and one epoch of a ranker, together; the first does both alone, too.
# Models are kept in place of being exported, which takes long and is no matter of how many learn.
PROGRAM = """
import os
import sys
from pathlib import Path
import msgspec
import numpy as np
from tests.unit.training import worlds
from magpie_services.training import fit, parallel, progress, workers
from magpie_services.training import plan as plans
from magpie_services.training.plan import RankerPlan

out, member, addresses = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
group = workers.join(addresses, member)  # once a process
from magpie_services.training.ranking import fit as ranker_fit
from magpie_services.training.together import __main__ as together

kept = {}

def keep(name, model):
    kept.update({f"{name}/{at}": one.numpy() for at, one in enumerate(model.trainable_variables)})

def export(_, folder, retriever, data, ranker, private):
    folder.mkdir(exist_ok=True)
    keep(f"{folder.name}/retriever", retriever.model)

def ranker():
    plan = RankerPlan(epochs=1, seconds=1e6, width=8, rank=4, experts=2, expert_width=8, embedding=4)
    keep("ranker", ranker_fit.train(plan, worlds.rows(600), 3, progress.silent, epochs=1)[0])

fit._export = export
together.workers.join = lambda members, member: group
sys.argv = ["together", "--run", "both", "--member", str(member), "--members", *addresses]
together.main()
with parallel.joined(group):
    ranker()
np.savez(out, **kept)
if member == 0:
    both = plans.load(Path(os.environ["MAGPIE_TRAINING_MODEL_FOLDER"], ".runs", "both"))
    alone = msgspec.structs.replace(both, folder=str(both.path.with_name("alone")))
    alone.save()
    with progress.journal(alone.path, lambda news: None) as journal:
        fit.fit(alone, journal)
    ranker()
    np.savez(out.with_name("alone.npz"), **kept)
os._exit(0)
"""


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def launch(out: Path, member: int, addresses: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, **settings, "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        environment.pop(name, None)
    with out.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(out), str(member), *addresses],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=Path(__file__).parents[3],
        )


def wait(running: dict[Path, subprocess.Popen[bytes]]) -> None:
    """Until all have ended well. Keyed by their logs."""
    try:
        for log, process in running.items():
            assert process.wait(240) == 0, log.read_text()[-3_000:]
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()


async def test_two_processes_learn_what_one_does(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    worlds.lake(tmp_path / "lake", users=40, events=12, items=16, decisions=10)
    (tmp_path / "plan.toml").write_text(PLAN)
    settings = {
        "MAGPIE_TRAINING_REDIS_URL": redis_url,
        "MAGPIE_TRAINING_LAKE_FOLDER": str(tmp_path / "lake"),
        "MAGPIE_TRAINING_MODEL_FOLDER": str(tmp_path / "models"),
        "MAGPIE_TRAINING_PLAN_FILE": str(tmp_path / "plan.toml"),
    }
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    outs = [tmp_path / "first.npz", tmp_path / "second.npz"]
    running = {
        out.with_suffix(".log"): launch(out, place, addresses, settings) for place, out in enumerate(outs)
    }
    await asyncio.to_thread(wait, running)
    same_weights(*(dict(np.load(out)) for out in (*outs, tmp_path / "alone.npz")))
    run = await RedisStore(redis).run("both")
    assert run.state == RunState.QUEUED
    assert await redis.llen("magpie:celery:train") == 1
    runs = tmp_path / "models" / ".runs"
    same_curves(progress.curves(runs / "both"), progress.curves(runs / "alone"))
    fit_by_both(runs / "both")


def same_weights(
    first: dict[str, np.ndarray], second: dict[str, np.ndarray], alone: dict[str, np.ndarray]
) -> None:
    """In both processes, and about those of one that learns alone."""
    assert first.keys() == alone.keys()
    assert {name.partition("/")[0] for name in first} == {"twin", "release", "ranker"}
    for name, value in first.items():
        assert np.array_equal(value, second[name]), f"{name} differs between the two"
    # Sums are taken in another order, which Adam makes as much of as of a small gradient.
    for name in (name for name in first if not name.startswith("ranker")):
        apart = np.abs(first[name] - alone[name]).mean()
        assert apart < 0.05 * np.abs(alone[name]).mean() + 1e-4, name


def same_curves(both: dict[str, list[Point]], alone: dict[str, list[Point]]) -> None:
    assert both.keys() == alone.keys() == {"retriever", "retriever_all"}
    for stage, points in both.items():
        losses, usual = ([point.loss or 0.0 for point in curve] for curve in (points, alone[stage]))
        np.testing.assert_allclose(losses, usual, rtol=2e-3)


def fit_by_both(folder: Path) -> None:
    """What the worker looks for, and nothing of who helped."""
    assert results.report(folder).metrics["retriever_epochs"] >= 1
    assert sorted(found.name for found in folder.iterdir() if found.is_dir()) == [
        "release",
        "tensorboard",
        "twin",
    ]
