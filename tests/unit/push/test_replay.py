"""Replay: agreement, expectation and the estimate of reward."""

import msgspec
import pytest

from magpie_services.core.clustered import Interval
from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.push import replay, replay_summary
from magpie_services.push.policy import Objective, Policy
from magpie_services.push.replay import Comparison, Evidence, weighed

OBJECTIVE = Objective(click=1.0, purchase=0.0, dismiss=0.0, unsubscribe=0.0)
POLICY = Policy(objective=OBJECTIVE, exploration=0.0, no_send_share=0.0)


def compare(
    decisions: list[Decision], outcomes: dict[str, set[OutcomeKind]], policy: Policy = POLICY
) -> Comparison:
    return replay.compare(decisions, lambda decision_id: outcomes.get(decision_id, ()), policy)


def evidence(found: Comparison) -> Evidence:
    assert found.evidence is not None
    return found.evidence


def value(found: Comparison, estimator: str) -> Interval:
    return next(one.value for one in evidence(found).estimates if one.estimator == estimator)


def decision(number: int, chosen: int, **changes: object) -> Decision:
    """Two items and nothing, each drawn with a third, about a user of their own."""
    clicks = (0.6, 0.2)
    arms = [
        Arm(item_id=f"i{n}", probabilities=[c, 0.0, 0.0, 0.0], propensity=1 / 3) for n, c in enumerate(clicks)
    ]
    arms.append(Arm(propensity=1 / 3))
    made = Decision(
        decision_id=str(number),
        user_id=f"u{number}",
        mode=Mode.LIVE,
        verdict=DecisionVerdict.SENT if chosen < 2 else DecisionVerdict.NO_SEND,
        decided_ms=0,
        arms=arms,
        chosen=chosen,
    )
    return msgspec.structs.replace(made, **changes)


