"""How much of what people buy next week is among their hundred candidates, on a real log, by source.

    benchmarks/candidates.py --data online_retail.csv.gz [--weeks 4 3 2] [--seconds 60]

The weeks lie before the ten of `next_week.py`, on which nothing is to be chosen. One retriever learns from
what came before the first of them. `recall10` is of the first ten in the order of the list; ranking orders
them anew.
"""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean

import harness
from log_replica import Reader, Replica
from next_week import Log, Question, default_start

from magpie_services.candidate.blend import ALL, Found
from magpie_services.candidate.near import TRANSITION, VECTOR
from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.progress import silent

TEST_WEEKS = 10
SOURCES = {
    "vectors": {VECTOR},
    "transitions": {TRANSITION},
    "retriever": {VECTOR, TRANSITION},
    "without_transitions": {*ALL} - {TRANSITION},
    "all": {*ALL},
}


def main() -> None:
    """Prints the figures as one JSON line, last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="a CSV (.gz) with the columns of Online Retail"
    )
    parser.add_argument("--weeks", type=int, nargs="+", default=[4, 3, 2], help="weeks before the test")
    parser.add_argument("--seconds", type=float, default=60.0, help="time box of the encoder's fit")
    told = parser.parse_args()
    from magpie_services.training.retrieval import fit

    start = datetime.combine(default_start(told.data, TEST_WEEKS), datetime.min.time(), UTC)
    log, replica = Log(told.data, int(start.timestamp() * 1000), TEST_WEEKS), Replica()
    asked = sorted(-week for week in told.weeks)
    read: Reader | None = None
    marks: dict[str, list[tuple[float, float]]] = {name: [] for name in SOURCES}
    for number, week in sorted(log.weeks.items()):
        if number > asked[-1]:
            break
        if number == asked[0]:
            before, words = log.before(number), log.vocabulary(replica.items)
            fitted = fit.train(
                RetrieverPlan(seconds=told.seconds), words, before, week.start_ms - 1, 1, silent
            )
            read = Reader(fit.refit(fitted, words, before, 1, silent), log.ids, log.history)
            harness.say(f"transitions weigh {fitted.weight:.3f}")
        if number in asked:
            question = log.question(number)
            users = [question.before.users[user] for user in question.users]
            for name, sources in SOURCES.items():
                lists = replica.candidates(users, week.start_ms, read, 1, sources)
                marks[name].append((recall(log, question, lists, 100), recall(log, question, lists, 10)))
            shown = {name: round(found[-1][0], 4) for name, found in marks.items()}
            harness.say(f"week {number}: {shown}")
        replica.live(week.lines)
    figures = {
        f"{name}_recall{count}": round(mean(pair[at] for pair in found), 4)
        for name, found in marks.items()
        for at, count in enumerate((100, 10))
    }
    conditions = {"data": told.data.name, "start": f"{start - timedelta(weeks=-asked[0]):%Y-%m-%d}"}
    harness.report("candidates", figures, {**conditions, "weeks": len(asked)})


def recall(log: Log, question: Question, lists: list[list[Found]], count: int) -> float:
    """Mean share of what each user wanted that is among their first `count` candidates."""
    return mean(
        len({log.codes[one.item_id] for one in found[:count]} & wanted) / len(wanted)
        for found, wanted in zip(lists, question.wanted, strict=True)
    )


if __name__ == "__main__":
    main()
