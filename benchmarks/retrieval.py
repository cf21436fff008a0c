"""Sequential recommendation on a public data set: leave one out, all items ranked, against tuned baselines.

    benchmarks/retrieval.py --data FOLDER [--models magpie|all|name,...] [--seeds 3] [--encoder transformer]

The folder has a `sequences.txt` (a line a user: the user, then items, oldest first) and may have an
`item_attributes.json`. Everything is trained from scratch and tuned on validation only; the log of what was
tried goes to `--log`. Times are not in such data, so that models that need them are n/a.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from table import HEAD, Row, deviation, mean, sequences, use_threads

if TYPE_CHECKING:
    from magpie_services.training.retrieval.baselines import Baseline, Scorer
    from magpie_services.training.retrieval.leave_one_out import Data
    from magpie_services.training.retrieval.transitions import Transitions

ENCODERS = ("transformer", "recurrent", "convolutional")
BASELINES = ("popular", "itemcf", "ease", "ials", "bpr")
NEED_TIMES = ("popular_week", "repeat_last")
RANDOM = ("ials", "bpr")
# A part of the model as shipped, and not a rival: published methods are what "baseline" means here.
OURS = ("magpie", "transitions", *ENCODERS)


class Bench:
    """The data set, what is shared by models, and the log."""

    def __init__(self, data: "Data", log: TextIO, seeds: int, say: Callable[[str], None]) -> None:
        from magpie_services.training.retrieval import recipe

        self.data, self.seeds, self._file, self.say = data, range(1, seeds + 1), log, say
        self.known, self.validation = data.split(2)
        self.judge = self.validation.sample(recipe.VALIDATION_USERS, 0)
        self.test = data.split(1)[1]
        self._transitions: tuple[Transitions, float] | None = None
        self._plans: dict[str, Any] = {}
        self.newest: Any = None
        """The retriever that was trained last."""

    def log(self, model: str, settings: dict[str, float | str], ndcg: float) -> None:
        line = {"model": model, "settings": settings, "validation_ndcg10": round(ndcg, 6)}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def mark(self, row: Row, scorer: "Scorer", seconds: float) -> None:
        """Adds a seed's test figures."""
        marks = self.test.mark(scorer)
        row.ndcg.append(marks.ndcg)
        row.recall.append(marks.recall)
        row.minutes.append(seconds / 60)
        self.say(f"{row.name}: {marks.ndcg:.4f} {marks.recall:.4f} in {seconds / 60:.2f} min")

    def transitions(self) -> "tuple[Transitions, float]":
        """The tuned table, and the seconds it took."""
        from magpie_services.training.retrieval import recipe

        if self._transitions is None:
            begun = time.monotonic()
            found = recipe.tuned_transitions(self.data, self.known, self.judge, self.log)
            self._transitions = found, time.monotonic() - begun
        return self._transitions

    def magpie(self, encoder: Any) -> tuple[Row, Row]:
        """The model as shipped, and its encoder alone."""
        from magpie_services.training.retrieval import recipe

        whole, alone = Row("magpie"), Row(encoder)
        for seed in self.seeds:
            trained = self._encoder(encoder, recipe.settings(self.known, encoder), seed)
            begun = time.monotonic()
            table, seconds = self.transitions()
            blend = recipe.blended(self.data, self.known, self.judge, trained.scorer, table, seed, self.log)
            self.mark(alone, trained.scorer, trained.seconds)
            self.mark(whole, blend, trained.seconds + seconds + time.monotonic() - begun)
            note = (
                f"{trained.epochs} epochs, dropout {trained.plan.dropout}, loudness {trained.plan.loudness:g}"
            )
            alone.note, whole.note = note, f"weights {', '.join(f'{one:.3g}' for one in blend.weights)}"
        return whole, alone

    def encoder(self, name: Any) -> Row:
        """An encoder alone; SASRec with its own loss among them."""
        from magpie_services.training.retrieval import recipe

        plan = recipe.sasrec(self.known) if name == "sasrec" else recipe.settings(self.known, name)
        row = Row(name)
        for seed in self.seeds:
            trained = self._encoder(name, plan, seed)
            self.mark(row, trained.scorer, trained.seconds)
            row.note = (
                f"{trained.epochs} epochs, dropout {trained.plan.dropout}, loudness {trained.plan.loudness:g}"
            )
        return row

    def _encoder(self, name: str, plan: Any, seed: int) -> Any:
        """A trained encoder; the first seed chooses the plan for the others."""
        from magpie_services.training.retrieval import recipe

        plans = [self._plans[name]] if name in self._plans else recipe.choices(plan)
        trained = recipe.best_encoder(self.data, self.known, self.judge, plans, seed, self.log)
        self._plans[name], self.newest = trained.plan, trained.learner.model
        return trained

    def baseline(self, name: str) -> Row:
        """A baseline with the best of its settings."""
        from magpie_services.kit.errors import Invalid
        from magpie_services.training.retrieval.baselines.registry import GRIDS

        row, size = Row(name), len(self.data.vocabulary)
        tried: list[tuple[float, Baseline]] = []
        try:
            for setting in GRIDS[name]:
                if setting.settings.get("half_life_days"):
                    continue  # there are no times
                ndcg = self.judge.mark(setting.fit(self.known, size, 1)).ndcg
                self.log(name, dict(setting.settings), ndcg)
                tried.append((ndcg, setting))
            best = max(tried, key=lambda one: one[0])[1]
            for seed in self.seeds if name in RANDOM else [1]:
                begun = time.monotonic()
                self.mark(row, best.fit(self.known, size, seed), time.monotonic() - begun)
        except Invalid as error:
            return Row(name, note=error.message)
        row.note = ", ".join(f"{key} {value:g}" for key, value in best.settings.items())
        return row

    def table(self) -> Row:
        """Transitions alone."""
        row = Row("transitions")
        found, seconds = self.transitions()
        self.mark(row, found, seconds)
        return row


