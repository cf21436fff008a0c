"""The child process that examines: `python -m magpie_services.training.evaluate --run FOLDER`.

A fit examines what it made before it ends, for TensorFlow is up there already; this process is for the rest:
a fit that was cut short, another champion in the meantime.

It loads the run's bundles and the champion's twin as serving would, sets all of them the same exam, asks the
gate and leaves `verdict.json`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS, SCHEMA_HASH
from magpie_services.training import child, evaluation, gate, metrics
from magpie_services.training.evaluation import Exam
from magpie_services.training.gate import Marks
from magpie_services.training.plan import Plan
from magpie_services.training.ranking.rows import CLICK, DISMISS, UNSUBSCRIBE, WIDTHS, bought
from magpie_services.training.report import findings
from magpie_services.training.report import write as report
from magpie_services.training.results import OUTCOME, Outcome, judged
from magpie_services.training.retrieval import sequences
from magpie_services.training.retrieval.bundle import Bundle
from magpie_services.training.retrieval.sequences import History

RANKED = 100
Progress = Callable[[str, float], None]
_BATCH = 256


def evaluate(plan: Plan, say: Progress = child.say) -> Outcome:
    """Examines the bundles of a run."""
    exam = evaluation.load(plan.path / "exam.npz")
    say("examining the new models", 0.1)
    twin = examine(plan.path / "twin", exam)
    release = examine(plan.path / "release", exam)
    champion = None
    if plan.champion_folder and Path(plan.champion_folder).is_dir():
        say(f"examining the champion, version {plan.champion}", 0.6)
        champion = examine(Path(plan.champion_folder), exam)
    popular = np.array([metrics.ndcg(exam.popular.tolist(), wanted, 10) for wanted in exam.wanted])
    verdict = gate.judge(twin, release, champion, popular, plan.seed)
    found = findings.find(exam, twin.probabilities, twin.ndcg, twin.recall, popular)
    child.leave(plan.path / findings.FINDINGS, found)
    return Outcome(
        champion=plan.champion,
        passed=verdict.passed,
        reasons=list(verdict.reasons),
        metrics=verdict.metrics,
    )


def examine(folder: Path, exam: Exam) -> Marks:
    """Marks of the bundle in `folder` (retriever and ranker as SavedModels); NaN where a model does not
    work.
    """
    ndcg, recall = _retrieval(folder / "retriever", exam)
    probabilities = _ranking(folder / "ranker", exam)
    rows, groups = exam.rows, np.unique(exam.rows.groups, return_inverse=True)[1]
    count = int(groups.max()) + 1 if len(rows) else 0
    weights = rows.weights.astype(np.float64)
    if probabilities is None:  # other features: nothing to compare
        return Marks(ndcg, recall, np.full(count, np.nan), np.zeros(count))
    labels, chances = bought(rows, rows.labels), bought(rows, probabilities)
    losses = metrics.logloss(labels, chances, bought(rows, rows.shares)) * weights
    losses[~np.isfinite(chances)] = np.nan
    extra = {"purchase_auc": metrics.auc(labels, chances)} if count else {}
    for head in (CLICK, DISMISS, UNSUBSCRIBE):
        asked = rows.known[:, head] > 0
        label, chance = rows.labels[asked, head], probabilities[asked, head]
        if label.any() and np.isfinite(chance).all():
            extra[f"{HEADS[head]}_auc"] = metrics.auc(label, chance)
            extra[f"{HEADS[head]}_calibration_error"] = metrics.calibration_error(label, chance)
    return Marks(
        ndcg,
        recall,
        _sums(groups, losses, count),
        _sums(groups, weights, count),
        extra,
        probabilities,
    )


def _sums(groups: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.bincount(groups, values, count).astype(np.float64) if count else np.zeros(0)


def _retrieval(folder: Path, exam: Exam) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NDCG@10 and recall@100 of each asked user, all items ranked as candidate would order them."""
    import tensorflow as tf

    count = len(exam.wanted)
    ndcg, recall = np.zeros(count), np.zeros(count)
    broken = np.full(count, np.nan), np.full(count, np.nan)
    model = _load(folder)
    if model is None:
        return broken
    try:
        bundle = Bundle(model)
        back = {item_id: index for index, item_id in enumerate(exam.ids)}
        to_exam = np.array([back.get(item_id, -1) for item_id in bundle.ids], np.int64)
        asked = inputs(exam, bundle.ids)
        for at in range(0, count, _BATCH):
            scores = bundle.scores(asked.take(slice(at, at + _BATCH)))
            if not np.isfinite(scores[:, 1:]).all():
                return broken
            for offset, ranked in enumerate(to_exam[metrics.top(scores, RANKED)].tolist()):
                wanted = exam.wanted[at + offset]
                ndcg[at + offset] = metrics.ndcg(ranked, wanted, 10)
                recall[at + offset] = metrics.recall(ranked, wanted, RANKED)
    except (tf.errors.OpError, KeyError, TypeError):
        return broken
    return ndcg, recall


def inputs(exam: Exam, ids: Sequence[str]) -> sequences.Inputs:
    """What a model with the vocabulary `ids` is asked of each user; 0 for items that it does not know."""
    mine = {item_id: index for index, item_id in enumerate(ids) if index}
    to_model = np.array([mine.get(item_id, 0) for item_id in exam.ids], np.int32)
    held = exam.history
    history = History(held.users, held.offsets, to_model[held.items], held.kinds, held.at_ms)
    ends = held.offsets[1:]
    return sequences.inputs_at(history, ends, np.full(len(ends), exam.cut_ms))


def _ranking(folder: Path, exam: Exam) -> NDArray[np.float32] | None:
    """Probabilities [R, H] of the exam's rows; NaN where the model does not work, None for another feature
    schema.
    """
    import tensorflow as tf

    rows = exam.rows
    broken = np.full((len(rows), len(HEADS)), np.nan, np.float32)
    model = _load(folder)
    if model is None:
        return broken
    parts = [np.zeros((0, len(HEADS)), np.float32)]
    try:
        schema = model.signatures["schema"](unit=tf.constant([0]))["hash"].numpy()[0].decode()
        if schema != SCHEMA_HASH:
            return None
        for at in range(0, len(rows), 4_096):
            part = slice(at, at + 4_096)
            user, items, cross = np.split(rows.features[part], np.cumsum(WIDTHS[:2]), axis=1)
            found = model.signatures["rank"](
                user=tf.constant(user),
                items=tf.constant(items[:, None]),
                cross=tf.constant(cross[:, None]),
                hashes=tf.constant(rows.hashes[part, None]),
                recent=tf.constant(rows.recent[part]),
                mask=tf.ones((len(user), 1)),
            )
            parts.append(found["probabilities"].numpy()[:, 0])
    except (tf.errors.OpError, KeyError, TypeError):
        return broken
    return np.concatenate(parts)


def _load(folder: Path) -> Any:
    """A SavedModel as serving would load it; None where it cannot be."""
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:
        # Whatever is wrong with its files, TensorFlow has a type for each; to the gate all are one.
        sys.stderr.write(f"{folder} cannot be loaded: {error!r}\n")
        return None


def main(plan: Plan, say: Progress = child.say) -> None:
    """Leaves the verdict, if it is not there yet."""
    if not judged(plan.path, plan.champion):
        child.leave(plan.path / OUTCOME, evaluate(plan, say))
        report.write(plan)


if __name__ == "__main__":
    child.main(main)
