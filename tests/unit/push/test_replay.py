"""Replay: agreement, expectation and the estimate of reward."""

import msgspec
import pytest

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.push.policy import Objective, Policy
from magpie_services.push.replay import compare, weighed

OBJECTIVE = Objective(click=1.0, purchase=0.0, dismiss=0.0, unsubscribe=0.0)
POLICY = Policy(objective=OBJECTIVE, exploration=0.0, no_send_share=0.0)


def decision(number: int, chosen: int) -> Decision:
    """Two items and nothing, each drawn with a third."""
    clicks = (0.6, 0.2)
    arms = [
        Arm(item_id=f"i{n}", probabilities=[c, 0.0, 0.0, 0.0], propensity=1 / 3) for n, c in enumerate(clicks)
    ]
    arms.append(Arm(propensity=1 / 3))
    sent = DecisionVerdict.SENT if chosen < 2 else DecisionVerdict.NO_SEND
    return Decision(
        decision_id=str(number),
        user_id="u",
        mode=Mode.LIVE,
        verdict=sent,
        decided_ms=0,
        arms=arms,
        chosen=chosen,
    )


def test_estimates_what_another_policy_would_have_earned() -> None:
    """Uniform logs; the best item is clicked 6 times in 10: a third of the log tells its worth."""
    decisions = [decision(number, number % 3) for number in range(300)]
    clicked = {str(n): {OutcomeKind.CLICKED} for n in range(300) if n % 3 == 0 and (n // 3) % 10 < 6}
    compared = compare(decisions, clicked, POLICY)
    assert compared.replayed.reward == pytest.approx(0.6)
    assert compared.replayed.reward_error == pytest.approx((0.24 / 100) ** 0.5)
    assert compared.replayed.effective == pytest.approx(100)
    assert compared.logged.reward == pytest.approx(0.2)
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
    alone, together = compare(live, clicked, POLICY), compare([*live, *shadows], clicked, POLICY)
    assert together.replayed.reward == alone.replayed.reward == pytest.approx(0.5)
    assert together.replayed.effective == alone.replayed.effective
    assert together.replayed.decided == 80


def test_what_is_left_out_to_save_memory_is_not_missed() -> None:
    logged = [decision(number, number % 3) for number in range(30)]
    padded = [
        msgspec.structs.replace(
            one, arms=[Arm(item_id="rest", probabilities=[0.9, 0, 0, 0]), *one.arms], chosen=one.chosen + 1
        )
        for one in logged
    ]
    assert [weighed(one) for one in padded] == logged
    assert compare(padded, {}, POLICY) == compare(logged, {}, POLICY)


def test_blocked_before_the_choice_says_nothing() -> None:
    blocked = Decision(
        decision_id="b", user_id="u", mode=Mode.LIVE, verdict=DecisionVerdict.BLOCKED, decided_ms=0
    )
    compared = compare([blocked], {}, POLICY)
    assert compared.logged.decided == 0
    assert compared.replayed.effective == 0
