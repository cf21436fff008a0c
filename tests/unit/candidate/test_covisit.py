"""Links between items: bounded, fair to bots, right after a restart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import shop

from magpie_services.candidate import covisit
from magpie_services.candidate.covisit import Covisits
from magpie_services.core.events import Event, EventKind

VIEW, BUY = EventKind.VIEW_ITEM, EventKind.PURCHASE


def together(kind: EventKind, people: int, *items: int, at_ms: int = shop.NOW_MS) -> list[Event]:
    return [
        shop.event(f"{kind}{person}-{items}", item, kind, at_ms + 1000 * place)
        for person in range(people)
        for place, item in enumerate(items)
    ]


def cosines(covisits: Covisits, item_id: str) -> dict[str, float]:
    found = covisits.neighbours(item_id)
    return dict(zip(found.item_ids, found.cosines.tolist(), strict=True))


def test_what_is_met_by_the_same_people_is_linked_both_ways() -> None:
    covisits = Covisits()
    covisits.observe([*together(VIEW, 20, 1, 2), *together(VIEW, 2, 1, 3)])
    assert cosines(covisits, "i1")["i2"] > cosines(covisits, "i1")["i3"] > 0
    assert cosines(covisits, "i2")["i1"] == pytest.approx(cosines(covisits, "i1")["i2"])
    assert "i3" not in cosines(covisits, "i2")


def test_bought_together_weighs_more_than_seen_together() -> None:
    covisits = Covisits()
    covisits.observe([*together(VIEW, 5, 1, 2), *together(BUY, 5, 1, 3)])
    assert cosines(covisits, "i1")["i3"] > cosines(covisits, "i1")["i2"]


def test_one_restless_user_counts_once() -> None:
    calm, restless = Covisits(), Covisits()
    calm.observe(together(VIEW, 1, 1, 2))
    for _ in range(50):
        restless.observe(together(VIEW, 1, 1, 2))
    assert cosines(restless, "i1") == cosines(calm, "i1")


def test_old_links_fade_against_new_ones() -> None:
    covisits = Covisits()
    covisits.observe(together(VIEW, 10, 1, 2, at_ms=shop.NOW_MS - 90 * shop.DAY_MS))
    covisits.observe(together(VIEW, 10, 1, 3))
    assert cosines(covisits, "i1")["i3"] > 2 * cosines(covisits, "i1")["i2"]


def test_visits_more_than_a_month_apart_are_not_together() -> None:
    covisits = Covisits()
    covisits.observe([shop.event("u", 1, VIEW, shop.NOW_MS - 31 * shop.DAY_MS)])
    covisits.observe([shop.event("u", 2, VIEW, shop.NOW_MS)])
    assert cosines(covisits, "i1") == {}


def test_a_forgotten_user_links_nothing_more() -> None:
    covisits = Covisits()
    covisits.observe([shop.event("u", 1, VIEW, shop.NOW_MS)])
    covisits.forget("u")
    covisits.observe([shop.event("u", 2, VIEW, shop.NOW_MS)])
    assert cosines(covisits, "i2") == {}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 8),
            st.integers(0, 12),
            st.sampled_from([VIEW, BUY, EventKind.ADD_TO_CART]),
            st.integers(0, 60 * shop.DAY_MS),
        ),
        max_size=120,
    )
)
def test_cosines_stay_between_0_and_1_and_survive_storage(
    done: list[tuple[int, int, EventKind, int]],
) -> None:
    covisits, restored = Covisits(), Covisits()
    covisits.observe(shop.event(f"u{u}", i, kind, shop.NOW_MS - age) for u, i, kind, age in done)
    restored.restore(list(covisits.slices()), covisits.newest_ms)
    for item in range(13):
        held = cosines(covisits, f"i{item}")
        assert all(0 <= cosine <= 1 for cosine in held.values())
        assert cosines(restored, f"i{item}") == pytest.approx(held, abs=1e-4)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covisit, "NEIGHBOURS", 5)
    monkeypatch.setattr(covisit, "SLACK", 2)
    monkeypatch.setattr(covisit, "MAX_USERS", 3)
    covisits = Covisits()
    dice = np.random.default_rng(1)
    for user in range(40):
        covisits.observe(
            shop.event(f"u{user}", int(item), VIEW, shop.NOW_MS)
            for item in dice.choice(40, 30, replace=False)
        )
    assert max(len(cosines(covisits, f"i{item}")) for item in range(40)) <= 7
    assert len(covisits._tails) == 3
    assert max(len(tail) for tail in covisits._tails.values()) <= covisit.MAX_TAIL
