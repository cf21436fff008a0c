"""Push with real Redis and real gRPC; the services around it have a memory and can be taken away."""

import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
from tests.push_neighbours import Neighbours, serving_neighbours

from magpie.v1 import campaign_service_pb2_grpc as campaign_grpc
from magpie.v1 import push_service_pb2_grpc as push_grpc
from magpie_services.kit.serving import running
from magpie_services.push.delivery import Fate, PushMessage, Receipt
from magpie_services.push.settings import PushSettings
from magpie_services.push.wiring import Room, build

NOON_MS = 1_767_268_800_000  # 2026-01-01T12:00:00Z


class Recorder:
    """A provider that remembers what it was given; `fates` are used up first."""

    name = "recorder"

    def __init__(self) -> None:
        self.messages: list[PushMessage] = []
        self.fates: list[Fate] = []
        self.crash = False

    async def send(self, messages: Sequence[PushMessage]) -> list[Receipt]:
        receipts = []
        for message in messages:
            fate = self.fates.pop(0) if self.fates else Fate.ACCEPTED
            if fate is Fate.ACCEPTED:
                self.messages.append(message)
            receipts.append(Receipt(decision_id=message.decision_id, fate=fate, provider_message_id="id"))
        if self.crash:
            raise KeyboardInterrupt
        return receipts

    async def aclose(self) -> None:
        pass


class Bench:
    """Stubs of a served push, and everything around it. `at` sends with a time."""

    def __init__(self, room: Room, address: str, around: Neighbours, provider: Recorder) -> None:
        self.room = room
        self.around = around
        self.provider = provider
        self.channel = grpc.aio.insecure_channel(address)
        self.push = push_grpc.PushServiceStub(self.channel)
        self.campaigns = campaign_grpc.CampaignServiceStub(self.channel)
        self.output = io.StringIO()

    async def at(self, now_ms: int, method: Any, request: Any) -> Any:
        return await method(request, timeout=10, metadata=(("magpie-now", str(now_ms)),))


def settings_for(redis_url: str, around: Neighbours, **changes: Any) -> PushSettings:
    """Settings of a sandbox without randomness; the loops are quick."""
    address = around.address
    values: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "metrics_listen": "",
        "redis_url": redis_url,
        "sandbox": True,
        "attribution_secret": "a secret for the tests",
        "exploration": 0.0,
        "no_send_share": 0.0,
        "due_poll_seconds": 0.02,
        "campaign_poll_seconds": 0.02,
        "grace_seconds": 0.0,
        **{f"{name}_address": address for name in ("profile", "candidate", "ranking", "content", "feedback")},
    }
    return PushSettings(**(values | changes))


@pytest.fixture
async def around() -> AsyncIterator[Neighbours]:
    async with serving_neighbours() as neighbours:
        yield neighbours


@pytest.fixture
async def bench(redis_url: str, around: Neighbours, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A served push. `@pytest.mark.parametrize("bench", [{...}], indirect=True)` changes settings."""
    settings = settings_for(redis_url, around, **getattr(request, "param", {}))
    provider = Recorder()
    room = await build(settings, {"console": provider, "webhook": provider})
    async with running(
        settings,
        room.register,
        clock=room.clock,
        background=room.background,
        closers=room.closers,
    ) as address:
        bench = Bench(room, address, around, provider)
        yield bench
        await bench.channel.close()