def main() -> None:
    told = arguments()
    use_threads(told.threads)
    from harness import report, say

    begun = time.monotonic()
    data = sequences(told.data)
    say(f"{data.name}: {len(data.history.users)} users, {len(data.vocabulary) - 1} items")
    models = told.models.split(",")
    if "all" in models:
        models = ["magpie", "transitions", *ENCODERS, "sasrec", *BASELINES, *NEED_TIMES]
    rows: list[Row] = []
    peak = 0.0
    with told.log.open("w") as log:
        bench = Bench(data, log, told.seeds, say)
        for name in models:
            if name == "magpie":
                rows += bench.magpie(told.encoder)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            elif name == "transitions":
                rows.append(bench.table())
            elif name in (*ENCODERS, "sasrec"):
                if name not in {row.name for row in rows}:
                    rows.append(bench.encoder(name))
            elif name in NEED_TIMES:
                rows.append(Row(name, note="needs times, or items that come again"))
            else:
                rows.append(bench.baseline(name))
    print(HEAD)
    for row in sorted(rows, key=lambda row: -mean(row.ndcg) if row.ndcg else 0.0):
        print(row)
    rivals = [row for row in rows if row.ndcg and row.name not in OURS]
    best = max(rivals, key=lambda row: mean(row.ndcg), default=None)
    own = next((row for row in rows if row.ndcg), None)
    if own is None:
        raise SystemExit("no model has a figure")
    figures = {
        "ndcg10": round(mean(own.ndcg), 5),
        "ndcg10_sd": round(deviation(own.ndcg), 5),
        "recall10": round(mean(own.recall), 5),
        "recall10_sd": round(deviation(own.recall), 5),
        "best_baseline_ndcg10": round(mean(best.ndcg), 5) if best else 0.0,
        "train_minutes": round(mean(own.minutes), 2),
        "peak_gb": round(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "total_minutes": round((time.monotonic() - begun) / 60, 1),
    }
    for row in rows:
        if row.ndcg:
            figures[f"{row.name}_ndcg10"] = round(mean(row.ndcg), 5)
            figures[f"{row.name}_recall10"] = round(mean(row.recall), 5)
    report(
        "retrieval",
        figures,
        {
            "data": data.name,
            "model": own.name,
            "best_baseline": best.name if best else "",
            "seeds": told.seeds,
            "threads": told.threads,
            "log": str(told.log),
        },
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with sequences.txt")
    parser.add_argument("--models", default="magpie", help="all, or names separated by commas")
    parser.add_argument("--encoder", default="transformer", choices=ENCODERS, help="the encoder in magpie")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--log", type=Path, default=Path("retrieval-tuning.jsonl"), help="the tuning log")
    told = parser.parse_args()
    known = {"all", "magpie", "transitions", *ENCODERS, "sasrec", *BASELINES, *NEED_TIMES}
    if unknown := set(told.models.split(",")) - known:
        parser.error(f"unknown models: {', '.join(sorted(unknown))}")
    return told


if __name__ == "__main__":
    main()
