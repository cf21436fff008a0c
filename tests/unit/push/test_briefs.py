"""Facts that travel with words."""

from tests import shop

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import item_pb2 as item_pb
from magpie_services.core.decisions import Arm
from magpie_services.core.events import EventKind
from magpie_services.core.items import Item
from magpie_services.push import briefs
from magpie_services.push.briefs import Fact

DAY_MS = shop.DAY_MS


def test_the_charts_tell_a_rank_and_within_what() -> None:
    first = candidate_pb.Candidate(item_id="i", popular_rank=1, popular_category="Kettles")
    assert briefs.charted(first) == {"popular_rank": "1", "trend_category": "Kettles"}
    assert briefs.charted(candidate_pb.Candidate(popular_rank=9)) == {"popular_rank": "9"}
    assert briefs.charted(candidate_pb.Candidate(item_id="i")) == {}


def test_an_item_that_speaks_for_itself_is_no_other() -> None:
    facts = {name: Fact(Item(item_id=name), item_pb.Item(item_id=name)) for name in ("a", "b")}
    assert briefs.other(facts, Arm(item_id="a", because_item_id="b")) == facts["b"]
    assert briefs.other(facts, Arm(item_id="a", because_item_id="a")) is None
    assert briefs.other(facts, Arm(item_id="a", because_item_id="gone")) is None
    assert briefs.other(facts, Arm(item_id="a")) is None


def test_the_portrait_tells_what_was_done_with_the_item_and_with_the_other() -> None:
    now_ms = shop.NOW_MS
    past = [
        shop.event("u", 1, EventKind.PURCHASE, now_ms - 40 * DAY_MS - 5),
        shop.event("u", 2, EventKind.VIEW_ITEM, now_ms - 5),
        shop.event("u", 3, EventKind.ADD_TO_CART, now_ms - 4),
        shop.event("u", 4, EventKind.PURCHASE, now_ms - 3),
    ]
    portrait = shop.portrait("u", past)
    assert briefs.known(portrait, "i1", "", now_ms) == {"bought_days_ago": "40", "bought": "true"}
    assert briefs.known(portrait, "i1", "i2", now_ms) == {"bought_days_ago": "40", "viewed": "true"}
    assert briefs.known(portrait, "i3", "i1", now_ms) == {"in_cart": "true", "bought": "true"}
    assert briefs.known(portrait, "i4", "", now_ms) == {"bought": "true"}
    assert briefs.known(portrait, "i9", "", now_ms) == {}
