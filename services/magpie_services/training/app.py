"""The worker's entry: `python -m celery -A magpie_services.training.app worker -Q train,publish,search -c 1`.

Like a `__main__` it reads the environment when loaded, and only then; TensorFlow is never imported here.
"""

import os

import structlog
from celery.signals import setup_logging, worker_process_init, worker_ready

from magpie_services.kit import logging
from magpie_services.training import broker, orphan
from magpie_services.training.settings import TrainingSettings

settings = TrainingSettings.load()
app = broker.create(settings)


@setup_logging.connect(weak=False)
def _set_up_logging(**_: object) -> None:
    logging.configure("training-worker", settings.log_level)


@worker_process_init.connect(weak=False)
def _end_with_the_worker(**_: object) -> None:
    # A worker that was killed cannot stop its pool, which would work on beside the next one.
    orphan.die_with(os.getppid())


@worker_ready.connect(weak=False)
def _say_ready(**_: object) -> None:
    structlog.get_logger().info("worker.ready", queues=[broker.TRAIN, broker.PUBLISH, broker.SEARCH])
