"""Who buys what in the coming week, on a real log with a global split in time: Magpie against its baselines.

Every test week is asked of models that learnt from what came before it. Asked is everybody who buys in that
week and bought before; wanted is the set of products of their week, those they had before included, because a
push may bring them back. All products are ranked. Settings of baselines are chosen on weeks before the test.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, pstdev

import harness
import numpy as np
from log_replica import Reader, Replica, history
from numpy.typing import NDArray

from magpie_cli.demo.log import Week, read_weeks
from magpie_cli.importing import job, online_retail
from magpie_services.core.items import Item
from magpie_services.training.metrics import top
from magpie_services.training.plan import RankerPlan, RetrieverPlan
from magpie_services.training.progress import silent
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.rows import PURCHASE, Rows
from magpie_services.training.retrieval import sequences, vocabulary
from magpie_services.training.retrieval.baselines import Baseline, Scorer
from magpie_services.training.retrieval.baselines.registry import GRIDS
from magpie_services.training.retrieval.retriever import Retriever
from magpie_services.training.retrieval.sequences import History

TOP = 10
LOGGED_REFIT = 10  # weeks between two fits of the retriever that finds the candidates learnt from
SEEDED = frozenset({"ials", "bpr"})
_DISCOUNT = 1 / np.log2(np.arange(2, TOP + 2))

Ranked = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """One week: who is asked (positions in the history), what they wanted, and what was sold before it."""

    week: Week
    users: NDArray[np.int64]
    wanted: list[set[int]]
    before: History
    sold: int

    def marks(self, ranked: Ranked) -> dict[str, float]:
        """Means over those asked of the first ten: codes int [users, 10], 0 where a list is short."""
        past = self.before.of(self.users)
        had = [set(past.items[a:b].tolist()) for a, b in zip(past.offsets, past.offsets[1:], strict=False)]
        hits = np.array(
            [[code in want for code in row] for row, want in zip(ranked.tolist(), self.wanted, strict=True)]
        )
        new = np.array(
            [[code not in own for code in row] for row, own in zip(ranked.tolist(), had, strict=True)]
        )
        size = np.array([len(want) for want in self.wanted])
        ideal = np.cumsum(_DISCOUNT)[np.minimum(size, TOP) - 1]
        return {
            "ndcg10": float(((hits @ _DISCOUNT) / ideal).mean()),
            "recall10": float((hits.sum(1) / size).mean()),
            "coverage10": len(np.unique(ranked[ranked > 0])) / self.sold,
            "hit1": float(hits[:, 0].mean()),
            "new_hits10": float((hits & new).sum(1).mean()),
        }

    def asked(self, scorer: Scorer) -> dict[str, float]:
        """The marks of a scorer."""
        scores = np.array(scorer.scores(self.before.of(self.users)))
        scores[:, 0] = -np.inf
        return self.marks(top(scores, TOP))


@dataclass
class Row:
    """One model's marks by seed and week."""

    name: str
    seeds: dict[int, list[dict[str, float]]] = field(default_factory=dict)

    def add(self, seed: int, marks: dict[str, float]) -> None:
        self.seeds.setdefault(seed, []).append(marks)

    def of(self, mark: str) -> tuple[float, float]:
        """Mean and deviation over the seeds of the mean over the weeks."""
        means = [mean(week[mark] for week in weeks) for weeks in self.seeds.values()]
        return mean(means), pstdev(means)


class Log:
    """A log in weeks, with the codes of its items."""

    def __init__(self, path: Path, start_ms: int, weeks: int) -> None:
        reader = job.Reader(path, strict=False, progress=lambda read: None)
        found = read_weeks(path, start_ms, reader, online_retail.Cleaner())
        self.weeks = {week.number: week for week in found if week.number < weeks}
        lines = [line for week in self.weeks.values() for line in week.lines]
        self.ids = ("", *sorted({line.item_id for line in lines}))
        self.codes = {item_id: code for code, item_id in enumerate(self.ids) if code}
        self.history = history(lines, self.codes)

    def before(self, number: int) -> History:
        """What had happened when a week began."""
        return self.history.until(self.weeks[number].start_ms - 1)

    def question(self, number: int) -> Question:
        """The week as a question."""
        week, before = self.weeks[number], self.before(number)
        wanted = sequences.wanted(self.history, week.start_ms - 1, week.end_ms - 1)
        users = [user for user in sorted(wanted) if before.offsets[user + 1] > before.offsets[user]]
        sold = len(np.unique(before.items))
        return Question(week, np.array(users, np.int64), [wanted[user] for user in users], before, sold)

    def vocabulary(self, items: Mapping[str, Item]) -> vocabulary.Vocabulary:
        """All codes, described as far as the catalogue has them."""
        return vocabulary.build(items.values(), self.ids[1:])


