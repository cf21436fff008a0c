"""What privacy costs the ranker: how well it orders a later day's pushes, learnt with and without.

A made shop (calibration_world.py), three seeds. Private rankers are the shipped ones
(training/ranking/private.py) at several epsilons; beside them the same last layer without privacy (`light`),
the deep ranker, and the prior that private training starts from:

    .venv/bin/python benchmarks/privacy.py

With --data FOLDER the log is a lake's instead, and the exam its newest week.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import msgspec
import numpy as np
from calibration_world import START_MS, World, outcomes
from harness import report, say
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import dataset, progress
from magpie_services.training.metrics import auc
from magpie_services.training.plan import Plan, RankerPlan
from magpie_services.training.privacy import Privacy
from magpie_services.training.ranking import fit as ranker_fit
from magpie_services.training.ranking import light, private
from magpie_services.training.ranking import private_accounting as accounting
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.private_accounting import Mechanism
from magpie_services.training.ranking.rows import CLICK, DAY_MS, DISMISS, PURCHASE, Rows

EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0)
SHOWN = (CLICK, PURCHASE, DISMISS)
DAYS, CANDIDATES = 9, 6
EXAM_DAY = DAYS + 7
Logits = NDArray[np.float32]
Scorer = Callable[[Rows], Logits]


def made(users: int, items: int, seed: int) -> tuple[Rows, Rows, int]:
    """What was logged on nine days, a later day's arms, and when learning happens."""
    world, parts, first = World(users, items, EXAM_DAY + 1, seed), list[Rows](), 0
    for day in range(DAYS):
        some = world.rng.choice(users, users // 3, replace=False)
        parts.append(world.arms(world.slate(some, CANDIDATES, day), some, first))
        first += len(some)
    end_ms = START_MS + EXAM_DAY * DAY_MS
    return ranker_rows.as_of(ranker_rows.concat(parts), end_ms), _exam(world), end_ms


def _exam(world: World) -> Rows:
    """All users on the exam's day, all arms pushed and all outcomes known."""
    parts = []
    for at in range(0, world.users, 250):
        users = np.arange(at, min(at + 250, world.users))
        slate = world.slate(users, CANDIDATES, EXAM_DAY)
        arms = world.arms(slate, users, at)
        happened = outcomes(slate.chances, world.rng).reshape(len(arms), -1)
        known = np.ones((len(arms), len(HEADS)), np.float32)
        parts.append(
            ranker_rows.Rows(**{**vars(arms), "labels": happened.astype(np.float32), "known": known})
        )
    return ranker_rows.concat(parts)


def logged(folder: str, seed: int) -> tuple[Rows, Rows, int]:
    """A lake's rows up to its newest week, and those of that week."""
    data = dataset.load(Plan(run_id="privacy", folder=folder, lake_folder=folder, seed=seed))
    older = ranker_rows.as_of(data.rows, data.cut_ms)
    return older, data.rows.take(data.rows.decided_ms > data.cut_ms), data.cut_ms


def rankers(
    rows: Rows, end_ms: int, privacy: Privacy, noises: dict[float, float], seed: int
) -> dict[str, Scorer]:
    """All of them, learnt from the same rows."""
    deep, epochs = ranker_fit.train(RankerPlan(seconds=60.0), rows, seed, progress.silent)
    say(f"  deep: {epochs} epochs")
    found: dict[str, Scorer] = {
        "prior": _linear(light.prior()),
        "light": _linear(light.fit(rows, seed)),
        "deep": lambda asked: ranker_fit.logits(deep, asked),
    }
    for epsilon, noise in noises.items():
        rng = np.random.default_rng()
        found[f"epsilon_{epsilon:g}"] = _linear(private.fit(privacy, rows, end_ms, noise, rng))
    rng = np.random.default_rng()
    found["no_noise"] = _linear(private.fit(privacy, rows, end_ms, 0.0, rng))
    return found


def _linear(weights: light.Light) -> Scorer:
    return lambda asked: weights.logits(asked.features)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--delta", type=float, default=1e-5)
    parser.add_argument("--data", default="", help="folder of a lake's tables")
    told = parser.parse_args()
    privacy = msgspec.structs.replace(Privacy(), delta=told.delta)
    say(f"noise for epsilon {EPSILONS} at delta {told.delta:g}")
    noises = {
        epsilon: accounting.noise_for(epsilon, told.delta, privacy.rate, privacy.steps)
        for epsilon in EPSILONS
    }
    found: dict[str, list[list[float]]] = {}
    started, users, arms = time.monotonic(), 0, 0
    for seed in range(1, told.seeds + 1):
        rows, exam, end_ms = logged(told.data, seed) if told.data else made(told.users, told.items, seed)
        users, arms = len(np.unique(rows.groups)), len(rows)
        say(f"seed {seed}: {arms} arms of {users} users")
        for name, scorer in rankers(rows, end_ms, privacy, noises, seed).items():
            said = scorer(exam)
            areas = [
                auc(exam.labels[exam.known[:, head] > 0, head], said[exam.known[:, head] > 0, head])
                for head in SHOWN
            ]
            found.setdefault(name, []).append(areas)
            say(f"  {name:12}" + "".join(f" {HEADS[h]} {a:.4f}" for h, a in zip(SHOWN, areas, strict=True)))
    figures = {}
    for name, areas_by_seed in found.items():
        for place, head in enumerate(SHOWN):
            areas = [area[place] for area in areas_by_seed]
            figures[f"{HEADS[head]}_auc_{name}"] = round(float(np.mean(areas)), 4)
            figures[f"{HEADS[head]}_auc_{name}_sd"] = round(float(np.std(areas)), 4)
    once = Mechanism(noise=noises[2.0], rate=privacy.rate, steps=privacy.steps)
    runs = 1
    while accounting.epsilon([once] * (runs + 1), told.delta) <= privacy.budget_epsilon:
        runs += 1
    figures["trainings_in_the_budget"] = runs
    conditions = {
        "data": told.data or "made",
        "users": users,
        "arms": arms,
        "seeds": told.seeds,
        "delta": told.delta,
        "noise": {f"{epsilon:g}": round(noise, 3) for epsilon, noise in noises.items()},
        "clip": privacy.clip,
        "rate": privacy.rate,
        "steps": privacy.steps,
        "seconds": round(time.monotonic() - started),
    }
    report("privacy", figures, conditions)


if __name__ == "__main__":
    main()
