"""The child process of one trial: `python -m magpie_services.training.search.trial --run FOLDER`.

It reads the plan and `trial.json` in the folder, learns with settings that the study draws, and leaves
`ended.json`. The data of a search are read from the lake once, by whichever trial comes first.
"""

import fcntl
from typing import Any

from magpie_services.kit.errors import Invalid
from magpie_services.training import archive, child, dataset, progress
from magpie_services.training.dataset import Dataset
from magpie_services.training.plan import Plan
from magpie_services.training.progress import Report
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.search import records, study
from magpie_services.training.search.records import ENDED, Trial, TrialState
from magpie_services.training.search.space import SPACES, apply
from magpie_services.training.search.study import Attempt
from magpie_services.training.settings import TrainingSettings


def main(plan: Plan) -> None:
    """Raises Invalid where the lake has too little to learn from, or privacy forbids it."""
    if records.ended(plan.path) is not None:  # a second delivery finds the work done
        return
    task = records.task(plan.path)
    if task.model == "ranker" and plan.ranker.privacy is not None:
        raise Invalid("model", "is learnt with privacy, which a search for its settings would not keep")
    child.say("reading the lake", 0.0)
    data, space = _data(plan), SPACES[task.model]
    redis_url = TrainingSettings.load().redis_url
    with (
        progress.journal(plan.path, child.tell) as journal,
        study.attempt(redis_url, task.search_id, space, plan.seed, task.number) as attempt,
    ):
        told = journal.stage(task.model, 0.05, 1.0, space.measure)
        _learn(task.model, apply(plan, task.model, attempt.settings), data, _heard(told, attempt))
    if attempt.best is None:
        raise Invalid("lake", "has too little to compare settings by")
    state = TrialState.PRUNED if attempt.pruned else TrialState.FINISHED
    trial = Trial(number=task.number, state=state, score=attempt.best, settings=attempt.settings)
    child.leave(plan.path / ENDED, trial)


def _learn(model: str, plan: Plan, data: Dataset, report: Report) -> None:
    """The first fit of a run: on all but the newest week, judged on held-out users."""
    if model == "retriever":
        from magpie_services.training.retrieval import fit as retriever_fit

        until = data.cut_ms
        retriever_fit.train(plan.retriever, data.vocabulary, data.history, until, plan.seed, report)
    else:
        from magpie_services.training.ranking import fit as ranker_fit

        ranker_fit.train(plan.ranker, ranker_rows.as_of(data.rows, data.cut_ms), plan.seed, report)


def _heard(told: Report, attempt: Attempt) -> Report:
    """Tells the worker and the study."""

    def report(activity: str, share: float, **figures: Any) -> None:
        told(activity, share, **figures)
        if figures.get("step") is not None and figures.get("metric") is not None:
            attempt.heard(figures["step"], figures["metric"])

    return report


def _data(plan: Plan) -> Dataset:
    shelf = plan.path.parent
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = archive.load(shelf / "data.npz", Dataset)
        if found is None:
            found = dataset.load(plan)
            archive.save(shelf / "data.npz", found)
    return found


if __name__ == "__main__":
    child.main(main)
