"""Are the ranker's probabilities true? Their expected calibration error over the base rate, on a later day.

A made shop with known chances (calibration_world.py). The shipped code learns from older days, is calibrated
on the newest week and asked about a later day, beside baselines that are calibrated alike:

    .venv/bin/python benchmarks/calibration.py

The error is measured against what happened, in 20 bins of equally many pushes, and against the true chances,
which only a made shop knows (`truth`). Beside it stand the errors of one who knows the chances (`floor`:
chance alone) and of one who knows all chances of the last day calibrated on, not the walk since (`oracle`).
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
from calibration_baselines import TREE_HEADS, DeepFM, Scorer, Tower, logistic, network, trees
from calibration_world import PLATFORMS, START_MS, Slate, World, outcomes
from harness import report, say
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import progress
from magpie_services.training.metrics import auc, calibration_error, logloss, sigmoid
from magpie_services.training.plan import RankerPlan
from magpie_services.training.ranking import calibration
from magpie_services.training.ranking import fit as ranker_fit
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.rows import (
    CLICK,
    DAY_MS,
    DISMISS,
    ORGANIC,
    PURCHASE,
    PURCHASE_DAY,
    UNSUBSCRIBE,
    WIDTHS,
    Rows,
)

SHOWN = (CLICK, PURCHASE, PURCHASE_DAY, DISMISS, UNSUBSCRIBE, ORGANIC)
TRAIN_DAYS, POOL_DAYS = 14, 7  # as in production, the newest week is not learnt from
EXAM_DAY = TRAIN_DAYS + POOL_DAYS + 1
AUC_ROWS = 500_000
FLOOR, ORACLE = "chance alone", "last day known"
SUFFIXES = {FLOOR: "_floor", ORACLE: "_oracle", "ranker": ""} | {
    f"ranker {way}": f"_{way.lower()}" for way in ("raw", "Platt", "isotonic")
}
Floats = NDArray[np.float32]


class Raw:
    """As it is."""

    def probabilities(self, logits: Floats) -> Floats:
        return sigmoid(logits).astype(np.float32)


class Curve(Protocol):
    """Makes probabilities of log-odds, [..., H] each."""

    def probabilities(self, logits: Floats) -> Floats: ...


class Platt:
    """A slope and an offset a head."""

    def __init__(self, slope: Floats, offset: Floats) -> None:
        self._slope, self._offset = slope, offset

    def probabilities(self, logits: Floats) -> Floats:
        return sigmoid(self._slope * logits + self._offset).astype(np.float32)


class Isotonic:
    """The rising steps that fit a head best, all rows of the pool counted alike."""

    def __init__(self, logits: Floats, rows: Rows) -> None:
        self._steps = []
        for head in range(len(HEADS)):
            used = np.flatnonzero(rows.known[:, head] > 0)
            used = used[np.argsort(logits[used, head], kind="stable")]
            share = rows.shares[used, head].astype(np.float64)
            rate = isotonic_regression(rows.labels[used, head] / share, weights=share).x if len(used) else []
            self._steps.append((logits[used, head], np.minimum(rate, 1.0)))

    def probabilities(self, logits: Floats) -> Floats:
        found = [
            np.interp(logits[:, head], *steps) if len(steps[0]) else np.full(len(logits), np.nan)
            for head, steps in enumerate(self._steps)
        ]
        return np.stack(found, -1).astype(np.float32)


class Exam:
    """A later day: truth, what happened, and what models say of it before calibration, [R, H] each."""

    def __init__(self, world: World, candidates: int, scorers: dict[str, Scorer]) -> None:
        chances, raw, groups = [], {name: list[Floats]() for name in scorers}, []
        for at in range(0, world.users, 250):
            users = np.arange(at, min(at + 250, world.users))
            slate = world.slate(users, candidates, EXAM_DAY)
            chances.append(slate.chances.reshape(-1, len(HEADS)))
            shape = slate.category.shape
            active = np.digitize(world.activity[users], np.quantile(world.activity, [1 / 3, 2 / 3]))
            groups.append(
                np.stack(
                    [
                        np.broadcast_to(world.platform[users][:, None], shape).ravel(),
                        slate.category.ravel(),
                        np.broadcast_to(active[:, None], shape).ravel(),
                    ]
                ).astype(np.int8)
            )
            for name, scorer in scorers.items():
                raw[name].append(scorer(slate).reshape(-1, len(HEADS)))
        self.chances = np.concatenate(chances)
        self.remembered = world.remembered(self.chances, EXAM_DAY, TRAIN_DAYS + POOL_DAYS - 1)
        self.happened = outcomes(self.chances, world.rng).astype(np.float32)
        self.groups = np.concatenate(groups, 1)
        self.logits = {name: np.concatenate(parts) for name, parts in raw.items()}

    def answers(self, curves: dict[str, dict[str, Curve]]) -> Iterator[tuple[str, Floats]]:
        """Who says what: probabilities [R, H], of the knowing and of each model by each way to calibrate."""
        yield FLOOR, self.chances
        yield ORACLE, self.remembered
        for name, ways in curves.items():
            for way, curve in ways.items():
                yield name + way, curve.probabilities(self.logits[name])

    def figures(self, said: Floats, head: int) -> dict[str, float]:
        """What probabilities [R, H] are worth."""
        one, happened = said[:, head], self.happened[:, head]
        if not np.isfinite(one).all():
            return {}
        return {
            "auc": auc(happened[:AUC_ROWS], one[:AUC_ROWS]),
            "logloss": float(logloss(happened, one, np.ones(1)).mean()),
            "ece": calibration_error(happened, one),
            "truth": calibration_error(self.chances[:, head], one),
        }


def learnt_from(world: World, arms: int) -> tuple[Rows, Rows]:
    """Rows of the older days and of the newest, labelled with what is known when the later day begins."""
    parts, everybody = [], np.arange(world.users)
    for day in range(TRAIN_DAYS + POOL_DAYS):
        slate = world.slate(everybody, arms, day)
        parts.append(world.arms(slate, everybody, day * world.users))
    rows = ranker_rows.as_of(ranker_rows.concat(parts), START_MS + EXAM_DAY * DAY_MS)
    newest = rows.decided_ms >= START_MS + TRAIN_DAYS * DAY_MS
    return rows.take(~newest), rows.take(newest)


def ours(rows: Rows, plan: RankerPlan, seed: int) -> Scorer:
    """The ranker by the code that ships."""
    model, epochs = ranker_fit.train(plan, rows, seed, progress.silent)
    say(f"  ranker: {epochs} epochs helped")
    return lambda slate: np.asarray(
        model.logits(slate.user, slate.items, slate.cross, slate.hashes, slate.recent)
    )


def slate_of(rows: Rows) -> Slate:
    """Rows as users with one candidate each."""
    user, items, cross = np.split(rows.features, np.cumsum(WIDTHS[:2]), axis=1)
    nothing = np.zeros((len(rows), 1, len(HEADS)), np.float32)
    return Slate(
        user, items[:, None], cross[:, None], rows.hashes[:, None], rows.recent, nothing,
        rows.decided_ms, np.zeros((len(rows), 1), np.int64),
    )  # fmt: skip


def curves_of(scorer: Scorer, newest: Rows) -> dict[str, Curve]:
    """Any model's calibration by the code that ships ("") and by simpler ways."""
    parts = [slate_of(newest.take(part)) for part in np.array_split(np.arange(len(newest)), 20)]
    logits = np.concatenate([scorer(part)[:, 0] for part in parts])
    broken = ~np.isfinite(logits).all(0)
    known = newest.known * ~broken  # trees have no model of some heads
    logits = np.nan_to_num(logits)
    newest = replace(newest, known=known, labels=newest.labels * known)
    return {
        " raw": Raw(),
        "": calibration.fit(logits, newest),
        " Platt": Platt(*calibration.platt(logits, newest)),
        " isotonic": Isotonic(logits, newest),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="worlds, each with models of its own")
    parser.add_argument("--first-seed", type=int, default=4, help="tune on 201 and later, never on these")
    parser.add_argument("--users", type=int, default=4_000)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--arms", type=int, default=10, help="logged arms of a user and day")
    parser.add_argument("--asked", type=int, default=600, help="candidates of a user on the later day")
    parser.add_argument("--epochs", type=int, default=3, help="at most; held-out users stop it earlier")
    parser.add_argument(
        "--baseline-seeds", type=int, default=1, help="worlds that baselines are asked in too"
    )
    told = parser.parse_args()
    plan = RankerPlan(epochs=told.epochs, seconds=1e6)
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for place in range(told.seeds):
        seed = told.first_seed + place
        say(f"world {seed}: {told.users} users, {told.items} items")
        world = World(told.users, told.items, EXAM_DAY, seed)
        older, newest = learnt_from(world, told.arms)
        say(f"  {len(older)} arms to learn from, {len(newest)} to calibrate on")
        makers: dict[str, Callable[[], Scorer]] = {"ranker": lambda: ours(older, plan, seed)}  # noqa: B023
        if place < told.baseline_seeds:
            makers |= {
                "one tower": lambda: network(Tower, older, plan, seed),  # noqa: B023
                "DeepFM": lambda: network(DeepFM, older, plan, seed),  # noqa: B023
                "LightGBM": lambda: trees(older, seed),  # noqa: B023
                "logistic": lambda: logistic(older, seed),  # noqa: B023
            }
        scorers: dict[str, Scorer] = {}
        curves: dict[str, dict[str, Curve]] = {}
        for name, make in makers.items():
            started = time.monotonic()
            scorers[name] = make()
            curves[name] = curves_of(scorers[name], newest)
            say(f"  {name}: {time.monotonic() - started:.0f} s")
        started = time.monotonic()
        exam = Exam(world, told.asked, scorers)
        for name, said in exam.answers(curves):
            for head in SHOWN if name in SUFFIXES else TREE_HEADS:
                found.setdefault((name, head), []).append(exam.figures(said, head))
        say(f"  asked about {len(exam.chances)} pushes: {time.monotonic() - started:.0f} s")
        if place == 0:
            slices(exam, curves["ranker"])
    table(found)
    figures = {}
    for head in (CLICK, PURCHASE, UNSUBSCRIBE, DISMISS, ORGANIC):
        for name, suffix in SUFFIXES.items():
            figures[HEADS[head] + suffix] = round(
                float(np.mean([one["ece"] for one in found[name, head]])), 4
            )
        ours_ = found["ranker", head]
        figures[f"{HEADS[head]}_sd"] = round(float(np.std([one["ece"] for one in ours_])), 4)
        figures[f"{HEADS[head]}_truth"] = round(float(np.mean([one["truth"] for one in ours_])), 4)
    conditions = {**vars(told), "train_days": TRAIN_DAYS, "pool_days": POOL_DAYS}
    report("calibration", figures, dict(conditions))