def tuned(log: Log, questions: Sequence[Question], name: str) -> Baseline:
    """The setting that did best on the validation weeks; says what each did."""
    best, kept = -1.0, GRIDS[name][0]
    for baseline in GRIDS[name]:
        if len(GRIDS[name]) == 1:
            break
        score = mean(q.asked(baseline.fit(q.before, len(log.ids), 1))["ndcg10"] for q in questions)
        harness.say(f"  validation {score:.4f} {name} {baseline.settings}")
        if score > best:
            best, kept = score, baseline
    harness.say(f"chosen: {name} {kept.settings}")
    return kept


def baseline_row(log: Log, told: argparse.Namespace, name: str, baseline: Baseline) -> Row:
    """A baseline over the test weeks; those that draw are fitted when ours is, the others every week."""
    row = Row(name)
    for seed in range(1, told.seeds + 1) if name in SEEDED else (1,):
        scorer: Scorer | None = None
        for number in range(told.weeks):
            question = log.question(number)
            if scorer is None or name not in SEEDED or number % told.refit == 0:
                scorer = baseline.fit(question.before, len(log.ids), seed)
            row.add(seed, question.asked(scorer))
    return row


def sasrec_row(log: Log, told: argparse.Namespace) -> Row:
    """SASRec with its original loss, fitted when ours is; its newest week tells when to stop."""
    from magpie_services.training.retrieval import fit, recipe
    from magpie_services.training.retrieval.leave_one_out import Served
    from magpie_services.training.retrieval.windows import NextItem, Windows

    class LastWeek:
        def __init__(self, question: Question) -> None:
            self.asked, self._question = len(question.users), question

        def score(self, model: Retriever) -> float:
            return self._question.asked(Served(model))["ndcg10"]

    row = Row("sasrec")
    for seed in range(1, told.seeds + 1):
        for number in range(told.weeks):
            if number % told.refit == 0:
                exam = log.question(number - 1)
                plan = recipe.sasrec(exam.before, told.seconds)
                learner = fit.begin(plan, log.vocabulary({}), exam.before, seed)
                windows = Windows(exam.before, NextItem(exam.before))
                learner.learn(windows, LastWeek(exam), seed, silent)
                scorer = Served(learner.model)
            row.add(seed, log.question(number).asked(scorer))
        harness.say(f"sasrec, seed {seed}: {mean(week['ndcg10'] for week in row.seeds[seed]):.4f}")
    return row


class Ours:
    """Magpie's own pipeline for one seed: candidates of the retriever and of the other sources, put in
    order by the ranker on the features of core.

    It logs candidates of past weeks, as shadow decisions would, and learns from those of people who bought:
    asked is what they buy, not whether.
    """

    def __init__(self, log: Log, told: argparse.Namespace, seed: int) -> None:
        self._log, self._told, self._seed = log, told, seed
        self._rng = np.random.default_rng(seed)
        self._rows: list[Rows] = []
        self._decisions = 0
        self._read: Reader | None = None
        self._rank: Callable[[Rows], NDArray[np.float32]] | None = None

    def refit(self, replica: Replica, number: int, *, ranker: bool) -> None:
        """Learns from all that came before a week."""
        from magpie_services.training.ranking import fit as ranker_fit
        from magpie_services.training.retrieval import fit as retriever_fit

        now_ms, before = self._log.weeks[number].start_ms, self._log.before(number)
        words = self._log.vocabulary(replica.items)
        plan = RetrieverPlan(seconds=self._told.seconds)
        fitted = retriever_fit.train(plan, words, before, now_ms - 1, self._seed, silent)
        fitted = retriever_fit.refit(fitted, words, before, self._seed, silent)
        self._read = Reader(fitted, self._log.ids, self._log.history)
        if not ranker:
            return
        rows = ranker_rows.as_of(ranker_rows.concat(self._rows), now_ms)
        rows = ranker_rows.sample(rows, RankerPlan().max_rows, self._rng)
        model, epochs = ranker_fit.train(RankerPlan(seconds=4 * self._told.seconds), rows, self._seed, silent)
        self._rank = lambda asked: ranker_fit.logits(model, asked)[:, PURCHASE]
        harness.say(f"magpie, seed {self._seed}, week {number}: {len(rows)} rows, {epochs} deep epochs")

    def log_week(self, replica: Replica, week: Week) -> None:
        """The candidates of those who bought in a week, with what came of them."""
        bought: dict[str, dict[str, int]] = {}
        for line in week.lines:
            if line.user_id in replica.portraits and not line.returned:
                bought.setdefault(line.user_id, {}).setdefault(line.item_id, line.at_ms)
        decided = replica.decide(list(bought), week.start_ms, self._read, self._seed)
        self._rows.append(decided.rows(bought, self._decisions))
        self._decisions += len(bought)

    def answer(self, replica: Replica, question: Question) -> dict[str, float]:
        """The marks of a test week."""
        users = [question.before.users[user] for user in question.users]
        decided = replica.decide(users, question.week.start_ms, self._read, self._seed)
        rows = decided.rows({}, 0)
        scores = self._rank(rows)  # type: ignore[misc]  # fitted before the first test week
        ranked = np.zeros((len(users), TOP), np.int64)
        codes = np.array([self._log.codes[item] for ids in decided.item_ids for item in ids])
        for at in range(len(users)):
            mine = np.flatnonzero(rows.decisions == at)
            best = mine[np.argsort(-scores[mine], kind="stable")[:TOP]]
            ranked[at, : len(best)] = codes[best]
        return question.marks(ranked)


