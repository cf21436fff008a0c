"""The services of the hot path in one process and one event loop, called without sockets: for larger runs.

The same `main` of the same rooms, told to listen on and to call `local:` addresses (kit.local). Around them
run the real Redis, lake, model server, release service and worker, each a process of the suite. What a sealed
marketplace proves is proved with processes of their own (loop.py); here the world may live in this one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from magpie import Endpoints
from magpie_cli.suite import Suite, SuiteOptions, rooms
from magpie_services.kit import local, logging
from magpie_services.kit.channels import open_channel

# Room to the service that must say SERVING, in the order in which they stand on each other.
ROOMS = {
    "profile": "ProfileService",
    "candidate": "CandidateService",
    "ranking": "RankingService",
    "content": "ContentService",
    "feedback": "FeedbackService",
    "push": "PushService",
}
PATIENCE_SECONDS = 60.0
AROUND = frozenset({"model_server", "training", "lake", rooms.WORKER})


def around(options: SuiteOptions) -> SuiteOptions:
    """Options of the suite of those that stay processes: none of them can call who is in here."""
    alone = {"MAGPIE_TRAINING_CANDIDATE_ADDRESS": ""}
    return replace(options, rooms=AROUND, environment={**options.environment, **alone})


@asynccontextmanager
async def serving(suite: Suite) -> AsyncIterator[Endpoints]:
    """Serves the rooms in this event loop for as long as the context lasts; gives all addresses."""
    logging.configure("one process", "error")
    tasks = [asyncio.create_task(_main(name, suite), name=name) for name in ROOMS]
    try:
        async with asyncio.timeout(suite.options.start_seconds):
            for task in tasks:
                await _ready(task)
        yield replace(suite.endpoints, **{name: address(name) for name in ROOMS})
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def address(room: str) -> str:
    """Where a room listens inside this process."""
    return f"{local.PREFIX}{room}"


async def _main(room: str, suite: Suite) -> None:
    package = f"magpie_services.{room}"
    settings: Any = getattr(import_module(f"{package}.settings"), f"{room.capitalize()}Settings")
    await import_module(f"{package}.__main__").main(settings(**_values(room, suite)))


def _values(room: str, suite: Suite) -> dict[str, Any]:
    """Settings of a room. Each is told every address and secret and takes those it knows."""
    return {
        **{f"{peer}_address": address(peer) for peer in ROOMS},
        # They share one event loop: what is slow there is no sign of a peer that is gone.
        **{f"{peer}_timeout_seconds": PATIENCE_SECONDS for peer in (*ROOMS, "rank", "retrieve")},
        "slow_seconds": PATIENCE_SECONDS,
        "webhook_timeout_seconds": PATIENCE_SECONDS,
        "claim_seconds": 10 * PATIENCE_SECONDS,
        "reservation_seconds": 20 * PATIENCE_SECONDS,
        "model_server_address": f"dns:///{suite.address('model_server')}",
        "listen": address(room),
        "metrics_listen": "",
        "redis_url": suite.redis_url,
        "sandbox": suite.options.sandbox,
        "key": suite.secrets["profile_key"],
        "attribution_secret": suite.secrets["attribution_secret"],
        "webhook_secret": suite.secrets["webhook_secret"],
        "webhook_url": suite.options.webhook,
    }


async def _ready(task: asyncio.Task[None]) -> None:
    """Returns when the room serves; raises what ended it."""
    room = task.get_name()
    async with open_channel(address(room)) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        request = health_pb2.HealthCheckRequest(service=f"magpie.v1.{ROOMS[room]}")
        while True:
            if task.done():
                task.result()
            if local.listens(address(room)):
                answer = await check(request, timeout=5)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            await asyncio.sleep(0.05)
