"""The other services as push sees them: each call with its deadline, each failure in our own words."""

import heapq
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import grpc
import msgspec
import structlog
from google.protobuf.message import Message as ProtoMessage

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import candidate_service_pb2_grpc as candidate_grpc
from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import feedback_service_pb2_grpc as feedback_grpc
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie.v1 import ranking_service_pb2 as ranking_pb
from magpie.v1 import ranking_service_pb2_grpc as ranking_grpc
from magpie_services.core import codec
from magpie_services.core.decisions import Arm, Copy
from magpie_services.core.events import Event
from magpie_services.core.memory import PushMemory
from magpie_services.kit.channels import translate
from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import MagpieError, Unavailable
from magpie_services.push.briefs import Brief, Draft, Fact
from magpie_services.push.policy import Filter
from magpie_services.wire import candidates, events, items, messages, portraits, values

log = structlog.get_logger()

Answer = TypeVar("Answer")
#: What a push is worth, by its probabilities and the item's price.
Worth = Callable[[Sequence[float], float], float]

READS = {
    "profile": ("magpie.v1.ProfileService/GetPortraits",),
    "candidate": ("magpie.v1.CandidateService/RetrieveCandidates", "magpie.v1.CatalogService/GetItems"),
    "ranking": ("magpie.v1.RankingService/RankCandidates",),
    "content": ("magpie.v1.ContentService/ComposeMessages", "magpie.v1.ContentService/VerifyMessages"),
    "feedback": (),
}
_MARKETING = device_pb.PURPOSE_MARKETING_PUSH
_PERSONAL = device_pb.PURPOSE_PERSONALISATION


class Device(NamedTuple):
    """A way to reach a user; `channel` is a core name such as "webhook"."""

    device_id: str
    channel: str
    address: str
    locale: str
    timezone: str


class Consent(NamedTuple):
    granted: bool
    at_ms: int


class User(NamedTuple):
    """A user as profile knows them. `portrait` travels on as it came."""

    user_id: str
    portrait: portrait_pb.Portrait
    pushes: PushMemory
    devices: list[Device]
    marketing: Consent | None
    personal: bool

    @property
    def known(self) -> bool:
        return bool(self.portrait.version or self.devices or self.marketing)

    @property
    def person(self) -> portrait_pb.Portrait:
        """The portrait as far as they agreed to be described by it."""
        return self.portrait if self.personal else impersonal(self.portrait)


class Retrieved(NamedTuple):
    lists: list[candidate_pb.CandidateList]
    retriever_version: int
    degraded: bool


