"""The feedback process."""

from magpie.v1 import feedback_service_pb2_grpc as feedback_grpc
from magpie_services.feedback.domain import Outcomes
from magpie_services.feedback.profile_client import ProfileClient
from magpie_services.feedback.redis_store import RedisOutcomeStore
from magpie_services.feedback.servicer import FeedbackServicer
from magpie_services.feedback.settings import FeedbackSettings
from magpie_services.kit import serving
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.channels import open_channel
from magpie_services.kit.clock import clock_for
from magpie_services.kit.redis import connect, wait_until_ready


async def main(settings: FeedbackSettings) -> None:
    clock = clock_for(settings.sandbox)
    redis = connect(settings.redis_url)
    await wait_until_ready(redis, timeout_seconds=settings.wait_seconds)
    # Every call is idempotent by its ids, so all of them may be tried again.
    repeatable = ("RecordEvents", "SetConsent", "RemoveDevice")
    profile = open_channel(
        settings.profile_address, retry_reads=[f"magpie.v1.ProfileService/{name}" for name in repeatable]
    )
    store = RedisOutcomeStore(redis)
    people = ProfileClient(profile, settings.profile_timeout_seconds)
    outcomes = Outcomes(store, people, clock.now_ms)
    servicer = FeedbackServicer(outcomes, store, AttributionTokens(*settings.secrets()), clock)

    async def ready() -> bool:
        return bool(await redis.ping())

    await serving.serve(
        settings,
        lambda server: feedback_grpc.add_FeedbackServiceServicer_to_server(servicer, server),
        clock=clock,
        ready=ready,
        closers=[profile.close, redis.aclose],
    )


if __name__ == "__main__":
    serving.run("feedback", FeedbackSettings, main)
