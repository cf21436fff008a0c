"""Words of a push that waited are held against the facts again, by the real catalogue and content service."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import msgspec
import pytest
from tests.conftest import free_port
from tests.integration.push.conftest import NOON_MS, Bench, Recorder, settings_for
from tests.integration.push.test_campaigns import eventually
from tests.integration.push.test_push_service import (
    EXPIRED,
    HOUR_MS,
    QUEUED,
    SENT,
    decide,
    refusal,
    send,
    settled,
)
from tests.push_neighbours import Neighbours

from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import money_pb2 as money_pb
from magpie.v1 import push_service_pb2 as push_pb
from magpie_services.candidate.__main__ import Candidate
from magpie_services.candidate.settings import CandidateSettings
from magpie_services.core import portraits
from magpie_services.core.events import Event, EventKind
from magpie_services.kit.metrics import REGISTRY
from magpie_services.kit.redis import Redis, user_key
from magpie_services.kit.serving import running
from magpie_services.push.delivery import Fate
from magpie_services.push.wiring import build

NIGHT_MS = NOON_MS + 11 * HOUR_MS
MORNING_MS = NOON_MS + 20 * HOUR_MS
DROP = push_pb.Policy(strategy=content_pb.STRATEGY_PRICE_DROP)


class Shop:
    """A served push with the real candidate and content beside it; the content service is a process."""

    def __init__(self, bench: Bench, catalog: str, content: str, redis_url: str) -> None:
        self.bench = bench
        self.redis_url = redis_url
        self.content_address = content
        self.catalog_channel = grpc.aio.insecure_channel(catalog)
        self.content_channel = grpc.aio.insecure_channel(content)
        self.catalog = catalog_grpc.CatalogServiceStub(self.catalog_channel)
        self.content = content_grpc.ContentServiceStub(self.content_channel)
        self.process: asyncio.subprocess.Process | None = None

    async def open_content(self) -> None:
        """Starts the content service and waits until it answers."""
        told = {
            "LISTEN": self.content_address,
            "METRICS_LISTEN": "",
            "SANDBOX": "true",
            "REDIS_URL": self.redis_url,
        }
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "magpie_services.content"),
            env=os.environ | {f"MAGPIE_CONTENT_{name}": value for name, value in told.items()},
            stdout=asyncio.subprocess.DEVNULL,
        )
        await asyncio.wait_for(self.content_channel.channel_ready(), 20)

    async def close_content(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def offer(self, price: int, *, stock: int = 50, link: str = "app://kettle") -> None:
        """The kettle at a price in cents; its list price is EUR 60."""
        item = item_pb.Item(
            item_id="kettle",
            text=item_pb.ItemText(title="Kettle Alba"),
            locale="en",
            categories=["Kettles"],
            price=money_pb.Money(currency="EUR", minor_units=price),
            list_price=money_pb.Money(currency="EUR", minor_units=6_000),
            stock=stock,
            link=link,
        )
        request = catalog_pb.UpsertItemsRequest(items=[item], request_id=f"{price}-{stock}-{link}")
        await self.catalog.UpsertItems(request, timeout=10)

    async def queued(self, policy: push_pb.Policy = DROP) -> Any:
        """A push of the kettle to Ann, decided at night about an offer of EUR 45."""
        await self.offer(4_500)
        request = push_pb.SendPushesRequest(
            targets=[push_pb.Target(user_id="ann", item_id="kettle")], policy=policy, request_id="r"
        )
        decision = (await self.bench.at(NIGHT_MS, self.bench.push.SendPushes, request)).decisions[0]
        assert decision.verdict == QUEUED, decision
        return decision

    async def in_the_morning(self, decision: Any, *verdicts: int) -> Any:
        """The same once it is handed over, or not."""
        await decide(self.bench, MORNING_MS, push_pb.Target(user_id="nobody"))  # the sandbox's time moves
        return await settled(self.bench, decision.decision_id, *verdicts)

    @property
    def shown(self) -> str:
        """All that the phone showed."""
        return "\n".join(f"{one.title}\n{one.body}" for one in self.bench.provider.messages)


@pytest.fixture
async def shop(redis_url: str, around: Neighbours) -> AsyncIterator[Shop]:
    """Content is there from the start."""
    candidate_settings = CandidateSettings(
        listen="127.0.0.1:0",
        metrics_listen="",
        redis_url=redis_url,
        model_server_address="dns:///127.0.0.1:1",
        sandbox=True,
        grace_seconds=0.0,
    )
    room = Candidate(candidate_settings)
    async with running(
        candidate_settings,
        room.register,
        clock=room.clock,
        ready=room.ready,
        background=room.loops,
        closers=[room.close],
    ) as catalog:
        content = f"127.0.0.1:{free_port()}"
        settings = settings_for(redis_url, around, candidate_address=catalog, content_address=content)
        provider = Recorder()
        push = await build(settings, {"console": provider})
        async with running(
            settings, push.register, clock=push.clock, background=push.background, closers=push.closers
        ) as address:
            bench = Bench(push, address, around, provider)
            shop = Shop(bench, catalog, content, redis_url)
            try:
                around.profile.add("ann")
                await shop.open_content()
                yield shop
            finally:
                await shop.close_content()
                for channel in (bench.channel, shop.catalog_channel, shop.content_channel):
                    await channel.close()


def looked_at(what: str) -> float:
    return REGISTRY.get_sample_value("magpie_push_words_total", {"what": what}) or 0.0


async def test_no_stale_price_reaches_a_phone(shop: Shop, redis: Redis) -> None:
    before = looked_at("renewed")
    decision = await shop.queued()
    assert decision.message.strategy == content_pb.STRATEGY_PRICE_DROP
    await shop.offer(5_400)
    sent = await shop.in_the_morning(decision, SENT)
    assert sent.arms[sent.chosen_arm].item_id == "kettle"
    assert "45" not in shop.shown
    assert "25%" not in shop.shown
    told = [one for one in sent.predicates if one.predicate == "words_renewed"]
    assert len(told) == 1
    assert told[0].passed
    assert {span.version for span in sent.message.spans if span.source == "kettle"} == {2}
    assert [(one.title, one.body) for one in shop.bench.provider.messages] == [
        (sent.message.title, sent.message.body)
    ]
    items = await shop.catalog.GetItems(catalog_pb.GetItemsRequest(item_ids=["kettle"]), timeout=10)
    draft = content_pb.Draft(
        title=sent.message.title,
        body=sent.message.body,
        item=items.items[0],
        locale=sent.message.locale,
        strategy=sent.message.strategy,
    )
    verdicts = await shop.content.VerifyMessages(content_pb.VerifyMessagesRequest(drafts=[draft]), timeout=10)
    assert verdicts.verdicts[0].passed, verdicts
    assert looked_at("renewed") == before + 1
    # The portrait remembers the form of the words that went out, not of those that waited.
    people = shop.bench.around.profile.portraits.values()
    forms = {push.decision_id: push.variant_id for one in people for push in one.pushes.recent}
    assert sent.message.variant_id.startswith("en:price_drop:")
    assert forms[sent.decision_id] == sent.message.variant_id

    # The offer ends: what still waits of it says nothing of a lower price.
    provider = shop.bench.provider
    provider.messages.clear()
    provider.fates = [Fate.LATER]
    shop.bench.around.profile.add("bob")
    request = push_pb.SendPushesRequest(
        targets=[push_pb.Target(user_id="bob", item_id="kettle")], policy=DROP, request_id="later"
    )
    decision = (await shop.bench.at(MORNING_MS, shop.bench.push.SendPushes, request)).decisions[0]
    assert decision.verdict == QUEUED
    await shop.offer(6_000)
    await decide(shop.bench, MORNING_MS + 60_000, push_pb.Target(user_id="nobody"))
    sent = await settled(shop.bench, decision.decision_id, SENT)
    assert sent.message.strategy != content_pb.STRATEGY_PRICE_DROP
    assert "54" not in shop.shown
    assert "10%" not in shop.shown


async def test_words_that_hold_are_sent_as_they_were_and_what_is_sold_out_is_not(
    shop: Shop, redis: Redis
) -> None:
    decision = await shop.queued()
    await shop.offer(4_500, link="app://kettles/kettle")
    sent = await shop.in_the_morning(decision, SENT)
    assert shop.bench.provider.messages[0].link == "app://kettles/kettle"
    sent.message.link = decision.message.link
    assert sent.message == decision.message
    assert not [one for one in sent.predicates if one.predicate == "words_renewed"]

    provider = shop.bench.provider
    provider.messages.clear()
    provider.fates = [Fate.LATER]
    shop.bench.around.profile.add("bob")
    request = push_pb.SendPushesRequest(
        targets=[push_pb.Target(user_id="bob", item_id="kettle")], request_id="later"
    )
    decision = (await shop.bench.at(MORNING_MS, shop.bench.push.SendPushes, request)).decisions[0]
    assert decision.verdict == QUEUED
    await shop.offer(4_500, stock=0)
    await decide(shop.bench, MORNING_MS + 60_000, push_pb.Target(user_id="nobody"))
    closed = await settled(shop.bench, decision.decision_id, EXPIRED)
    assert refusal(closed) == "stock"
    assert provider.messages == []
    assert await redis.zcard(user_key("cap_held", "bob")) == 0
    assert await redis.zcard(user_key("cap_sent", "bob")) == 0


async def test_without_the_content_service_the_words_are_those_that_claim_nothing(shop: Shop) -> None:
    decision = await shop.queued()
    await shop.offer(5_400)
    await shop.close_content()
    sent = await shop.in_the_morning(decision, SENT)
    assert sent.message.safe_template
    assert list(sent.degraded) == ["content"]
    assert shop.shown == "Kettle Alba\nTap to see the details."


async def test_who_does_not_want_to_be_described_any_more_is_not(shop: Shop) -> None:
    profile = shop.bench.around.profile
    put = Event(
        event_id="e", user_id="ann", kind=EventKind.ADD_TO_CART, occurred_ms=NOON_MS, item_id="kettle"
    )
    portraits.fold(profile.portraits["ann"], put)
    decision = await shop.queued(push_pb.Policy(strategy=content_pb.STRATEGY_CART_REMINDER))
    assert decision.message.strategy == content_pb.STRATEGY_CART_REMINDER
    profile.agree("ann", device_pb.PURPOSE_PERSONALISATION, False)
    sent = await shop.in_the_morning(decision, SENT)
    assert [one.predicate for one in sent.predicates].count("words_renewed") == 1
    assert sent.message.strategy not in (0, content_pb.STRATEGY_CART_REMINDER)
    assert not [span for span in sent.message.spans if span.source == "portrait"]


async def test_new_words_about_another_version_than_the_catalogue_has_are_not_sent(bench: Bench) -> None:
    around = bench.around
    around.profile.add("ann")
    decision = await send(bench, NIGHT_MS, "ann")
    item = around.catalogue.items["item0"]
    around.catalogue.items["item0"] = msgspec.structs.replace(item, version=3)
    around.content.behind = 1
    await decide(bench, MORNING_MS, push_pb.Target(user_id="nobody"))
    closed = await settled(bench, decision.decision_id, EXPIRED)
    assert refusal(closed) == "price"
    assert bench.provider.messages == []


@pytest.mark.parametrize("held", [True, False])
async def test_words_of_the_caller_are_sent_as_they_are_or_not_at_all(bench: Bench, held: bool) -> None:
    around = bench.around
    around.profile.add("ann")
    words = content_pb.Message(title="A kettle", body="v1")
    decision = await send_words(bench, words)
    around.content.away = True
    before = looked_at("waiting")
    await decide(bench, MORNING_MS, push_pb.Target(user_id="nobody"))
    await eventually(lambda: looked_at("waiting") > before)
    await asyncio.sleep(0.05)
    assert bench.provider.messages == [], "nobody can tell whether they hold"
    assert looked_at("waiting") == before + 1, "it is not asked all the time"
    around.content.away = False
    if not held:
        item = around.catalogue.items["item3"]
        around.catalogue.items["item3"] = msgspec.structs.replace(item, version=2)
    await decide(bench, MORNING_MS + 60_000, push_pb.Target(user_id="nobody"))
    closed = await settled(bench, decision.decision_id, SENT, EXPIRED)
    assert closed.verdict == (SENT if held else EXPIRED)
    assert refusal(closed) == ("" if held else "copy_verified")
    assert [one.body for one in bench.provider.messages] == (["v1"] if held else [])


async def send_words(bench: Bench, words: content_pb.Message) -> Any:
    target = push_pb.Target(user_id="ann", item_id="item3", message=words)
    request = push_pb.SendPushesRequest(targets=[target], request_id="words")
    decision = (await bench.at(NIGHT_MS, bench.push.SendPushes, request)).decisions[0]
    assert decision.verdict == QUEUED
    return decision


async def test_where_the_user_stands_with_the_item_is_known_again(bench: Bench) -> None:
    """Facts of the charts and of the portrait travel with the words that are verified."""
    around = bench.around
    around.profile.add("ann")
    around.catalogue.ranks["item0"] = 3
    decision = await send(bench, NIGHT_MS, "ann")
    assert dict(around.content.briefs[-1].facts) == {"popular_rank": "3", "trend_category": "Kettles"}
    around.catalogue.ranks["item0"] = 4
    await decide(bench, MORNING_MS, push_pb.Target(user_id="nobody"))
    await settled(bench, decision.decision_id, SENT)
    draft = around.content.drafts[-1]
    assert dict(draft.facts) == {"popular_rank": "4", "trend_category": "Kettles"}
    assert draft.strategy == content_pb.STRATEGY_PLAIN