def table(found: dict[tuple[str, int], list[dict[str, float]]]) -> None:
    """All models and heads, means over the worlds that each was asked in."""
    for head in SHOWN:
        print(f"\n{HEADS[head]}")
        print(f"{'':19} {'AUC':>7} {'log loss':>9} {'ECE/base':>9} {'truth':>7} {'sd':>6}  worlds")
        for (name, of), figures in found.items():
            if of == head and figures[0]:
                mean = {key: np.mean([one[key] for one in figures]) for key in figures[0]}
                each = [one["ece"] for one in figures]
                print(
                    f"{name:19} {mean['auc']:7.4f} {mean['logloss']:9.5f} {mean['ece']:9.3f} "
                    f"{mean['truth']:7.3f} {np.std(each):6.3f}  {' '.join(f'{one:.3f}' for one in each)}"
                )


def slices(exam: Exam, curves: dict[str, Curve]) -> None:
    """The ranker's predicted over actual rate and its error, by slice with 200 positives or more."""
    names = {0: PLATFORMS, 2: ("seldom here", "now and then", "often here")}
    print(
        "\nslices of the first world: pushes, actual rate, predicted over actual, ECE/base (raw in brackets)"
    )
    calibrated, plain = (curves[way].probabilities(exam.logits["ranker"]) for way in ("", " raw"))
    for head in (CLICK, PURCHASE, UNSUBSCRIBE):
        for kind in range(3):
            for value in np.unique(exam.groups[kind]):
                here = exam.groups[kind] == value
                happened = exam.happened[here, head]
                if happened.sum() < 200:
                    continue
                said, raw = calibrated[here, head], plain[here, head]
                label = names[kind][value] if kind in names else f"category {value}"
                print(
                    f"{HEADS[head]:12} {label:14} {int(here.sum()):8d} {happened.mean():.4f} "
                    f"{said.mean() / happened.mean():6.3f} {calibration_error(happened, said):6.3f} "
                    f"({raw.mean() / happened.mean():.3f} {calibration_error(happened, raw):.3f})"
                )


if __name__ == "__main__":
    main()
