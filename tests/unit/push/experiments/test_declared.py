"""Experiments as declared: who is in which, what arms change, what a file may not say."""

from pathlib import Path

import pytest

from magpie_services.core.decisions import Decision, DecisionVerdict, Mode
from magpie_services.core.experiments import Assignment
from magpie_services.kit.errors import CannotStart, Invalid
from magpie_services.push.experiments import file
from magpie_services.push.experiments.declared import Arm, Changes, Experiment, Experiments, Metric
from magpie_services.push.explain import Explanation
from magpie_services.push.policy import Objective, Policy
from magpie_services.push.predicates import Rules, Subject, ask
from magpie_services.push.quiet_hours import parse

USERS = [f"u{number}" for number in range(4_000)]
DEARER = Arm(name="dearer", policy=Changes(unsubscribe=60.0, exploration=0.2))
TEXT = """
[[experiment]]
id = "dearer"
layer = "worth"
first = 0.5
share = 0.25
start = 2026-12-01T00:00:00Z
metric = "clicks"
guardrails = ["opt_outs"]
planned_users = 500
[[experiment.arm]]
name = "control"
[[experiment.arm]]
name = "dearer"
weight = 2
[experiment.arm.policy]
unsubscribe = 60
exploration = 0.2
"""


def experiment(experiment_id: str = "e", *, arms: tuple[Arm, ...] = (), **fields: object) -> Experiment:
    made: dict[str, object] = {
        "experiment_id": experiment_id,
        "arms": arms or (Arm(name="control"), DEARER),
        **fields,
    }
    return Experiment(**made)  # type: ignore[arg-type]


def arms(known: Experiments, now_ms: int = 0) -> list[tuple[Assignment, ...]]:
    return [known.assigned(user, now_ms) for user in USERS]


def test_nobody_is_in_two_experiments_of_a_layer_and_the_holdout_is_in_none() -> None:
    rules = Rules(quiet=parse("22:00", "08:00", "UTC"), holdout_share=0.1)
    known = Experiments(
        [experiment("a", share=0.5), experiment("b", first=0.5, share=0.5), experiment("c", layer="words")],
        rules.holds_out,
    )
    for user, found in zip(USERS, arms(known), strict=True):
        names = {one.experiment_id for one in found}
        assert not {"a", "b"} <= names
        subject = Subject(user_id=user, now_ms=0, known=True, consent=True, reachable=True)
        held = any(verdict.predicate == "holdout" and not verdict.passed for verdict in ask(subject, rules))
        assert (not names) == held
    assert 0.05 < sum(map(rules.holds_out, USERS)) / len(USERS) < 0.15


def test_out_of_its_time_or_stopped_it_assigns_nobody_and_leaves_others_where_they_are() -> None:
    known = Experiments([experiment("a", start_ms=10, end_ms=20), experiment("b", layer="words")])
    assert {one.experiment_id for found in arms(known, 9) for one in found} == {"b"}
    assert {one.experiment_id for found in arms(known, 20) for one in found} == {"b"}
    before = arms(known, 15)
    known.stopped = frozenset({"a"})
    after = arms(known, 15)
    assert {one.experiment_id for found in after for one in found} == {"b"}
    assert [found[-1] for found in before] == [found[-1] for found in after]


def test_an_arm_changes_what_it_names_and_nothing_else() -> None:
    policy = Policy(objective=Objective(click=3.0), no_send_share=0.1, arms=7)
    known = Experiments([experiment()])
    control = known.policy(policy, [Assignment(experiment_id="e", arm="control")])
    dearer = known.policy(policy, [Assignment(experiment_id="e", arm="dearer")])
    assert control == policy
    assert dearer.objective == Objective(click=3.0, unsubscribe=60.0)
    assert (dearer.exploration, dearer.no_send_share, dearer.arms) == (0.2, 0.1, 7)
    assert dearer.version != policy.version


def test_arms_of_two_layers_hold_together() -> None:
    silent = Arm(name="silent", policy=Changes(no_send_share=0.9))
    known = Experiments([experiment(), experiment("w", layer="words", arms=(Arm(name="control"), silent))])
    both = [Assignment(experiment_id="e", arm="dearer"), Assignment(experiment_id="w", arm="silent")]
    policy = known.policy(Policy(), both)
    assert policy.no_send_share == 0.9
    assert policy.exploration + policy.no_send_share == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"share": 1.5}, "share"),
        ({"first": -0.1}, "share"),
        ({"arms": (Arm(name="control"),)}, "arm"),
        ({"arms": (Arm(name="a"), Arm(name="a"))}, "arm"),
        ({"arms": (Arm(name="a", weight=0), Arm(name="b"))}, "weight"),
        ({"start_ms": 5, "end_ms": 5}, "end"),
        ({"planned_users": 0}, "planned_users"),
        ({"arms": (Arm(name="a"), Arm(name="b", policy=Changes(exploration=2)))}, "exploration"),
        ({"arms": (Arm(name="a"), Arm(name="b", policy=Changes(candidate_limit=0)))}, "candidate_limit"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        Experiments([experiment(**changes)])  # type: ignore[arg-type]


def test_experiments_that_would_share_users_are_refused() -> None:
    with pytest.raises(Invalid, match="share users"):
        Experiments([experiment("a", share=0.6), experiment("b", first=0.5, share=0.5)])
    with pytest.raises(Invalid, match="twice"):
        Experiments([experiment("a", share=0.2), experiment("a", first=0.5, share=0.5)])


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "experiments.toml"
    path.write_text(TEXT)
    (found,) = file.read(path)
    assert found == experiment(
        "dearer",
        layer="worth",
        first=0.5,
        share=0.25,
        start_ms=1_796_083_200_000,
        metric=Metric.CLICKS,
        guardrails=(Metric.OPT_OUTS,),
        planned_users=500,
        arms=(Arm(name="control"), Arm(name="dearer", weight=2.0, policy=DEARER.policy)),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[experiment", "TOML"),
        ("[other]\na = 1", "experiment"),
        (TEXT.replace("layer =", "layr ="), "layr"),
        (TEXT.replace("exploration =", "explore ="), "explore"),
        (TEXT.replace('"clicks"', '"opens"'), "opens"),
        (TEXT.replace("2026-12-01T00:00:00Z", '"soon"'), "start"),
        (TEXT.replace('id = "dearer"', ""), "experiment_id"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "experiments.toml"
    path.write_text(text)
    with pytest.raises(CannotStart, match=named):
        file.read(path)
    with pytest.raises(CannotStart, match="No such file"):
        file.read(tmp_path / "none.toml")


def test_an_explanation_names_the_arm() -> None:
    decision = Decision(
        decision_id="d",
        user_id="u",
        mode=Mode.LIVE,
        verdict=DecisionVerdict.NO_SEND,
        decided_ms=0,
        assignments=[Assignment(experiment_id="e", arm="dearer")],
    )
    assert "Decided as arm dearer of experiment e." in Explanation(decision, {}).why()
