"""What of a user's own past speaks for an item, in words: "Because the user viewed …". Pure."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from magpie_services.core.events import EventKind
from magpie_services.push.explain import named

SHOWN = 3
# Less than this in log-odds (about 1 % of the odds) is not worth a line.
LEAST = 0.01
_DID = {
    EventKind.VIEW_ITEM: "viewed",
    EventKind.ADD_TO_CART: "put into the cart",
    EventKind.ADD_TO_WISHLIST: "wished for",
    EventKind.PURCHASE: "bought",
    EventKind.REVIEW: "rated",
    EventKind.REMOVE_FROM_CART: "took out of the cart",
    EventKind.RETURN_ITEM: "returned",
}


class Past(NamedTuple):
    """A past item: what the user did with it, and what all of that adds to the log-odds of a click and a
    purchase.
    """

    item_id: str
    kinds: frozenset[EventKind]
    click: float
    purchase: float


def telling(past: Iterable[Past]) -> list[Past]:
    """Those that speak for the item, strongest first, at most three."""
    found = [one for one in past if max(one.click, one.purchase) >= LEAST]
    return sorted(found, key=lambda one: -max(one.click, one.purchase))[:SHOWN]


def lines(past: Iterable[Past], names: Mapping[str, str]) -> list[str]:
    """One line each, for a person; `names` has the titles of items by id."""
    return [_line(one, names) for one in past]


def _line(one: Past, names: Mapping[str, str]) -> str:
    did = [word for kind, word in _DID.items() if kind in one.kinds] or ["met"]
    what = " and ".join([", ".join(did[:-1]), did[-1]] if len(did) > 1 else did)
    head, effect = ("a click", one.click) if one.click >= one.purchase else ("a purchase", one.purchase)
    less = 1.0 - math.exp(-effect)
    return f"Because the user {what} {named(one.item_id, names)}: without it, {less:.0%} less odds of {head}"
