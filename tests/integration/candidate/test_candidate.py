"""Candidate whole: real Redis, real sockets, a model server of numpy models."""

import asyncio
import math
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
from magpie.v1 import candidate_service_pb2_grpc as candidate_grpc
from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie_services.candidate import fetching
from magpie_services.candidate.__main__ import Candidate
from magpie_services.candidate.settings import CandidateSettings
from magpie_services.core import item_codes
from magpie_services.core.events import EventKind
from magpie_services.core.items import pictured
from magpie_services.core.portraits import Portrait
from magpie_services.kit import metrics
from magpie_services.kit.redis import Redis
from magpie_services.kit.serving import running
from magpie_services.kit.streams import last_position
from magpie_services.wire import items as wire_items
from magpie_services.wire import portraits as wire_portraits

NOW = (("magpie-now", str(shop.NOW_MS)),)
SIZE = 200


class Client:
    def __init__(self, channel: grpc.aio.Channel, room: Candidate) -> None:
        self.catalog = catalog_grpc.CatalogServiceStub(channel)
        self.candidate = candidate_grpc.CandidateServiceStub(channel)
        self.room = room

    async def upsert(self, *items: Any, request_id: str = "r1") -> catalog_pb.UpsertItemsResponse:
        request = catalog_pb.UpsertItemsRequest(
            items=[wire_items.item_to_proto(one) for one in items], request_id=request_id
        )
        return await self.catalog.UpsertItems(request, timeout=20, metadata=NOW)

    async def retrieve(self, *portraits: Portrait, **fields: Any) -> candidate_pb.RetrieveCandidatesResponse:
        request = candidate_pb.RetrieveCandidatesRequest(
            portraits=[wire_portraits.to_snapshot(one, shop.NOW_MS) for one in portraits], **fields
        )
        return await self.candidate.RetrieveCandidates(request, timeout=20, metadata=NOW)


