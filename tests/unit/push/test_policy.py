"""What is chosen, and with which chance."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.core.decisions import Arm
from magpie_services.push.policy import Objective, Policy, choose, propensities, seed_of

CLICKS = Objective(click=1.0, purchase=0.0, dismiss=0.0, unsubscribe=0.0)
shares = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda s: (s[0], (1 - s[0]) * s[1]))


def arm(number: int, click: float, features: bytes = b"") -> Arm:
    return Arm(item_id=f"i{number}", probabilities=[click, 0.0, 0.0, 0.0], features=features)


def test_value_adds_worth_and_takes_off_cost() -> None:
    objective = Objective(click=1, purchase=20, dismiss=0.5, unsubscribe=30)
    assert objective.value([0.1, 0.01, 0.2, 0.001]) == pytest.approx(0.1 + 0.2 - 0.1 - 0.03)


def test_only_purchases_that_the_push_adds_are_worth_anything() -> None:
    objective = Objective(click=0, purchase=20, dismiss=0, unsubscribe=0, margin=0.25)
    heads = [0.1, 0.03, 0.0, 0.0, 0.02, 0.02, 0.01]  # bought within a week: 3 % with a push, 2 % without
    assert objective.value(heads) == pytest.approx(20 * 0.01)
    assert objective.value(heads, price=80.0) == pytest.approx((20 + 0.25 * 80) * 0.01)
    sure_to_buy = [0.5, 0.3, 0.0, 0.0, 0.2, 0.3, 0.2]
    assert objective.value(sure_to_buy, price=80.0) == 0.0


def test_what_costs_more_is_worth_more_where_a_margin_is_set() -> None:
    cheap = Arm(item_id="cheap", probabilities=[0.1, 0.02, 0.0, 0.0], price=10.0)
    dear = Arm(item_id="dear", probabilities=[0.1, 0.01, 0.0, 0.0], price=90.0)
    by_count, by_margin = Objective(purchase=20), Objective(purchase=0, margin=0.5)
    for objective, best in ((by_count, "cheap"), (by_margin, "dear")):
        choice = choose([cheap, dear], Policy(objective=objective, exploration=0, no_send_share=0), 1)
        assert choice.arms[choice.chosen].item_id == best


@given(
    clicks=st.lists(st.floats(-1, 1), max_size=30),
    shares=shares,
    arms=st.integers(1, 20),
    seed=st.integers(0),
)
def test_propensities_sum_to_one_and_the_chosen_has_one(
    clicks: list[float], shares: tuple[float, float], arms: int, seed: int
) -> None:
    policy = Policy(objective=CLICKS, exploration=shares[0], no_send_share=shares[1], arms=arms)
    choice = choose([arm(n, click) for n, click in enumerate(clicks)], policy, seed)
    assert sum(option.propensity for option in choice.arms) == pytest.approx(1)
    assert all(option.propensity >= 0 for option in choice.arms)
    assert choice.arms[choice.chosen].propensity > 0
    assert len(choice.arms) <= 101
    assert [option.item_id for option in choice.arms].count("") == 1


@given(values=st.lists(st.floats(0.001, 1), min_size=1, max_size=20))
def test_the_best_is_chosen_when_nothing_is_drawn(values: list[float]) -> None:
    policy = Policy(objective=CLICKS, exploration=0.0, no_send_share=0.0)
    choice = choose([arm(n, value) for n, value in enumerate(values)], policy, 1)
    assert choice.arms[choice.chosen].value == max(values)
    assert choice.chosen == 0
    assert not choice.explored


def test_nothing_is_sent_when_the_best_is_not_worth_it() -> None:
    policy = Policy(objective=Objective(click=1.0, min_value=0.5), exploration=0.0, no_send_share=0.0)
    choice = choose([arm(1, 0.4), arm(2, 0.3)], policy, 1)
    assert choice.arms[choice.chosen].item_id == ""
    assert [option.value for option in choice.arms] == [0.4, 0.3, 0.0]


def test_draws_follow_the_propensities() -> None:
    policy = Policy(objective=CLICKS, exploration=0.3, no_send_share=0.2, arms=3)
    arms = [arm(n, 0.1 * n) for n in range(1, 6)]
    drawn: Counter[str] = Counter()
    for number in range(20_000):
        choice = choose(arms, policy, seed_of("r", str(number)))
        drawn[choice.arms[choice.chosen].item_id] += 1
    expected = {option.item_id: option.propensity for option in choice.arms}
    assert expected == pytest.approx({"i5": 0.575, "i4": 0.075, "i3": 0.075, "": 0.275})
    for item_id, chance in expected.items():
        assert drawn[item_id] / 20_000 == pytest.approx(chance, abs=0.012)


def test_the_same_seed_draws_the_same() -> None:
    policy = Policy(objective=CLICKS, exploration=0.5)
    arms = [arm(n, 0.1 * n) for n in range(5)]
    assert choose(arms, policy, 7) == choose(arms, policy, 7)


def test_a_message_about_ones_own_order_is_always_sent() -> None:
    policy = Policy(objective=CLICKS, exploration=1.0, transactional=True)
    assert propensities([-0.5], policy) == [1.0, 0.0]


def test_every_arm_keeps_the_features_it_came_with_so_that_its_inclusion_stays_true() -> None:
    policy = Policy(objective=CLICKS, exploration=0.0, no_send_share=0.0, arms=3, logged_best=1)
    arms = [arm(n, 1 - 0.1 * n, b"f") for n in range(4)]
    rest = Arm(item_id="rest", probabilities=[0.1, 0, 0, 0], features=b"f", inclusion=0.25)
    kept = choose([*arms, rest, arm(9, 0.05)], policy, 1).arms
    assert {option.item_id for option in kept if option.features} == {"i0", "i1", "i2", "i3", "rest"}
    assert "i9" not in {option.item_id for option in kept}


def test_arms_without_scores_are_left_out() -> None:
    choice = choose([Arm(item_id="x"), arm(1, float("nan"))], Policy(), 1)
    assert [option.item_id for option in choice.arms] == [""]


def test_the_version_follows_every_parameter() -> None:
    assert Policy().version == Policy().version
    assert Policy().version != Policy(objective=Objective(click=2.0)).version
