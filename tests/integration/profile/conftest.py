"""A real ProfileService on a real socket and a real Redis."""

import base64
import os
from collections.abc import AsyncIterator

import pytest

from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.kit import serving
from magpie_services.kit.channels import open_channel
from magpie_services.kit.clock import clock_for
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.redis import Redis
from magpie_services.profile.domain import Profiles
from magpie_services.profile.redis_store import RedisProfileStore
from magpie_services.profile.servicer import ProfileServicer
from magpie_services.profile.settings import ProfileSettings
from magpie_services.profile.vault import Vault


@pytest.fixture
async def profile_address(redis: Redis, redis_url: str) -> AsyncIterator[str]:
    settings = ProfileSettings(
        listen="127.0.0.1:0",
        metrics_listen="",
        redis_url=redis_url,
        key=base64.b64encode(os.urandom(32)).decode(),
    )
    clock = clock_for(settings.sandbox)
    store = RedisProfileStore(redis, Vault(settings.key_bytes))
    servicer = ProfileServicer(Profiles(store, clock.now_ms, seed=1), store, Answers(redis), clock)

    def register(server: object) -> None:
        profile_grpc.add_ProfileServiceServicer_to_server(servicer, server)  # type: ignore[arg-type]

    async with serving.running(settings, register, clock=clock) as address:
        yield address


@pytest.fixture
async def profile(profile_address: str) -> AsyncIterator["profile_grpc.ProfileServiceAsyncStub"]:
    channel = open_channel(profile_address)
    yield profile_grpc.ProfileServiceStub(channel)
    await channel.close()
