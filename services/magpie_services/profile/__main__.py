"""The profile process."""

from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.kit import serving
from magpie_services.kit.clock import clock_for
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.redis import connect, wait_until_ready
from magpie_services.profile.domain import Profiles
from magpie_services.profile.redis_store import RedisProfileStore
from magpie_services.profile.servicer import ProfileServicer
from magpie_services.profile.settings import ProfileSettings
from magpie_services.profile.vault import Vault


async def main(settings: ProfileSettings) -> None:
    clock = clock_for(settings.sandbox)
    redis = connect(settings.redis_url)
    await wait_until_ready(redis, timeout_seconds=settings.wait_seconds)
    store = RedisProfileStore(redis, Vault(settings.key_bytes))
    await store.check_key()
    servicer = ProfileServicer(Profiles(store, clock.now_ms), store, Answers(redis), clock)

    async def ready() -> bool:
        return bool(await redis.ping())

    await serving.serve(
        settings,
        lambda server: profile_grpc.add_ProfileServiceServicer_to_server(servicer, server),
        clock=clock,
        ready=ready,
        closers=[redis.aclose],
    )


if __name__ == "__main__":
    serving.run("profile", ProfileSettings, main)
