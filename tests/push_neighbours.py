"""The services around push, each a small gRPC servicer with a memory, all on one port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import candidate_service_pb2_grpc as candidate_grpc
from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import feedback_service_pb2_grpc as feedback_grpc
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie.v1 import ranking_service_pb2 as ranking_pb
from magpie.v1 import ranking_service_pb2_grpc as ranking_grpc
from magpie_services.core import codec, portraits
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait
from magpie_services.wire import events as wire_events
from magpie_services.wire import items as wire_items
from magpie_services.wire import portraits as wire_portraits

DAY_MS = 86_400_000
FEATURES = b"\0\0\x80?" * 4


class _Gone:
    """A service that can be taken away and brought back."""

    def __init__(self) -> None:
        self.away = False
        self.calls = 0

    async def _arrive(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self.calls += 1
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")


class Profile(_Gone, profile_grpc.ProfileServiceServicer):
    """Users with portraits folded from the events they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.portraits: dict[str, Portrait] = {}
        self.consents: dict[str, dict[int, device_pb.Consent]] = {}
        self.devices: dict[str, list[device_pb.Device]] = {}
        self.events: dict[str, Any] = {}
        self.page_delay_seconds = 0.0
        self.audience_calls: list[str] = []
        #: The audience is whoever got no push yet.
        self.only_unpushed = False

    def add(
        self, user_id: str, *, channel: str = "console", consent: bool = True, timezone: str = "UTC"
    ) -> None:
        """A user who can be reached and agreed to everything."""
        self.portraits[user_id] = Portrait(user_id=user_id, version=1, timezone=timezone, locale="en")
        number = device_pb.Channel.Value(f"CHANNEL_{channel.upper()}")
        self.devices[user_id] = [device_pb.Device(device_id=f"{user_id}-phone", channel=number, address="a")]
        for purpose in (device_pb.PURPOSE_MARKETING_PUSH, device_pb.PURPOSE_PERSONALISATION):
            self.agree(user_id, purpose, consent)

    def agree(self, user_id: str, purpose: int, granted: bool) -> None:
        consent = device_pb.Consent(purpose=device_pb.Purpose.ValueType(purpose), granted=granted)
        consent.time.seconds = 1
        self.consents.setdefault(user_id, {})[purpose] = consent

    async def GetPortraits(self, request: Any, context: Any) -> profile_pb.GetPortraitsResponse:
        await self._arrive(context)
        states = []
        for user_id in request.user_ids:
            portrait = self.portraits.get(user_id) or Portrait(user_id=user_id)
            states.append(
                profile_pb.UserState(
                    portrait=wire_portraits.to_snapshot(portrait, portrait.last_seen_ms),
                    consents=self.consents.get(user_id, {}).values(),
                    devices=self.devices.get(user_id, []),
                )
            )
        return profile_pb.GetPortraitsResponse(users=states)

    async def RecordEvents(self, request: Any, context: Any) -> profile_pb.RecordEventsResponse:
        await self._arrive(context)
        for message in request.events:
            if message.event_id in self.events:
                continue
            event = wire_events.event_from_proto(message, 0)
            assert event is not None
            self.events[event.event_id] = event
            portraits.fold(self.portraits[event.user_id], event)
        return profile_pb.RecordEventsResponse(accepted_count=len(request.events))

    async def SelectAudience(
        self, request: Any, context: Any
    ) -> AsyncIterator[profile_pb.SelectAudienceResponse]:
        await self._arrive(context)
        self.audience_calls.append(request.page_token)
        users = [
            user_id
            for user_id, portrait in sorted(self.portraits.items())
            if not (self.only_unpushed and portrait.pushes.recent)
        ]
        start = int(request.page_token or 0)
        size = request.page_size or 500
        while start < len(users):
            page, start = users[start : start + size], start + size
            await asyncio.sleep(self.page_delay_seconds)
            token = str(start) if start < len(users) else ""
            yield profile_pb.SelectAudienceResponse(
                user_ids=page, next_page_token=token, scanned_count=min(start, len(users))
            )


