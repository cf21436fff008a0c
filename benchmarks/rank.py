"""RankCandidates through both sockets: caller to ranking, ranking to the PredictionService process.

`p50_ms` and `p99_ms`: one user and 100 candidates a call, arrivals at random at 70 % of the capacity measured
just before, timed from when each call was due. `users_per_s`: batches of 64 users with 100 candidates each.
The load shares the machine with what it measures: it sends requests that were serialised before, and of an
answer it looks at the end alone, which tells that the model gave it; the first of each kind is read whole.
`shared_speedup_N`: the history encoder and the ranker asked once for a user and N candidates, against the
same two with the user repeated for every candidate, through the same socket; the answers are asserted equal.
`…_cpu_ms` is processor time a call, which a busy machine distorts least.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from harness import Shop, capacity, cpu_seconds, latencies, percentile, report, say, shop

from magpie.v1 import candidate_service_pb2, portrait_pb2, profile_service_pb2, ranking_service_pb2
from magpie_services.core import feature_schema as schema
from magpie_services.kit.channels import open_channel
from magpie_services.kit.errors import NotFound
from magpie_services.kit.prediction import Prediction

USERS, ITEMS, CANDIDATES, SECONDS, LOAD = 256, 2_000, 100, 15.0, 0.7
BATCH_USERS, IN_FLIGHT = 64, 4
ROOMS = ("profile", "candidate", "ranking", "model_server")
REPETITIONS = 30

Arrays = Mapping[str, np.ndarray[Any, Any]]
Rank = Callable[[int], Awaitable[None]]


async def main() -> None:
    async with shop(users=USERS, items=ITEMS, trained=False, rooms=ROOMS) as place:
        serve_models(place)
        requests = await asked(place)
        await until_models_answer(place, requests[0])
        figures = await one_user(place, requests)
        figures |= await batches(place, requests)
        figures |= await shared_and_repeated(place)
    conditions = {"users": USERS, "items": ITEMS, "candidates": CANDIDATES, "load": LOAD, "seconds": SECONDS}
    report("rank", figures, conditions)


def serve_models(place: Shop) -> None:
    """Exports models and tells the model server."""
    models = place.folder / "models"
    script = Path(__file__).with_name("rank_models.py")
    say("exporting models")
    subprocess.run([sys.executable, str(script), str(models), str(ITEMS)], check=True)
    configs = "".join(
        f'config {{ name: "{name}" base_path: "{models / name}" model_platform: "tensorflow" }} '
        for name in ("ranker", "retriever")
    )
    (models / "models.config").write_text(f"model_config_list {{ {configs}}}")


async def asked(place: Shop) -> list[ranking_service_pb2.RankCandidatesRequest]:
    """One request a user, as a push makes it: the portrait, 100 candidates, and some features wanted back."""
    dice, found = np.random.default_rng(3), []
    for start in range(0, USERS, 64):
        answer = await place.magpie.profile.GetPortraits(
            profile_service_pb2.GetPortraitsRequest(
                user_ids=place.users[start : start + 64],
                view=profile_service_pb2.PORTRAIT_VIEW_SNAPSHOT,
            )
        )
        found += [request(state.portrait, dice) for state in answer.users]
    return found


def request(
    portrait: portrait_pb2.Portrait, dice: np.random.Generator
) -> ranking_service_pb2.RankCandidatesRequest:
    candidates = [
        candidate_service_pb2.Candidate(
            item_id=f"item-{number}",
            sources=[candidate_service_pb2.CANDIDATE_SOURCE_VECTOR],
            similarity=float(dice.random()),
            because_item_id="item-1",
        )
        for number in dice.choice(ITEMS, CANDIDATES, replace=False)
    ]
    given = candidate_service_pb2.CandidateList(user_id=portrait.user_id, candidates=candidates)
    return ranking_service_pb2.RankCandidatesRequest(
        portraits=[portrait], lists=[given], features_of_best=5, features_of_rest=5
    )


async def until_models_answer(place: Shop, question: ranking_service_pb2.RankCandidatesRequest) -> None:
    say("waiting for the model server to load and compile")
    started = time.monotonic()
    channel = open_channel(f"dns:///{place.suite.address('model_server')}")
    while (
        not await loaded(Prediction(channel))
        or (await place.magpie.ranking.RankCandidates(question)).fallback
    ):
        if time.monotonic() - started > 600:
            raise SystemExit("the models never answered")
        await asyncio.sleep(0.5)
    await channel.close()
    say(f"loaded after {time.monotonic() - started:.0f} s")


async def loaded(prediction: Prediction) -> bool:
    """Nothing is being compiled any more, which would take a core from what is measured."""
    try:
        return [await prediction.status(name) for name in ("ranker", "retriever")] == 2 * [[(1, "AVAILABLE")]]
    except NotFound:
        return False


@asynccontextmanager
async def ranking(
    place: Shop, requests: Sequence[ranking_service_pb2.RankCandidatesRequest]
) -> AsyncIterator[Rank]:
    """Sends the request of a number. Raises SystemExit when the model does not answer, or not for all."""
    channel = open_channel(f"dns:///{place.suite.address('ranking')}")
    call: Callable[..., Awaitable[bytes]] = channel.unary_unary("/magpie.v1.RankingService/RankCandidates")
    # Fields come in their order: all that stands behind the lists.
    end = ranking_service_pb2.RankCandidatesResponse(ranker_version=1, schema_hash=schema.SCHEMA_HASH)
    expected, bodies = end.SerializeToString(), [one.SerializeToString() for one in requests]

    async def rank(number: int) -> None:
        answer: bytes = await call(bodies[number % len(bodies)], timeout=60)
        if not answer.endswith(expected):
            raise SystemExit("a call was not answered by the model")

    first = ranking_service_pb2.RankCandidatesResponse.FromString(await call(bodies[0], timeout=60))
    if first.fallback or any(len(one.candidates) != CANDIDATES for one in first.lists):
        raise SystemExit("the model did not rank all candidates")
    try:
        yield rank
    finally:
        await channel.close()


async def one_user(
    place: Shop, requests: list[ranking_service_pb2.RankCandidatesRequest]
) -> dict[str, float]:
    async with ranking(place, requests) as rank:
        say("warming up")
        await capacity(rank, IN_FLIGHT, 5)
        say("capacity")
        rps = await capacity(rank, IN_FLIGHT, SECONDS)
        say(f"latency at {LOAD:.0%} of {rps:.0f} calls a second")
        before = cpu(place)
        taken = await latencies(rank, LOAD * rps, SECONDS)
        used = {room: 1_000 * (after - before[room]) / len(taken) for room, after in cpu(place).items()}
    return {
        "p50_ms": round(percentile(taken, 0.50), 2),
        "p99_ms": round(percentile(taken, 0.99), 2),
        "rps": round(rps, 1),
        "ranking_cpu_ms": round(used["ranking"], 2),
        "model_server_cpu_ms": round(used["model_server"], 2),
        "driver_cpu_ms": round(used["driver"], 2),
    }


async def batches(place: Shop, requests: list[ranking_service_pb2.RankCandidatesRequest]) -> dict[str, float]:
    joined = []
    for start in range(0, len(requests), BATCH_USERS):
        batch = ranking_service_pb2.RankCandidatesRequest()
        for one in requests[start : start + BATCH_USERS]:
            batch.portraits.extend(one.portraits)
            batch.lists.extend(one.lists)
        joined.append(batch)
    async with ranking(place, joined) as rank:
        say("batches")
        await capacity(rank, 3, 3)
        before = cpu(place)
        rate = await capacity(rank, 3, SECONDS)
        users = rate * BATCH_USERS
        used = {
            room: 1_000 * (after - before[room]) / (users * SECONDS) for room, after in cpu(place).items()
        }
    return {
        "users_per_s": round(users, 1),
        "batch_ranking_cpu_ms": round(used["ranking"], 3),
        "batch_model_server_cpu_ms": round(used["model_server"], 3),
    }


async def shared_and_repeated(place: Shop) -> dict[str, float]:
    channel = open_channel(f"dns:///{place.suite.address('model_server')}")
    prediction, figures = Prediction(channel), {}
    try:
        for count in (100, 500):
            say(f"shared and repeated user, {count} candidates")
            reader, ranker = inputs(count)
            shared = await timed(prediction, reader, ranker)
            repeated = await timed(
                prediction,
                {name: np.repeat(array, count, axis=0) for name, array in reader.items()},
                {
                    name: np.repeat(array, count, axis=0) if name in ("user", "recent") else alone(array)
                    for name, array in ranker.items()
                },
            )
            for mine, theirs in zip(shared[1], repeated[1], strict=True):
                np.testing.assert_allclose(np.broadcast_to(mine, theirs.shape), theirs, atol=2e-5)
            figures[f"shared_{count}_ms"] = round(shared[0], 2)
            figures[f"repeated_{count}_ms"] = round(repeated[0], 2)
            figures[f"shared_speedup_{count}"] = round(repeated[0] / shared[0], 1)
    finally:
        await channel.close()
    return figures


def alone(candidates: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """[1, N, ...] as N users with one candidate each: [N, 1, ...]."""
    return np.ascontiguousarray(np.swapaxes(candidates, 0, 1))


def inputs(count: int) -> tuple[Arrays, Arrays]:
    """What the history encoder and the ranker read of one user with `count` candidates."""
    dice = np.random.default_rng(count)
    length = schema.SEQUENCE_LENGTH
    reader = {
        "items": dice.integers(1, ITEMS, (1, length), dtype=np.int32),
        "kinds": np.ones((1, length), dtype=np.int32),
        "gaps": np.sort(dice.uniform(0, 6, (1, length)).astype(np.float32))[:, ::-1],
    }
    ranker = {
        "user": dice.normal(size=(1, len(schema.USER_FEATURES))).astype(np.float32),
        "items": dice.normal(size=(1, count, len(schema.ITEM_FEATURES))).astype(np.float32),
        "cross": dice.normal(size=(1, count, len(schema.CROSS_FEATURES))).astype(np.float32),
        "hashes": dice.integers(1, 2**31 - 1, (1, count, 3), dtype=np.int32),
        "recent": dice.integers(1, 2**31 - 1, (1, schema.RECENT_LENGTH), dtype=np.int32),
        "mask": np.ones((1, count), dtype=np.float32),
    }
    return reader, ranker


async def timed(
    prediction: Prediction, reader: Arrays, ranker: Arrays
) -> tuple[float, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Median milliseconds of both calls, one after the other; user vectors, probabilities a candidate."""
    taken = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        read, _ = await prediction.predict("retriever", "retrieve", reader, timeout_seconds=30)
        ranked, _ = await prediction.predict("ranker", "rank", ranker, timeout_seconds=30)
        taken.append(1_000 * (time.perf_counter() - started))
    scores = ranked["probabilities"]
    return statistics.median(taken), (read["vector"], scores.reshape(-1, scores.shape[-1]))


def cpu(place: Shop) -> dict[str, float]:
    """Seconds used so far by the two processes that answer, and by this one that asks."""
    pids = {**place.suite.pids(), "driver": os.getpid()}
    return {room: cpu_seconds(pids[room]) for room in ("ranking", "model_server", "driver")}


if __name__ == "__main__":
    asyncio.run(main())
