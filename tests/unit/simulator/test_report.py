"""The arithmetic of a report."""

import numpy as np
import pytest
from tests.unit.simulator.worlds import world

from magpie_simulator.acts import Kind, acts, joined
from magpie_simulator.forks import live_forks
from magpie_simulator.inbox import Message
from magpie_simulator.record import Record
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


def test_samples_are_in_both_languages_whatever_signs_their_titles_have() -> None:
    titles = [
        "Now CN¥157: Qingyan hiking…",
        "Just in from Puwu",
        "你看过的茶壶降价了",
        "Songguo松果 新品",
        "Café set",
    ]
    record = Record(policy="magpie")
    for number, title in enumerate(titles * 3):
        message = Message(
            decision_id=str(number), attribution_token="t", user_id="u000001", title=title, body=""
        )
        record.arrived(number, message)
    chosen = [sample["title"] for sample in record._samples()]
    assert len(chosen) == 5
    assert sum("\u4e00" <= title[-1] <= "\u9fff" for title in chosen) == 3
