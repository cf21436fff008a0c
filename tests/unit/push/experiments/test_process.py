"""Who was in an experiment and what they did, as the lake tells."""

from pathlib import Path

import msgspec
import numpy as np
from deltalake import write_deltalake

from magpie_services.core.decisions import Decision, DecisionVerdict, Mode
from magpie_services.core.events import Event, EventKind
from magpie_services.core.experiments import Assignment
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.lake.schemas import DAY, DECISIONS, EVENTS, OUTCOMES, TableSpec
from magpie_services.push.experiments import log, process
from magpie_services.push.experiments.analysis import Verdict
from magpie_services.push.experiments.declared import Arm, Experiment, Metric

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS
EXPERIMENT = Experiment(
    experiment_id="e", arms=(Arm(name="control"), Arm(name="other")), start_ms=START_MS, window_days=7.0
)


def decision(user: str, arm: str, days: float, **changes: object) -> Decision:
    fields: dict[str, object] = {
        "decision_id": f"{user}@{days}",
        "user_id": user,
        "mode": Mode.LIVE,
        "verdict": DecisionVerdict.SENT,
        "decided_ms": START_MS + int(days * DAY_MS),
        "chosen": 0,
        "assignments": [Assignment(experiment_id="e", arm=arm), Assignment(experiment_id="w", arm="x")],
    }
    return Decision(**(fields | changes))  # type: ignore[arg-type]


def outcome(user: str, kind: OutcomeKind, days: float) -> Outcome:
    name = f"{user}-{kind}-{days}"
    return Outcome(
        outcome_id=name,
        decision_id=name,
        kind=kind,
        user_id=user,
        occurred_ms=START_MS + int(days * DAY_MS),
    )


def purchase(user: str, days: float) -> Event:
    at_ms = START_MS + int(days * DAY_MS)
    return Event(event_id=f"{user}@{days}", user_id=user, kind=EventKind.PURCHASE, occurred_ms=at_ms)


def write(folder: Path, spec: TableSpec, *rows: object) -> None:
    write_deltalake(str(folder / spec.name), spec.batch(rows, range(len(rows))), partition_by=[DAY])


def test_users_come_in_once_and_count_what_they_do_within_their_days(tmp_path: Path) -> None:
    write(
        tmp_path,
        DECISIONS,
        decision("ann", "control", 1.0),
        decision("ann", "other", 3.0),  # weights were changed
        decision("bob", "other", 2.0, verdict=DecisionVerdict.NO_SEND),
        decision("bob", "other", 8.9),
        decision("eve", "other", 2.0, mode=Mode.SHADOW),
        decision("kim", "other", 2.0, chosen=-1, verdict=DecisionVerdict.BLOCKED),
        decision("joe", "gone", 2.0),
        decision("zoe", "other", 2.0, assignments=[Assignment(experiment_id="w", arm="x")]),
        decision("tom", "control", 30.0),
    )
    write(
        tmp_path,
        OUTCOMES,
        outcome("ann", OutcomeKind.CLICKED, 1.5),
        outcome("ann", OutcomeKind.CLICKED, 7.9),
        outcome("ann", OutcomeKind.CLICKED, 8.1),  # her seven days are over
        outcome("ann", OutcomeKind.UNSUBSCRIBED, 2.5),  # not within the first day
        outcome("bob", OutcomeKind.UNSUBSCRIBED, 2.5),
        outcome("bob", OutcomeKind.DISMISSED, 1.5),  # before he came in
        outcome("zoe", OutcomeKind.CLICKED, 2.5),
    )
    write(
        tmp_path,
        EVENTS,
        purchase("ann", 0.5),
        purchase("ann", -30.0),
        purchase("bob", -20.0),
        purchase("bob", -21.0),
        purchase("bob", 4.0),
        msgspec.structs.replace(purchase("bob", -3.0), kind=EventKind.VIEW_ITEM),
    )
    found = log.users(str(tmp_path), EXPERIMENT, START_MS + 20 * DAY_MS)
    assert found.arm.tolist() == [0, 1]
    assert ((found.entered_ms - START_MS) / DAY_MS).tolist() == [1.0, 2.0]
    assert found.crossed == 1
    assert found.before.tolist() == [[1.0, 0.0], [2.0, 1.0]]
    counted = {metric: values.tolist() for metric, values in found.values.items()}
    assert counted == {
        Metric.PURCHASES: [0.0, 1.0],
        Metric.CLICKS: [2.0, 0.0],
        Metric.OPT_OUTS: [0.0, 1.0],
        Metric.DISMISSALS: [0.0, 0.0],
        Metric.PUSHES: [2.0, 1.0],
    }


def test_an_empty_lake_is_too_early(tmp_path: Path) -> None:
    job = process.Job(experiment=EXPERIMENT, folder=str(tmp_path / "none"), now_ms=START_MS + DAY_MS)
    assert process.run(job).verdict is Verdict.TOO_EARLY


def test_from_decisions_to_a_verdict(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    arms = ["control" if rng.random() < 0.5 else "other" for _ in range(1_200)]
    write(tmp_path, DECISIONS, *(decision(f"u{n}", arm, 0.001 * n) for n, arm in enumerate(arms)))
    bought = [n for n, arm in enumerate(arms) if rng.random() < (0.6 if arm == "other" else 0.3)]
    write(tmp_path, EVENTS, *(purchase(f"u{n}", 3.0) for n in bought))
    job = process.Job(experiment=EXPERIMENT, folder=str(tmp_path), now_ms=START_MS + 20 * DAY_MS)
    found = process.run(job)
    assert found.verdict is Verdict.BETTER
    assert found.users == [arms.count("control"), arms.count("other")]
