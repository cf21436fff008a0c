"""The content service over a real socket."""

import time
from collections.abc import AsyncIterator
from io import BytesIO

import grpc
import pytest
import pytest_asyncio
from PIL import Image

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import money_pb2 as money_pb
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie_services.content.card.cards import Cards
from magpie_services.content.card.drawing import Style
from magpie_services.content.card.palette import Colour
from magpie_services.content.card.pictures import Pictures
from magpie_services.content.compose import Composer
from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.learning.inspection import Inspection
from magpie_services.content.learning.tally import Statistics
from magpie_services.content.learning.thompson import ThompsonChooser
from magpie_services.content.servicer import ContentServicer
from magpie_services.content.settings import ContentSettings
from magpie_services.content.verifier import presentable
from magpie_services.kit import serving
from magpie_services.kit.clock import SystemClock

FORMS = [
    Statistics(f"en:plain:plain:none:{call}", sent, sent // 2, 2, 1)
    for call, sent in zip("abc", (4, 6, 8), strict=True)
]


async def counted(locale: str) -> list[Statistics]:
    return FORMS if locale == "en" else []


@pytest_asyncio.fixture
async def stub() -> AsyncIterator["content_grpc.ContentServiceAsyncStub"]:
    settings = ContentSettings(listen="127.0.0.1:0", metrics_listen="", grace_seconds=0.1)
    pictures = Pictures(None, None, 0, time.monotonic)
    cards = Cards(
        pictures, Style(Colour(31, 95, 91), Colour(200, 55, 45)), 1_000_000, presentable, Extractor().words
    )
    chooser = ThompsonChooser()
    inspection = Inspection(counted, lambda: chooser.lesson)
    servicer = ContentServicer(
        Composer(chooser=chooser), cards, Extractor(), inspection, SystemClock(), "zh-CN"
    )

    def register(server: grpc.aio.Server) -> None:
        content_grpc.add_ContentServiceServicer_to_server(servicer, server)

    async with serving.running(settings, register) as address, grpc.aio.insecure_channel(address) as channel:
        yield content_grpc.ContentServiceStub(channel)


def brief(**changes: object) -> content_pb.Brief:
    message = content_pb.Brief(
        item=item_pb.Item(
            item_id="shirt",
            version=3,
            text=item_pb.ItemText(title="真丝衬衫"),
            locale="zh-CN",
            attributes={"style": item_pb.AttributeValues(values=["时尚", "简约"])},
            price=money_pb.Money(currency="CNY", minor_units=129_900),
        ),
        portrait=portrait_pb.Portrait(user_id="somebody", traits=["注重品质"], locale="zh-CN"),
    )
    message.MergeFrom(content_pb.Brief(**changes))  # type: ignore[arg-type]
    return message


async def test_a_batch_is_answered_in_order_and_passes_verification(
    stub: "content_grpc.ContentServiceAsyncStub",
) -> None:
    briefs = [brief(seed=seed, locale=locale) for seed, locale in enumerate(["zh-CN", "en", "zh-TW", "fr"])]
    request = content_pb.ComposeMessagesRequest(briefs=briefs, variants=2, with_description=True)
    response = await stub.ComposeMessages(request)
    assert [one.messages[0].locale for one in response.compositions] == ["zh-CN", "en", "zh-TW", "zh-CN"]
    assert all(len(one.messages) == 2 and one.messages[0].description for one in response.compositions)
    drafts = [
        content_pb.Draft(title=message.title, body=message.body, item=brief().item, traits=["注重品质"])
        for one in response.compositions
        for message in one.messages
    ]
    verdicts = await stub.VerifyMessages(content_pb.VerifyMessagesRequest(drafts=drafts))
    assert all(verdict.passed for verdict in verdicts.verdicts)


async def test_spans_cut_the_words_out_of_the_text(stub: "content_grpc.ContentServiceAsyncStub") -> None:
    request = content_pb.ComposeMessagesRequest(briefs=[brief(strategy=content_pb.STRATEGY_PREMIUM)])
    (composition,) = (await stub.ComposeMessages(request)).compositions
    message = composition.messages[0]
    texts = {content_pb.MESSAGE_PART_TITLE: message.title, content_pb.MESSAGE_PART_BODY: message.body}
    said = {texts[span.part][span.start : span.end] for span in message.spans}
    assert {"时尚", "简约", "注重品质"} <= said
    assert content_pb.STRATEGY_PREMIUM in composition.eligible_strategies


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (content_pb.ComposeMessagesRequest(), "briefs"),
        (content_pb.ComposeMessagesRequest(briefs=[brief()], variants=17), "variants"),
        (
            content_pb.ComposeMessagesRequest(
                briefs=[brief(), content_pb.Brief(item=item_pb.Item(item_id="x"), portrait=brief().portrait)]
            ),
            "briefs[1].item.text.title",
        ),
        (
            content_pb.ComposeMessagesRequest(briefs=[content_pb.Brief(item=brief().item)]),
            "briefs[0].portrait",
        ),
        (
            content_pb.ComposeMessagesRequest(briefs=[brief(facts={"popular_rank": "many"})]),
            "briefs[0].facts[popular_rank]",
        ),
        (
            content_pb.ComposeMessagesRequest(briefs=[brief(excluded_variant_ids=["x"] * 65)]),
            "briefs[0].excluded_variant_ids",
        ),
    ],
)
async def test_a_faulty_brief_is_refused_by_the_name_of_its_field(
    stub: "content_grpc.ContentServiceAsyncStub", request_: content_pb.ComposeMessagesRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ComposeMessages(request_)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(f"{field}:")


@pytest.mark.parametrize(("ratio", "size"), [(0.0, (1200, 600)), (2.0, (1200, 600)), (1.0, (1080, 1080))])
async def test_a_card_is_drawn_and_says_that_it_is_plain(
    stub: "content_grpc.ContentServiceAsyncStub", ratio: float, size: tuple[int, int]
) -> None:
    card = await stub.RenderCard(content_pb.RenderCardRequest(item=brief().item, aspect_ratio=ratio))
    assert (card.width, card.height) == Image.open(BytesIO(card.image)).size == size
    assert (card.media_type, card.plain) == ("image/jpeg", True)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (content_pb.RenderCardRequest(item=brief().item, aspect_ratio=1.5), "aspect_ratio"),
        (content_pb.RenderCardRequest(), "item.item_id"),
        (content_pb.RenderCardRequest(item=item_pb.Item(item_id="x")), "item.text.title"),
    ],
)
async def test_a_faulty_card_is_refused_by_the_name_of_its_field(
    stub: "content_grpc.ContentServiceAsyncStub", request_: content_pb.RenderCardRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RenderCard(request_)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(f"{field}:")


async def test_attributes_come_with_the_words_that_say_them(
    stub: "content_grpc.ContentServiceAsyncStub",
) -> None:
    items = [
        item_pb.Item(item_id="a", text=item_pb.ItemText(title="深蓝色牛皮钱包", description="不含棉布")),
        item_pb.Item(item_id="b", text=item_pb.ItemText(title="A cotton dress, not silk")),
    ]
    answer = await stub.ExtractAttributes(content_pb.ExtractAttributesRequest(items=items))
    assert [one.item_id for one in answer.extractions] == ["a", "b"]
    found = [
        [(one.name, one.value, one.field, one.start, one.end) for one in extraction.attributes]
        for extraction in answer.extractions
    ]
    assert found == [
        [("colour", "深蓝色", "text.title", 0, 3), ("material", "牛皮", "text.title", 3, 5)],
        [("material", "cotton", "text.title", 2, 8)],
    ]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ExtractAttributes(content_pb.ExtractAttributesRequest())
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_forms_are_listed_page_by_page_and_weights_on_the_first(
    stub: "content_grpc.ContentServiceAsyncStub",
) -> None:
    request = content_pb.ListVariantsRequest(locale="en-GB", page_size=2)
    first = await stub.ListVariants(request)
    request.page_token = first.next_page_token
    second = await stub.ListVariants(request)
    listed = [
        (one.variant_id, one.sent_count, one.clicked_count, one.refused_count)
        for one in (*first.variants, *second.variants)
    ]
    assert listed == [(one.variant_id, one.sent, one.clicked, 3) for one in FORMS]
    assert "tired=3" in {weight.feature for weight in first.weights}
    assert not second.weights
    assert not second.next_page_token
    names = {weight.feature for weight in first.weights}
    assert {
        "strategy=price_drop",
        "tone=playful&stage=active",
        "opener=model",
        "call=look&locale=en",
    } <= names
    assert not [name for name in names if "locale=zh" in name or name.startswith(("stage=", "base"))]
    assert all(weight.deviation > 0.0 for weight in first.weights)


async def test_one_strategy_alone_can_be_listed(stub: "content_grpc.ContentServiceAsyncStub") -> None:
    request = content_pb.ListVariantsRequest(locale="en", strategy=content_pb.STRATEGY_PREMIUM)
    page = await stub.ListVariants(request)
    assert not page.variants
    named = [weight.feature for weight in page.weights if "strategy=" in weight.feature]
    assert named
    assert all("strategy=premium" in name for name in named)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (content_pb.ListVariantsRequest(), "locale"),
        (content_pb.ListVariantsRequest(locale="fr"), "locale"),
        (content_pb.ListVariantsRequest(locale="en", strategy=99), "strategy"),  # type: ignore[arg-type]
        (content_pb.ListVariantsRequest(locale="en", page_size=1_001), "page_size"),
        (content_pb.ListVariantsRequest(locale="en", page_size=-1), "page_size"),
        (content_pb.ListVariantsRequest(locale="en", page_token="zh-CN:plain:x"), "page_token"),
        (content_pb.ListVariantsRequest(locale="en", page_token="٣\0/" * 5_000), "page_token"),
    ],
)
async def test_a_faulty_question_about_forms_is_refused_by_the_name_of_its_field(
    stub: "content_grpc.ContentServiceAsyncStub", request_: content_pb.ListVariantsRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListVariants(request_)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(f"{field}:")