class Catalogue(_Gone, candidate_grpc.CandidateServiceServicer, catalog_grpc.CatalogServiceServicer):
    """Items, each of which is a candidate for everybody as long as it is in stock."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, Item] = {}
        self.ranks: dict[str, int] = {}
        self.seen: list[Any] = []

    async def RetrieveCandidates(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        self.seen.append(request)
        limit = request.limit or 100
        wanted = request.filter.item_ids or self.items
        ids = [i for i, item in self.items.items() if item.available and i in wanted][:limit]
        return candidate_pb.RetrieveCandidatesResponse(
            lists=[
                candidate_pb.CandidateList(
                    user_id=portrait.user_id,
                    candidates=[
                        candidate_pb.Candidate(
                            item_id=i,
                            sources=[candidate_pb.CANDIDATE_SOURCE_POPULAR],
                            popular_rank=self.ranks.get(i, 0),
                            popular_category="Kettles",
                        )
                        for i in ids
                    ],
                )
                for portrait in request.portraits
            ],
            retriever_version=3,
        )

    async def GetItems(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        found = [self.items[i] for i in request.item_ids if i in self.items]
        return catalog_pb.GetItemsResponse(items=[wire_items.item_to_proto(item) for item in found])


class Ranking(_Gone, ranking_grpc.RankingServiceServicer):
    """Scores by item id: what `clicks` says, else 0.1."""

    def __init__(self) -> None:
        super().__init__()
        self.clicks: dict[str, float] = {}

    async def RankCandidates(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        lists = []
        for given in request.lists:
            best, rest = request.features_of_best, request.features_of_rest
            ranked = [
                ranking_pb.RankedCandidate(
                    candidate=candidate,
                    probabilities=ranking_pb.Probabilities(click=self.clicks.get(candidate.item_id, 0.1)),
                    features=FEATURES if place < best + rest else b"",
                    feature_inclusion=1.0 if place < best else 0.5,
                )
                for place, candidate in enumerate(given.candidates)
            ]
            lists.append(ranking_pb.RankedList(user_id=given.user_id, candidates=ranked))
        return ranking_pb.RankCandidatesResponse(lists=lists, ranker_version=7, schema_hash="schema")

    async def ExplainScores(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        viewed = ranking_pb.EventContribution(item_id="item1", kind=event_pb.EVENT_KIND_VIEW_ITEM, click=0.2)
        past = [
            ranking_pb.Contribution(cause="item1", is_item=True, click=0.2),
            ranking_pb.Contribution(cause="price", click=0.3),
        ]
        return ranking_pb.ExplainScoresResponse(
            explanations=[
                ranking_pb.Explanation(item_id=c.item_id, contributions=past, events=[viewed])
                for c in request.candidates
            ]
        )


class Content(_Gone, content_grpc.ContentServiceServicer):
    """Writes the title and the version; finds fault with the word "best" and with another version."""

    def __init__(self) -> None:
        super().__init__()
        self.briefs: list[content_pb.Brief] = []
        self.drafts: list[content_pb.Draft] = []
        #: By how many versions its words are late.
        self.behind = 0

    async def ComposeMessages(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        self.briefs += request.briefs
        return content_pb.ComposeMessagesResponse(
            compositions=[
                content_pb.Composition(messages=[_written(brief, brief.item.version - self.behind)])
                for brief in request.briefs
            ]
        )

    async def VerifyMessages(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        verdicts = []
        self.drafts += request.drafts
        for draft in request.drafts:
            wrong = "best" in draft.title or f"v{draft.item.version}" not in draft.body
            findings = [content_pb.Finding(severity=content_pb.SEVERITY_BLOCK, reason="not in the facts")]
            verdicts.append(content_pb.Verdict(passed=not wrong, findings=findings if wrong else []))
        return content_pb.VerifyMessagesResponse(verdicts=verdicts)


def _written(brief: Any, version: int) -> content_pb.Message:
    item = brief.item
    body = f"v{version}"
    span = content_pb.Span(
        part=content_pb.MESSAGE_PART_BODY, start=0, end=len(body), field="item.price", value=body,
        source=item.item_id, version=version,
    )  # fmt: skip
    return content_pb.Message(
        title=item.text.title, body=body, spans=[span], strategy=content_pb.STRATEGY_PLAIN,
        locale="en", variant_id="plain/1", propensity=1.0, link=item.link,
    )  # fmt: skip


class Feedback(_Gone, feedback_grpc.FeedbackServiceServicer):
    """Remembers outcomes."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[feedback_pb.Outcome] = []

    async def RecordOutcomes(self, request: Any, context: Any) -> Any:
        await self._arrive(context)
        self.outcomes += request.outcomes
        return feedback_pb.RecordOutcomesResponse(accepted_count=len(request.outcomes))


class Neighbours:
    """All of them, with `items` items in stock."""

    def __init__(self, items: int = 5) -> None:
        # They serve only what push calls.
        self.profile = Profile()  # type: ignore[abstract]
        self.catalogue = Catalogue()  # type: ignore[abstract]
        self.ranking = Ranking()
        self.content = Content()  # type: ignore[abstract]
        self.feedback = Feedback()  # type: ignore[abstract]
        self.address = ""
        for number in range(items):
            item_id = f"item{number}"
            self.catalogue.items[item_id] = Item(
                item_id=item_id,
                version=1,
                title=f"Kettle {number}",
                locale="en",
                stock=5,
                link=f"app://{item_id}",
            )
            self.ranking.clicks[item_id] = 0.5 - number / (2 * items)


@asynccontextmanager
async def serving_neighbours(items: int = 5) -> AsyncIterator[Neighbours]:
    """Neighbours on a port of their own."""
    around = Neighbours(items)
    server = grpc.aio.server()
    profile_grpc.add_ProfileServiceServicer_to_server(around.profile, server)
    candidate_grpc.add_CandidateServiceServicer_to_server(around.catalogue, server)
    catalog_grpc.add_CatalogServiceServicer_to_server(around.catalogue, server)
    ranking_grpc.add_RankingServiceServicer_to_server(around.ranking, server)
    content_grpc.add_ContentServiceServicer_to_server(around.content, server)
    feedback_grpc.add_FeedbackServiceServicer_to_server(around.feedback, server)
    around.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield around
    finally:
        await server.stop(None)


def snapshot_of(portrait: Portrait) -> bytes:
    """The portrait as it travels."""
    return codec.encode(portrait)