class Ranked(NamedTuple):
    """Arms of each user with probabilities, without values yet."""

    lists: list[list[Arm]]
    ranker_version: int
    fallback: bool
    schema_hash: str


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for each call; never longer than the caller of this service waits."""

    profile: float = 1.0
    candidate: float = 1.0
    ranking: float = 1.0
    content: float = 1.0
    feedback: float = 1.0


class _Snapshot(msgspec.Struct):
    """The part of a portrait that the rules read; the rest is skipped over."""

    pushes: PushMemory = msgspec.field(default_factory=PushMemory)


class Services:
    """Stubs over channels named "profile", "candidate", "ranking", "content" and "feedback".

    Every call raises a kit error (mostly Unavailable or DeadlineExceeded) when it fails.
    """

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], timeouts: Timeouts) -> None:
        self._profile = profile_grpc.ProfileServiceStub(channels["profile"])
        self._candidate = candidate_grpc.CandidateServiceStub(channels["candidate"])
        self._catalog = catalog_grpc.CatalogServiceStub(channels["candidate"])
        self._ranking = ranking_grpc.RankingServiceStub(channels["ranking"])
        self._content = content_grpc.ContentServiceStub(channels["content"])
        self._feedback = feedback_grpc.FeedbackServiceStub(channels["feedback"])
        self._timeouts = timeouts

    async def users(self, user_ids: Sequence[str]) -> list[User]:
        """The users in the order asked for."""
        request = profile_pb.GetPortraitsRequest(user_ids=user_ids, view=profile_pb.PORTRAIT_VIEW_SNAPSHOT)
        response = await _call(self._profile.GetPortraits, request, self._timeouts.profile)
        _same_length(response.users, user_ids)
        return [_user(user_id, state) for user_id, state in zip(user_ids, response.users, strict=True)]

    async def retrieve(
        self, people: Sequence[portrait_pb.Portrait], limit: int, only: Filter, seed: int
    ) -> Retrieved:
        """Candidates for each portrait."""
        request = candidate_pb.RetrieveCandidatesRequest(
            portraits=people, limit=limit, filter=_filter_to_proto(only), seed=seed
        )
        response = await _call(self._candidate.RetrieveCandidates, request, self._timeouts.candidate)
        _same_length(response.lists, people)
        return Retrieved(list(response.lists), response.retriever_version, response.degraded)

    async def charted(self, item_ids: Sequence[str]) -> dict[str, candidate_pb.Candidate]:
        """Where items stand in the charts, by id, as far as that can be told: words can do without."""
        request = candidate_pb.RetrieveCandidatesRequest(
            portraits=[portrait_pb.Portrait(user_id="anybody")],
            limit=len(item_ids),
            filter=candidate_pb.CatalogFilter(item_ids=item_ids),
            sources=[candidate_pb.CANDIDATE_SOURCE_CALLER],
        )
        try:
            response = await _call(self._candidate.RetrieveCandidates, request, self._timeouts.candidate)
        except MagpieError as error:
            log.info("charts.not_read", error=error.reason)
            return {}
        return {found.item_id: found for listed in response.lists for found in listed.candidates}

    async def rank(
        self,
        people: Sequence[portrait_pb.Portrait],
        lists: Sequence[candidate_pb.CandidateList],
        *,
        best: int,
        rest: int,
        seed: int,
        worth: Worth,
        most: int,
    ) -> Ranked:
        """Probabilities of each user's `most` candidates of the highest `worth`, and of any with features.

        Features come with the `best` in the order of the ranking service, and with `rest` others.
        """
        request = ranking_pb.RankCandidatesRequest(
            portraits=people, lists=lists, features_of_best=best, features_of_rest=rest, seed=seed
        )
        response = await _call(self._ranking.RankCandidates, request, self._timeouts.ranking)
        _same_length(response.lists, people)
        arms = [_arms(ranked, worth, most) for ranked in response.lists]
        return Ranked(arms, response.ranker_version, response.fallback, response.schema_hash)

    async def items(self, item_ids: Sequence[str]) -> dict[str, Fact]:
        """The items found, by id."""
        if not item_ids:
            return {}
        request = catalog_pb.GetItemsRequest(item_ids=item_ids, omit_picture_vectors=True)
        response = await _call(self._catalog.GetItems, request, self._timeouts.candidate)
        return {item.item_id: Fact(items.item_from_proto(item), item) for item in response.items}

    async def compose(self, briefs: Sequence[Brief]) -> list[Copy]:
        """The best words for each brief."""
        request = content_pb.ComposeMessagesRequest(briefs=[brief.to_proto() for brief in briefs])
        response = await _call(self._content.ComposeMessages, request, self._timeouts.content)
        _same_length(response.compositions, briefs)
        if not all(composition.messages for composition in response.compositions):
            raise Unavailable("the content service wrote nothing")
        return [messages.copy_from_proto(composition.messages[0]) for composition in response.compositions]

    async def verify(self, drafts: Sequence[Draft]) -> list[list[str]]:
        """What is wrong with each text, in words; an empty list where it passed."""
        request = content_pb.VerifyMessagesRequest(drafts=[draft.to_proto() for draft in drafts])
        response = await _call(self._content.VerifyMessages, request, self._timeouts.content)
        _same_length(response.verdicts, drafts)
        return [
            [] if verdict.passed else [finding.reason for finding in verdict.findings] or ["refused"]
            for verdict in response.verdicts
        ]

    async def record(self, sent: Sequence[Event]) -> None:
        """Tells profile of pushes that went out; safe to repeat."""
        request = profile_pb.RecordEventsRequest(events=[events.event_to_proto(event) for event in sent])
        await _call(self._profile.RecordEvents, request, self._timeouts.profile)

    async def report_gone(self, tokens: Sequence[tuple[str, str]], now_ms: int) -> None:
        """Tells feedback of devices whose address is gone: (attribution token, device id) pairs."""
        request = feedback_pb.RecordOutcomesRequest(
            outcomes=[
                feedback_pb.Outcome(
                    attribution_token=token,
                    kind=feedback_pb.OUTCOME_KIND_TOKEN_GONE,
                    occur_time=values.timestamp(now_ms),
                    device_id=device_id,
                )
                for token, device_id in tokens
            ]
        )
        await _call(self._feedback.RecordOutcomes, request, self._timeouts.feedback)

    async def explain(self, user_id: str, arm: Arm) -> ranking_pb.Explanation | None:
        """What moves the score of an arm for the user as they are now; None when ranking cannot tell."""
        user = (await self.users([user_id]))[0]
        request = ranking_pb.ExplainScoresRequest(
            portrait=user.portrait,
            candidates=[
                candidate_pb.Candidate(
                    item_id=arm.item_id,
                    sources=candidates.sources_to_proto(arm.sources),
                    similarity=arm.similarity,
                    because_item_id=arm.because_item_id,
                )
            ],
        )
        response = await _call(self._ranking.ExplainScores, request, self._timeouts.ranking)
        return response.explanations[0] if response.explanations else None

    async def audience(
        self, expression: profile_pb.Audience | None, page_size: int, page_token: str, seconds: float
    ) -> AsyncGenerator[profile_pb.SelectAudienceResponse]:
        """Pages of users from a page token on, for at most `seconds`."""
        request = profile_pb.SelectAudienceRequest(
            audience=expression, page_size=page_size, page_token=page_token
        )
        call = self._profile.SelectAudience(request, timeout=seconds)
        try:
            async for page in call:
                yield page
        except grpc.aio.AioRpcError as error:
            raise translate(error) from error
        finally:
            call.cancel()


async def _call(method: Callable[..., Awaitable[Answer]], request: ProtoMessage, seconds: float) -> Answer:
    try:
        return await method(request, timeout=remaining(seconds))
    except grpc.aio.AioRpcError as error:
        raise translate(error) from error


def _same_length(answers: Sequence[Any], asked: Sequence[Any]) -> None:
    if len(answers) != len(asked):
        raise Unavailable("a service that this one depends on broke its contract")


def impersonal(portrait: portrait_pb.Portrait) -> portrait_pb.Portrait:
    """The portrait of somebody who does not want to be known: identity, language and time zone only."""
    return portrait_pb.Portrait(user_id=portrait.user_id, locale=portrait.locale, timezone=portrait.timezone)


def _user(user_id: str, state: profile_pb.UserState) -> User:
    message = state.portrait
    if message.snapshot:
        pushes = codec.decode(_Snapshot, message.snapshot).pushes
    else:
        pushes = portraits.from_proto(message).pushes if message.user_id else PushMemory()
    consents = {
        consent.purpose: Consent(consent.granted, values.milliseconds(consent.time))
        for consent in state.consents
    }
    personal = consents.get(_PERSONAL)
    return User(
        user_id=user_id,
        portrait=message,
        pushes=pushes,
        devices=[
            Device(
                device.device_id,
                messages.channel_name(device.channel),
                device.address,
                device.locale,
                device.timezone,
            )
            for device in state.devices
        ],
        marketing=consents.get(_MARKETING),
        personal=personal is not None and personal.granted,
    )


def _arms(ranked: ranking_pb.RankedList, worth: Worth, most: int) -> list[Arm]:
    """No other can be chosen or kept: most candidates are looked at for their worth only."""
    heads = [candidates.probabilities_from_proto(one.probabilities) for one in ranked.candidates]
    # A ranking service of before tells no prices.
    prices = list(ranked.prices) or [0.0] * len(heads)
    _same_length(prices, heads)
    values = [worth(probabilities, price) for probabilities, price in zip(heads, prices, strict=True)]
    valued = [place for place, value in enumerate(values) if math.isfinite(value)]
    wanted = set(heapq.nlargest(most, valued, key=values.__getitem__))
    return [
        _arm(one, probabilities, price)
        for place, (one, probabilities, price) in enumerate(
            zip(ranked.candidates, heads, prices, strict=True)
        )
        if place in wanted or one.features
    ]


def _arm(ranked: ranking_pb.RankedCandidate, probabilities: list[float], price: float) -> Arm:
    candidate = ranked.candidate
    return Arm(
        item_id=candidate.item_id,
        sources=candidates.sources_from_proto(candidate.sources),
        probabilities=probabilities,
        features=ranked.features,
        inclusion=ranked.feature_inclusion or 1.0,
        similarity=candidate.similarity,
        because_item_id=candidate.because_item_id,
        price=price,
    )


def _filter_to_proto(only: Filter) -> candidate_pb.CatalogFilter:
    return candidate_pb.CatalogFilter(
        item_ids=only.item_ids,
        excluded_item_ids=only.excluded_item_ids,
        categories=only.categories,
        brands=only.brands,
        vendors=only.vendors,
        min_discount=only.min_discount,
    )
