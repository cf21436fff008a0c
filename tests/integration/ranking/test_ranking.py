"""Ranking whole: real Redis, real sockets, a model server of numpy models."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from structlog.testing import capture_logs
from tests import prediction_server, shop

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import ranking_service_pb2 as ranking_pb
from magpie.v1 import ranking_service_pb2_grpc as ranking_grpc
from magpie_services.core.features import HEADS, SCHEMA_HASH
from magpie_services.core.portraits import Portrait
from magpie_services.kit import metrics
from magpie_services.kit.redis import Redis
from magpie_services.kit.serving import running
from magpie_services.ranking.__main__ import Ranking
from magpie_services.ranking.light import NAMES
from magpie_services.ranking.settings import RankingSettings
from magpie_services.wire import portraits as wire_portraits

NOW = (("magpie-now", str(shop.NOW_MS)),)
SIZE = 60
PERSON = shop.portrait("u7", shop.visits(7, SIZE))


class Client:
    def __init__(self, channel: grpc.aio.Channel, room: Ranking) -> None:
        self.ranking = ranking_grpc.RankingServiceStub(channel)
        self.room = room

    async def rank(self, *portraits: Portrait, size: int = 30, **fields: Any) -> Any:
        request = ranking_pb.RankCandidatesRequest(
            portraits=[wire_portraits.to_snapshot(one, shop.NOW_MS) for one in portraits],
            lists=[listed(one.user_id, size) for one in portraits],
            **fields,
        )
        return await self.ranking.RankCandidates(request, timeout=20, metadata=NOW)

    async def explain(self, portrait: Portrait, size: int = 3) -> Any:
        request = ranking_pb.ExplainScoresRequest(
            portrait=wire_portraits.to_snapshot(portrait, shop.NOW_MS),
            candidates=listed(portrait.user_id, size).candidates,
        )
        return await self.ranking.ExplainScores(request, timeout=20, metadata=NOW)


def listed(user_id: str, size: int) -> candidate_pb.CandidateList:
    return candidate_pb.CandidateList(
        user_id=user_id,
        candidates=[
            candidate_pb.Candidate(
                item_id=f"i{number}",
                sources=[candidate_pb.CANDIDATE_SOURCE_VECTOR, candidate_pb.CANDIDATE_SOURCE_CALLER],
                similarity=number / size,
            )
            for number in range(size)
        ],
    )


def given(**evidence: Any) -> candidate_pb.CandidateList:
    return candidate_pb.CandidateList(candidates=[candidate_pb.Candidate(item_id="i1", **evidence)])


@asynccontextmanager
async def ranking(redis_url: str, model_server: str, **settings: Any) -> AsyncIterator[Client]:
    # Patient, so that a busy machine is not taken for a slow model.
    patient = {"rank_timeout_seconds": 5.0, "slow_seconds": 5.0}
    values = RankingSettings(
        listen="127.0.0.1:0",
        metrics_listen="",
        redis_url=redis_url,
        model_server_address=model_server,
        sandbox=True,
        poll_seconds=0.05,
        grace_seconds=0.1,
        **(patient | settings),
    )
    room = Ranking(values)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            running(
                values,
                room.register,
                clock=room.clock,
                ready=room.ready,
                background=[room.feed.run, room.ranker.run],
                closers=[room.close],
            )
        )
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
        await until(room.ready)
        yield Client(channel, room)


async def answered_by(versions: list[int], version: int) -> None:
    async def there() -> bool:
        return version in versions

    await until(there)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.01)


def model(seed: int = 0, **options: Any) -> prediction_server.Signatures:
    generator = np.random.default_rng(seed)
    weights = generator.normal(scale=0.2, size=(len(HEADS), len(NAMES))).astype(np.float32)
    weights[0, NAMES.index("similarity")] = 3.0
    return prediction_server.ranker(weights, np.full(len(HEADS), -2.0, dtype=np.float32), **options)


async def load(client: Client, models: prediction_server.Models, version: int) -> None:
    models.served.setdefault("ranker", {})[version] = model(version)

    async def taken() -> bool:
        return client.room.ranker.version == version

    await until(taken)


@pytest.fixture
async def models() -> AsyncIterator[tuple[prediction_server.Models, str]]:
    served = prediction_server.Models()
    async with prediction_server.serving(served) as address:
        yield served, address


@pytest.fixture
async def client(
    redis_url: str, redis: Redis, models: tuple[prediction_server.Models, str]
) -> AsyncIterator[Client]:
    await shop.stock(redis, [shop.item(number) for number in range(SIZE)])
    async with ranking(redis_url, models[1]) as one:
        yield one


async def test_the_model_scores_a_batch_in_one_call_best_first(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 5)
    before = len([one for one in models[0].asked if one[1] == "rank"])
    answer = await client.rank(PERSON, shop.portrait("stranger"))
    asked = [one for one in models[0].asked if one[1] == "rank"][before:]
    assert asked == [("ranker", "rank", 5, 8)], "one call, padded to 8 users"
    assert (answer.ranker_version, answer.fallback, answer.schema_hash) == (5, False, SCHEMA_HASH)
    assert [one.user_id for one in answer.lists] == ["u7", "stranger"]
    for ranked in answer.lists:
        scores = [one.probabilities.click + one.probabilities.purchase for one in ranked.candidates]
        assert scores == sorted(scores, reverse=True)
        assert {one.candidate.item_id for one in ranked.candidates} == {f"i{n}" for n in range(30)}
        assert all(not one.features for one in ranked.candidates)
        prices = [shop.item(int(one.candidate.item_id[1:])).price for one in ranked.candidates]
        assert list(ranked.prices) == pytest.approx([price.major for price in prices if price])


async def test_a_price_that_nobody_knows_is_0(client: Client) -> None:
    ranked = (await client.rank(PERSON, size=SIZE + 1)).lists[0]
    prices = dict(zip([one.candidate.item_id for one in ranked.candidates], ranked.prices, strict=True))
    assert [item_id for item_id, price in prices.items() if not price] == [f"i{SIZE}"]


async def test_a_server_that_batches_pads_our_candidates_to_those_of_others(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 5)
    alone = await client.rank(PERSON)
    signatures = dict(models[0].served["ranker"][5])
    rank = signatures["rank"]
    pad = [(0, 0), (0, 64), (0, 0)]
    signatures["rank"] = lambda inputs: {"probabilities": np.pad(rank(inputs)["probabilities"], pad)}
    models[0].served["ranker"][5] = signatures
    joined = await client.rank(PERSON)
    assert not joined.fallback
    assert joined.lists == alone.lists


async def test_features_are_returned_as_asked_with_their_chance(client: Client) -> None:
    answer = await client.rank(PERSON, features_of_best=4, features_of_rest=6, seed=3)
    again = await client.rank(PERSON, features_of_best=4, features_of_rest=6, seed=3)
    other = await client.rank(PERSON, features_of_best=4, features_of_rest=6, seed=4)
    held = [[bool(one.features) for one in each.lists[0].candidates] for each in (answer, again, other)]
    assert held[0] == held[1] != held[2]
    assert sum(held[0]) == 10
    assert all(held[0][:4])
    chances = [one.feature_inclusion for one in answer.lists[0].candidates]
    assert chances == [1.0] * 4 + [pytest.approx(6 / 26)] * 26
    assert len(answer.lists[0].candidates[0].features) == 4 * len(NAMES)


async def test_a_failing_model_opens_the_breaker_and_the_light_scorer_answers(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 2)
    by_model = await client.rank(PERSON)
    models[0].failing = True
    for _ in range(5):
        answer = await client.rank(PERSON)
        assert answer.fallback
        assert answer.ranker_version == 2, "the weights that came with version 2"
    asked = len(models[0].asked)
    await client.rank(PERSON)
    assert [one for one in models[0].asked[asked:] if one[1] == "rank"] == []
    # The test's model is a logistic regression itself, but for what a push adds to a purchase.
    light = {one.candidate.item_id: one.probabilities.click for one in answer.lists[0].candidates}
    full = {one.candidate.item_id: one.probabilities.click for one in by_model.lists[0].candidates}
    assert light == pytest.approx(full, rel=1e-4)


async def test_a_slow_model_counts_as_failing(
    redis_url: str, models: tuple[prediction_server.Models, str]
) -> None:
    async with ranking(redis_url, models[1], rank_timeout_seconds=0.05, breaker_failures=2) as client:
        await load(client, models[0], 1)
        models[0].delay_seconds = 0.2
        assert [(await client.rank(PERSON)).fallback for _ in range(2)] == [True, True]
        asked = len(models[0].asked)
        assert (await client.rank(PERSON)).fallback
        assert "rank" not in [one[1] for one in models[0].asked[asked:]], "nobody waits for what rests"


async def test_the_breaker_closes_when_the_model_is_well_again(
    redis_url: str, models: tuple[prediction_server.Models, str]
) -> None:
    async with ranking(redis_url, models[1], breaker_failures=1, breaker_seconds=0.1) as client:
        await load(client, models[0], 1)
        models[0].failing = True
        assert (await client.rank(PERSON)).fallback
        models[0].failing = False
        await asyncio.sleep(0.12)
        assert not (await client.rank(PERSON)).fallback


async def test_a_version_of_another_schema_is_refused(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 1)
    models[0].served["ranker"][2] = model(schema="another")
    await asyncio.sleep(0.2)
    assert (await client.rank(PERSON)).ranker_version == 1
    pinned = await client.rank(PERSON, ranker_version=2)
    assert pinned.fallback
    assert pinned.ranker_version == 1
    assert not (await client.rank(PERSON)).fallback, "a refused version is no failure of the model server"


def narrow(sound: prediction_server.Signatures) -> prediction_server.Signatures:
    return {name: signature for name, signature in sound.items() if name != "rank"}


def dark(sound: prediction_server.Signatures) -> prediction_server.Signatures:
    return {**sound, "light": lambda inputs: {**sound["light"](inputs), "bias": np.zeros(3, np.float32)}}


def blinding(sound: prediction_server.Signatures) -> prediction_server.Signatures:
    bias = np.full((1, len(HEADS)), np.nan, np.float32)
    return {**sound, "light": lambda inputs: {**sound["light"](inputs), "bias": bias}}


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (narrow, "it lacks the signature rank"),
        (dark, "it lacks its light scorer"),
        (blinding, "its light scorer is not finite"),
    ],
)
async def test_a_version_that_does_not_fit_is_refused_and_the_old_one_stays(
    client: Client, models: tuple[prediction_server.Models, str], poison: Any, reason: str
) -> None:
    await load(client, models[0], 1)
    refused = metrics.MODELS_REFUSED.labels("ranker")
    before = refused._value.get()
    with capture_logs() as logs:
        models[0].served["ranker"][2] = poison(model())

        async def told() -> bool:
            return bool(refused._value.get() > before)

        await until(told)
        answer = await client.rank(PERSON)
    assert (answer.ranker_version, answer.fallback) == (1, False)
    (line,) = [line for line in logs if line["event"] == "ranker.refused"]
    assert (line["version"], line["reason"]) == (2, reason)


@pytest.mark.parametrize("shape", [(), (1,), (1, 128), (1, 3, len(HEADS)), (1, 128, 3)])
async def test_probabilities_of_another_shape_are_none(
    client: Client, models: tuple[prediction_server.Models, str], shape: tuple[int, ...]
) -> None:
    await load(client, models[0], 1)
    odd = np.full(shape, 0.5, np.float32)
    models[0].served["ranker"][1] = {
        **models[0].served["ranker"][1],
        "rank": lambda _: {"probabilities": odd},
    }
    assert (await client.rank(PERSON)).fallback


async def test_versions_swap_under_load_without_an_error(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 1)
    versions: list[int] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            answer = await client.rank(PERSON)
            assert not answer.fallback
            versions.append(answer.ranker_version)

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    served = models[0].served["ranker"]
    for version in (2, 3):
        await answered_by(versions, version - 1)
        served[version] = model(version)
        del served[version - 1]
    await answered_by(versions, 3)
    stop.set()
    await asyncio.gather(*asking)
    assert set(versions) == {1, 2, 3}


async def test_a_restart_without_a_model_server_scores_by_the_last_weights(
    redis_url: str, models: tuple[prediction_server.Models, str]
) -> None:
    nowhere = "dns:///127.0.0.1:1"
    async with ranking(redis_url, nowhere) as client:
        first = await client.rank(PERSON)
    assert (first.ranker_version, first.fallback) == (0, True), "the prior, before any release"
    async with ranking(redis_url, models[1]) as client:
        await load(client, models[0], 9)
    async with ranking(redis_url, nowhere) as client:

        async def read() -> bool:
            return client.room.ranker.light.version == 9

        await until(read)
        answer = await client.rank(PERSON)
    assert (answer.ranker_version, answer.fallback) == (9, True)


async def test_a_batch_of_many_users_comes_back_in_order(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 1)
    people = [shop.portrait(f"u{number}", shop.visits(number, SIZE)) for number in range(70)]
    answer = await client.rank(*people, size=5)
    assert [one.user_id for one in answer.lists] == [one.user_id for one in people]
    single = await client.rank(people[50], size=5)
    assert [one.candidate.item_id for one in answer.lists[50].candidates] == [
        one.candidate.item_id for one in single.lists[0].candidates
    ]


async def test_one_call_tells_what_is_bought_with_and_without_a_push(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 1)
    before = len(models[0].asked)
    for one in (await client.rank(PERSON)).lists[0].candidates:
        assert 0 < one.probabilities.organic_purchase < one.probabilities.purchase
        assert one.probabilities.purchase_day > 0
    assert [asked[1] for asked in models[0].asked[before:]] == ["rank"]


async def test_stored_counts_of_another_release_do_not_stop_the_start(redis_url: str, redis: Redis) -> None:
    await redis.set("magpie:{items}:popularity", b"\x81\xa6future\xc0")
    async with ranking(redis_url, "dns:///127.0.0.1:1") as one:
        assert (await one.rank(PERSON)).fallback


async def test_an_explanation_names_what_moved_the_score(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await load(client, models[0], 4)
    answer = await client.explain(PERSON)
    assert (answer.ranker_version, answer.fallback) == (4, False)
    for explained in answer.explanations:
        strengths = [abs(one.purchase) + abs(one.click) for one in explained.contributions]
        assert strengths == sorted(strengths, reverse=True)
    last = {one.cause: one for one in answer.explanations[2].contributions}
    assert {"user", "price", "popularity", "taste", "similarity", "pushes", "time", "item"} <= set(last)
    past = {one.cause for one in last.values() if one.is_item}
    assert past == {entry.item_id for entry in PERSON.recent}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"features_of_best": -1}, "features_of_best"),
        ({"lists": []}, "lists"),
        ({"portraits": []}, "portraits"),
        ({"lists": [given(similarity=float("nan"))]}, "lists[0].candidates[0].similarity"),
        ({"lists": [given(similarity=1e300)]}, "lists[0].candidates[0].similarity"),
        ({"lists": [given(covisit=-0.1)]}, "lists[0].candidates[0].covisit"),
    ],
)
async def test_a_bad_request_names_its_field(client: Client, fields: dict[str, Any], named: str) -> None:
    request = ranking_pb.RankCandidatesRequest(
        portraits=fields.get("portraits", [wire_portraits.to_snapshot(PERSON, shop.NOW_MS)]),
        lists=fields.get("lists", [listed("u7", 3)]),
        features_of_best=fields.get("features_of_best", 0),
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.ranking.RankCandidates(request, timeout=20, metadata=NOW)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(named)
