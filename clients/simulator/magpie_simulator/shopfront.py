"""The shop's system: all that the marketplace says to Magpie, through the SDK, patient with outages."""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import grpc

from magpie import Connect, Endpoints, Magpie, problem_of
from magpie.v1 import campaign_service_pb2 as campaign_pb
from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import push_service_pb2 as push_pb

BATCH = 1_000
PUSH_BATCH = 64
IN_FLIGHT = 3
SMALL_IN_FLIGHT = 16
T = TypeVar("T")
_PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


class ServiceGone(Exception):
    """A service could not be reached or refused a call; the text is one line for a person."""


class Shopfront:
    """Calls of one world. `now_ms` is the world's time; `patience_seconds` is how long an outage may last."""

    def __init__(
        self,
        endpoints: Endpoints,
        now_ms: Callable[[], int],
        *,
        prefix: str,
        patience_seconds: float,
        connect: Connect | None = None,
    ) -> None:
        self._magpie = Magpie(endpoints, now_ms=now_ms, connect=connect)
        self._endpoints, self._prefix, self._patience = endpoints, prefix, patience_seconds
        self.refused: dict[str, int] = {}

    async def close(self) -> None:
        """Closes the connections."""
        await self._magpie.close()

    async def record_events(self, events: Sequence[event_pb.Event]) -> None:
        """Sends events in batches of at most 1,000, each user's in order; a few lanes of users at once."""
        lanes: list[list[event_pb.Event]] = [[] for _ in range(IN_FLIGHT)]
        for event in events:
            lanes[zlib.crc32(event.user_id.encode()) % IN_FLIGHT].append(event)
        await self._all("profile", [partial(self._record_lane, lane) for lane in lanes if lane], IN_FLIGHT)

    async def _record_lane(self, events: Sequence[event_pb.Event]) -> None:
        for batch in _batches(events, BATCH):
            request = profile_pb.RecordEventsRequest(events=batch)
            answer = await self._call("profile", partial(self._magpie.profile.RecordEvents, request))
            for refusal in answer.refusals:
                self._count(f"event {refusal.field.partition('.')[2]}: {refusal.reason}")

    async def record_outcomes(self, outcomes: Sequence[feedback_pb.Outcome]) -> None:
        """Sends outcomes in batches of at most 1,000, in order."""
        for batch in _batches(outcomes, BATCH):
            request = feedback_pb.RecordOutcomesRequest(outcomes=batch)
            answer = await self._call("feedback", partial(self._magpie.feedback.RecordOutcomes, request))
            for refusal in answer.refusals:
                self._count(f"outcome {refusal.field.partition('.')[2]}: {refusal.reason}")

    async def upsert_items(self, items: Sequence[item_pb.Item], request_id: str) -> None:
        """Tells the catalogue of items that are new or changed."""
        for number, batch in enumerate(_batches(items, BATCH)):
            request = catalog_pb.UpsertItemsRequest(
                items=batch, request_id=f"{self._prefix}-{request_id}-{number}"
            )
            answer = await self._call("candidate", partial(self._magpie.catalog.UpsertItems, request))
            for refusal in answer.refusals:
                self._count(f"item {refusal.field.partition('.')[2]}: {refusal.reason}")

    async def remove_items(self, item_ids: Sequence[str], request_id: str) -> None:
        """Withdraws items."""
        for number, batch in enumerate(_batches(item_ids, BATCH)):
            request = catalog_pb.RemoveItemsRequest(
                item_ids=batch, request_id=f"{self._prefix}-{request_id}-{number}"
            )
            await self._call("candidate", partial(self._magpie.catalog.RemoveItems, request))

    async def set_consents(self, answers: Sequence[tuple[str, list[device_pb.Consent]]], day: int) -> None:
        """Tells users' answers, several at a time."""
        calls = []
        for user, consents in answers:
            request = profile_pb.SetConsentRequest(
                user_id=user, consents=consents, request_id=f"{self._prefix}-consent-{day}-{user}"
            )
            calls.append(partial(self._magpie.profile.SetConsent, request))
        await self._all("profile", calls, SMALL_IN_FLIGHT)

    async def register_devices(self, devices: Sequence[tuple[str, str, dict[str, str]]], day: int) -> None:
        """Registers the webhook device of users: (user id, platform, what they declare)."""
        calls = []
        for user, platform, declared in devices:
            device = device_pb.Device(
                device_id=f"{user}-phone",
                channel=device_pb.CHANNEL_WEBHOOK,
                platform=platform,
                locale=declared["locale"],
                timezone=declared["timezone"],
            )
            request = profile_pb.RegisterDeviceRequest(
                user_id=user, device=device, request_id=f"{self._prefix}-device-{day}-{user}"
            )
            calls.append(partial(self._magpie.profile.RegisterDevice, request))
        await self._all("profile", calls, SMALL_IN_FLIGHT)

    async def send_pushes(
        self, users: Sequence[str], policy: push_pb.Policy, day: int
    ) -> list[decision_pb.Decision]:
        """Asks for a push to each user, in batches of 64 of which a few are under way at once."""
        calls = []
        for number, batch in enumerate(_batches(users, PUSH_BATCH)):
            request = push_pb.SendPushesRequest(
                targets=[push_pb.Target(user_id=user) for user in batch],
                policy=policy,
                request_id=f"{self._prefix}-push-{day}-{number}",
            )
            calls.append(partial(self._magpie.push.SendPushes, request))
        answers = await self._all("push", calls, IN_FLIGHT)
        return [decision for answer in answers for decision in answer.decisions]

    async def not_waiting(self, decision_ids: Sequence[str]) -> list[str]:
        """Those of some decisions that do not wait in the queue any more, as the ledger has it."""
        gone = []
        for decision_id in decision_ids:
            request = push_pb.ExplainDecisionRequest(decision_id=decision_id)
            try:
                decision = (await self._magpie.push.ExplainDecision(request)).decision
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED):
                    continue  # the next time, perhaps
                gone.append(decision_id)
            else:
                if decision.verdict != decision_pb.DECISION_VERDICT_QUEUED:
                    gone.append(decision_id)
        return gone

    async def tell_time(self) -> None:
        """Lets the push service know the world's time, for what waits in its queue: any call carries it."""
        try:
            await self._magpie.campaigns.ListCampaigns(campaign_pb.ListCampaignsRequest(page_size=1))
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                raise self._gone("push", error) from None

    async def _all(
        self, service: str, calls: Sequence[Callable[[], Awaitable[T]]], in_flight: int
    ) -> list[T]:
        gate = asyncio.Semaphore(in_flight)

        async def one(call: Callable[[], Awaitable[T]]) -> T:
            async with gate:
                return await self._call(service, call)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(call)) for call in calls]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _call(self, service: str, call: Callable[[], Awaitable[T]]) -> T:
        """One call, repeated while its service is away for a moment: every call of ours is safe to repeat."""
        give_up, pause = time.monotonic() + self._patience, 0.2
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if error.code() not in _PASSING or time.monotonic() > give_up:
                    raise self._gone(service, error) from None
            await asyncio.sleep(pause)
            pause = min(2.0, 2 * pause)

    def _gone(self, service: str, error: grpc.aio.AioRpcError) -> ServiceGone:
        says = " ".join(str(problem_of(error)).split())
        return ServiceGone(f"{service} at {getattr(self._endpoints, service)}: {error.code().name}: {says}")

    def _count(self, what: str) -> None:
        self.refused[what] = self.refused.get(what, 0) + 1


def _batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
