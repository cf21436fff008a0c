"""What words are written from: an item and a user, from the running suite or from files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from magpie import Magpie
from magpie.v1 import (
    candidate_service_pb2,
    catalog_service_pb2,
    device_pb2,
    event_pb2,
    item_pb2,
    portrait_pb2,
    profile_service_pb2,
)
from magpie_cli.failures import BadInput

NOBODY = "anybody"
DAY_SECONDS = 86_400
OFTEN = 3.0  # visits from which words may say that somebody keeps looking at a category
_CART_KINDS = (
    event_pb2.EVENT_KIND_ADD_TO_CART,
    event_pb2.EVENT_KIND_REMOVE_FROM_CART,
    event_pb2.EVENT_KIND_PURCHASE,
)

Kind = TypeVar("Kind", bound=Message)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for: ids in the suite, or files of proto JSON in their place."""

    item: str = ""
    item_file: Path | None = None
    user: str = ""
    portrait_file: Path | None = None
    because: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Material:
    """What was found. `facts` are those that neither items nor the portrait hold; `notes` are for people."""

    item: item_pb2.Item
    portrait: portrait_pb2.Portrait
    because: item_pb2.Item | None
    facts: dict[str, str]
    notes: list[str]


async def gather(magpie: Magpie, wanted: Wanted) -> Material:
    """Reads it all. Raises BadInput for what is not there, and what calls raise."""
    if bool(wanted.item) is bool(wanted.item_file):
        raise BadInput("--item: give the id of an item, or --item-file")
    if wanted.user and wanted.portrait_file:
        raise BadInput("--user: leave it out with --portrait-file")
    notes: list[str] = []
    ids = [one for one in (wanted.item, wanted.because) if one]
    items = await _items(magpie, ids) if ids else {}
    item = items[wanted.item] if wanted.item else read(wanted.item_file, item_pb2.Item())
    portrait = portrait_pb2.Portrait(user_id=NOBODY)
    if wanted.portrait_file:
        portrait = read(wanted.portrait_file, portrait_pb2.Portrait())
        portrait.user_id = portrait.user_id or NOBODY
    elif wanted.user:
        portrait = await _portrait(magpie, wanted.user, notes)
    facts, because = dict(wanted.facts), wanted.because
    if wanted.item:
        candidate = await _candidate(magpie, portrait, wanted.item)
        facts = _charted(candidate) | facts
        if not because and candidate.because_item_id not in ("", wanted.item):
            because = candidate.because_item_id
            items |= await _items(magpie, [because])
    return Material(item=item, portrait=portrait, because=items.get(because), facts=facts, notes=notes)


async def item_of(magpie: Magpie, item: str, item_file: Path | None) -> item_pb2.Item:
    """The item alone."""
    return (await gather(magpie, Wanted(item=item, item_file=item_file))).item


def read(path: Path | None, into: Kind) -> Kind:
    """A message from a file of proto JSON. Raises BadInput naming file and field."""
    if path is None:
        raise BadInput("no file was named")
    try:
        return json_format.Parse(path.read_text("utf-8"), into)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except json_format.ParseError as error:
        raise BadInput(f"{path}: {error}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise BadInput(f"{path}: is no JSON in UTF-8") from None


def known(material: Material, now_seconds: float) -> dict[str, str]:
    """What the portrait says of user and items, as facts for a text that is verified without the portrait."""
    item, portrait = material.item, material.portrait
    activities = {one.item_id: one for one in portrait.items}
    own = activities.get(item.item_id, portrait_pb2.ItemActivity())
    past = activities.get(material.because.item_id if material.because else item.item_id)
    found: dict[str, str] = {}
    if _in_cart(portrait, item.item_id):
        found["in_cart"] = "true"
    days = int(now_seconds - own.last_purchase_time.seconds) // DAY_SECONDS
    if own.HasField("last_purchase_time") and days >= 1:
        found["bought_days_ago"] = str(days)
    if past is not None and past.views:
        found["viewed"] = "true"
    if past is not None and past.purchases:
        found["bought"] = "true"
    category = item.categories[-1] if item.categories else ""
    if portrait.categories.get(category, 0.0) >= OFTEN:
        found["liked_category"] = category
    return found


def _in_cart(portrait: portrait_pb2.Portrait, item_id: str) -> bool:
    """By the newest of what the portrait remembers about the item and the cart."""
    kinds = [one.kind for one in portrait.recent if one.item_id == item_id and one.kind in _CART_KINDS]
    return bool(kinds) and kinds[-1] == event_pb2.EVENT_KIND_ADD_TO_CART


async def _items(magpie: Magpie, item_ids: list[str]) -> dict[str, item_pb2.Item]:
    request = catalog_service_pb2.GetItemsRequest(item_ids=item_ids, omit_picture_vectors=True)
    answer = await magpie.catalog.GetItems(request)
    for missing in answer.missing_item_ids:
        raise BadInput(f"item {missing!r} is not in the catalogue")
    return {item.item_id: item for item in answer.items}


async def _portrait(magpie: Magpie, user: str, notes: list[str]) -> portrait_pb2.Portrait:
    answer = await magpie.profile.GetPortraits(profile_service_pb2.GetPortraitsRequest(user_ids=[user]))
    state = answer.users[0]
    if not state.portrait.version:
        notes.append(f"nothing is known of user {user}")
    described = device_pb2.PURPOSE_PERSONALISATION
    if any(consent.purpose == described and consent.granted for consent in state.consents):
        return state.portrait
    notes.append(f"user {user} did not agree to be described: written as for anybody")
    return portrait_pb2.Portrait(user_id=user, locale=state.portrait.locale, timezone=state.portrait.timezone)


async def _candidate(
    magpie: Magpie, portrait: portrait_pb2.Portrait, item_id: str
) -> candidate_service_pb2.Candidate:
    """The item as a candidate for the user; an empty one where it may not be pushed."""
    answer = await magpie.candidates.RetrieveCandidates(
        candidate_service_pb2.RetrieveCandidatesRequest(
            portraits=[portrait],
            limit=1,
            filter=candidate_service_pb2.CatalogFilter(item_ids=[item_id]),
            sources=[candidate_service_pb2.CANDIDATE_SOURCE_CALLER],
        )
    )
    return next(iter(answer.lists[0].candidates), candidate_service_pb2.Candidate())


def _charted(candidate: candidate_service_pb2.Candidate) -> dict[str, str]:
    """Where the item stands among its like, as facts for words."""
    if not candidate.popular_rank:
        return {}
    found = {"popular_rank": str(candidate.popular_rank)}
    return found | ({"trend_category": candidate.popular_category} if candidate.popular_category else {})
