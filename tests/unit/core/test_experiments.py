"""Assignment: sticky, even, independent between layers, and moved as little as can be."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from magpie_services.core.experiments import Place, Variant, arm_of, overlapping, position

USERS = [f"user-{number}" for number in range(8_000)]

weights = st.lists(st.integers(1, 9), min_size=2, max_size=5)


def variants(*shares: float) -> list[Variant]:
    return [Variant(name=f"arm{number}", weight=share) for number, share in enumerate(shares)]


def near(share: float, expected: float, count: int = len(USERS)) -> bool:
    """Within five standard errors."""
    error = math.sqrt(max(expected * (1 - expected), 1e-4) / count)
    return abs(share - expected) < 5 * error


def test_a_user_stays_where_they_are() -> None:
    first = [arm_of("e", variants(1, 2, 3), user).name for user in USERS[:500]]
    assert first == [arm_of("e", variants(1, 2, 3), user).name for user in USERS[:500]]
    assert first == [arm_of("e", variants(1, 2, 3)[::-1], user).name for user in USERS[:500]]
    assert 0 <= min(position("s", user) for user in USERS) < max(position("s", user) for user in USERS) < 1


def test_arms_have_their_shares() -> None:
    counts = Counter(arm_of("e", variants(1, 2, 5), user).name for user in USERS)
    assert all(near(counts[f"arm{n}"] / len(USERS), w / 8) for n, w in enumerate((1, 2, 5)))


@given(weights, st.data())
def test_a_weight_that_changes_moves_users_to_or_from_its_arm_only(
    shares: list[int], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(shares) - 1))
    changed = [*shares]
    changed[number] = data.draw(st.integers(0 if sum(shares) > shares[number] else 1, 12))
    name = f"arm{number}"
    for user in USERS[:200]:
        before, after = (arm_of("e", variants(*w), user).name for w in (shares, changed))
        if before != after:
            assert (after if changed[number] > shares[number] else before) == name


def test_a_piece_that_grows_keeps_those_on_it() -> None:
    small, large = Place("l", 0.2, 0.1), Place("l", 0.2, 0.3)
    before = {user for user in USERS if small.holds(user)}
    after = {user for user in USERS if large.holds(user)}
    assert before < after
    assert near(len(before) / len(USERS), 0.1)
    assert near(len(after) / len(USERS), 0.3)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(1, 5)), max_size=6))
def test_pieces_that_do_not_overlap_share_nobody(drawn: list[tuple[str, int, int]]) -> None:
    places = [Place(layer, first / 10, share / 10) for layer, first, share in drawn]
    shared = any(
        one.layer == other.layer and one.holds(user) and other.holds(user)
        for number, one in enumerate(places)
        for other in places[:number]
        for user in USERS[:300]
    )
    assert (overlapping(places) is not None) == shared


def test_layers_know_nothing_of_each_other() -> None:
    one, other = Place("words", 0.0, 0.5), Place("timing", 0.0, 0.3)
    on_one = [user for user in USERS if one.holds(user)]
    assert near(sum(other.holds(user) for user in on_one) / len(on_one), 0.3, len(on_one))
    arms = [arm_of("x", variants(1, 1), user).name for user in on_one]
    inside = [arm for user, arm in zip(on_one, arms, strict=True) if other.holds(user)]
    assert near(inside.count("arm0") / len(inside), 0.5, len(inside))


def test_experiments_on_the_same_users_are_independent() -> None:
    pairs = Counter((arm_of("x", variants(1, 1), u).name, arm_of("y", variants(1, 1), u).name) for u in USERS)
    assert all(near(count / len(USERS), 0.25) for count in pairs.values())
