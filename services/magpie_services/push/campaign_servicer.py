"""CampaignService over gRPC: messages in, messages out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.message import Message

from magpie.v1 import campaign_service_pb2 as campaign_pb
from magpie.v1 import campaign_service_pb2_grpc as campaign_grpc
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid, MagpieError
from magpie_services.kit.idempotency import Answers
from magpie_services.push import campaigns, validation
from magpie_services.push.campaign_store import CampaignStore
from magpie_services.push.campaigns import Campaign, State
from magpie_services.push.clients import Services
from magpie_services.push.policy import Policy
from magpie_services.wire import decisions, values

Context = grpc.aio.ServicerContext[Any, Any]

WATCH_SECONDS = 0.5
#: How long a first user may take to be found when an audience is checked.
PROBE_SECONDS = 1.0
_STATES = values.numbers(State, "CAMPAIGN_STATE", dict(campaign_pb.CampaignState.items()))


class CampaignServicer(campaign_grpc.CampaignServiceServicer):
    """`default` is the policy of campaigns that bring none."""

    def __init__(
        self, store: CampaignStore, services: Services, answers: Answers, default: Policy, clock: Clock
    ) -> None:
        self._store = store
        self._services = services
        self._answers = answers
        self._default = default
        self._clock = clock

    async def CreateCampaign(
        self, request: campaign_pb.CreateCampaignRequest, context: Context
    ) -> campaign_pb.CreateCampaignResponse:
        request_id = validation.identifier_of("request_id", request.request_id)
        campaign_id = campaigns.campaign_id_of(request_id)
        spec = validation.spec_of(request.spec, campaign_id, self._default, self._clock.now_ms())

        async def work() -> Campaign:
            await self._probe(request.spec.audience)
            return await self._store.create(spec)

        campaign = await self._once("CreateCampaign", request_id, request, work)
        return campaign_pb.CreateCampaignResponse(campaign=campaign)

    async def StartCampaign(
        self, request: campaign_pb.StartCampaignRequest, context: Context
    ) -> campaign_pb.StartCampaignResponse:
        return campaign_pb.StartCampaignResponse(campaign=await self._move("start", request))

    async def PauseCampaign(
        self, request: campaign_pb.PauseCampaignRequest, context: Context
    ) -> campaign_pb.PauseCampaignResponse:
        return campaign_pb.PauseCampaignResponse(campaign=await self._move("pause", request))

    async def ResumeCampaign(
        self, request: campaign_pb.ResumeCampaignRequest, context: Context
    ) -> campaign_pb.ResumeCampaignResponse:
        return campaign_pb.ResumeCampaignResponse(campaign=await self._move("resume", request))

    async def CancelCampaign(
        self, request: campaign_pb.CancelCampaignRequest, context: Context
    ) -> campaign_pb.CancelCampaignResponse:
        return campaign_pb.CancelCampaignResponse(campaign=await self._move("cancel", request))

    async def GetCampaign(
        self, request: campaign_pb.GetCampaignRequest, context: Context
    ) -> campaign_pb.GetCampaignResponse:
        campaign_id = validation.identifier_of("campaign_id", request.campaign_id)
        return campaign_pb.GetCampaignResponse(campaign=_to_proto(await self._store.get(campaign_id)))

    async def ListCampaigns(
        self, request: campaign_pb.ListCampaignsRequest, context: Context
    ) -> campaign_pb.ListCampaignsResponse:
        start, size = validation.page_of(request.page_size, request.page_token)
        found = await self._store.newest(start, size + 1)
        return campaign_pb.ListCampaignsResponse(
            campaigns=[_to_proto(campaign) for campaign in found[:size]],
            next_page_token=str(start + size) if len(found) > size else "",
        )

    async def WatchCampaign(
        self, request: campaign_pb.WatchCampaignRequest, context: Context
    ) -> AsyncIterator[campaign_pb.WatchCampaignResponse]:
        campaign_id = validation.identifier_of("campaign_id", request.campaign_id)
        seen: Campaign | None = None
        while True:
            campaign = await self._store.get(campaign_id)
            if campaign != seen:
                seen = campaign
                latest = await self._store.latest(campaign_id)
                yield campaign_pb.WatchCampaignResponse(
                    campaign=_to_proto(campaign),
                    latest_decisions=[decisions.to_proto(decision, with_arms=False) for decision in latest],
                )
            if campaign.state.ended:
                return
            await asyncio.sleep(WATCH_SECONDS)

    async def _move(self, move: str, request: Any) -> campaign_pb.Campaign:
        campaign_id = validation.identifier_of("campaign_id", request.campaign_id)
        request_id = validation.identifier_of("request_id", request.request_id)

        async def work() -> Campaign:
            return await self._store.move(campaign_id, move, self._clock.now_ms())

        return await self._once(f"{move}_campaign", request_id, request, work)

    async def _once(
        self, method: str, request_id: str, request: Message, work: Callable[[], Awaitable[Campaign]]
    ) -> campaign_pb.Campaign:
        """The answer of the first call with this request id; `work` is done for that one only."""

        async def answer() -> bytes:
            return _to_proto(await work()).SerializeToString()

        return campaign_pb.Campaign.FromString(await self._answers.once(method, request_id, request, answer))

    async def _probe(self, audience: profile_pb.Audience) -> None:
        """Lets profile refuse a faulty audience now rather than when the campaign runs."""
        if not audience.ByteSize():
            return
        try:
            async with aclosing(self._services.audience(audience, 1, "", PROBE_SECONDS)) as pages:
                await anext(pages, None)
        except Invalid as error:
            raise Invalid.many((f"spec.{field}", problem) for field, problem in error.violations) from error
        except MagpieError:
            return  # away or slow: the campaign will tell


def _to_proto(campaign: Campaign) -> campaign_pb.Campaign:
    progress = campaign.progress
    return campaign_pb.Campaign(
        campaign_id=campaign.spec.campaign_id,
        spec=campaign_pb.CampaignSpec.FromString(campaign.spec.message),
        state=campaign_pb.CampaignState.ValueType(_STATES[campaign.state]),
        progress=campaign_pb.CampaignProgress(
            scanned_count=progress.scanned,
            decided_count=progress.decided,
            verdict_counts=progress.verdicts,
            reason_counts=progress.reasons,
            users_per_second=progress.users_per_second if campaign.state is State.RUNNING else 0.0,
        ),
        create_time=values.timestamp(campaign.spec.created_ms),
        update_time=values.timestamp(campaign.updated_ms),
        error=campaign.error,
    )
