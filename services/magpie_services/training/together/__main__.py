"""One process of a fit by several machines:

    python -m magpie_services.training.together --run RUN --members HOST:PORT HOST:PORT

started once for each member, with its place in the list as `--member` or in JOB_COMPLETION_INDEX. All see
the same model folder. The first one hands the run over to the worker, which examines and releases it as any
other.
"""

import argparse
import asyncio
import os
import re
import sys

import structlog

from magpie_services.kit import logging, redis
from magpie_services.kit.clock import SystemClock
from magpie_services.kit.errors import CannotStart, Invalid, MagpieError
from magpie_services.training import broker, workers
from magpie_services.training.plan import Plan
from magpie_services.training.redis_store import RedisStore, open_run
from magpie_services.training.results import REPORT
from magpie_services.training.search import space
from magpie_services.training.search.redis_store import SearchStore
from magpie_services.training.settings import TrainingSettings
from magpie_services.training.together.work import learn

log = structlog.get_logger()


def main() -> None:
    """Does the work of one member; ends with a line and code 1 where it cannot."""
    try:
        _work(_told())
    except MagpieError as error:
        sys.exit(f"magpie training-together: {error.message}")
    except CannotStart as error:
        sys.exit("\n".join(f"magpie training-together: {line}" for line in str(error).splitlines()))


def _told() -> argparse.Namespace:
    """Raises Invalid for a run id that is none, or a place that is not in the list."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True, help="id of the run, the same for all and new for each fit")
    parser.add_argument("--members", required=True, nargs="+", help="host:port of every member, in order")
    parser.add_argument("--member", type=int, default=os.environ.get("JOB_COMPLETION_INDEX", "0"))
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", told.run):
        raise Invalid("run", "must be 1 to 100 letters, digits, - and _")
    if not 0 <= told.member < len(told.members):
        raise Invalid("member", "is not a place in the list of members")
    return told


def _work(told: argparse.Namespace) -> None:
    settings = TrainingSettings.load()
    logging.configure("training-together", settings.log_level)
    folder = (settings.model_folder / ".runs" / told.run).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / REPORT).exists():  # a pod that was started again after the end has nothing to do
        group = workers.join(told.members, told.member)
        log.info("together.met", member=told.member, members=len(told.members))
        learn(group, folder, lambda: asyncio.run(_plan(settings, told.run, told.seed, str(folder))))
    if told.member == 0:
        asyncio.run(_hand_over(settings, told.run, told.seed))
    log.info("together.done", member=told.member)


async def _plan(settings: TrainingSettings, run_id: str, seed: int, folder: str) -> Plan:
    plan = Plan(
        run_id=run_id,
        folder=folder,
        lake_folder=settings.lake_folder,
        seed=seed,
        ledger=str(settings.privacy_ledger),
        threads=settings.threads,
        retriever=settings.retriever,
        ranker=settings.ranker,
    )
    client = redis.connect(settings.redis_url)
    try:
        for model, chosen in (await SearchStore(client).adopted()).items():
            plan = space.apply(plan, model, chosen)
    finally:
        await client.aclose()
    return plan


async def _hand_over(settings: TrainingSettings, run_id: str, seed: int) -> None:
    """Puts the run on record and into the queue; the worker finds the fit done."""
    client = redis.connect(settings.redis_url)
    try:
        await RedisStore(client).create(open_run(run_id, 0, seed, SystemClock().now_ms()))
    finally:
        await client.aclose()
    producer = broker.create(settings)
    try:
        producer.send_task(broker.RETRAIN, args=[run_id], queue=broker.TRAIN)
    finally:
        producer.close()


if __name__ == "__main__":
    main()
