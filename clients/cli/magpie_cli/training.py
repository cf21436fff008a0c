"""Asks for a retraining and follows it to its end."""

import asyncio
import uuid
from collections.abc import Callable

from magpie import Magpie
from magpie.v1 import release_service_pb2
from magpie_cli.failures import CommandFailed
from magpie_cli.importing.values import timestamp

POLL_SECONDS = 0.7
ENDED = {
    release_service_pb2.RUN_STATE_RELEASED,
    release_service_pb2.RUN_STATE_REFUSED,
    release_service_pb2.RUN_STATE_FAILED,
}
Follow = Callable[[release_service_pb2.Run], None]


async def request(magpie: Magpie, as_of_ms: int = 0, seed: int = 0) -> release_service_pb2.Run:
    """Starts a run. `as_of_ms` 0 learns from everything, `seed` 0 draws one."""
    message = release_service_pb2.RequestRetrainingRequest(request_id=f"cli-{uuid.uuid4().hex}", seed=seed)
    if as_of_ms:
        message.as_of_time.CopyFrom(timestamp(as_of_ms))
    return (await magpie.releases.RequestRetraining(message)).run


async def follow(magpie: Magpie, run_id: str, told: Follow = lambda run: None) -> release_service_pb2.Run:
    """Waits for the end of a run; `told` hears how far it is. Raises CommandFailed where it failed."""
    while True:
        run = (await magpie.releases.GetRun(release_service_pb2.GetRunRequest(run_id=run_id))).run
        told(run)
        if run.state == release_service_pb2.RUN_STATE_FAILED:
            raise CommandFailed(f"training failed: {run.reason or 'no reason given'}")
        if run.state in ENDED:
            return run
        await asyncio.sleep(POLL_SECONDS)


async def retrain(
    magpie: Magpie, as_of_ms: int = 0, seed: int = 0, told: Follow = lambda run: None
) -> release_service_pb2.Run:
    """Starts a run and waits for its end."""
    run = await request(magpie, as_of_ms, seed)
    return await follow(magpie, run.run_id, told)


def state_name(run: release_service_pb2.Run) -> str:
    """The state in a word, for example "training"."""
    return release_service_pb2.RunState.Name(run.state).removeprefix("RUN_STATE_").lower()


def detail(run: release_service_pb2.Run) -> str:
    """What it is doing, with loss, metric and time left as far as they are known."""
    words, learning = [run.activity], run.learning
    if learning.HasField("loss"):
        words.append(f"loss {learning.loss:.4f}")
    if learning.HasField("metric"):
        words.append(f"{learning.measure or 'metric'} {learning.metric:.4f}")
    if learning.HasField("time_left"):
        seconds = learning.time_left.seconds
        words.append(f"{seconds // 60}:{seconds % 60:02d} left")
    return " · ".join(word for word in words if word)
