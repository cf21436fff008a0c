"""What is wanted most is written first, in bounds; a new price is no new item, a new title is."""

import pytest
from tests.fakes import FixedClock
from tests.unit.content.worlds import NOW_MS, shirt

from magpie_services.content.model.asks import MAX_ASKS, Ask, Demand, Versions
from magpie_services.content.model.personas import Persona
from magpie_services.content.model.pool import Pool
from magpie_services.content.model.templates import parse
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait


def ask(version: str) -> Ask:
    return Ask(version, "en", Strategy.PLAIN, Persona(Tone.PLAIN, "even", "new"))


def test_what_is_wanted_most_comes_first_and_leaves_when_it_is_answered() -> None:
    demand = Demand()
    for version, times in (("a", 2), ("b", 5), ("c", 1)):
        for _ in range(times):
            demand.add(ask(version), shirt())
    assert [one.version for one, _ in demand.most(2)] == ["b", "a"]
    demand.drop(ask("b"))
    assert [one.version for one, _ in demand.most(9)] == ["a", "c"]


def test_a_flood_of_asks_is_bounded_and_keeps_what_is_wanted_most() -> None:
    demand = Demand()
    for _ in range(50):
        demand.add(ask("popular"), shirt())
    for at in range(3 * MAX_ASKS):
        demand.add(ask(f"once {at}"), shirt())
    assert demand.most(1)[0][0].version == "popular"
    assert len(demand.most(10 * MAX_ASKS)) <= MAX_ASKS


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"version": 4, "price": Money("CNY", 99_900)}, True),
        ({"version": 4, "stock": 0, "rating": 1.0}, True),
        ({"version": 4, "title": "棉衬衫"}, False),
        ({"version": 3, "title": "棉衬衫"}, False),
        ({"version": 4, "attributes": {"colour": ["红色"]}}, False),
        ({"version": 4, "description": "新的"}, False),
        ({"item_id": "other"}, False),
    ],
)
def test_the_version_of_an_items_words_follows_its_words(changes: dict[str, object], same: bool) -> None:
    versions = Versions()
    assert (versions.of(shirt()) == versions.of(shirt(**changes))) is same


def test_texts_are_at_hand_until_they_end_and_then_are_wanted_again() -> None:
    clock = FixedClock(NOW_MS)
    pool = Pool(clock)
    texts = pool.about(shirt(), Portrait(user_id="x"), "en", NOW_MS)
    texts.want(Strategy.PLAIN, Tone.PLAIN)
    ((wanted, item),) = pool.demand.most(10)
    assert item == shirt()
    template = parse("look at {item}", "it is here", Strategy.PLAIN, "en")
    pool.keep(wanted, [template], NOW_MS + 1_000)
    texts = pool.about(shirt(), Portrait(user_id="y"), "en", NOW_MS)
    assert texts.of(Strategy.PLAIN, Tone.PLAIN) == (template,)
    assert texts.of(Strategy.PLAIN, Tone.PREMIUM) == ()
    texts.want(Strategy.PLAIN, Tone.PLAIN)
    assert pool.demand.most(10) == []
    clock.advance(seconds=2)
    texts.want(Strategy.PLAIN, Tone.PLAIN)
    assert [one for one, _ in pool.demand.most(10)] == [wanted]
