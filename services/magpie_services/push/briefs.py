"""What the content service is asked: words for an item and a user, or whether words still hold."""

from collections.abc import Mapping
from typing import NamedTuple

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie_services.core.decisions import Arm, Copy
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS
from magpie_services.core.portraits import CATEGORY_HALF_LIFE_DAYS, Portrait
from magpie_services.wire import messages

OFTEN = 3.0  # decayed visits from which words may say that somebody keeps looking at a category


class Fact(NamedTuple):
    """An item as the catalogue holds it now, in both vocabularies."""

    item: Item
    message: item_pb.Item


class Brief(NamedTuple):
    """What to write about, for whom. `facts` are those that neither items nor the portrait hold."""

    fact: Fact
    portrait: portrait_pb.Portrait
    strategy: str
    locale: str
    channel: str
    because: Fact | None
    seed: int
    facts: Mapping[str, str]

    def to_proto(self) -> content_pb.Brief:
        return content_pb.Brief(
            item=self.fact.message,
            portrait=self.portrait,
            strategy=messages.strategy_number(self.strategy),
            locale=self.locale,
            channel=messages.channel_number(self.channel),
            because_item=self.because.message if self.because else None,
            seed=self.seed,
            facts=self.facts,
        )


class Draft(NamedTuple):
    """Words to hold against the facts: of the items, of the portrait, and those that neither holds.

    `copy.strategy` is what they stand on: what it needs must hold too.
    """

    copy: Copy
    fact: Fact
    because: Fact | None
    channel: str
    portrait: Portrait
    now_ms: int
    facts: Mapping[str, str]

    def to_proto(self) -> content_pb.Draft:
        copy, because = self.copy, self.because
        past = known(self.portrait, self.fact.item, because.item.item_id if because else "", self.now_ms)
        return content_pb.Draft(
            title=copy.title,
            body=copy.body,
            description=copy.description,
            item=self.fact.message,
            because_item=because.message if because else None,
            locale=copy.locale,
            channel=messages.channel_number(self.channel),
            traits=self.portrait.traits,
            facts={**past, **self.facts},
            strategy=messages.strategy_number(copy.strategy),
        )


def other(facts: Mapping[str, Fact], arm: Arm) -> Fact | None:
    """The item of the user's past that speaks for the chosen one, where it is another than that."""
    return facts.get(arm.because_item_id) if arm.because_item_id != arm.item_id else None


def charted(candidate: candidate_pb.Candidate) -> dict[str, str]:
    """What the charts say of an item, as facts for words."""
    if not candidate.popular_rank:
        return {}
    found = {"popular_rank": str(candidate.popular_rank)}
    return found | ({"trend_category": candidate.popular_category} if candidate.popular_category else {})


def known(portrait: Portrait, item: Item, because_id: str, now_ms: int) -> dict[str, str]:
    """What a portrait says of a user and an item, as facts for words that travel without the portrait.

    `viewed` and `bought` are about the other item, where the words speak of one.
    """
    found = {}
    memory, past = portrait.items.get(item.item_id), portrait.items.get(because_id or item.item_id)
    if memory is not None and memory.in_cart:
        found["in_cart"] = "true"
    if memory is not None and memory.last_purchase_ms and now_ms - memory.last_purchase_ms >= DAY_MS:
        found["bought_days_ago"] = str((now_ms - memory.last_purchase_ms) // DAY_MS)
    if past is not None and past.views:
        found["viewed"] = "true"
    if past is not None and past.purchases:
        found["bought"] = "true"
    visits = portrait.categories.get(item.category) if item.category else None
    if visits is not None and visits.at(now_ms, CATEGORY_HALF_LIFE_DAYS) >= OFTEN:
        found["liked_category"] = item.category
    return found
