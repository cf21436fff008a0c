"""ProfileService keeps its promises on a real socket and a real Redis."""

import asyncio
import time
from typing import TypeAlias

import grpc
import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import money_pb2 as money_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.core import codec
from magpie_services.core.events import Event, EventKind
from magpie_services.kit.redis import Redis, partition, stream_key, user_key
from magpie_services.profile.messages import Place, fingerprint, place_to_token

Stub: TypeAlias = "profile_grpc.ProfileServiceAsyncStub"
TIMEOUT = 10.0
EQUAL = profile_pb.Audience.Compare.OPERATOR_EQUAL


def now(seconds_ago: float = 60) -> Timestamp:
    return Timestamp(seconds=int(time.time() - seconds_ago))


def view(event_id: str, user_id: str = "u1", item_id: str = "i1", seconds_ago: float = 60) -> event_pb.Event:
    return event_pb.Event(
        event_id=event_id,
        user_id=user_id,
        kind=event_pb.EVENT_KIND_VIEW_ITEM,
        occur_time=now(seconds_ago),
        item_id=item_id,
    )


async def record(profile: Stub, *events: event_pb.Event) -> profile_pb.RecordEventsResponse:
    return await profile.RecordEvents(profile_pb.RecordEventsRequest(events=events), timeout=TIMEOUT)


async def state(profile: Stub, user_id: str = "u1") -> profile_pb.UserState:
    response = await profile.GetPortraits(profile_pb.GetPortraitsRequest(user_ids=[user_id]), timeout=TIMEOUT)
    return response.users[0]


async def logged(redis: Redis, user_id: str = "u1") -> list[Event]:
    entries = await redis.xrange(stream_key("events", partition(user_id)))
    return [codec.decode(Event, fields[b"v"]) for _, fields in entries]  # type: ignore[union-attr, index, arg-type]


def marketing(granted: bool, at: Timestamp | None = None) -> device_pb.Consent:
    return device_pb.Consent(purpose=device_pb.PURPOSE_MARKETING_PUSH, granted=granted, time=at)


async def consent(profile: Stub, request_id: str, *answers: device_pb.Consent) -> list[device_pb.Consent]:
    request = profile_pb.SetConsentRequest(user_id="u1", consents=answers, request_id=request_id)
    return list((await profile.SetConsent(request, timeout=TIMEOUT)).consents)


async def register(profile: Stub, device_id: str, user_id: str = "u1") -> list[device_pb.Device]:
    device = device_pb.Device(
        device_id=device_id, channel=device_pb.CHANNEL_FCM, address=f"token-{device_id}"
    )
    request = profile_pb.RegisterDeviceRequest(user_id=user_id, device=device, request_id=f"r-{device_id}")
    return list((await profile.RegisterDevice(request, timeout=TIMEOUT)).devices)


async def test_an_accepted_event_is_in_the_portrait_and_in_the_log(profile: Stub, redis: Redis) -> None:
    response = await record(profile, view("e1"), view("e2", item_id="i2"))
    assert (response.accepted_count, response.duplicate_count) == (2, 0)
    portrait = (await state(profile)).portrait
    assert [recent.item_id for recent in portrait.recent] == ["i1", "i2"]
    assert portrait.version == 1
    assert [event.event_id for event in await logged(redis)] == ["e1", "e2"]


async def test_an_event_id_counts_once(profile: Stub, redis: Redis) -> None:
    await record(profile, view("e1"))
    again = await record(profile, view("e1"), view("e3", item_id="i3"), view("e3", item_id="i3"))
    assert (again.accepted_count, again.duplicate_count) == (1, 2)
    assert len(await logged(redis)) == 2


async def test_faulty_events_are_named_and_the_rest_is_taken(profile: Stub) -> None:
    bad_price = view("e4")
    bad_price.unit_price.CopyFrom(money_pb.Money(currency="CNY", minor_units=-1))
    claims = view("e5")
    claims.kind = event_pb.EVENT_KIND_ERASED
    future = view("e6", seconds_ago=-3600)
    response = await record(
        profile, view("e1"), event_pb.Event(event_id="e2", user_id="u1"), view(""), bad_price, claims, future
    )
    assert response.accepted_count == 1
    assert [(refusal.index, refusal.field) for refusal in response.refusals] == [
        (1, "events[1].kind"),
        (2, "events[2].event_id"),
        (3, "events[3].unit_price.minor_units"),
        (4, "events[4].kind"),
        (5, "events[5].occur_time"),
    ]


