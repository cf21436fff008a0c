"""The ReleaseService as a process: `python -m magpie_services.training`. It trains nothing itself; workers
do.
"""

import structlog
from kombu.exceptions import OperationalError

from magpie.v1 import release_service_pb2_grpc as release_grpc
from magpie_services.kit import redis, serving
from magpie_services.kit.clock import clock_for
from magpie_services.kit.errors import Unavailable
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.refreshing import Refresher
from magpie_services.training import broker
from magpie_services.training.redis_store import RedisStore
from magpie_services.training.release import Releases
from magpie_services.training.reports import Reports
from magpie_services.training.search.ask import Searches
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.servicer import ReleaseServicer
from magpie_services.training.settings import TrainingSettings
from magpie_services.training.sweep import LOOK_SECONDS, Sweep

# A queue that is away is told to the caller, who has a deadline, and not waited for.
PATIENCE = {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.3, "interval_max": 0.5}

log = structlog.get_logger()


async def main(settings: TrainingSettings) -> None:
    client = redis.connect(settings.redis_url)
    await redis.wait_until_ready(client, timeout_seconds=settings.wait_seconds)
    clock = clock_for(settings.sandbox)
    store = RedisStore(client)
    releases = Releases(store, settings.model_folder, settings.served_model_folder)
    # A model folder that was moved or restored: what Redis wants is what the model server must find.
    await releases.write_config()
    producer = broker.create(settings)

    searches = SearchStore(client)

    def send(task: str, *args: object) -> None:
        queue = broker.ROUTES[task]["queue"]
        try:
            producer.send_task(task, args=args, queue=queue, retry=True, retry_policy=PATIENCE)
        except OperationalError as error:
            raise Unavailable("the task queue is unavailable") from error

    def enqueue(run_id: str) -> None:
        send(broker.RETRAIN, run_id)

    def enqueue_trial(name: str) -> None:
        search_id, _, number = name.rpartition("/")
        send(broker.TRIAL, search_id, int(number))

    async def ready() -> bool:
        return bool(await client.ping())

    async def close_queue() -> None:
        producer.close()

    sweep = Refresher("left behind runs", Sweep(store, enqueue).look, poll_seconds=LOOK_SECONDS)
    trials = Refresher("left behind trials", Sweep(searches, enqueue_trial).look, poll_seconds=LOOK_SECONDS)
    servicer = ReleaseServicer(
        store,
        releases,
        Answers(client),
        enqueue,
        clock,
        Searches(searches, enqueue_trial),
        Reports(store, settings.model_folder),
    )
    await serving.serve(
        settings,
        lambda server: release_grpc.add_ReleaseServiceServicer_to_server(servicer, server),
        clock=clock,
        ready=ready,
        background=[sweep.run, trials.run],
        closers=[close_queue, client.aclose],
    )


if __name__ == "__main__":
    serving.run("training", TrainingSettings, main)
