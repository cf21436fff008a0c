"""The replaying process: what the lake holds and what is still in the streams, each decision once."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from deltalake import write_deltalake
from tests.unit.push.test_replay import POLICY, decision

from magpie_services.core import codec
from magpie_services.core.decisions import Decision, DecisionVerdict
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.lake.schemas import DAY, DECISIONS, OUTCOMES
from magpie_services.push import replay_process
from magpie_services.push.replay import Comparison, Span, weighed
from magpie_services.push.replay_process import Job

DAY_MS = 86_400_000
TODAY_MS = 20_000 * DAY_MS


def lake(folder: Path, decisions: list[Decision], clicked: list[str]) -> str:
    write_deltalake(
        str(folder / "decisions"), DECISIONS.batch(decisions, range(len(decisions))), partition_by=[DAY]
    )
    outcomes = [
        Outcome(outcome_id=name, decision_id=name, kind=OutcomeKind.CLICKED, occurred_ms=TODAY_MS)
        for name in clicked
    ]
    write_deltalake(
        str(folder / "outcomes"), OUTCOMES.batch(outcomes, range(len(outcomes))), partition_by=[DAY]
    )
    return str(folder)


def job(folder: str, recent: list[Decision], span: Span, clicked: set[str]) -> Job:
    return Job(
        span=span,
        policy=POLICY,
        recent=[codec.encode(weighed(one)) for one in recent],
        outcomes={name: {OutcomeKind.CLICKED} for name in clicked},
        folder=folder,
    )


def same(one: Comparison, other: Comparison) -> bool:
    """But for the order of sums and of examples."""
    assert one.evidence is not None
    assert other.evidence is not None
    assert one.evidence.left_out == other.evidence.left_out == {}
    for mine, theirs in zip(one.evidence.estimates, other.evidence.estimates, strict=True):
        assert mine.value == pytest.approx(theirs.value)
        assert mine.gain == pytest.approx(theirs.gain)
    return (one.agreed, one.logged.sent, one.replayed.sent, one.evidence.users) == (
        other.agreed,
        other.logged.sent,
        other.replayed.sent,
        other.evidence.users,
    )


def test_yesterday_is_replayed_from_the_lake_like_today_from_the_stream(tmp_path: Path) -> None:
    made = [decision(n, n % 3, decided_ms=TODAY_MS - n * 3_600_000, seed=2**62 + n) for n in range(60)]
    clicked = {str(n) for n in range(0, 60, 3)}
    folder = lake(tmp_path, made, sorted(clicked))
    everything = Span(0, 0, 1_000)
    from_stream = replay_process.run(job("", made, everything, clicked))
    assert same(replay_process.run(job(folder, [], everything, set())), from_stream)
    # Half of it, and some of that twice: the stream has the last word.
    queued = [msgspec.structs.replace(one, verdict=DecisionVerdict.QUEUED) for one in made[:30]]
    folder = lake(tmp_path / "half", [*queued, *made[30:]], sorted(clicked))
    assert same(replay_process.run(job(folder, made[:30], everything, clicked)), from_stream)


def test_a_day_and_a_limit_hold_for_both(tmp_path: Path) -> None:
    made = [decision(n, 0, decided_ms=TODAY_MS - n * 3_600_000) for n in range(60)]
    folder = lake(tmp_path, made, [])
    yesterday = Span(TODAY_MS - DAY_MS, TODAY_MS, 1_000)
    assert replay_process.run(job(folder, [], yesterday, set())).logged.decided == 24
    assert replay_process.run(job(folder, made[:5], Span(0, 0, 20), set())).logged.decided == 20


def test_the_process_answers_what_the_function_does(tmp_path: Path) -> None:
    made = [decision(n, n % 3, decided_ms=TODAY_MS) for n in range(9)]
    asked = job(lake(tmp_path, made, ["0"]), [], Span(0, 0, 100), set())
    answer = subprocess.run(
        [sys.executable, "-m", replay_process.__name__],
        input=codec.encode(asked),
        capture_output=True,
        check=True,
    )
    assert codec.decode(Comparison, answer.stdout) == replay_process.run(asked)


def test_an_absent_lake_is_an_empty_one(tmp_path: Path) -> None:
    found = replay_process.run(job(str(tmp_path / "none"), [], Span(0, 0, 100), set()))
    assert (found.logged.decided, found.evidence) == (0, None)
