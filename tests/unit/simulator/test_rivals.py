"""Rivals see what a shop sees; the oracle sees everything but the dice."""

import numpy as np
import pytest
from tests.unit.simulator.worlds import live as live_alone
from tests.unit.simulator.worlds import world

from magpie_simulator.acts import PUSH, Table, rows
from magpie_simulator.compare import Judged
from magpie_simulator.draws import Floats, Keys, Luck
from magpie_simulator.forks import Scheduled, Sender, live, popular_items, random_items
from magpie_simulator.observer import Belief, Observer
from magpie_simulator.oracle import Oracle, organic
from magpie_simulator.rivals import ClickGreedy, ClickLog, ClickModel, Recorded, Rules, Watching
from magpie_simulator.sight import Sight, describe
from magpie_simulator.timetable import EDGES, PUSH_HOUR, moment_ms
from magpie_simulator.world import World


class Journal(Watching):
    """Sends at random and keeps what it sent by day."""

    def __init__(self, sight: Sight) -> None:
        super().__init__(sight, random_items)
        self.pushes: dict[int, list[Table]] = {}

    def send(self, place: World, block: int, hour: int) -> Table:
        pushes = super().send(place, block, hour)
        pushes["block"] = block
        self.pushes.setdefault(place.day, []).append(pushes)
        return pushes

    def by_day(self) -> dict[int, Table]:
        return {day: np.concatenate(parts) for day, parts in self.pushes.items()}


def lived(days: int = 6, users: int = 300) -> tuple[World, Journal, ClickLog]:
    """A world after some days of random pushes, with what the shop saw of it."""
    place = world(users=users)
    start, journal = place.fork(), Journal(Sight.of(place))
    live(place, days, journal)
    again, log = start, ClickLog()
    recorded = Recorded(journal.by_day(), Sight.of(start), log, Belief.of(start))
    live(again, days, recorded)
    return again, Journal(recorded.sight), log


def test_the_pushes_that_arrived_lead_to_the_same_world_again() -> None:
    place = world()
    start, journal = place.fork(), Journal(Sight.of(place))
    tally = live(place, 4, journal)
    recorded = Recorded(journal.by_day(), Sight.of(start), ClickLog(), Belief.of(start))
    assert live(start, 4, recorded) == tally
    assert (start.minds.fatigue == place.minds.fatigue).all()
    assert (recorded.sight.items == journal.sight.items).all()
    assert (recorded.sight.pushed == journal.sight.pushed).all()


def test_a_rival_cannot_read_minds() -> None:
    place, journal, log = lived()
    twin = place.fork()
    twin.minds.needs[:] = 0.9
    twin.minds.fatigue += 2.0
    twin.tastes, twin.likes = 1.2 - twin.tastes, 1.2 - twin.likes
    twin.people.quirks[:] += 1
    users = np.flatnonzero(place.reachable)
    items = random_items(place, users)[1]
    features = [describe(each, journal.sight, users, items) for each in (place, twin)]
    assert (features[0] == features[1]).all()
    assert np.isfinite(features[0]).all()
    assert features[0].std(axis=0).min() >= 0
    for choose in (Rules(journal.sight)._choose, ClickGreedy(journal.sight, log, 1.0)._choose):
        assert choose is not None
        first, second = choose(place, users), choose(twin, users)
        assert (first[0] == second[0]).all()
        assert (first[1] == second[1]).all()


def test_rules_push_from_the_aisle_that_was_looked_at_and_nothing_twice_in_a_week() -> None:
    place, journal, _ = lived()
    rules = Rules(journal.sight)
    pushed: dict[int, list[int]] = {}
    for _ in range(6):
        aisles = rules.sight.aisles.copy()
        live(place, 1, rules)
        for user in np.flatnonzero(rules.sight.pushed.max(axis=1) == place.day).tolist():
            item = int(np.argmax(rules.sight.pushed[user] == place.day))
            assert item not in pushed.setdefault(user, [])
            pushed[user].append(item)
            assert rules.sight.aisles[user, place.goods.category[item]] > 0 or aisles[user].max() > 0
    assert sum(map(len, pushed.values())) > 100


def test_the_click_model_finds_what_is_there() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(6_000, 5))
    truth = 1.0 / (1.0 + np.exp(-(1.2 * features[:, 0] - 0.8 * features[:, 3] - 2.0)))
    clicked = rng.random(6_000) < truth
    model = ClickModel(features[:5_000], clicked[:5_000])
    assert np.corrcoef(model.chances(features[5_000:]), truth[5_000:])[0, 1] > 0.97
    assert model.chances(features).mean() == pytest.approx(truth.mean(), abs=0.02)


