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

    def known(number: int, because_id: str = "") -> dict[str, str]:
        return briefs.known(portrait, shop.item(number, categories=[]), because_id, now_ms)

    assert known(1) == {"bought_days_ago": "40", "bought": "true"}
    assert known(1, "i2") == {"bought_days_ago": "40", "viewed": "true"}
    assert known(3, "i1") == {"in_cart": "true", "bought": "true"}
    assert known(4) == {"bought": "true"}
    assert known(9) == {}


def test_the_portrait_tells_of_a_category_that_is_often_visited() -> None:
    visits = [
        shop.event("u", 7 + 10 * n, EventKind.VIEW_ITEM, shop.NOW_MS - n * shop.HOUR_MS) for n in range(4)
    ]
    portrait = shop.portrait("u", visits[::-1])
    assert briefs.known(portrait, shop.item(97), "", shop.NOW_MS) == {"liked_category": "taste7"}
    assert briefs.known(portrait, shop.item(98), "", shop.NOW_MS) == {}
    assert briefs.known(portrait, shop.item(97), "", shop.NOW_MS + 365 * DAY_MS) == {}