@asynccontextmanager
async def candidate(redis_url: str, model_server: str, **settings: Any) -> AsyncIterator[Client]:
    values = CandidateSettings(
        listen="127.0.0.1:0",
        metrics_listen="",
        redis_url=redis_url,
        model_server_address=model_server,
        sandbox=True,
        poll_seconds=0.05,
        grace_seconds=0.1,
        retrieve_timeout_seconds=5,  # patient: a busy machine is no slow model
        **settings,
    )
    room = Candidate(values)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            running(
                values,
                room.register,
                clock=room.clock,
                ready=room.ready,
                background=room.loops,
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


@pytest.fixture
async def models() -> AsyncIterator[tuple[prediction_server.Models, str]]:
    served = prediction_server.Models()
    async with prediction_server.serving(served) as address:
        yield served, address


@pytest.fixture
async def client(redis_url: str, models: tuple[prediction_server.Models, str]) -> AsyncIterator[Client]:
    async with candidate(redis_url, models[1]) as one:
        yield one


async def fill(client: Client) -> None:
    await client.upsert(*(shop.item(number) for number in range(SIZE)), request_id="fill")
    await client_has(client, SIZE)


async def client_has(client: Client, size: int) -> None:
    async def enough() -> bool:
        answer = await client.retrieve(shop.portrait("nobody"), limit=1)
        return answer.catalogue_size == size

    await until(enough)


async def load(client: Client, models: prediction_server.Models, version: int, **told: Any) -> None:
    ids = [f"i{number}" for number in range(SIZE)]
    served = prediction_server.retriever(ids, shop.vectors(SIZE), **told)
    models.served.setdefault("retriever", {})[version] = served

    async def taken() -> bool:
        release = client.room.retriever.release
        return release is not None and release.version == version

    await until(taken)


async def test_a_version_grows_with_a_change_and_stays_without(client: Client) -> None:
    first = await client.upsert(shop.item(1), shop.item(2), request_id="a")
    again = await client.upsert(shop.item(1), shop.item(2, stock=0), request_id="b")
    repeated = await client.upsert(shop.item(1), shop.item(2, stock=0), request_id="b")
    read = await client.catalog.GetItems(
        catalog_pb.GetItemsRequest(item_ids=["i2", "nothing", "i1"]), timeout=20
    )
    assert (first.changed_count, first.unchanged_count) == (2, 0)
    assert (again.changed_count, again.unchanged_count) == (1, 1)
    assert again == repeated
    assert [(item.item_id, item.version) for item in read.items] == [("i2", 2), ("i1", 1)]
    assert list(read.missing_item_ids) == ["nothing"]


async def test_faulty_items_are_refused_one_by_one(client: Client) -> None:
    answer = await client.upsert(shop.item(1), shop.item(2, title=""), shop.item(3, rating=7))
    assert answer.changed_count == 1
    assert [(one.index, one.item_id, one.field) for one in answer.refusals] == [
        (1, "i2", "items[1].text.title"),
        (2, "i3", "items[2].rating"),
    ]


async def test_a_picture_vector_is_kept_at_length_1_and_a_faulty_one_is_refused(client: Client) -> None:
    message = wire_items.item_to_proto(shop.item(1))
    good, bad, long = (item_pb.Item(), item_pb.Item(), item_pb.Item())
    for item_id, item, vector in (
        ("good", good, [3.0, 0.0, -4.0]),
        ("bad", bad, [1.0, 2.0, math.nan, math.inf]),
        ("long", long, [1.0] * 513),
    ):
        item.CopyFrom(message)
        item.item_id, item.picture_vector[:] = item_id, vector
    request = catalog_pb.UpsertItemsRequest(items=[good, bad, long], request_id="pictures")
    answer = await client.catalog.UpsertItems(request, timeout=20, metadata=NOW)
    assert [(one.field, one.reason) for one in answer.refusals] == [
        ("items[1].picture_vector[2]", "is not a finite number"),
        ("items[2].picture_vector", "has more than 512 numbers"),
    ]
    read = await client.catalog.GetItems(catalog_pb.GetItemsRequest(item_ids=["good"]), timeout=20)
    np.testing.assert_allclose(read.items[0].picture_vector, [0.6, 0.0, -0.8], atol=1e-3)
    lean = catalog_pb.GetItemsRequest(item_ids=["good"], omit_picture_vectors=True)
    (without,) = (await client.catalog.GetItems(lean, timeout=20)).items
    assert not without.picture_vector
    without.picture_vector[:] = read.items[0].picture_vector
    assert without == read.items[0]
    # Sent again as it was sent, or as it was answered, it is the same.
    for number, same in enumerate((good, read.items[0])):
        request = catalog_pb.UpsertItemsRequest(items=[same], request_id=f"again{number}")
        answer = await client.catalog.UpsertItems(request, timeout=20, metadata=NOW)
        assert (answer.changed_count, answer.unchanged_count) == (0, 1)


async def test_a_withdrawn_item_stays_readable_and_is_listed_only_on_demand(client: Client) -> None:
    await client.upsert(*(shop.item(number) for number in range(SIZE)))
    request = catalog_pb.RemoveItemsRequest(item_ids=["i3", "nothing"], request_id="x")
    removed = await client.catalog.RemoveItems(request, timeout=20, metadata=NOW)
    assert (removed.removed_count, list(removed.missing_item_ids)) == (1, ["nothing"])
    read = await client.catalog.GetItems(catalog_pb.GetItemsRequest(item_ids=["i3"]), timeout=20)
    assert read.items[0].withdrawn
    assert read.items[0].version == 2
    await client_has(client, SIZE - 1)
    for shown, expected in ((False, SIZE - 1), (True, SIZE)):
        seen: set[str] = set()
        token = ""
        while True:
            page = await client.catalog.ListItems(
                catalog_pb.ListItemsRequest(page_size=50, page_token=token, show_withdrawn=shown), timeout=20
            )
            assert page.total_count == SIZE - 1
            seen |= {item.item_id for item in page.items}
            token = page.next_page_token
            if not token:
                break
        assert len(seen) == expected


@pytest.mark.parametrize("token", ["9" * 5_000, "9" * 20, "-1", "0", "x", "٣"])
async def test_a_page_token_of_others_is_refused(client: Client, token: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.catalog.ListItems(catalog_pb.ListItemsRequest(page_token=token), timeout=20)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "page_token" in (caught.value.details() or "")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"limit": 501}, "limit"),
        ({"sources": [99]}, "sources[0]"),
        ({"filter": candidate_pb.CatalogFilter(min_discount=2)}, "filter.min_discount"),
        ({"filter": candidate_pb.CatalogFilter(brands=[""])}, "filter.brands[0]"),
    ],
)
async def test_a_bad_request_names_its_field(client: Client, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.retrieve(shop.portrait("u1"), **fields)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert named in (caught.value.details() or "")


async def test_candidates_follow_taste_and_carry_their_evidence(
    client: Client, redis: Redis, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 3)
    for user in range(60):
        await shop.record(redis, shop.visits(user, SIZE))
    person = shop.portrait("u7", shop.visits(7, SIZE))

    async def links() -> bool:
        answer = await client.retrieve(person, limit=50)
        return any(one.covisit > 0.1 for one in answer.lists[0].candidates)

    await until(links)
    answer = await client.retrieve(person, shop.portrait("stranger"), limit=50)
    assert answer.retriever_version == 3
    assert not answer.degraded
    mine, theirs = (list(one.candidates) for one in answer.lists)
    assert len(mine) == len(theirs) == 50
    assert len({one.item_id for one in mine}) == 50
    best = [int(one.item_id[1:]) % shop.TASTES for one in mine[:10]]
    assert best.count(7) >= 7
    alike = [one for one in mine if candidate_pb.CANDIDATE_SOURCE_VECTOR in one.sources]
    assert all(one.similarity > 0 for one in alike[:10])
    met = {event.item_id for event in shop.visits(7, SIZE)}
    reasons = {one.because_item_id for one in mine if one.because_item_id}
    assert reasons
    assert reasons <= met
    sources = {source for one in theirs for source in one.sources}
    assert sources <= {
        candidate_pb.CANDIDATE_SOURCE_POPULAR,
        candidate_pb.CANDIDATE_SOURCE_NEW_ARRIVAL,
        candidate_pb.CANDIDATE_SOURCE_RANDOM,
    }


async def test_without_the_model_the_other_sources_answer(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 1)
    person = shop.portrait("u7", shop.visits(7, SIZE))
    models[0].failing = True
    for _ in range(6):
        answer = await client.retrieve(person)
        assert answer.degraded
        assert answer.retriever_version == 0
        assert len(answer.lists[0].candidates) == 100
    asked = len(models[0].asked)
    await client.retrieve(person)
    assert len([one for one in models[0].asked[asked:] if one[1] == "retrieve"]) == 0, "the breaker is open"


async def test_versions_swap_under_load_without_an_error(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 1)
    person = shop.portrait("u7", shop.visits(7, SIZE))
    versions: list[int] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            answer = await client.retrieve(person)
            assert not answer.degraded
            versions.append(answer.retriever_version)

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    served = models[0].served["retriever"]
    for version in (2, 3, 4):
        await answered_by(versions, version - 1)
        served[version] = served.pop(version - 1)
    await answered_by(versions, 4)
    stop.set()
    await asyncio.gather(*asking)
    assert set(versions) == {1, 2, 3, 4}


async def test_counts_survive_a_restart(redis_url: str, redis: Redis) -> None:
    nowhere = "dns:///127.0.0.1:1"
    person = shop.portrait("u7", shop.visits(7, SIZE))
    async with candidate(redis_url, nowhere) as client:
        await fill(client)
        for user in range(60):
            await shop.record(redis, shop.visits(user, SIZE))
        streams = [f"magpie:{{p{part:02d}}}:events" for part in range(16)]
        newest = {stream: await last_position(redis, stream) for stream in streams}

        async def read() -> bool:
            return newest.items() <= client.room.feed.positions.items()

        await until(read)
        await client.room.feed.save()
        before = await client.retrieve(person)
    await redis.delete(*streams)  # the lake has taken and trimmed them
    async with candidate(redis_url, nowhere) as client:
        after = await client.retrieve(person)
    assert before.degraded, "nobody can tell whether there is a model"
    told = [{one.item_id: one.covisit for one in answer.lists[0].candidates} for answer in (before, after)]
    assert any(told[0].values())
    assert told[0] == pytest.approx(told[1], abs=1e-3)
    charted = [one for one in after.lists[0].candidates if one.popular_rank]
    assert charted
    assert {(one.item_id, one.popular_category) for one in charted} <= {
        (f"i{number}", f"taste{number % shop.TASTES}") for number in range(SIZE)
    }


async def test_stored_counts_of_another_release_do_not_stop_the_start(redis_url: str, redis: Redis) -> None:
    await redis.mset(
        {f"magpie:{{items}}:{kind}": b"\x81\xa6future\xc0" for kind in ("popularity", "covisit")}
    )
    async with candidate(redis_url, "dns:///127.0.0.1:1") as one:
        await fill(one)


async def test_a_model_whose_vectors_are_no_numbers_is_not_taken(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    vectors = shop.vectors(SIZE)
    vectors[3, 5] = np.nan
    ids = [f"i{number}" for number in range(SIZE)]
    models[0].served["retriever"] = {1: prediction_server.retriever(ids, vectors)}

    async def missed() -> bool:
        return client.room.retriever.missing

    await until(missed)
    answer = await client.retrieve(shop.portrait("u7", shop.visits(7, SIZE)))
    assert (answer.retriever_version, answer.degraded) == (0, True)
    await load(client, models[0], 2)


async def test_an_entry_that_cannot_be_read_stops_nothing(client: Client, redis: Redis) -> None:
    await redis.xadd("magpie:{items}:feed", {"v": b"not msgpack"})
    await redis.xadd("magpie:{p00}:events", {"v": b"\x81\xa4kind\xa6future"})
    await client.upsert(shop.item(1))
    await client_has(client, 1)


async def test_what_is_held_of_an_erased_user_is_dropped(client: Client, redis: Redis) -> None:
    await client.upsert(shop.item(1), shop.item(2))
    await client_has(client, 2)
    erased = shop.event("u1", 1, EventKind.ERASED, shop.NOW_MS - 500)
    seen = shop.event("u1", 1, EventKind.VIEW_ITEM, shop.NOW_MS - 1000)
    after = shop.event("u1", 2, EventKind.VIEW_ITEM, shop.NOW_MS)
    await shop.record(redis, [seen, erased, after])
    person = shop.portrait("u9", [shop.event("u9", 1, EventKind.VIEW_ITEM, shop.NOW_MS)])

    async def counted() -> bool:
        answer = await client.retrieve(person)
        found = {one.item_id: one for one in answer.lists[0].candidates}
        assert found["i2"].covisit == 0
        return candidate_pb.CANDIDATE_SOURCE_POPULAR in found["i2"].sources

    await until(counted)


async def test_an_empty_shop_has_no_candidates(client: Client) -> None:
    person = shop.portrait("u7", shop.visits(7, SIZE))
    answer = await client.retrieve(person, filter=candidate_pb.CatalogFilter(categories=["taste1"]))
    assert [list(one.candidates) for one in answer.lists] == [[]]
    assert answer.catalogue_size == 0


FOLLOWS = {f"i{number}": (f"i{(number + 33) % SIZE}", 0.5) for number in range(SIZE)}
FOLLOWED = {candidate_pb.CANDIDATE_SOURCE_TRANSITION, candidate_pb.CANDIDATE_SOURCE_VECTOR}


async def test_what_follows_the_newest_items_comes_with_its_reason(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 1, follows=FOLLOWS)
    events = shop.visits(7, SIZE)
    person = shop.portrait("u7", events)
    answer = await client.retrieve(person, shop.portrait("stranger"), limit=50, sources=FOLLOWED)
    found, stranger = ({one.item_id: one for one in some.candidates} for some in answer.lists)
    newest = [event.item_id for event in events[:-4:-1]]
    for item_id in newest:
        one = found[FOLLOWS[item_id][0]]
        assert candidate_pb.CANDIDATE_SOURCE_TRANSITION in one.sources
        assert one.because_item_id == item_id
    by_transition = [one for one in found.values() if candidate_pb.CANDIDATE_SOURCE_TRANSITION in one.sources]
    assert len(by_transition) == len({FOLLOWS[item_id] for item_id in newest})
    assert not stranger
    order = [
        one.similarity + 0.5 * sum(FOLLOWS[item_id][0] == one.item_id for item_id in newest)
        for one in answer.lists[0].candidates
    ]
    assert order == sorted(order, reverse=True)
    excluded = candidate_pb.CatalogFilter(excluded_item_ids=[FOLLOWS[newest[0]][0]])
    answer = await client.retrieve(person, limit=50, sources=FOLLOWED, filter=excluded)
    assert FOLLOWS[newest[0]][0] not in {one.item_id for one in answer.lists[0].candidates}
    alone = await client.retrieve(person, sources=[candidate_pb.CANDIDATE_SOURCE_TRANSITION])
    assert {one.item_id for one in alone.lists[0].candidates} == {one.item_id for one in by_transition}


async def test_transitions_that_weigh_nothing_are_not_asked_for(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 1, follows=FOLLOWS, weight=0.0)
    asked = len(models[0].asked)
    await client.retrieve(shop.portrait("u7", shop.visits(7, SIZE)))
    assert [one[1] for one in models[0].asked[asked:]] == ["retrieve"]


def beyond(outputs: Any) -> Any:
    return {**outputs, "rows": outputs["rows"] + 10**6}


def empty(outputs: Any) -> Any:
    return {name: array for name, array in outputs.items() if name != "steps"}


def uneven(outputs: Any) -> Any:
    return {**outputs, "steps": outputs["steps"] + 1}


def single(outputs: Any) -> Any:
    return {**outputs, "rows": np.array(1, np.int32)}


def tabled(outputs: Any) -> Any:
    return {**outputs, "steps": np.stack([outputs["steps"]] * 2, axis=1)}


def overflowing(outputs: Any) -> Any:
    return {**outputs, "scores": outputs["scores"] * 1e30, "weight": outputs["weight"] * 1e30}


@pytest.mark.parametrize("broken", [beyond, empty, uneven, single, tabled, overflowing])
async def test_without_transitions_vectors_still_answer(
    client: Client, models: tuple[prediction_server.Models, str], broken: Any
) -> None:
    await fill(client)
    await load(client, models[0], 1, follows=FOLLOWS)
    person = shop.portrait("u7", shop.visits(7, SIZE))
    sound = models[0].served["retriever"][1]
    models[0].served["retriever"][1] = {
        **sound,
        "transitions": lambda inputs: broken(sound["transitions"](inputs)),
    }
    missed = metrics.DEGRADED.labels("transitions")
    before = missed._value.get()
    for _ in range(6):
        answer = await client.retrieve(person, sources=FOLLOWED)
        assert answer.retriever_version == 1
        assert not answer.degraded
        assert answer.lists[0].candidates
        sources = {source for one in answer.lists[0].candidates for source in one.sources}
        assert sources == {candidate_pb.CANDIDATE_SOURCE_VECTOR}
    assert missed._value.get() == before + 6
    asked = len(models[0].asked)
    await client.retrieve(person)
    assert [one[1] for one in models[0].asked[asked:]] == ["retrieve"], "they rest, vectors do not"


async def test_a_description_of_the_wrong_length_does_not_enter_the_index(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 1)
    release = client.room.retriever.release
    assert release is not None
    sound = models[0].served["retriever"][1]

    def twice_as_long(inputs: Any) -> Any:
        return {
            "vectors": sound["describe"](inputs)["vectors"] * np.where(inputs["brands"] % 2, 2, 1)[:, None]
        }

    models[0].served["retriever"][1] = {**sound, "describe": twice_as_long}
    items = [shop.item(SIZE + number) for number in range(8)]
    await client.upsert(*items, request_id="new")
    right = {one.item_id for one in items if item_codes.brand(one) % 2 == 0}
    assert 0 < len(right) < len(items)

    async def joined() -> bool:
        return right <= release.codes.keys()

    await until(joined)
    assert not {one.item_id for one in items} - right & release.codes.keys()
    np.testing.assert_allclose(np.linalg.norm(release.vectors[1:], axis=1), 1.0, atol=0.01)


async def test_a_large_batch_is_answered_in_order(
    client: Client, models: tuple[prediction_server.Models, str]
) -> None:
    await fill(client)
    await load(client, models[0], 1)
    people = [shop.portrait(f"u{number}", shop.visits(number, SIZE)) for number in range(60)]
    answer = await client.retrieve(*people, limit=20, seed=9)
    alone = await client.retrieve(people[41], limit=20, seed=9)
    assert [one.user_id for one in answer.lists] == [one.user_id for one in people]
    together = [one.item_id for one in answer.lists[41].candidates]
    assert together == [one.item_id for one in alone.lists[0].candidates]
    asked = [one for one in models[0].asked if one[1] == "retrieve"]
    assert [size for *_, size in asked] == [128, 1], "one call a batch, padded"
    asked = [one for one in models[0].asked if one[1] == "transitions"]
    assert [size for *_, size in asked] == [1, 128, 1], "at first for their weight"


PICTURE = pictured(shop.vectors(SIZE)[17])


@pytest.mark.parametrize("told", [{}, {"categories": ["other"], "picture_vector": PICTURE}])
async def test_a_new_item_is_found_by_what_it_is_and_a_withdrawn_one_is_gone(
    client: Client, models: tuple[prediction_server.Models, str], told: dict[str, Any]
) -> None:
    await fill(client)
    await load(client, models[0], 1)
    person = shop.portrait("u7", shop.visits(7, SIZE))
    newest = shop.item(SIZE + 7, published_ms=0, **told)

    async def found() -> bool:
        answer = await client.retrieve(person, limit=50)
        near = {one.item_id: one for one in answer.lists[0].candidates}
        return (
            newest.item_id in near
            and candidate_pb.CANDIDATE_SOURCE_VECTOR in near[newest.item_id].sources
            and near[newest.item_id].similarity > 0.3
        )

    assert not await found()
    await client.upsert(newest, request_id="new")
    await until(found)
    release = client.room.retriever.release
    assert release is not None
    assert (release.version, len(release.ids)) == (1, SIZE + 2)
    assert release.reads(newest.item_id) == 0, "the model cannot read it in a history"
    await client.catalog.RemoveItems(
        catalog_pb.RemoveItemsRequest(item_ids=[newest.item_id], request_id="gone"), timeout=20
    )

    async def gone() -> bool:
        return not await found()

    await until(gone)
    # The next release starts without it, and is told of items it lacks in the same way.
    await client.upsert(newest, request_id="back")
    await load(client, models[0], 2)
    await until(found)


def twice(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    return prediction_server.retriever([ids[0], *ids[:-1]], vectors)


def long(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    return prediction_server.retriever(ids, 2 * vectors)


def short(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    sound = prediction_server.retriever(ids, vectors)
    return {**sound, "item_vectors": lambda inputs: {**sound["item_vectors"](inputs), "ids": np.array([])}}


def crooked(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    sound = prediction_server.retriever(ids, vectors)
    return {**sound, "describe": lambda inputs: {"vectors": np.full((len(inputs["brands"]), 64), 0.5)}}


def numberless(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    sound = prediction_server.retriever(ids, vectors)
    return {**sound, "describe": lambda inputs: {"vectors": np.full((len(inputs["brands"]), 64), np.nan)}}


def endless(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    sound = prediction_server.retriever(ids, vectors)
    total = np.full(fetching.PAGE, 2**31 - 1, np.int32)
    return {**sound, "item_vectors": lambda inputs: {**sound["item_vectors"](inputs), "total": total}}


def empty_table(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    sound = prediction_server.retriever(ids, vectors)
    total = np.zeros(fetching.PAGE, np.int32)
    return {**sound, "item_vectors": lambda inputs: {**sound["item_vectors"](inputs), "total": total}}


def shapeless(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    return {
        **prediction_server.retriever(ids, vectors),
        "describe": lambda _: {"vectors": np.array(1, np.float32)},
    }


def weightless(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    return prediction_server.retriever(ids, vectors, weight=math.inf)


def mute(ids: list[str], vectors: Any) -> prediction_server.Signatures:
    sound = prediction_server.retriever(ids, vectors)
    return {name: signature for name, signature in sound.items() if name != "retrieve"}


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (twice, "its vocabulary names an item twice, or not at all"),
        (long, "its item vectors are not of length 1"),
        (short, "its item vectors end early"),
        (endless, "its vocabulary names an item twice, or not at all"),
        (empty_table, "its item vectors end early"),
        (mute, "it lacks the signature retrieve"),
        (shapeless, "it describes items by no vectors like those it has"),
        (crooked, "it describes items by vectors that are not finite or not of length 1"),
        (numberless, "it describes items by vectors that are not finite or not of length 1"),
        (weightless, "its transitions have no weight"),
    ],
)
async def test_a_release_that_does_not_fit_is_refused_and_the_old_one_stays(
    client: Client, models: tuple[prediction_server.Models, str], poison: Any, reason: str
) -> None:
    await fill(client)
    await load(client, models[0], 1)
    refused = metrics.MODELS_REFUSED.labels("retriever")
    before = refused._value.get()
    ids = [f"i{number}" for number in range(SIZE)]
    with capture_logs() as logs:
        models[0].served["retriever"][2] = poison(ids, shop.vectors(SIZE))

        async def told() -> bool:
            return bool(refused._value.get() > before)

        await until(told)
        await asyncio.sleep(0.2)  # it is not tried again
    assert refused._value.get() == before + 1
    (line,) = [line for line in logs if line["event"] == "retriever.refused"]
    assert (line["version"], line["reason"]) == (2, reason)
    answer = await client.retrieve(shop.portrait("u7", shop.visits(7, SIZE)))
    assert (answer.retriever_version, answer.degraded) == (1, False)
