"""The child process that trains: `python -m magpie_services.training.fit --run FOLDER`.

It reads the plan in the folder and leaves there `release/` (learnt from all), `twin/` (the same without the
newest week, which is what the gate may examine), the exam, `report.json` and the gate's `verdict.json`. One
JSON line on stdout for each step.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from magpie_services.kit.errors import Invalid
from magpie_services.training import child, dataset, evaluate, evaluation
from magpie_services.training.dataset import Dataset
from magpie_services.training.plan import Plan
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.results import REPORT, Report

MIN_ITEMS = 2
MIN_EVENTS = 20


def fit(plan: Plan) -> Report:
    """Trains and exports everything of a run. Raises Invalid where the lake has too little to learn from."""
    child.say("reading the lake", 0.0)
    data = dataset.load(plan)
    if len(data.vocabulary) <= MIN_ITEMS or len(data.history) < MIN_EVENTS:
        found = f"{len(data.vocabulary) - 1} items and {len(data.history)} interactions"
        raise Invalid("lake", f"has too little to learn from: {found}")
    for name in ("release", "twin"):
        shutil.rmtree(plan.path / name, ignore_errors=True)
    evaluation.build(data, plan.seed).save(plan.path / "exam.npz")
    child.say(f"learning from {len(data.history)} interactions and {len(data.rows)} decisions' arms", 0.1)
    metrics = _train(plan, data)
    import tensorflow as tf

    return Report(tensorflow=tf.__version__, start_ms=data.start_ms, end_ms=data.end_ms, metrics=metrics)


def _train(plan: Plan, data: Dataset) -> dict[str, float]:
    from magpie_services.training import export
    from magpie_services.training.ranking import fit as ranker_fit
    from magpie_services.training.retrieval import fit as retriever_fit

    # Of a decision before the cut the twin must not know a purchase after it: the exam asks for that one.
    older = ranker_rows.as_of(data.rows, data.cut_ms)
    newest = data.rows.take(data.rows.decided_ms > data.cut_ms)
    fitted = retriever_fit.train(
        plan.retriever, data.vocabulary, data.history, data.cut_ms, plan.seed, _part(0.1, 0.5)
    )
    twin, epochs = ranker_fit.train(plan.ranker, older, plan.seed, _part(0.5, 0.6))
    ranker_fit.calibrate(twin, older.take(ranker_fit.held_out(older, plan.seed)))
    _export(export, plan.path / "twin", fitted.model, data, twin)
    ranker_fit.calibrate(twin, newest)  # after its export: it is examined on these
    retriever_fit.refit(fitted, data.vocabulary, data.history, plan.seed, _part(0.65, 0.85))
    # What the twin found out about depth and calibration holds for the model that learns from all.
    final, _ = ranker_fit.train(plan.ranker, data.rows, plan.seed, _part(0.85, 0.95), epochs=epochs)
    final.slope.assign(twin.slope)
    final.offset.assign(twin.offset)
    _export(export, plan.path / "release", fitted.model, data, final)
    sent = data.rows.sent > 0
    return {
        "items": float(len(data.vocabulary) - 1),
        "users": float(np.count_nonzero(np.diff(data.history.offsets))),
        "interactions": float(len(data.history)),
        "arms": float(len(data.rows)),
        "sent_arms": float(np.count_nonzero(sent)),
        "retriever_epochs": float(fitted.epochs),
        "retriever_validation_ndcg_at_10": fitted.validation_ndcg,
        "ranker_epochs": float(epochs),
    }


def _export(export: Any, folder: Path, retriever: Any, data: Dataset, ranker: Any) -> None:
    export.save_retriever(retriever, data.vocabulary.ids, folder / "retriever")
    export.save_ranker(ranker, folder / "ranker")


def _part(low: float, high: float) -> Any:
    def say(activity: str, progress: float) -> None:
        child.say(activity, low + (high - low) * progress)

    return say


def main(plan: Plan) -> None:
    if not (plan.path / REPORT).exists():  # a second delivery finds the work done
        child.leave(plan.path / REPORT, fit(plan))
    evaluate.main(plan, _part(0.96, 1.0))


if __name__ == "__main__":
    child.main(main)
