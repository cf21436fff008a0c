"""The child process that trains: `python -m magpie_services.training.fit --run FOLDER`.

It reads the plan in the folder and leaves there `release/` (learnt from all), `twin/` (the same without the
newest week, which is what the gate may examine), the exam, `report.json` and the gate's `verdict.json`. One
JSON line on stdout for each step.

What it reads from the lake and where its fits stand is kept in `partial/` until it is done: a child that was
killed is followed by one that goes on from there, with the same data in the same order.
"""

import hashlib
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from magpie_services.core.feature_schema import SCHEMA_HASH
from magpie_services.kit.errors import Invalid, Unavailable
from magpie_services.training import archive, child, dataset, evaluate, evaluation, parallel, progress
from magpie_services.training.checkpoint import File
from magpie_services.training.dataset import Dataset
from magpie_services.training.plan import Plan
from magpie_services.training.privacy import Guarantee
from magpie_services.training.progress import Journal
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.results import PARTIAL, REPORT, Report

MIN_ITEMS = 2
MIN_EVENTS = 20


def fit(plan: Plan, journal: Journal) -> Report:
    """Trains and exports everything of a run. Raises Invalid where the lake has too little to learn from."""
    begun = time.monotonic()
    partial = plan.path / PARTIAL / _key(plan)
    data = _data(plan, journal, partial)
    if parallel.group().member == 0:
        for name in ("release", "twin"):
            shutil.rmtree(plan.path / name, ignore_errors=True)
        evaluation.build(data, plan.seed).save(plan.path / "exam.npz")
    learnt = f"{len(data.history)} interactions and {len(data.rows)} decisions' arms"
    journal.say(f"learning from {learnt}", 0.1)
    guarantee = _guarantee(plan, data)
    metrics = _train(plan, data, journal, partial, guarantee)
    import tensorflow as tf

    metrics |= {
        "fit_seconds": time.monotonic() - begun,
        "fit_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return Report(
        tensorflow=tf.__version__,
        start_ms=data.start_ms,
        end_ms=data.end_ms,
        metrics=metrics | (guarantee.metrics() if guarantee else {}),
        privacy=guarantee,
    )


def _guarantee(plan: Plan, data: Dataset) -> Guarantee | None:
    """What the ranker will guarantee, written down as spent; None where no privacy is asked. Raises Invalid
    where it would cost more than is left.
    """
    if plan.ranker.privacy is None:
        return None
    if not plan.ledger:
        raise Invalid("privacy.ledger", "is required")
    from magpie_services.training.ranking import private_ledger

    return private_ledger.spend(Path(plan.ledger), plan.run_id, plan.ranker.privacy, data.end_ms)


def _data(plan: Plan, journal: Journal, partial: Path) -> Dataset:
    """What an earlier try read, or what the lake has; the same for all who learn together."""
    group, path = parallel.group(), partial / "data.npz"
    if group.member:
        group.any(False)  # waits for the first, who reads
        kept = archive.load(path, Dataset)
        if kept is None:  # the lake may have grown meanwhile
            raise Unavailable("the data that the first member read cannot be read")
        return kept
    data = archive.load(path, Dataset)
    if data is None:
        data = _read(plan, journal)
        partial.mkdir(parents=True, exist_ok=True)
        archive.save(path, data)
    group.any(False)
    return data


def _read(plan: Plan, journal: Journal) -> Dataset:
    journal.say("reading the lake", 0.0)
    data = dataset.load(plan)
    if len(data.vocabulary) <= MIN_ITEMS or len(data.history) < MIN_EVENTS:
        found = f"{len(data.vocabulary) - 1} items and {len(data.history)} interactions"
        raise Invalid("lake", f"has too little to learn from: {found}")
    return data


def _key(plan: Plan) -> str:
    """What must be the same for a fit to go on where another stopped."""
    same = (SCHEMA_HASH, plan.as_of_ms, plan.seed, plan.retriever, plan.ranker)
    return hashlib.sha256(msgspec.json.encode(same)).hexdigest()[:16]


