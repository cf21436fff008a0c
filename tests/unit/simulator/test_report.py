"""The arithmetic of a report."""

import numpy as np
import pytest
from tests.unit.simulator.worlds import world

from magpie_simulator.acts import Kind, acts, joined
from magpie_simulator.forks import live_forks
from magpie_simulator.tally import Tally


def test_a_tally_counts_and_rewards_as_its_formula_says() -> None:
    at_ms = np.array([1, 2])
    tally = Tally(user_days=500)
    tally.add(
        joined(
            [
                acts(Kind.PURCHASE, ms=at_ms, price=np.array([10_000, 30_000]), push=np.array([-1, 4])),
                acts(Kind.RETURN_ITEM, ms=at_ms[:1], price=10_000),
                acts(Kind.CLICKED, ms=at_ms, push=4),
                acts(Kind.DISMISSED, ms=at_ms, push=5),
                acts(Kind.UNSUBSCRIBED, ms=at_ms[:1], push=5),
                acts(Kind.SILENT_OPT_OUT, ms=at_ms[:1]),
            ]
        )
    )
    summary = tally.summary(0.25)
    assert (summary["purchases"], summary["bought"], summary["revenue"]) == (2, 1, 400.0)
    # 0.25 x 300 + 2 x 0.5 - 2 x 0.1 - 2 x 30 = 15.8 over 500 user-days
    assert summary["reward"] == pytest.approx(31.6)


def test_forks_live_the_same_days_and_leave_the_world_alone() -> None:
    place = world()
    before = place.minds.needs.copy()
    forks = live_forks(place, 2, [10, 0])
    assert (place.minds.needs == before).all()
    assert place.day == 0
    assert {tally.user_days for tally in forks.values()} == {2 * len(place.people)}
    assert forks["none"].pushes == 0
    assert forks["random"].pushes > 1.9 * 0.5 * len(place.people)
    assert forks["random, same volume"].pushes == forks["popular, same volume"].pushes == 10
    assert {tally.delivered for name, tally in forks.items() if "same volume" in name} == {10}
