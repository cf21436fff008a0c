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

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(900)]
# Time boxes that are never reached: only epochs end these fits.
RETRIEVER = RetrieverPlan(epochs=3, patience=10, seconds=1e6, negatives=16, batch=16)
RANKER = RankerPlan(epochs=2, seconds=1e6)


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


def start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "magpie_services.training.fit", "--run", str(folder)]
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    log = (folder / "stderr").open("a")
    with log:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)


def killed_after(folder: Path, stage: str, step: int) -> None:
    """Starts a fit and kills it without ceremony once it has told of an epoch that it then kept."""
    child = start(folder)
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


def ended(folder: Path) -> list[dict[str, Any]]:
    child = start(folder)
    try:
        words, _ = child.communicate(timeout=400)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0, (folder / "stderr").read_text()
    return [json.loads(line) for line in words.splitlines()]


def variables(folder: Path) -> dict[str, np.ndarray]:
    import tensorflow as tf

    found = {}
    for model in ("retriever", "ranker"):
        for bundle in ("twin", "release"):
            reader = tf.train.load_checkpoint(str(folder / bundle / model / "variables" / "variables"))
            for name in reader.get_variable_to_shape_map():
                if "OBJECT_GRAPH" not in name:
                    found[f"{bundle}/{model}/{name}"] = reader.get_tensor(name)
    return found


def test_a_killed_fit_ends_with_the_same_weights(tmp_path: Path) -> None:
    worlds.lake(tmp_path / "lake", users=50, events=16, items=24, decisions=300)
    peace, trouble = tmp_path / "peace", tmp_path / "trouble"
    plan(peace)
    ended(peace)
    plan(trouble)
    killed_after(trouble, "retriever", 2)
    told = ended(trouble)
    # The last try neither read the lake nor did an epoch again that an earlier one had kept.
    assert not [one for one in told if one["activity"] == "reading the lake"]
    assert [one["step"] for one in told if one.get("stage") == "retriever"] == [3]
    mine, theirs = variables(trouble), variables(peace)
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(value, theirs[name], rtol=1e-5, atol=1e-6, err_msg=name)
        else:
            assert np.array_equal(value, theirs[name]), name
    assert not (trouble / "partial").exists()  # people's histories stay no longer than they are needed
    curves = progress.curves(trouble)
    assert [point.step for point in curves["retriever"]] == [1, 2, 3]
    assert "<svg" in (trouble / "report.html").read_text()
