"""A stand-in for the suite that remembers what it was told: real gRPC, real webhook posts, no decisions."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc

from magpie import Endpoints
from magpie.v1 import campaign_service_pb2 as campaign_pb
from magpie.v1 import campaign_service_pb2_grpc as campaign_grpc
from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import feedback_service_pb2_grpc as feedback_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie.v1 import push_service_pb2 as push_pb
from magpie.v1 import push_service_pb2_grpc as push_grpc

HOUR_MS = 3_600_000
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass
class Suite:
    """What the services were told. Users with an odd number are held in the queue for three hours."""

    phones: str = ""
    events: dict[str, event_pb.Event] = field(default_factory=dict)
    doubles: int = 0
    late: int = 0
    items: dict[str, item_pb.Item] = field(default_factory=dict)
    consents: dict[str, list[bool]] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    outcomes: list[feedback_pb.Outcome] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    queue: dict[str, tuple[int, dict[str, object]]] = field(default_factory=dict)
    fail_after: int = -1
    endpoints: Endpoints = field(default_factory=Endpoints)

    def post(self, messages: list[dict[str, object]]) -> None:
        request = urllib.request.Request(self.phones, json.dumps(messages).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            receipts = json.loads(answer.read())
        assert [receipt["decision_id"] for receipt in receipts] == [m["decision_id"] for m in messages]
        assert {receipt["status"] for receipt in receipts} <= {"accepted", "gone"}

    async def release(self, now_ms: int) -> None:
        ready = [key for key, (due_ms, _) in self.queue.items() if due_ms <= now_ms]
        if ready:
            await asyncio.to_thread(
                self.post, [self.queue.pop(key)[1] | {"send_time_ms": now_ms} for key in ready]
            )


def now_of(context: Context) -> int:
    return int(dict(context.invocation_metadata() or ())["magpie-now"])


class Profile(profile_grpc.ProfileServiceServicer):
    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    async def RecordEvents(
        self, request: profile_pb.RecordEventsRequest, context: Context
    ) -> profile_pb.RecordEventsResponse:
        if self.suite.fail_after == 0:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        self.suite.fail_after -= 1
        assert len(request.events) <= 1_000
        for event in request.events:
            self.suite.doubles += event.event_id in self.suite.events
            self.suite.late += event.occur_time.ToMilliseconds() > now_of(context)
            self.suite.events[event.event_id] = event
        return profile_pb.RecordEventsResponse(accepted_count=len(request.events))

    async def SetConsent(
        self, request: profile_pb.SetConsentRequest, context: Context
    ) -> profile_pb.SetConsentResponse:
        self.suite.consents[request.user_id] = [consent.granted for consent in request.consents]
        return profile_pb.SetConsentResponse()

    async def RegisterDevice(
        self, request: profile_pb.RegisterDeviceRequest, context: Context
    ) -> profile_pb.RegisterDeviceResponse:
        self.suite.devices.add(request.user_id)
        return profile_pb.RegisterDeviceResponse()


class Catalog(catalog_grpc.CatalogServiceServicer):
    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    async def UpsertItems(
        self, request: catalog_pb.UpsertItemsRequest, context: Context
    ) -> catalog_pb.UpsertItemsResponse:
        self.suite.items.update((item.item_id, item) for item in request.items)
        return catalog_pb.UpsertItemsResponse(changed_count=len(request.items))

    async def RemoveItems(
        self, request: catalog_pb.RemoveItemsRequest, context: Context
    ) -> catalog_pb.RemoveItemsResponse:
        for item in request.item_ids:
            self.suite.items.pop(item, None)
        return catalog_pb.RemoveItemsResponse()


class Push(push_grpc.PushServiceServicer):
    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    async def SendPushes(
        self, request: push_pb.SendPushesRequest, context: Context
    ) -> push_pb.SendPushesResponse:
        now_ms, decisions, messages = now_of(context), [], []
        shelf = sorted(item.item_id for item in self.suite.items.values() if item.stock > 0)
        for target in request.targets:
            number = int(target.user_id[1:])
            held = number % 2 == 1
            decision = decision_pb.Decision(
                decision_id=f"{request.request_id}-{target.user_id}",
                user_id=target.user_id,
                verdict=decision_pb.DECISION_VERDICT_QUEUED if held else decision_pb.DECISION_VERDICT_SENT,
                arms=[decision_pb.Arm(item_id="x")],
                ranker_version=3,
            )
            decision.send_time.FromMilliseconds(now_ms + (3 * HOUR_MS if held else 0))
            decisions.append(decision)
            if decision.decision_id in self.suite.sent:
                continue
            self.suite.sent.add(decision.decision_id)
            message: dict[str, object] = {
                "decision_id": decision.decision_id,
                "attribution_token": f"token-{decision.decision_id}",
                "user_id": target.user_id,
                "title": "好消息" if number % 3 else "Good news",
                "body": "…",
                "item_id": shelf[number * 7 % len(shelf)],
                "send_time_ms": now_ms,
            }
            if held:
                self.suite.queue[decision.decision_id] = (now_ms + 3 * HOUR_MS, message)
            else:
                messages.append(message)
        if messages:
            await asyncio.to_thread(self.suite.post, messages)
        return push_pb.SendPushesResponse(decisions=decisions)


class Campaigns(campaign_grpc.CampaignServiceServicer):
    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    async def ListCampaigns(
        self, request: campaign_pb.ListCampaignsRequest, context: Context
    ) -> campaign_pb.ListCampaignsResponse:
        await self.suite.release(now_of(context))
        return campaign_pb.ListCampaignsResponse()


class Feedback(feedback_grpc.FeedbackServiceServicer):
    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    async def RecordOutcomes(
        self, request: feedback_pb.RecordOutcomesRequest, context: Context
    ) -> feedback_pb.RecordOutcomesResponse:
        for outcome in request.outcomes:
            self.suite.late += outcome.occur_time.ToMilliseconds() > now_of(context)
        self.suite.outcomes.extend(request.outcomes)
        return feedback_pb.RecordOutcomesResponse(accepted_count=len(request.outcomes))


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Suite]:
    """The stand-in on a free port; its addresses are in `folder`/endpoints.json."""
    suite = Suite()
    server = grpc.aio.server()
    profile_grpc.add_ProfileServiceServicer_to_server(Profile(suite), server)  # type: ignore[abstract]
    catalog_grpc.add_CatalogServiceServicer_to_server(Catalog(suite), server)  # type: ignore[abstract]
    push_grpc.add_PushServiceServicer_to_server(Push(suite), server)  # type: ignore[abstract]
    campaign_grpc.add_CampaignServiceServicer_to_server(Campaigns(suite), server)  # type: ignore[abstract]
    feedback_grpc.add_FeedbackServiceServicer_to_server(Feedback(suite), server)  # type: ignore[abstract]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    suite.endpoints = Endpoints(**dict.fromkeys(asdict(Endpoints()), f"127.0.0.1:{port}"))
    suite.endpoints.save(folder / "endpoints.json")
    try:
        yield suite
    finally:
        await server.stop(None)
