"""How the shop asks for pushes."""

import numpy as np
import pytest
from tests.unit.simulator.worlds import live, world

from magpie_simulator.asking import ACTIVE_DAYS, WAYS


def test_the_historic_log_favours_active_users() -> None:
    place = world(users=2_000)
    live(place, ACTIVE_DAYS + 3)
    historic = WAYS["historic"]
    assert historic is not None
    asked = historic.users(place)
    reachable = np.flatnonzero(place.reachable)
    assert np.isin(asked, reachable).all()
    active = place.minds.last_visit > place.day - ACTIVE_DAYS
    for some, share in ((active, historic.active), (~active, historic.others)):
        assert np.isin(reachable[some[reachable]], asked).mean() == pytest.approx(share, abs=0.07)
    assert (historic.users(place) == asked).all(), "a day lived again asks about the same users"


def test_magpie_is_told_what_outcomes_are_worth_to_the_shop() -> None:
    place = world()
    magpie = WAYS["magpie"]
    assert magpie is not None
    objective = magpie.policy(place).objective
    assert (objective.click, objective.dismiss, objective.unsubscribe) == (0.5, 0.1, 30.0)
    assert (objective.purchase, objective.margin) == (0.0, place.parameters.margin)
    historic = WAYS["historic"]
    assert historic is not None
    assert not historic.policy(place).HasField("objective")