def test_estimates_what_another_policy_would_have_earned() -> None:
    """Uniform logs; the best item is clicked 6 times in 10: a third of the log tells its worth."""
    decisions = [decision(number, number % 3) for number in range(300)]
    clicked = {str(n): {OutcomeKind.CLICKED} for n in range(300) if n % 3 == 0 and (n // 3) % 10 < 6}
    compared = compare(decisions, clicked, POLICY)
    told = evidence(compared)
    for estimator in ("ips", "snips", "dr", "sndr", "switch_dr", "dm"):
        assert value(compared, estimator).value == pytest.approx(0.6), estimator
    assert value(compared, "snips").error == pytest.approx((0.24 / 100) ** 0.5)
    assert value(compared, "dr").low < 0.6 < value(compared, "dr").high
    assert told.effective == pytest.approx(100)
    assert (told.decisions, told.users, told.rewarded, told.left_out) == (300, 300, 60, {})
    assert told.earned.value == pytest.approx(0.2)
    assert all(one.gain.value == pytest.approx(0.4) for one in told.estimates)
    assert told.overlap == pytest.approx(1 / 3)
    assert (compared.logged.sent, compared.replayed.sent) == (200, 300)
    assert compared.replayed.clicks == pytest.approx(180)
    assert compared.agreed == 100
    assert len(compared.differing) == 20


def test_the_same_policy_agrees_with_itself() -> None:
    decisions = [decision(number, 0) for number in range(5)]
    compared = compare(decisions, {}, POLICY)
    assert (compared.agreed, compared.differing) == (5, [])


def test_a_shadow_was_never_sent_and_tells_nothing_of_reward() -> None:
    live = [decision(number, number % 2) for number in range(40)]
    clicked = {str(number): {OutcomeKind.CLICKED} for number in range(0, 40, 4)}
    shadows = [
        msgspec.structs.replace(one, mode=Mode.SHADOW, decision_id=f"s{one.decision_id}") for one in live
    ]
    alone, together = compare(live, clicked), compare([*live, *shadows], clicked)
    assert evidence(together) == evidence(alone)
    assert value(together, "snips").value == pytest.approx(0.5)
    assert together.replayed.decided == 80


@pytest.mark.parametrize(
    "verdict", [DecisionVerdict.BLOCKED, DecisionVerdict.FAILED, DecisionVerdict.EXPIRED]
)
def test_what_a_rule_stopped_after_the_choice_tells_nothing_of_reward(verdict: DecisionVerdict) -> None:
    found = compare([decision(1, 0), decision(2, 0, verdict=verdict)], {})
    assert (found.logged.decided, evidence(found).decisions) == (2, 1)


def test_the_decisions_of_one_user_hang_together() -> None:
    clicked = {str(n): {OutcomeKind.CLICKED} for n in range(300) if n % 3 == 0 and n % 10 < 6}
    apart = [decision(n, n % 3) for n in range(300)]
    together = [decision(n, n % 3, user_id=f"u{n // 30}") for n in range(300)]
    assert evidence(compare(together, clicked)).users == 10
    assert value(compare(together, clicked), "ips").value == pytest.approx(
        value(compare(apart, clicked), "ips").value
    )
    assert value(compare(together, clicked), "ips") != value(compare(apart, clicked), "ips")


def test_an_arm_that_could_not_be_drawn_is_not_chosen_and_its_lack_is_told() -> None:
    better = Arm(item_id="beyond", probabilities=[0.9, 0.0, 0.0, 0.0], propensity=0.0)
    decisions = [
        msgspec.structs.replace(one, arms=[better, *one.arms], chosen=one.chosen + 1)
        for one in (decision(n, n % 3) for n in range(30))
    ]
    found = compare(decisions, {})
    assert found.out_of_reach == 30
    assert found.replayed.clicks == pytest.approx(0.6 * 30)
    assert any("could not" in line for line in replay_summary.lines(found))


def test_a_decision_without_a_chance_on_record_is_counted_not_used() -> None:
    spoilt = decision(99, 0)
    arms = [msgspec.structs.replace(spoilt.arms[0], propensity=float("nan")), *spoilt.arms[1:]]
    found = compare(
        [*(decision(n, n % 3) for n in range(30)), msgspec.structs.replace(spoilt, arms=arms)], {}
    )
    assert evidence(found).left_out == {"propensity": 1}
    assert evidence(found).decisions == 30


def test_what_is_left_out_to_save_memory_is_not_missed() -> None:
    logged = [decision(n, n % 3, reasons=[], request_id="r", policy_version="p", seed=n) for n in range(30)]
    fat = [
        msgspec.structs.replace(
            one,
            arms=[
                msgspec.structs.replace(
                    arm, features=b"123", sources=["popular"], probabilities=[*arm.probabilities, 0.5]
                )
                if arm.item_id
                else arm
                for arm in one.arms
            ],
        )
        for one in logged
    ]
    assert compare([weighed(one) for one in fat], {}) == compare(fat, {}) == compare(logged, {})
    assert len(msgspec.msgpack.encode(weighed(fat[0]))) < len(msgspec.msgpack.encode(fat[0])) * 0.9


def test_blocked_before_the_choice_says_nothing() -> None:
    blocked = Decision(
        decision_id="b", user_id="u", mode=Mode.LIVE, verdict=DecisionVerdict.BLOCKED, decided_ms=0
    )
    compared = compare([blocked], {}, POLICY)
    assert compared.logged.decided == 0
    assert compared.evidence is None
    assert replay_summary.lines(compared) == ["No decision of that time had anything to choose from."]


def better(count: int) -> Comparison:
    """The best item is clicked 6 times in 10, others never; the log draws evenly."""
    decisions = [decision(number, number % 3) for number in range(count)]
    clicked = {str(n): {OutcomeKind.CLICKED} for n in range(count) if n % 3 == 0 and (n // 3) % 10 < 6}
    return compare(decisions, clicked)


def test_a_marketer_reads_what_would_have_come_of_it() -> None:
    lines = replay_summary.lines(better(900))
    assert lines[0].startswith(
        "The other policy would have decided 600 of 900 decisions otherwise (67%): 300 more"
    )
    assert "earned 0.6 (95 % interval" in lines[1]
    assert "as logged 0.2 (95 % interval" in lines[1]
    assert lines[2].startswith("That is more (+200%): +0.4 ")
    assert len(lines) == 3


def test_a_log_that_cannot_tell_says_so() -> None:
    few = replay_summary.lines(better(90))
    assert few[-1].startswith("Not enough overlap to tell")
    assert "it takes 100" in few[-1]
    silent = compare([decision(number, number % 3) for number in range(900)], {})
    assert "only 0 decisions" in replay_summary.lines(silent)[-1]
    clicked = {str(n): {OutcomeKind.CLICKED} for n in range(900) if n % 5 == 0}
    alike = compare([decision(number, number % 3) for number in range(900)], clicked)
    assert "cannot tell the two apart" in replay_summary.lines(alike)[-1]
