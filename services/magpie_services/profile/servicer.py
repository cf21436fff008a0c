"""ProfileService on the wire: messages in, the domain asked, messages out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import msgspec
from google.protobuf.message import Message

from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.core import checks
from magpie_services.core.events import Event
from magpie_services.kit import metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.redis import partitions
from magpie_services.profile import audience, domain, messages
from magpie_services.profile.domain import Profiles, Refusal
from magpie_services.profile.selection import select
from magpie_services.profile.state import consent_violations, device_violations
from magpie_services.profile.store import ProfileStore
from magpie_services.wire import events as wire_events
from magpie_services.wire import portraits, values

MAX_EVENTS = 1_000
MAX_PORTRAITS = 512
MAX_CONSENTS = 8
MAX_ALIASES = 16
MAX_PAGE = 5_000

Context = grpc.aio.ServicerContext[Any, Any]
Answer = TypeVar("Answer", bound=Message)


class ProfileServicer(profile_grpc.ProfileServiceServicer):
    """Users: behaviour in, portraits out; consent, devices, erasure."""

    def __init__(self, profiles: Profiles, store: ProfileStore, answers: Answers, clock: Clock) -> None:
        self._profiles = profiles
        self._store = store
        self._answers = answers
        self._clock = clock

    async def RecordEvents(
        self, request: profile_pb.RecordEventsRequest, context: Context
    ) -> profile_pb.RecordEventsResponse:
        _size("events", len(request.events), MAX_EVENTS)
        _refuse(checks.identifier("request_id", request.request_id, required=False))
        now_ms = self._clock.now_ms()
        good: list[tuple[int, Event]] = []
        refusals: list[Refusal] = []
        for index, message in enumerate(request.events):
            event = wire_events.event_from_proto(message, now_ms)
            if event is None:
                refusals.append(Refusal(index, message.event_id, f"events[{index}].kind", "is required"))
                continue
            found = domain.faults(event, now_ms)
            if not found:
                good.append((index, event))
            for fault in found[:1]:
                field = f"events[{index}].{wire_events.FIELDS.get(fault.field, fault.field)}"
                refusals.append(Refusal(index, event.event_id, field, fault.reason))
        recorded = await self._profiles.record(good)
        metrics.PROFILE_EVENTS.labels("accepted").inc(recorded.accepted)
        metrics.PROFILE_EVENTS.labels("duplicate").inc(recorded.duplicates)
        metrics.PROFILE_EVENTS.labels("refused").inc(len(refusals) + len(recorded.refusals))
        refusals = sorted([*refusals, *recorded.refusals], key=lambda refusal: refusal.index)
        return profile_pb.RecordEventsResponse(
            accepted_count=recorded.accepted,
            duplicate_count=recorded.duplicates,
            refusals=[
                profile_pb.EventRefusal(index=r.index, event_id=r.event_id, field=r.field, reason=r.reason)
                for r in refusals
            ],
        )

    async def GetPortraits(
        self, request: profile_pb.GetPortraitsRequest, context: Context
    ) -> profile_pb.GetPortraitsResponse:
        _size("user_ids", len(request.user_ids), MAX_PORTRAITS)
        for index, user_id in enumerate(request.user_ids):
            _refuse(checks.identifier(f"user_ids[{index}]", user_id))
        now_ms = self._clock.now_ms()
        brief = request.view == profile_pb.PORTRAIT_VIEW_SNAPSHOT
        states = await self._profiles.get(request.user_ids)
        return profile_pb.GetPortraitsResponse(
            users=[messages.state_to_proto(state, now_ms, snapshot_only=brief) for state in states]
        )

    async def SelectAudience(
        self, request: profile_pb.SelectAudienceRequest, context: Context
    ) -> AsyncIterator[profile_pb.SelectAudienceResponse]:
        page_size = _page_size(request.page_size, 500)
        matches = audience.predicate(messages.audience_from_proto(request.audience))
        mark = messages.fingerprint(request)
        parts = partitions()
        place = messages.place_from_token(request.page_token, mark, len(parts))
        pages = select(
            self._store,
            parts,
            matches,
            self._clock.now_ms(),
            page_size=page_size,
            reachable_only=request.reachable_only,
            part=place.part,
            after=place.after,
            scanned=place.scanned,
        )
        async for page in pages:
            onwards = messages.Place(page.part, page.after, page.scanned, mark)
            yield profile_pb.SelectAudienceResponse(
                user_ids=page.user_ids,
                next_page_token=messages.place_to_token(onwards) if page.part < len(parts) else "",
                scanned_count=page.scanned,
            )

    async def LinkIdentities(
        self, request: profile_pb.LinkIdentitiesRequest, context: Context
    ) -> profile_pb.LinkIdentitiesResponse:
        _refuse(checks.identifier("user_id", request.user_id))
        _size("alias_user_ids", len(request.alias_user_ids), MAX_ALIASES)
        for index, alias in enumerate(request.alias_user_ids):
            field = f"alias_user_ids[{index}]"
            _refuse(checks.identifier(field, alias))
            if alias == request.user_id:
                raise Invalid(field, "is the identity to keep")

        async def work() -> profile_pb.LinkIdentitiesResponse:
            state = await self._profiles.link(request.user_id, request.alias_user_ids)
            portrait = portraits.to_proto(state.portrait, self._clock.now_ms())
            return profile_pb.LinkIdentitiesResponse(portrait=portrait)

        return await self._once("LinkIdentities", request, profile_pb.LinkIdentitiesResponse, work)

    async def SetConsent(
        self, request: profile_pb.SetConsentRequest, context: Context
    ) -> profile_pb.SetConsentResponse:
        _refuse(checks.identifier("user_id", request.user_id))
        _size("consents", len(request.consents), MAX_CONSENTS)
        now_ms = self._clock.now_ms()
        consents = []
        for index, message in enumerate(request.consents):
            consent = messages.consent_from_proto(message, f"consents[{index}]", now_ms)
            _refuse(consent_violations(f"consents[{index}]", consent, now_ms))
            # Nobody answers in the future: a fast clock's yes must not stand against a no that follows it.
            consents.append(msgspec.structs.replace(consent, at_ms=min(consent.at_ms, now_ms)))

        async def work() -> profile_pb.SetConsentResponse:
            state = await self._profiles.set_consents(request.user_id, consents)
            return profile_pb.SetConsentResponse(consents=messages.consents_to_proto(state))

        return await self._once("SetConsent", request, profile_pb.SetConsentResponse, work)

    async def RegisterDevice(
        self, request: profile_pb.RegisterDeviceRequest, context: Context
    ) -> profile_pb.RegisterDeviceResponse:
        _refuse(checks.identifier("user_id", request.user_id))
        device = messages.device_from_proto(request.device, "device")
        _refuse(device_violations("device", device))

        async def work() -> profile_pb.RegisterDeviceResponse:
            state = await self._profiles.register_device(request.user_id, device)
            return profile_pb.RegisterDeviceResponse(devices=messages.devices_to_proto(state))

        return await self._once("RegisterDevice", request, profile_pb.RegisterDeviceResponse, work)

    async def RemoveDevice(
        self, request: profile_pb.RemoveDeviceRequest, context: Context
    ) -> profile_pb.RemoveDeviceResponse:
        _refuse(checks.identifier("user_id", request.user_id))
        _refuse(checks.identifier("device_id", request.device_id))

        async def work() -> profile_pb.RemoveDeviceResponse:
            since_ms = values.milliseconds(request.unless_updated_since)
            state = await self._profiles.remove_device(request.user_id, request.device_id, since_ms)
            return profile_pb.RemoveDeviceResponse(devices=messages.devices_to_proto(state))

        return await self._once("RemoveDevice", request, profile_pb.RemoveDeviceResponse, work)

    async def ExportUser(
        self, request: profile_pb.ExportUserRequest, context: Context
    ) -> profile_pb.ExportUserResponse:
        _refuse(checks.identifier("user_id", request.user_id))
        limit = _page_size(request.page_size, 1_000)
        after = messages.entry_from_token(request.page_token)
        (state,) = await self._profiles.get([request.user_id])
        found, onwards = await self._profiles.logged(request.user_id, after, limit)
        return profile_pb.ExportUserResponse(
            user=messages.state_to_proto(state, self._clock.now_ms()),
            events=[wire_events.event_to_proto(event) for event in found],
            next_page_token=onwards,
        )

    async def EraseUser(
        self, request: profile_pb.EraseUserRequest, context: Context
    ) -> profile_pb.EraseUserResponse:
        _refuse(checks.identifier("user_id", request.user_id))

        async def work() -> profile_pb.EraseUserResponse:
            erased_ms, existed = await self._profiles.erase(request.user_id)
            return profile_pb.EraseUserResponse(erase_time=values.timestamp(erased_ms), existed=existed)

        return await self._once("EraseUser", request, profile_pb.EraseUserResponse, work)

    async def _once(
        self, method: str, request: Any, kind: type[Answer], work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """The answer to this request id: the one given before, or that of `work`."""

        async def encoded() -> bytes:
            return (await work()).SerializeToString()

        blob = await self._answers.once(f"profile.{method}", request.request_id, request, encoded)
        return kind.FromString(blob)


def _refuse(found: list[checks.Violation]) -> None:
    if found:
        raise Invalid.many((fault.field, fault.reason) for fault in found)


def _size(field: str, size: int, limit: int) -> None:
    if not 1 <= size <= limit:
        raise Invalid(field, f"must have 1 to {limit:,} entries, not {size:,}")


def _page_size(asked: int, default: int) -> int:
    if not 0 <= asked <= MAX_PAGE:
        raise Invalid("page_size", f"must be between 0 and {MAX_PAGE:,}")
    return asked or default
