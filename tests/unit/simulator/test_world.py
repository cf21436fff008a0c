"""A world is the same for the same seed, its forks share their luck, its people are plausible."""

import numpy as np
import pytest
from tests.unit.simulator.worlds import fitting_items, live, random_items, world

from magpie_simulator import behaviour
from magpie_simulator.acts import Kind
from magpie_simulator.catalogue import since
from magpie_simulator.parameters import Parameters, checked
from magpie_simulator.shop import fairs
from magpie_simulator.timetable import PUSH_HOUR, moment_ms
from magpie_simulator.world import arrived


def test_the_same_seed_lives_the_same_days() -> None:
    assert live(world(), 3, random_items) == live(world(), 3, random_items)
    assert live(world(), 3) != live(world(seed=8), 3)


def test_every_act_has_an_identity_of_its_own() -> None:
    place = world()
    seen: set[tuple[int, ...]] = set()
    count = 0
    for _ in range(8):
        place.begin_day()
        for start, end in ((0, PUSH_HOUR), (PUSH_HOUR, 24)):
            happened = place.live(moment_ms(place, start), moment_ms(place, end))
            assert (happened["ms"] < moment_ms(place, end)).all()
            seen.update(happened[["day", "user", "slot", "step"]].tolist())
            count += len(happened)
            if end == PUSH_HOUR:
                users = np.repeat(np.flatnonzero(place.reachable), 2)
                now_ms = moment_ms(place, end)
                users, items = random_items(place, users)
                place.receive(arrived(now_ms, users, items, users, users))
        place.end_day()
    assert len(seen) == count


def test_what_was_there_at_the_start_is_not_new() -> None:
    goods = world().goods
    days = [since(goods, index) for index in range(len(goods))]
    first = [day for index, day in enumerate(days) if not goods.arrival[index]]
    assert -366 < min(first) < max(first) < -30
    assert all(day == goods.arrival[index] for index, day in enumerate(days) if goods.arrival[index])


def test_forks_share_their_luck_and_nothing_else() -> None:
    place = world()
    live(place, 3)
    first, second = place.fork(), place.fork()
    assert live(first, 3, random_items) == live(second, 3, random_items)
    assert place.day == 3
    # A push changes what its user does; everybody else does the same things at the same moments.
    quiet, loud = place.fork(), place.fork()
    for each in (quiet, loud):
        each.begin_day()
        each.live(moment_ms(each, 0), moment_ms(each, PUSH_HOUR))
    users = np.flatnonzero(loud.reachable)[:20]
    _, items = fitting_items(loud, users)
    loud.receive(arrived(moment_ms(loud, PUSH_HOUR), users, items, users, users))
    days = [each.live(moment_ms(each, PUSH_HOUR), moment_ms(each, 24)) for each in (quiet, loud)]
    others = [day[~np.isin(day["user"], users)] for day in days]
    assert (others[0]["ms"] == others[1]["ms"]).all()
    assert (others[0]["user"] == others[1]["user"]).all()
    assert np.isin(days[1]["kind"], [Kind.DELIVERED]).sum() == len(users)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_marginals_are_near_public_figures(seed: int) -> None:
    place = world(seed=seed, users=800, items=150)
    assert 0.56 <= place.people.consents.mean() <= 0.66
    assert 0.12 <= place.people.annoyed.mean() <= 0.18
    live(place, 7)
    generic = live(place.fork(), 8, random_items)
    fitting = live(place.fork(), 8, fitting_items)
    alone = live(place.fork(), 8)
    assert 0.03 <= generic["OPENED"] / generic["DELIVERED"] <= 0.06
    assert 0.09 <= fitting["OPENED"] / fitting["DELIVERED"] <= 0.17
    assert generic["UNSUBSCRIBED"] / generic["DELIVERED"] < 0.004
    assert fitting["UNSUBSCRIBED"] < generic["UNSUBSCRIBED"]
    assert 0.02 <= alone["PURCHASE"] / alone["users"] <= 0.08
    assert alone["bought"] == 0
    assert fitting["bought"] > 4 * generic["bought"]
    # Not every purchase after a push is won by it.
    assert 0 < fitting["PURCHASE"] - alone["PURCHASE"] < fitting["bought"] * 1.3


def test_who_agrees_to_pushes_is_as_many_as_in_public_figures() -> None:
    people = world(seed=3, users=20_000, items=24).people
    assert people.consents.mean() == pytest.approx(0.61, abs=0.01)
    for platform, share in enumerate((0.67, 0.56, 0.45)):
        assert people.consents[people.platform == platform].mean() == pytest.approx(share, abs=0.03)


def test_a_fair_lasts_three_days_and_draws_people() -> None:
    place = world(users=1_500, items=240)
    days: list[tuple[bool, float]] = []
    for _ in range(40):
        place.begin_day()
        going = fairs(place.luck, place.day)
        if fairs(place.luck, place.day, 1).any():
            aisle = int(np.flatnonzero(fairs(place.luck, place.day, 1))[0])
            goods = place.shelf.here & (place.goods.category == aisle)
            assert (place.shelf.list_price[goods] > 0).mean() > 0.3
        days.append((bool(going.any()), len(place.today) / len(place.people)))
        place.end_day()
    visits = [np.mean([count for fair, count in days if fair is some]) for some in (True, False)]
    assert visits[0] > visits[1]


def test_fatigue_lowers_opens_and_recovers() -> None:
    place = world()
    live(place, 5)
    place.begin_day()
    users = np.flatnonzero(place.reachable)
    _, items = fitting_items(place, users)
    pushes = arrived(moment_ms(place, 12), users, items, users, np.zeros(len(users), np.int64))
    rested = behaviour.chance_to_open(place, pushes).mean()
    for _ in range(4):
        behaviour.react(place, pushes)
    tired = behaviour.chance_to_open(place, pushes).mean()
    place.minds.needs[:] = 0
    for _ in range(25):
        place._recover()
    again = behaviour.chance_to_open(place, pushes).mean()
    assert tired < 0.6 * rested
    assert again > tired * 1.15
    assert place.minds.fatigue.max() < 0.01


def test_who_opted_out_is_not_reachable() -> None:
    place = world(users=900, items=48)
    counts = live(place, 15, random_items)
    left = counts["UNSUBSCRIBED"] + counts["SILENT_OPT_OUT"]
    assert left > 0
    assert place.people.consents.sum() - place.minds.consents.sum() == left


def test_the_seal_names_seed_and_parameters() -> None:
    seals = {
        Parameters(seed=1, users=10, items=30).seal,
        Parameters(seed=2, users=10, items=30).seal,
        Parameters(seed=1, users=10, items=30, annoyed_share=0.2).seal,
    }
    seals.add(Parameters(seed=1, users=10, items=30, salt="f00d").seal)
    assert len(seals) == 4
    assert Parameters(seed=1, users=10, items=30).seal in seals


@pytest.mark.parametrize(
    ("field", "value"), [("users", 0), ("items", 3), ("locales", ("fr",)), ("start", "soon"), ("locales", ())]
)
def test_impossible_parameters_are_named(field: str, value: object) -> None:
    fields = {"seed": 1, "users": 10, "items": 30} | {field: value}
    with pytest.raises(ValueError, match=field):
        checked(Parameters(**fields))  # type: ignore[arg-type]
