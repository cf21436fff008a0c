"""Training steps and ranking batches on whatever accelerator the Keras backend finds, by default on JAX.

    KERAS_BACKEND=jax .venv/bin/python benchmarks/accelerator.py

Needs no TensorFlow, Redis or other process: `keras`, `jax` (for a GPU `jax[cuda12]`), `numpy`, `scipy`,
`msgspec` and the `services` folder on PYTHONPATH. Without a GPU it measures the CPU, and says so:
`gpu` is then 0, and the figures are no claim about one. A decision is one list of 100 candidates ranked.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.core.items import Item
from magpie_services.training.plan import RECENT, RankerPlan, RetrieverPlan
from magpie_services.training.ranking import fit as ranker_fit
from magpie_services.training.ranking.light import Light
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import WIDTH, WIDTHS
from magpie_services.training.retrieval import fit as retriever_fit
from magpie_services.training.retrieval import vocabulary
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.windows import FollowingWeek, Windows

CANDIDATES = 100
HOUR_MS = 3_600_000


def main() -> None:
    """Prints the figures as one JSON line, last."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=20_000, help="size of the catalogue")
    parser.add_argument("--users", type=int, default=4_000, help="histories to learn from")
    parser.add_argument("--batch", type=int, default=256, help="windows in a step of the retriever")
    parser.add_argument("--ranked", type=int, default=256, help="users in a batch of the ranker")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each part is measured")
    parser.add_argument(
        "--dollars-per-hour", type=float, default=0.0, help="price of the machine; 0: unknown"
    )
    told = parser.parse_args()
    kinds = devices()
    gpu = any("gpu" in kind.lower() or "cuda" in kind.lower() or "nvidia" in kind.lower() for kind in kinds)
    say(f"{keras.backend.backend()} on {', '.join(kinds)}" + ("" if gpu else ": NO GPU IS AT HAND"))
    figures = {
        "gpu": float(gpu),
        **retriever(told.items, told.users, told.batch, told.seconds),
        **ranker(told.ranked, told.seconds),
    }
    if told.dollars_per_hour:
        spent = told.dollars_per_hour / 3_600 / figures["ranked_lists_per_s"]
        figures["dollars_per_million_decisions"] = 1e6 * spent
    conditions = {
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "devices": kinds,
        "items": told.items,
        "batch": told.batch,
        "ranked": told.ranked,
        "candidates": CANDIDATES,
        "dollars_per_hour": told.dollars_per_hour,
    }
    conditions |= {"cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": "accelerator", "figures": figures, "conditions": conditions}))


def say(text: str) -> None:
    """Progress, on standard error; as the harness does, which a machine with a GPU alone could not import."""
    print(text, file=sys.stderr, flush=True)


def devices() -> list[str]:
    """What the backend computes on."""
    if keras.backend.backend() == "jax":
        import jax

        return [f"{device.platform} {device.device_kind}" for device in jax.devices()]
    import tensorflow as tf

    return [str(device.name) for device in tf.config.list_logical_devices()]


def retriever(items: int, users: int, batch: int, seconds: float) -> dict[str, float]:
    """Windows learnt a second, input work included, over shuffled batches of full length."""
    rng = np.random.default_rng(1)
    catalogue = [
        Item(item_id=f"i{number:06d}", title=f"thing {number % 97}", categories=[f"c{number % 31}"])
        for number in range(items)
    ]
    known = vocabulary.build(catalogue, [item.item_id for item in catalogue])
    length = 51
    history = History(
        users=tuple(f"u{number}" for number in range(users)),
        offsets=np.arange(users + 1, dtype=np.int64) * length,
        items=rng.integers(1, items + 1, users * length).astype(np.int32),
        kinds=np.ones(users * length, np.int32),
        at_ms=np.tile(np.arange(length, dtype=np.int64) * HOUR_MS, users),
    )
    plan = RetrieverPlan(batch=batch, tokens=batch * 50, negatives=512, shared=True)
    learner = retriever_fit.begin(plan, known, history, 1)
    windows = Windows(history, FollowingWeek(history))
    say("retriever: an epoch to compile every shape")
    for _ in learner.epochs(windows, 1, 1e6, 1):
        pass
    say("retriever: measuring")
    begun, done = time.perf_counter(), 0
    for epoch, _, _ in learner.epochs(windows, 1_000, seconds, 2):
        done = epoch
        if time.perf_counter() - begun > seconds:
            break
    taken = time.perf_counter() - begun
    return {
        "train_windows_per_s": done * users / taken,
        "train_step_ms": 1_000 * taken * batch / (done * users),
    }


def ranker(users: int, seconds: float) -> dict[str, float]:
    """Lists of 100 candidates ranked a second in batches, transfer to and from the device included, and rows
    learnt a second.
    """
    rng = np.random.default_rng(1)
    plan = RankerPlan(batch=8_192)
    model = Ranker(Light(np.zeros((len(HEADS), WIDTH), np.float32), np.zeros(len(HEADS), np.float32)), plan)

    def columns(count: int, candidates: int) -> tuple[NDArray[np.generic], ...]:
        user, item, cross = WIDTHS
        return (
            rng.normal(size=(count, user)).astype(np.float32),
            rng.normal(size=(count, candidates, item)).astype(np.float32),
            rng.normal(size=(count, candidates, cross)).astype(np.float32),
            rng.integers(0, 2**31 - 1, (count, candidates, 3)).astype(np.int32),
            rng.integers(0, 2**31 - 1, (count, RECENT)).astype(np.int32),
        )

    answer, asked = compiled(model), columns(users, CANDIDATES)
    say("ranker: measuring batches")
    ranked = rate(lambda: np.asarray(answer(*asked)), seconds)
    inputs = columns(plan.batch, 1)
    labels = (rng.random((plan.batch, len(HEADS))) < 0.1).astype(np.float32)
    batch = (inputs, labels, np.ones_like(labels), np.ones_like(labels))
    step = ranker_fit.compiled(model, ranker_fit.optimizer_of(model, plan), batch)
    say("ranker: measuring steps")
    learnt = rate(lambda: float(step(*batch)[0]), seconds)
    return {
        "ranking_batch_ms": 1_000 / ranked,
        "ranked_lists_per_s": ranked * users,
        "ranker_rows_per_s": learnt * plan.batch,
    }


def compiled(model: Ranker) -> Callable[..., object]:
    """Probabilities of a batch, compiled by the backend."""
    if keras.backend.backend() == "jax":
        import jax

        def stateless(weights: object, fixed: object, *columns: object) -> object:
            with keras.StatelessScope(
                state_mapping=[
                    *zip(model.trainable_variables, weights, strict=True),  # type: ignore[call-overload]
                    *zip(model.non_trainable_variables, fixed, strict=True),  # type: ignore[call-overload]
                ]
            ):
                return model.probabilities(*columns)

        run = jax.jit(stateless)
        weights = [variable.value for variable in model.trainable_variables]
        fixed = [variable.value for variable in model.non_trainable_variables]
        return lambda *columns: run(weights, fixed, *columns)
    import tensorflow as tf

    found: Callable[..., object] = tf.function(model.probabilities, autograph=False)
    return found


def rate(call: Callable[[], object], seconds: float) -> float:
    """Calls a second, after two to warm up."""
    call(), call()
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        call()
        done += 1
    return done / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
