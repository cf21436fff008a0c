"""What of the past speaks for an item, in words."""

from magpie_services.core.events import EventKind
from magpie_services.push import because
from magpie_services.push.because import Past

VIEWED = frozenset({EventKind.VIEW_ITEM})


def test_only_what_speaks_for_the_item_is_told_strongest_first() -> None:
    past = [
        Past("i1", VIEWED, 0.2, 0.1),
        Past("i2", VIEWED, -0.9, -0.5),
        Past("i3", VIEWED, 0.001, 0.002),
        Past("i4", VIEWED, 0.0, 0.7),
        *(Past(f"i{n}", VIEWED, 0.05, 0.0) for n in range(5, 9)),
    ]
    assert [one.item_id for one in because.telling(past)] == ["i4", "i1", "i5"]


def test_a_line_says_what_was_done_and_what_it_is_worth() -> None:
    did = frozenset({EventKind.VIEW_ITEM, EventKind.ADD_TO_CART, EventKind.PURCHASE})
    one, two, three = because.lines(
        [Past("i1", VIEWED, 0.2, 0.1), Past("i2", did, 0.1, 0.7), Past("i3", frozenset(), 0.1, 0.0)],
        {"i1": "Blue kettle"},
    )
    assert one == "Because the user viewed “Blue kettle” (i1): without it, 18% less odds of a click"
    assert two == (
        "Because the user viewed, put into the cart and bought item i2: "
        "without it, 50% less odds of a purchase"
    )
    assert three.startswith("Because the user met item i3")
