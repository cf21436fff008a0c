"""The models on JAX answer and learn what they do on TensorFlow from the same weights."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.xdist_group("tensorflow"),
    pytest.mark.timeout(480),
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="no jax"),
]

# Compiling takes most of the time, and what is compiled runs a few times only.
QUICK = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
# Both backends run this one after the other; the first leaves its weights, the second begins with them.
PROGRAM = """
import os
import sys
from pathlib import Path
if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None  # as on a machine that has none
import keras
import numpy as np
from tests.unit.training import worlds
from magpie_services.training.plan import RankerPlan, RetrieverPlan
from magpie_services.training.ranking import fit as ranker_fit, light
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.retrieval import fit as retriever_fit, sequences
from magpie_services.training.retrieval.windows import FollowingWeek, Windows

out, given = Path(sys.argv[1]), Path(sys.argv[2])
found = {}

def begun(name, model):
    if given.exists():
        with np.load(given) as held:
            for place, variable in enumerate(model.trainable_variables):
                variable.assign(held[f"{name}.weight.{place}"])
    for place, variable in enumerate(model.trainable_variables):
        found[f"{name}.weight.{place}"] = variable.numpy()

known, history = worlds.world(users=24, events=12, items=16)
for encoder in ("transformer", "recurrent", "convolutional"):
    plan = RetrieverPlan(
        encoder=encoder, dropout=0.0, input_dropout=0.0, id_dropout=0.0, full_below=100, batch=64,
        tokens=1_000_000, learning_rate=1e-3,
    )
    learner = retriever_fit.begin(plan, known, history, 1)
    begun(encoder, learner.model)
    table = learner.model.vectors()
    asked = sequences.inputs_at(history, history.offsets[1:], np.full(24, worlds.END_MS))
    found[f"{encoder}.vectors"] = retriever_fit.user_vectors(learner.model, asked, table)
    if encoder != "transformer":  # compiling takes most of the time; one family is trained
        continue
    windows = Windows(history, FollowingWeek(history))
    ((_, loss, _),) = list(learner.epochs(windows, 1, 1e6, 3))
    found[f"{encoder}.loss"] = np.array(loss)
    found[f"{encoder}.learnt"] = learner.model.vectors()

rows = worlds.rows(400)
plan = RankerPlan(dropout=0.0, width=16, rank=4, experts=2, expert_width=8, embedding=4)
keras.utils.set_random_seed(1)
ranker = Ranker(light.fit(rows, 1), plan)
begun("ranker", ranker)
found["ranker.probabilities"] = np.array(
    keras.ops.convert_to_numpy(ranker.probabilities(*ranker_fit.inputs(rows)))
)
batch = ranker_fit.batch(rows, plan)
step = ranker_fit.compiled(ranker, ranker_fit.optimizer_of(ranker, plan), batch)
for at in range(2):
    total, weight = step(*batch)
    found[f"ranker.loss.{at}"] = np.array(float(total) / float(weight))
found["ranker.learnt"] = ranker_fit.logits(ranker, rows)
np.savez(out, **found)
"""


def run(backend: str, out: Path, given: Path) -> dict[str, np.ndarray]:
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(out), str(given)],
        env={**os.environ, **threads, **QUICK, "KERAS_BACKEND": backend},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=220,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return dict(np.load(out))


def test_jax_answers_and_learns_as_tensorflow_does(tmp_path: Path) -> None:
    usual = run("tensorflow", tmp_path / "tensorflow.npz", tmp_path / "nothing")
    other = run("jax", tmp_path / "jax.npz", tmp_path / "tensorflow.npz")
    assert usual.keys() == other.keys()
    for name, value in usual.items():
        loose = name.endswith("learnt")  # a step of Adam is as long for a small gradient as for a large one
        np.testing.assert_allclose(
            other[name], value, rtol=2e-2 if loose else 1e-4, atol=5e-3 if loose else 1e-5, err_msg=name
        )
