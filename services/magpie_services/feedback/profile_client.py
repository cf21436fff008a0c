"""ProfileService as feedback uses it: what came of a push goes into portrait, consent and devices."""

import asyncio
from collections.abc import Sequence

import grpc

from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.core.events import Event
from magpie_services.core.outcomes import EVENT_KINDS, OutcomeKind
from magpie_services.feedback.domain import Entry
from magpie_services.kit.channels import translate
from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import NotAllowed
from magpie_services.wire import events, values

_AT_ONCE = 16


class ProfileClient:
    """See `domain.People`. Calls carry ids made from decision and kind, so repeats change nothing."""

    def __init__(self, channel: grpc.aio.Channel, timeout_seconds: float) -> None:
        self._stub = profile_grpc.ProfileServiceStub(channel)
        self._seconds = timeout_seconds
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def tell(self, entries: Sequence[Entry]) -> dict[int, str]:
        try:
            refused = await self._record(entries)
            rest = [n for n in range(len(entries)) if n not in refused]
            answers = await asyncio.gather(*(self._follow(entries[n]) for n in rest))
        except grpc.aio.AioRpcError as error:
            raise translate(error) from error
        return refused | {n: reason for n, reason in zip(rest, answers, strict=True) if reason}

    async def _record(self, entries: Sequence[Entry]) -> dict[int, str]:
        told = [n for n, entry in enumerate(entries) if entry.outcome.kind in EVENT_KINDS]
        if not told:
            return {}
        messages = [events.event_to_proto(_event(entries[n])) for n in told]
        request = profile_pb.RecordEventsRequest(events=messages)
        response = await self._stub.RecordEvents(request, timeout=remaining(self._seconds))
        return {told[refusal.index]: refusal.reason for refusal in response.refusals}

    async def _follow(self, entry: Entry) -> str:
        """What else an outcome means for the user; the reason when it was refused."""
        async with self._room:
            try:
                if entry.outcome.kind is OutcomeKind.UNSUBSCRIBED:
                    await self._withdraw(entry)
                elif entry.outcome.kind is OutcomeKind.TOKEN_GONE:
                    await self._remove(entry)
            except grpc.aio.AioRpcError as error:
                problem = translate(error)
                if isinstance(problem, NotAllowed):
                    return problem.message
                raise
        return ""

    async def _withdraw(self, entry: Entry) -> None:
        outcome = entry.outcome
        answer = device_pb.Consent(
            purpose=device_pb.PURPOSE_MARKETING_PUSH,
            granted=False,
            time=values.timestamp(outcome.occurred_ms),
            source="push",
        )
        request = profile_pb.SetConsentRequest(
            user_id=outcome.user_id, consents=[answer], request_id=_request_id(entry)
        )
        await self._stub.SetConsent(request, timeout=remaining(self._seconds))

    async def _remove(self, entry: Entry) -> None:
        outcome = entry.outcome
        device_id = entry.receipt.device_id or (entry.decision.device_id if entry.decision else "")
        if not device_id:
            return
        request = profile_pb.RemoveDeviceRequest(
            user_id=outcome.user_id,
            device_id=device_id,
            request_id=_request_id(entry),
            unless_updated_since=values.timestamp(outcome.occurred_ms),
        )
        await self._stub.RemoveDevice(request, timeout=remaining(self._seconds))


def _event(entry: Entry) -> Event:
    outcome = entry.outcome
    return Event(
        event_id=f"outcome:{outcome.decision_id}:{outcome.kind}",
        user_id=outcome.user_id,
        kind=EVENT_KINDS[outcome.kind],
        occurred_ms=outcome.occurred_ms,
        item_id=outcome.item_id,
        decision_id=outcome.decision_id,
        campaign_id=outcome.campaign_id,
    )


def _request_id(entry: Entry) -> str:
    # The time is part of it: a retry may report another, and then it is another request.
    return f"outcome:{entry.outcome.decision_id}:{entry.outcome.kind}:{entry.outcome.occurred_ms}"