async def test_an_empty_batch_is_refused(profile: Stub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await record(profile)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "events: must have 1 to 1,000 entries" in str(caught.value.details())


async def test_concurrent_writers_lose_no_event(profile: Stub, redis: Redis) -> None:
    batches = [[view(f"e{n}-{k}", item_id=f"i{n}-{k}") for k in range(3)] for n in range(30)]
    responses = await asyncio.gather(*(record(profile, *batch) for batch in batches))
    assert sum(response.accepted_count for response in responses) == 90
    portrait = (await state(profile)).portrait
    assert len(portrait.items) == 90
    assert len(await logged(redis)) == 90


async def test_a_batch_of_many_users_reaches_each_of_them(profile: Stub) -> None:
    events = [view(f"e{n}", user_id=f"user-{n % 300}") for n in range(600)]
    response = await record(profile, *events)
    assert response.accepted_count == 600
    request = profile_pb.GetPortraitsRequest(
        user_ids=[f"user-{n}" for n in range(300)], view=profile_pb.PORTRAIT_VIEW_SNAPSHOT
    )
    users = (await profile.GetPortraits(request, timeout=TIMEOUT)).users
    assert [user.portrait.user_id for user in users] == [f"user-{n}" for n in range(300)]
    assert all(user.portrait.snapshot for user in users)


async def test_the_newest_answer_on_consent_holds(profile: Stub, redis: Redis) -> None:
    first = marketing(True, now(60))
    assert await consent(profile, "r1", first) == [first]
    held = await consent(profile, "r2", marketing(False, now(30)))
    assert [answer.granted for answer in held] == [False]
    held = await consent(profile, "r3", marketing(True, now(45)))
    assert [answer.granted for answer in held] == [False]
    kinds = [event.kind for event in await logged(redis)]
    assert kinds == [EventKind.CONSENT_CHANGED] * 3


async def test_a_yes_of_a_fast_clock_does_not_outlive_the_no_after_it(profile: Stub) -> None:
    await consent(profile, "r1", marketing(True, now(-240)))
    (held,) = await consent(profile, "r2", marketing(False))
    assert not held.granted


async def test_a_request_id_gives_the_same_answer_again(profile: Stub, redis: Redis) -> None:
    first = await consent(profile, "r1", marketing(True))
    assert await consent(profile, "r1", marketing(True)) == first
    assert len(await logged(redis)) == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await consent(profile, "r1", marketing(False))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_user_has_at_most_20_devices(profile: Stub) -> None:
    for n in range(21):
        devices = await register(profile, f"d{n}")
        await asyncio.sleep(0.002)
    assert len(devices) == 20
    assert (devices[0].device_id, devices[-1].device_id) == ("d20", "d1")


async def test_a_device_registered_again_since_is_not_removed(profile: Stub) -> None:
    (device,) = await register(profile, "d1")
    earlier = Timestamp(seconds=device.update_time.seconds - 10)
    request = profile_pb.RemoveDeviceRequest(
        user_id="u1", device_id="d1", request_id="x1", unless_updated_since=earlier
    )
    assert len((await profile.RemoveDevice(request, timeout=TIMEOUT)).devices) == 1
    request = profile_pb.RemoveDeviceRequest(user_id="u1", device_id="d1", request_id="x2")
    assert len((await profile.RemoveDevice(request, timeout=TIMEOUT)).devices) == 0


async def test_linked_identities_are_one_person(profile: Stub) -> None:
    await record(profile, view("e1", user_id="anonymous", item_id="a"), view("e2", item_id="b"))
    await register(profile, "d1", user_id="anonymous")
    request = profile_pb.LinkIdentitiesRequest(user_id="u1", alias_user_ids=["anonymous"], request_id="l1")
    linked = await profile.LinkIdentities(request, timeout=TIMEOUT)
    assert {item.item_id for item in linked.portrait.items} == {"a", "b"}
    again = await record(
        profile, view("e1", user_id="anonymous", item_id="a"), view("e3", user_id="anonymous", item_id="c")
    )
    assert (again.accepted_count, again.duplicate_count) == (1, 1)
    one = await state(profile, "anonymous")
    assert one.portrait.user_id == "u1"
    assert {item.item_id: item.views for item in one.portrait.items} == {"a": 1, "b": 1, "c": 1}
    assert [device.device_id for device in one.devices] == ["d1"]


async def test_an_interrupted_link_is_completed_by_a_retry(profile: Stub, redis: Redis) -> None:
    await record(profile, view("e1", user_id="anonymous", item_id="a"), view("e2", item_id="b"))
    # The process died after freezing the alias: its events go to u1, its history has not come over.
    key = user_key("user", "anonymous")
    await redis.hset(key, mapping={"moved_to": "u1", "version": 2})
    await record(profile, view("e3", user_id="anonymous", item_id="c"))
    for request_id in ("l1", "l2"):
        request = profile_pb.LinkIdentitiesRequest(
            user_id="u1", alias_user_ids=["anonymous"], request_id=request_id
        )
        linked = await profile.LinkIdentities(request, timeout=TIMEOUT)
        assert {item.item_id: item.views for item in linked.portrait.items} == {"a": 1, "b": 1, "c": 1}


async def test_two_who_link_crosswise_at_once_make_no_circle(profile: Stub) -> None:
    await record(profile, view("e1", user_id="a"), view("e2", user_id="b", item_id="i2"))
    requests = [
        profile_pb.LinkIdentitiesRequest(user_id=one, alias_user_ids=[other], request_id=f"{one}{other}")
        for one, other in (("a", "b"), ("b", "a"))
    ]
    linked = await asyncio.gather(*(profile.LinkIdentities(request, timeout=TIMEOUT) for request in requests))
    assert len({response.portrait.user_id for response in linked}) == 1
    assert (await state(profile, "a")).portrait.snapshot == (await state(profile, "b")).portrait.snapshot
    assert {item.item_id for item in (await state(profile, "a")).portrait.items} == {"i1", "i2"}


async def test_erasing_a_person_erases_every_identity(profile: Stub, redis: Redis) -> None:
    await record(profile, view("e1", user_id="anonymous"), view("e2"))
    link = profile_pb.LinkIdentitiesRequest(user_id="u1", alias_user_ids=["anonymous"], request_id="l1")
    await profile.LinkIdentities(link, timeout=TIMEOUT)
    request = profile_pb.EraseUserRequest(user_id="anonymous", request_id="x1")
    assert (await profile.EraseUser(request, timeout=TIMEOUT)).existed
    response = await record(profile, view("e3"), view("e4", user_id="anonymous"))
    assert [refusal.reason for refusal in response.refusals] == ["user was erased"] * 2
    erased = [event.user_id for event in await logged(redis) if event.kind == EventKind.ERASED]
    assert erased == ["u1", "anonymous"]


async def test_what_a_broken_off_link_left_lying_is_erased_too(profile: Stub, redis: Redis) -> None:
    await record(profile, view("e1", user_id="anonymous"), view("e2"))
    # The process died after freezing the alias: its history has not come over.
    await redis.hset(user_key("user", "anonymous"), mapping={"moved_to": "u1", "version": 2})
    for number, user_id in enumerate(("u1", "anonymous")):
        request = profile_pb.EraseUserRequest(user_id=user_id, request_id=f"x{number}")
        await profile.EraseUser(request, timeout=TIMEOUT)
    assert await redis.exists(user_key("key", "anonymous"), user_key("key", "u1")) == 0


async def test_an_erased_user_is_unreadable_and_blocked(profile: Stub, redis: Redis) -> None:
    await record(profile, view("e1"))
    blob = await redis.hget(user_key("user", "u1"), "blob")
    assert isinstance(blob, bytes)
    assert b"i1" not in blob
    request = profile_pb.EraseUserRequest(user_id="u1", request_id="x1")
    erased = await profile.EraseUser(request, timeout=TIMEOUT)
    assert erased.existed
    assert await redis.exists(user_key("key", "u1"), user_key("seen", "u1")) == 0
    assert await redis.hget(user_key("user", "u1"), "blob") is None
    assert (await state(profile)).portrait.version == 0
    export = await profile.ExportUser(profile_pb.ExportUserRequest(user_id="u1"), timeout=TIMEOUT)
    assert (list(export.events), export.user.portrait.version) == ([], 0)
    response = await record(profile, view("e2"), view("e3", user_id="u2"))
    assert response.accepted_count == 1
    assert [(r.field, r.reason) for r in response.refusals] == [("events[0].user_id", "user was erased")]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await consent(profile, "r1", marketing(True))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert [event.kind for event in await logged(redis)] == [EventKind.VIEW_ITEM, EventKind.ERASED]


async def test_everything_kept_can_be_exported_in_pages(profile: Stub, redis: Redis) -> None:
    await record(profile, *(view(f"e{n}") for n in range(5)))
    await register(profile, "d1")
    await redis.xadd(stream_key("events", partition("u1")), {"v": b"\xc1 is never msgpack"})
    found: list[str] = []
    token = ""
    while True:
        request = profile_pb.ExportUserRequest(user_id="u1", page_size=4, page_token=token)
        page = await profile.ExportUser(request, timeout=TIMEOUT)
        found += [event.event_id for event in page.events]
        token = page.next_page_token
        if not token:
            break
    assert found[:5] == [f"e{n}" for n in range(5)]
    assert len(found) == 6
    assert page.user.devices[0].address == "token-d1"


def locale_is(text: str) -> profile_pb.Audience:
    compare = profile_pb.Audience.Compare(field="locale", operator=EQUAL, text=text)
    return profile_pb.Audience(compare=compare)


async def test_an_audience_is_selected_in_pages_that_resume(profile: Stub) -> None:
    events = [view(f"e{n}", user_id=f"user-{n:03}") for n in range(300)]
    for n, event in enumerate(events):
        event.attributes["locale"] = "zh-CN" if n % 3 else "en"
    await record(profile, *events)
    expected = {f"user-{n:03}" for n in range(300) if n % 3}
    found: list[str] = []
    token = ""
    while True:
        request = profile_pb.SelectAudienceRequest(
            audience=locale_is("zh-CN"), page_size=37, page_token=token
        )
        pages = profile.SelectAudience(request, timeout=TIMEOUT)
        page = await anext(aiter(pages))
        pages.cancel()  # the caller goes away after one page and comes back with its token
        assert len(page.user_ids) <= 37
        found += page.user_ids
        token = page.next_page_token
        if not token:
            break
    assert page.scanned_count == 300
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    "place", [Place(part=-99), Place(part=16), Place(scanned=2**63), Place(after="x", scanned=-1)]
)
async def test_a_page_token_that_was_tampered_with_is_refused(profile: Stub, place: Place) -> None:
    request = profile_pb.SelectAudienceRequest()
    forged = msgspec.structs.replace(place, fingerprint=fingerprint(request))
    request.page_token = place_to_token(forged)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [page async for page in profile.SelectAudience(request, timeout=TIMEOUT)]
    assert caught.value.details() == "page_token: is not one of ours"
    export = profile_pb.ExportUserRequest(user_id="u1", page_token="١-١")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await profile.ExportUser(export, timeout=TIMEOUT)
    assert caught.value.details() == "page_token: is not one of ours"


