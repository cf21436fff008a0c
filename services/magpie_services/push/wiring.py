"""Puts the room together from its settings; used by `__main__` and by tests that serve it in process."""

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import msgspec

from magpie.v1 import campaign_service_pb2_grpc as campaign_grpc
from magpie.v1 import experiment_service_pb2_grpc as experiment_grpc
from magpie.v1 import push_service_pb2_grpc as push_grpc
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.channels import open_channel
from magpie_services.kit.clock import Clock, SystemClock, clock_for
from magpie_services.kit.errors import CannotStart, Invalid
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.lease import Lease
from magpie_services.kit.redis import Redis, connect, wait_until_ready
from magpie_services.push.campaign_runner import CampaignRunner
from magpie_services.push.campaign_servicer import CampaignServicer
from magpie_services.push.campaign_store import CampaignStore
from magpie_services.push.caps import Caps
from magpie_services.push.clients import READS, Services
from magpie_services.push.delivery import Provider
from magpie_services.push.due_queue import DueQueue
from magpie_services.push.experiments import file
from magpie_services.push.experiments.declared import Experiments
from magpie_services.push.experiments.servicer import ExperimentServicer
from magpie_services.push.experiments.stops import Stops
from magpie_services.push.experiments.watch import Watch
from magpie_services.push.history import History
from magpie_services.push.ledger import Ledger
from magpie_services.push.pipeline import Pipeline
from magpie_services.push.predicates import Rules
from magpie_services.push.providers.console import ConsoleProvider
from magpie_services.push.providers.webhook import WebhookProvider
from magpie_services.push.replayer import Replayer
from magpie_services.push.sending import Sender
from magpie_services.push.servicer import PushServicer
from magpie_services.push.settings import PushSettings


class Room(msgspec.Struct, frozen=True):
    """All that serving needs. `closers` run in order."""

    register: Callable[[grpc.aio.Server], None]
    clock: Clock
    ready: Callable[[], Awaitable[bool]]
    background: list[Callable[[], Coroutine[Any, Any, None]]]
    closers: list[Callable[[], Awaitable[None]]]


async def build(settings: PushSettings, providers: dict[str, Provider] | None = None) -> Room:
    """Connects and wires. Raises CannotStart when Redis does not answer in time, or for a bad file."""
    rules = settings.rules()
    experiments = _experiments(settings, rules)
    redis = connect(settings.redis_url)
    await wait_until_ready(redis, timeout_seconds=settings.wait_seconds)
    clock, wall = clock_for(settings.sandbox), SystemClock()
    channels = {
        name: open_channel(address, retry_reads=READS[name]) for name, address in _addresses(settings)
    }
    services = Services(channels, settings.timeouts())
    ways = providers if providers is not None else _providers(settings)
    caps = Caps(redis, rules.slots, lease_seconds=settings.reservation_seconds)
    ledger = Ledger(redis, caps, claim_seconds=settings.claim_seconds)
    stops = Stops(redis, experiments, poll_seconds=settings.experiments_poll_seconds)
    watch = Watch(
        experiments,
        stops,
        Lease(redis, "push.experiments", seconds=2 * settings.experiments_watch_seconds + 1),
        clock,
        folder=settings.lake_folder,
        every_seconds=settings.experiments_watch_seconds,
    )
    pipeline = Pipeline(
        services,
        caps,
        rules,
        AttributionTokens(settings.attribution_secret.get_secret_value().encode()),
        list(ways),
        clock,
        chunk_users=settings.chunk_users,
        shadow_words=settings.shadow_words,
        experiments=experiments,
    )
    sender = Sender(pipeline, ledger, services, ways, rules, clock, wall, max_attempts=settings.max_attempts)
    store = CampaignStore(redis, lease_seconds=settings.campaign_lease_seconds)
    due = DueQueue(
        ledger,
        sender,
        services,
        caps,
        rules,
        list(ways),
        store.states,
        clock,
        wall,
        poll_seconds=settings.due_poll_seconds,
    )
    runner = CampaignRunner(
        store,
        sender,
        services,
        clock,
        wall,
        poll_seconds=settings.campaign_poll_seconds,
        lease_seconds=settings.campaign_lease_seconds,
        page_users=settings.campaign_page_users,
    )
    campaigns = CampaignServicer(store, services, Answers(redis), settings.policy(), clock)
    replayer = Replayer(History(redis), settings.lake_folder)
    push = PushServicer(pipeline, sender, ledger, replayer, services, settings.policy())

    def register(server: grpc.aio.Server) -> None:
        push_grpc.add_PushServiceServicer_to_server(push, server)
        campaign_grpc.add_CampaignServiceServicer_to_server(campaigns, server)
        trials = ExperimentServicer(experiments, stops, watch, clock)
        experiment_grpc.add_ExperimentServiceServicer_to_server(trials, server)

    return Room(
        register=register,
        clock=clock,
        ready=lambda: _answers(redis),
        background=[due.run, runner.run, *([stops.run, watch.run] if experiments.known else [])],
        closers=[
            *(way.aclose for way in ways.values()),
            *(channel.close for channel in channels.values()),
            redis.aclose,
        ],
    )


def _experiments(settings: PushSettings, rules: Rules) -> Experiments:
    path = settings.experiments_file
    try:
        return Experiments(file.read(Path(path)) if path else (), rules.holds_out)
    except Invalid as error:
        raise CannotStart(f"{path}: {error.message}") from None


async def _answers(redis: Redis) -> bool:
    return bool(await redis.ping())


def _addresses(settings: PushSettings) -> list[tuple[str, str]]:
    return [
        ("profile", settings.profile_address),
        ("candidate", settings.candidate_address),
        ("ranking", settings.ranking_address),
        ("content", settings.content_address),
        ("feedback", settings.feedback_address),
    ]


def _providers(settings: PushSettings) -> dict[str, Provider]:
    """Ways out, by the channel of the devices that they serve."""
    ways: dict[str, Provider] = {}
    if settings.console:
        ways["console"] = ConsoleProvider()
    if settings.webhook_url and settings.webhook_secret is not None:
        ways["webhook"] = WebhookProvider(
            settings.webhook_url,
            settings.webhook_secret.get_secret_value().encode(),
            timeout_seconds=settings.webhook_timeout_seconds,
            attempts=settings.webhook_attempts,
        )
    return ways