def test_click_greedy_gets_more_clicks_than_chance_and_keeps_its_volume() -> None:
    place, journal, log = lived(days=10, users=600)
    greedy = ClickGreedy(journal.sight, log.copy(), 0.5)
    ours = live(place.fork(), 4, greedy)
    chance = live(place.fork(), 4, Scheduled(random_items, share=0.5))
    assert ours.pushes == pytest.approx(chance.pushes, rel=0.05)
    assert ours.clicked > 1.3 * chance.clicked
    before = greedy._model.weights.copy()
    greedy.learn()
    assert (greedy._model.weights != before).any(), "it learns from its own pushes too"


@pytest.mark.parametrize("seed", [3, 4])
def test_the_oracle_beats_everybody(seed: int) -> None:
    place = world(seed=seed, users=500, items=120)
    live_alone(place, 5)
    margin = place.parameters.margin
    oracle = live(place.fork(), 7, Oracle(place, 0.5))
    for other in (Scheduled(None), Scheduled(random_items), Scheduled(popular_items)):
        assert oracle.reward(margin) > live(place.fork(), 7, other).reward(margin)
    tireless = place.fork()
    tireless.tireless = True
    assert live(tireless, 7, Oracle(tireless, 0.0)).reward(margin) > oracle.reward(margin)


def test_the_oracle_knows_chances_and_not_the_dice() -> None:
    place = world()
    live_alone(place, 5)
    place.begin_day()
    drift = place.luck.uniform

    class Dice(Luck):
        """Other dice; what somebody likes today is no matter of dice."""

        def uniform(self, purpose: str, day: int, keys: Keys, width: int = 1) -> Floats:
            own = drift if purpose == "drift" else super().uniform
            return own(purpose, day, keys, width)

    sent = []
    for luck in (place.luck, Dice(99)):
        fork = place.fork()
        fork.luck = luck
        oracle = Oracle(fork, 0.5)
        oracle.morning(fork)
        sent.append(oracle.send(fork, EDGES.index(PUSH_HOUR), PUSH_HOUR)[["user", "item"]].tolist())
    assert sent[0] == sent[1]
    assert sent[0]


def test_everybody_is_pushed_to_once_a_day_and_not_at_night() -> None:
    place = world(users=400)
    live_alone(place, 3)
    place.begin_day()
    oracle = Oracle(place, 0.5)
    oracle.morning(place)
    users: list[int] = []
    for block, hour in enumerate(EDGES[1:], start=1):
        pushes = oracle.send(place, block, hour)
        users += pushes["user"].tolist()
        at_ms = np.full(len(pushes), moment_ms(place, hour))
        local = place.local_hours(pushes["user"], at_ms)
        assert ((local >= 8) & (local < 22)).all()
    assert len(users) == len(set(users)) > 0


def test_a_need_leads_to_purchases_that_a_push_does_not_win() -> None:
    place = world()
    live_alone(place, 2)
    place.begin_day()
    users = np.flatnonzero(place.reachable)
    place.minds.needs[:] = 0.0
    place.minds.needs[:, 4] = 0.8
    daily, worth = organic(place, users)
    assert (worth[:, 4] > 0).mean() > 0.95
    assert (np.delete(worth, 4, axis=1) == 0).all()
    place.minds.needs[:, 4] = 0.0
    assert organic(place, users)[0].mean() < daily.mean()


def test_the_observer_finds_needs_by_what_people_do() -> None:
    place = world(users=1_500, items=120)
    belief = Belief.of(place)
    users = np.flatnonzero(~place.people.bot)
    common = belief.needs[users].mean()
    recorded = Recorded({day: rows(0, PUSH) for day in range(15)}, Sight.of(place), ClickLog(), belief)
    live(place, 15, recorded)
    needed = place.minds.needs[users] > 0
    believed = belief.needs[users]
    assert needed.mean() == pytest.approx(believed.mean(), rel=0.35), "about as many as there are"
    assert believed[needed].mean() > 2.0 * believed[~needed].mean()
    sure = believed > 4 * common
    assert needed[sure].mean() > 2.5 * needed.mean()


def test_the_observer_stands_between_chance_and_the_oracle() -> None:
    place = world(seed=3, users=600, items=120)
    belief = Belief.of(place)
    live(place, 10, Recorded({day: rows(0, PUSH) for day in range(10)}, Sight.of(place), ClickLog(), belief))
    values = {}
    senders: dict[str, Sender] = {
        "oracle": Oracle(place, 0.5),
        "observer": Observer(place, belief, 0.25),
        "random": Scheduled(random_items),
    }
    for name, sender in senders.items():
        judged = Judged(sender)
        live(place.fork(), 7, judged)
        values[name] = judged.value
    assert values["random"] < 0 < values["observer"] < 0.9 * values["oracle"]
