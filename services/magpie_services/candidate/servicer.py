"""CatalogService and CandidateService over gRPC: reads messages, asks the domain, writes messages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import candidate_service_pb2_grpc as candidate_grpc
from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie_services.candidate.blend import ALL, Blend, Found, Query
from magpie_services.candidate.catalogue import Catalogue, Store
from magpie_services.candidate.charts import Charts, Place
from magpie_services.candidate.covisit import Covisits
from magpie_services.candidate.release import UserVectors
from magpie_services.candidate.shelf import Filter, Shelf
from magpie_services.core.items import Item, violations
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait
from magpie_services.kit import metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import DeadlineExceeded, Invalid, NotFound, Unavailable
from magpie_services.wire import candidates as wire_candidates
from magpie_services.wire import items as wire_items
from magpie_services.wire import portraits as wire_portraits

MAX_ITEMS = 1_000
MAX_PORTRAITS = 512
MAX_LIMIT = 500
DEFAULT_LIMIT = 100
DEFAULT_PAGE = 100
MAX_ID_CHARS = 128
_NO_PLACE = Place(0, "")
CHUNK = 16  # users between which other calls get their turn

Context = grpc.aio.ServicerContext[Any, Any]
#: Gives the vectors of users at a time; None when no model is served.
Vectors = Callable[[Sequence[Portrait], int], Awaitable[UserVectors | None]]
#: Does the work of a request id once a day; see kit.idempotency.Answers.once.
Once = Callable[[str, str, Any, Callable[[], Awaitable[bytes]]], Awaitable[bytes]]


class CatalogServicer(catalog_grpc.CatalogServiceServicer):
    def __init__(self, catalogue: Catalogue, store: Store, shelf: Shelf, once: Once) -> None:
        self._catalogue = catalogue
        self._store = store
        self._shelf = shelf
        self._once = once

    async def UpsertItems(
        self, request: catalog_pb.UpsertItemsRequest, context: Context
    ) -> catalog_pb.UpsertItemsResponse:
        _check_count("items", len(request.items), 1, MAX_ITEMS)
        seen: set[str] = set()
        for index, message in enumerate(request.items):
            if message.item_id in seen:
                raise Invalid(f"items[{index}].item_id", "comes twice in the request")
            seen.add(message.item_id)

        async def work() -> bytes:
            items, refusals = _sorted_out([wire_items.item_from_proto(message) for message in request.items])
            changed = await self._catalogue.upsert(items)
            return catalog_pb.UpsertItemsResponse(
                changed_count=changed, unchanged_count=len(items) - changed, refusals=refusals
            ).SerializeToString()

        answer = await self._once("CatalogService/UpsertItems", request.request_id, request, work)
        return catalog_pb.UpsertItemsResponse.FromString(answer)

    async def GetItems(
        self, request: catalog_pb.GetItemsRequest, context: Context
    ) -> catalog_pb.GetItemsResponse:
        _check_ids("item_ids", request.item_ids, 1)
        response = catalog_pb.GetItemsResponse()
        held = await self._store.get(request.item_ids)
        for item_id, item in zip(request.item_ids, held, strict=True):
            if item is None:
                response.missing_item_ids.append(item_id)
            else:
                message = wire_items.item_to_proto(item, picture=not request.omit_picture_vectors)
                response.items.append(message)
        return response

    async def ListItems(
        self, request: catalog_pb.ListItemsRequest, context: Context
    ) -> catalog_pb.ListItemsResponse:
        if not 0 <= request.page_size <= MAX_ITEMS:
            raise Invalid("page_size", f"must be between 0 and {MAX_ITEMS}")
        token = request.page_token
        if token and not (token.isascii() and token.isdigit() and len(token) < 20 and int(token)):
            raise Invalid("page_token", "is not a token that this service gave")
        size, cursor = request.page_size or DEFAULT_PAGE, int(token or 0)
        response = catalog_pb.ListItemsResponse(total_count=self._shelf.size)
        while True:
            page, cursor = await self._store.page(cursor, size)
            for item in page:
                if item.withdrawn and not request.show_withdrawn:
                    continue
                if request.category and request.category not in item.categories:
                    continue
                response.items.append(wire_items.item_to_proto(item))
            if not cursor or len(response.items) >= size:
                response.next_page_token = str(cursor) if cursor else ""
                return response

    async def RemoveItems(
        self, request: catalog_pb.RemoveItemsRequest, context: Context
    ) -> catalog_pb.RemoveItemsResponse:
        _check_ids("item_ids", request.item_ids, 1)

        async def work() -> bytes:
            removed = await self._catalogue.withdraw(request.item_ids)
            missing = [item_id for item_id in dict.fromkeys(request.item_ids) if item_id not in removed]
            return catalog_pb.RemoveItemsResponse(
                removed_count=len(removed), missing_item_ids=missing
            ).SerializeToString()

        answer = await self._once("CatalogService/RemoveItems", request.request_id, request, work)
        return catalog_pb.RemoveItemsResponse.FromString(answer)


class CandidateServicer(candidate_grpc.CandidateServiceServicer):
    """`ready` says whether the catalogue has been read, `missing` whether a model should be there."""

    def __init__(
        self,
        mirror: Mirror,
        shelf: Shelf,
        covisits: Covisits,
        charts: Charts,
        vectors: Vectors,
        clock: Clock,
        *,
        ready: Callable[[], bool],
        missing: Callable[[], bool],
    ) -> None:
        self._mirror = mirror
        self._shelf = shelf
        self._covisits = covisits
        self._charts = charts
        self._vectors = vectors
        self._clock = clock
        self._ready = ready
        self._missing = missing

    async def RetrieveCandidates(
        self, request: candidate_pb.RetrieveCandidatesRequest, context: Context
    ) -> candidate_pb.RetrieveCandidatesResponse:
        _check_count("portraits", len(request.portraits), 1, MAX_PORTRAITS)
        query = _query(request)
        if not self._ready():
            raise Unavailable("the catalogue is still being read")
        portraits = [
            wire_portraits.from_proto(message, f"portraits[{index}]")
            for index, message in enumerate(request.portraits)
        ]
        now_ms = self._clock.now_ms()
        users, degraded = await self._user_vectors(portraits, now_ms)
        blend = Blend(self._mirror, self._shelf, self._covisits, query, now_ms)
        response = candidate_pb.RetrieveCandidatesResponse(
            retriever_version=users.release.version if users is not None else 0,
            degraded=degraded,
            catalogue_size=self._shelf.size,
        )
        places = self._charts.at(now_ms)
        for start in range(0, len(portraits), CHUNK):
            chunk = portraits[start : start + CHUNK]
            part = users.part(start, start + CHUNK) if users is not None else None
            for portrait, found in zip(chunk, blend.lists(chunk, part), strict=True):
                _write(found, places, response.lists.add(user_id=portrait.user_id))
            await asyncio.sleep(0)
        return response

    async def _user_vectors(
        self, portraits: Sequence[Portrait], now_ms: int
    ) -> tuple[UserVectors | None, bool]:
        """Vectors, and whether they should be there and are not."""
        try:
            users = await self._vectors(portraits, now_ms)
        except (DeadlineExceeded, NotFound, Unavailable):
            metrics.DEGRADED.labels("retrieval").inc()
            return None, True
        return users, users is None and self._missing()


def _sorted_out(items: Sequence[Item]) -> tuple[list[Item], list[catalog_pb.ItemRefusal]]:
    """Items that may be kept, and why the others may not: the first fault of each."""
    kept, refusals = [], []
    for index, item in enumerate(items):
        found = violations(item)
        if not found:
            kept.append(item)
            continue
        field = wire_items.FIELDS.get(found[0].field, found[0].field)
        refusals.append(
            catalog_pb.ItemRefusal(
                index=index,
                item_id=item.item_id,
                field=f"items[{index}].{field}",
                reason=found[0].reason,
            )
        )
    return kept, refusals


def _query(request: candidate_pb.RetrieveCandidatesRequest) -> Query:
    if not 0 <= request.limit <= MAX_LIMIT:
        raise Invalid("limit", f"must be between 0 and {MAX_LIMIT}")
    for index, number in enumerate(request.sources):
        if number not in wire_candidates.SOURCES:
            raise Invalid(f"sources[{index}]", "is not a source")
    wanted = request.filter
    for field in ("item_ids", "excluded_item_ids", "categories", "brands", "vendors"):
        _check_ids(f"filter.{field}", getattr(wanted, field), 0)
    if not 0 <= wanted.min_discount <= 1:
        raise Invalid("filter.min_discount", "must be between 0 and 1")
    return Query(
        limit=request.limit or DEFAULT_LIMIT,
        filter=Filter(
            item_ids=wanted.item_ids,
            excluded_item_ids=wanted.excluded_item_ids,
            categories=wanted.categories,
            brands=wanted.brands,
            vendors=wanted.vendors,
            min_discount=wanted.min_discount,
        ),
        sources=frozenset(wire_candidates.sources_from_proto(request.sources)) or frozenset(ALL),
        seed=request.seed,
    )


def _write(found: Sequence[Found], places: Mapping[str, Place], into: candidate_pb.CandidateList) -> None:
    for one in found:
        place = places.get(one.item_id, _NO_PLACE)
        into.candidates.add(
            item_id=one.item_id,
            sources=wire_candidates.sources_to_proto(one.sources),
            similarity=one.similarity,
            covisit=one.covisit,
            because_item_id=one.because_item_id,
            popular_rank=place.rank,
            popular_category=place.category,
        )


def _check_count(field: str, count: int, low: int, high: int) -> None:
    if not low <= count <= high:
        raise Invalid(field, f"must have {low} to {high} entries")


def _check_ids(field: str, ids: Sequence[str], least: int) -> None:
    _check_count(field, len(ids), least, MAX_ITEMS)
    for index, one in enumerate(ids):
        if not 0 < len(one) <= MAX_ID_CHARS:
            raise Invalid(f"{field}[{index}]", f"must be 1 to {MAX_ID_CHARS} characters")