def ours_row(log: Log, told: argparse.Namespace) -> Row:
    """Lives through the log once, with a pipeline for every seed."""
    row, replica = Row("magpie"), Replica()
    seeds = {seed: Ours(log, told, seed) for seed in range(1, told.seeds + 1)}
    for number, week in sorted(log.weeks.items()):
        for seed, one in seeds.items():
            due = number % told.refit if number >= 0 else (number + told.logged) % LOGGED_REFIT
            if number >= -told.logged and not due:
                one.refit(replica, number, ranker=number >= 0)
            if number >= 0:
                row.add(seed, one.answer(replica, log.question(number)))
            if -told.logged <= number < told.weeks - 1:
                one.log_week(replica, week)
        if number >= 0:
            harness.say(f"week {number}: {[round(row.seeds[seed][-1]['ndcg10'], 4) for seed in seeds]}")
        replica.live(week.lines)
    return row


def main() -> None:
    told = _arguments()
    start = datetime.combine(told.start or default_start(told.data, told.weeks), datetime.min.time(), UTC)
    log = Log(told.data, int(start.timestamp() * 1000), told.weeks)
    harness.say(
        f"{len(log.history)} purchases and returns, {len(log.ids) - 1} items; test from {start:%Y-%m-%d}"
    )
    names = told.models.split(",") if told.models != "all" else ["magpie", *GRIDS, "sasrec"]
    rows = list(_rows(log, told, names))
    print("| model | NDCG@10 | ± | recall@10 | coverage@10 | hit@1 | new hits@10 |")
    print("|---|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: -row.of("ndcg10")[0]):
        rest = (f"{row.of(mark)[0]:.4f}" for mark in ("recall10", "coverage10", "hit1", "new_hits10"))
        print(f"| {row.name} | {row.of('ndcg10')[0]:.4f} | {row.of('ndcg10')[1]:.4f} | {' | '.join(rest)} |")
    by_name = {row.name: row for row in rows}
    figures = {f"{name}_ndcg10": row.of("ndcg10")[0] for name, row in by_name.items()}
    if "magpie" in by_name:
        own = by_name["magpie"]
        figures |= {mark: own.of(mark)[0] for mark in ("ndcg10", "recall10", "coverage10", "new_hits10")}
        figures |= {f"{mark}_sd": own.of(mark)[1] for mark in ("ndcg10", "coverage10")}
    # The usual rivals. The most frequent items, harder where people buy again, are reported beside them.
    rivals = [row.of("ndcg10")[0] for row in rows if row.name not in ("magpie", "most_frequent")]
    if rivals and "magpie" in by_name:
        figures["best_baseline_ndcg10"] = max(rivals)
        figures["ratio"] = figures["ndcg10"] / max(rivals)
    if "most_frequent" in by_name and "magpie" in by_name:
        figures["ratio_to_most_frequent"] = figures["ndcg10"] / figures["most_frequent_ndcg10"]
    conditions = {
        "data": told.data.name,
        "start": f"{start:%Y-%m-%d}",
        "weeks": told.weeks,
        "seeds": told.seeds,
    }
    harness.report("next_week", figures, conditions)


def _rows(log: Log, told: argparse.Namespace, names: Sequence[str]) -> Iterator[Row]:
    validation = [log.question(-number) for number in told.validation]
    for name in names:
        if name == "magpie":
            row = ours_row(log, told)
        elif name == "sasrec":
            row = sasrec_row(log, told)
        else:
            row = baseline_row(log, told, name, tuned(log, validation, name))
        harness.say(f"{name}: NDCG@10 {row.of('ndcg10')[0]:.4f}")
        yield row


def default_start(path: Path, weeks: int) -> date:
    """So many weeks before the last line, at midnight."""
    reader = job.Reader(path, strict=False, progress=lambda read: None)
    last_ms = max(week.lines[-1].at_ms for week in read_weeks(path, 0, reader, online_retail.Cleaner()))
    return (datetime.fromtimestamp(last_ms / 1000, UTC) - timedelta(weeks=weeks) + timedelta(days=1)).date()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="a CSV (.gz) with the columns of Online Retail"
    )
    parser.add_argument("--start", type=date.fromisoformat, help="first day of the first test week")
    parser.add_argument("--weeks", type=int, default=10, help="test weeks")
    parser.add_argument("--refit", type=int, default=5, help="weeks between two fits of the models that draw")
    parser.add_argument(
        "--logged", type=int, default=20, help="weeks before the test whose candidates are learnt from"
    )
    parser.add_argument(
        "--validation", type=int, nargs="+", default=[1, 3], help="weeks before the test to tune on"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0, help="time box of one fit of an encoder")
    parser.add_argument("--models", default="all", help="names, separated by commas")
    return parser.parse_args()


if __name__ == "__main__":
    main()
