"""The Celery application: how tasks travel. Producers and workers make it from the same settings."""

from celery import Celery
from kombu.entity import Queue

from magpie_services.training.settings import TrainingSettings

TRAIN, PUBLISH, SEARCH = "train", "publish", "search"
RETRAIN = "magpie.training.retrain"
EVALUATE = "magpie.training.evaluate"
RELEASE = "magpie.training.release"
REFRESH_INDEX = "magpie.training.refresh_index"
TRIAL = "magpie.training.trial"
ROUTES = {
    RETRAIN: {"queue": TRAIN},
    EVALUATE: {"queue": TRAIN},
    RELEASE: {"queue": PUBLISH},
    REFRESH_INDEX: {"queue": PUBLISH},
    TRIAL: {"queue": SEARCH},
}
# Two children in a row would still fit; beyond it Redis gives the task to somebody else.
VISIBILITY_SPARE_SECONDS = 1_800


def create(settings: TrainingSettings) -> Celery:
    """The application. No result backend: what came of a run is in its record, and a producer with a result
    subscription does not survive an outage of Redis."""
    visibility = int(settings.child_timeout_seconds) + VISIBILITY_SPARE_SECONDS
    app = Celery("magpie.training", broker=settings.broker_url or settings.redis_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_queues=[Queue(TRAIN), Queue(PUBLISH), Queue(SEARCH)],  # type: ignore[no-untyped-call]
        task_default_queue=TRAIN,
        task_routes=ROUTES,
        task_acks_late=True,
        task_acks_on_failure_or_timeout=True,
        # Bounded by max_retries; rejecting instead would go round for ever with a task that kills its
        # process.
        task_retry_on_worker_lost=True,
        task_reject_on_worker_lost=False,
        task_track_started=False,
        task_time_limit=settings.child_timeout_seconds + 120,
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=60,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_max_tasks_per_child=50,
        worker_soft_shutdown_timeout=5,
        worker_enable_soft_shutdown_on_idle=True,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        visibility_timeout=visibility,
        broker_transport_options={
            "visibility_timeout": visibility,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "global_keyprefix": "magpie:celery:",
        },
        include=["magpie_services.training.tasks"],
    )
    return app
