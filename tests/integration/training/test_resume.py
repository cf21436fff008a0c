"""A fit that is killed in the midst of it goes on where it was, to the same weights as one left in peace."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.training import progress
from magpie_services.training.plan import Plan, RankerPlan, RetrieverPlan
from magpie_services.training.progress import News

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(900)]
# Time boxes that are never reached: only epochs end these fits.
RETRIEVER = RetrieverPlan(epochs=3, patience=10, seconds=1e6, negatives=16, batch=16)
# It is the retriever that is killed; of rankers see test_resume_fits.
RANKER = RankerPlan(epochs=0, width=8, rank=4, experts=2, expert_width=8, embedding=4)


def plan(folder: Path) -> Plan:
    made = Plan(
        run_id=folder.name,
        folder=str(folder),
        lake_folder=str(folder.parent / "lake"),
        seed=5,
        threads=1,
        retriever=RETRIEVER,
        ranker=RANKER,
    )
    made.save()
    return made


def killed_after(folder: Path, stage: str, step: int) -> None:
    """Starts a fit and kills it without ceremony once it has told of an epoch that it then kept."""
    command = [sys.executable, "-m", "magpie_services.training.fit", "--run", str(folder)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    with (folder / "stderr").open("a") as log:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    assert child.stdout is not None
    for line in child.stdout:
        told = json.loads(line)
        if (told.get("stage"), told.get("step", 0)) == (stage, step):
            kept = list((folder / "partial").glob(f"*/{stage}.npz"))
            end = time.monotonic() + 30
            while not (kept and _epoch(kept[0]) >= step):
                assert time.monotonic() < end
                time.sleep(0.01)
                kept = list((folder / "partial").glob(f"*/{stage}.npz"))
            child.send_signal(signal.SIGKILL)
            break
    child.stdout.close()
    assert child.wait(30) == -signal.SIGKILL, (folder / "stderr").read_text()


def _epoch(path: Path) -> int:
    with path.open("rb") as file, np.load(file) as held:
        return int(json.loads(str(held["told"]))["numbers"]["epoch"])


def left(folder: Path) -> tuple[list[News], dict[str, np.ndarray]]:
    """What a fit in this process says and learns: TensorFlow takes long to import, and to export with."""
    from magpie_services.training import export, fit

    told: list[News] = []
    found: dict[str, np.ndarray] = {}

    def kept(model: Any, folder: Path) -> None:
        found.update({f"{folder}/{at}": np.asarray(one) for at, one in enumerate(model.variables)})

    with pytest.MonkeyPatch.context() as patch, progress.journal(folder, told.append) as journal:
        patch.setattr(export, "save_ranker", lambda model, to, average: kept(model, to.relative_to(folder)))
        patch.setattr(
            export,
            "save_retriever",
            lambda model, ids, to, table, weight: kept(model, to.relative_to(folder)),
        )
        fit.fit(plan(folder), journal)
    return told, found


def test_a_killed_fit_ends_with_the_same_weights(tmp_path: Path) -> None:
    worlds.lake(tmp_path / "lake", users=40, events=12, items=24, decisions=200)
    plan(tmp_path / "trouble")
    killed_after(tmp_path / "trouble", "retriever", 2)
    told, mine = left(tmp_path / "trouble")
    # Neither read the lake nor did an epoch again that an earlier try had kept.
    assert not [one for one in told if one.activity == "reading the lake"]
    assert [one.step for one in told if one.stage == "retriever"] == [3]
    curves = progress.curves(tmp_path / "trouble")
    assert [point.step for point in curves["retriever"]] == [1, 2, 3]
    _, theirs = left(tmp_path / "peace")
    assert mine.keys() == theirs.keys()
    assert {name.rpartition("/")[0] for name in mine} == {
        f"{bundle}/{model}" for bundle in ("twin", "release") for model in ("retriever", "ranker")
    }
    for name, value in mine.items():
        np.testing.assert_allclose(value, theirs[name], rtol=1e-5, atol=1e-6, err_msg=name)
