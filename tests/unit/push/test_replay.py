"""Replay: agreement, expectation and the estimate of reward."""

import pytest

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.push.policy import Objective, Policy
from magpie_services.push.replay import compare

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


def test_blocked_before_the_choice_says_nothing() -> None:
    blocked = Decision(
        decision_id="b", user_id="u", mode=Mode.LIVE, verdict=DecisionVerdict.BLOCKED, decided_ms=0
    )
    compared = compare([blocked], {}, POLICY)
    assert compared.logged.decided == 0
    assert compared.replayed.effective == 0