def _train(
    plan: Plan, data: Dataset, journal: Journal, partial: Path, guarantee: Guarantee | None
) -> dict[str, float]:
    from magpie_services.training import export
    from magpie_services.training.ranking import fit as ranker_fit
    from magpie_services.training.ranking import private_fit
    from magpie_services.training.retrieval import fit as retriever_fit

    # Of a decision before the cut the twin must not know a purchase after it: the exam asks for that one.
    older = ranker_rows.as_of(data.rows, data.cut_ms)
    newest = data.rows.take(data.rows.decided_ms > data.cut_ms)
    told = journal.stage("retriever", 0.1, 0.5, "ndcg_at_10")
    fitted = retriever_fit.train(
        plan.retriever,
        data.vocabulary,
        data.history,
        data.cut_ms,
        plan.seed,
        told,
        _place(partial, "retriever"),
    )
    told = journal.stage("ranker", 0.5, 0.6, "logloss")
    if guarantee is not None:
        twin, epochs = private_fit.train(plan.ranker, older, data.cut_ms, guarantee), 0
    else:
        place = _place(partial, "ranker")
        twin, epochs = ranker_fit.train(plan.ranker, older, plan.seed, told, checkpoint=place)
        ranker_fit.calibrate(twin, older.take(ranker_fit.held_out(older, plan.seed)))
    _export(export, plan.path / "twin", fitted, data, twin, guarantee is not None)
    if guarantee is None:
        ranker_fit.calibrate(twin, newest)  # after its export: it is examined on these
    told = journal.stage("retriever_all", 0.65, 0.85)
    place = _place(partial, "retriever_all")
    fitted = retriever_fit.refit(fitted, data.vocabulary, data.history, plan.seed, told, place)
    # What the twin found out about depth and calibration holds for the model that learns from all.
    told = journal.stage("ranker_all", 0.85, 0.95)
    if guarantee is not None:  # nothing of the twin, whose privacy nobody counts, goes into what is released
        final = private_fit.train(plan.ranker, data.rows, data.end_ms, guarantee)
    else:
        place = _place(partial, "ranker_all")
        final, _ = ranker_fit.train(plan.ranker, data.rows, plan.seed, told, epochs=epochs, checkpoint=place)
        ranker_fit.copy_calibration(twin, final)
    _export(export, plan.path / "release", fitted, data, final, guarantee is not None)
    sent = data.rows.sent > 0
    return {
        "items": float(len(data.vocabulary) - 1),
        "users": float(np.count_nonzero(np.diff(data.history.offsets))),
        "interactions": float(len(data.history)),
        "arms": float(len(data.rows)),
        "sent_arms": float(np.count_nonzero(sent)),
        "unknown_outcomes": float(data.unknown_outcomes),
        "retriever_epochs": float(fitted.epochs),
        "retriever_validation_ndcg_at_10": fitted.validation_ndcg,
        "transitions_weight": fitted.weight,
        "ranker_epochs": float(epochs),
    }


def _place(partial: Path, stage: str) -> File:
    return File(partial / f"{stage}.npz", stage, writes=parallel.group().member == 0)


def _export(export: Any, folder: Path, retriever: Any, data: Dataset, ranker: Any, private: bool) -> None:
    if parallel.group().member:
        return
    export.save_retriever(
        retriever.model, data.vocabulary.ids, folder / "retriever", retriever.transitions, retriever.weight
    )
    # Where explanations start from; of a private ranker no average of the log either.
    average = None if private or not len(data.rows) else data.rows.features.mean(0)
    export.save_ranker(ranker, folder / "ranker", average)


def main(plan: Plan) -> None:
    with progress.journal(plan.path, child.tell) as journal:
        if not (plan.path / REPORT).exists():  # a second delivery finds the work done
            child.leave(plan.path / REPORT, fit(plan, journal))
            shutil.rmtree(plan.path / PARTIAL, ignore_errors=True)
        evaluate.main(plan, journal.stage("exam", 0.96, 1.0))


if __name__ == "__main__":
    child.main(main)