async def test_reachable_only_needs_a_device_and_marketing_consent(profile: Stub) -> None:
    await record(profile, view("e1"), view("e2", user_id="u2"))
    await register(profile, "d1")
    await register(profile, "d2", user_id="u2")
    await consent(profile, "r1", marketing(True))
    request = profile_pb.SelectAudienceRequest(reachable_only=True)
    pages = [page async for page in profile.SelectAudience(request, timeout=TIMEOUT)]
    assert [user for page in pages for user in page.user_ids] == ["u1"]


async def test_a_bad_audience_is_named_by_its_path(profile: Stub) -> None:
    bad = profile_pb.Audience(compare=profile_pb.Audience.Compare(field="horoscope", operator=EQUAL))
    everybody = profile_pb.Audience.All(of=[locale_is("en"), bad])
    request = profile_pb.SelectAudienceRequest(audience=profile_pb.Audience(all=everybody))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [page async for page in profile.SelectAudience(request, timeout=TIMEOUT)]
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith("audience.all.of[1].compare.field: must be one of locale")


async def test_text_that_is_not_utf8_is_refused_by_the_name_of_its_field(
    profile: Stub, profile_address: str
) -> None:
    bad = b"\x0a\x02e1\x12\x02u1\x3a\x04caf\xe9"  # event_id, user_id, query
    async with grpc.aio.insecure_channel(profile_address) as channel:
        method = "/magpie.v1.ProfileService/RecordEvents"
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(b"\x0a" + bytes([len(bad)]) + bad, timeout=TIMEOUT)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details() == "events[0].query: is not valid UTF-8"
