"""The content service over a real socket."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import money_pb2 as money_pb
from magpie.v1 import portrait_pb2 as portrait_pb
from magpie_services.content.compose import Composer
from magpie_services.content.servicer import ContentServicer
from magpie_services.content.settings import ContentSettings
from magpie_services.kit import serving
from magpie_services.kit.clock import SystemClock


@pytest_asyncio.fixture
async def stub() -> AsyncIterator["content_grpc.ContentServiceAsyncStub"]:
    settings = ContentSettings(listen="127.0.0.1:0", metrics_listen="", grace_seconds=0.1)
    servicer = ContentServicer(Composer(), SystemClock())

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
    assert [one.messages[0].locale for one in response.compositions] == ["zh-CN", "en", "zh-CN", "zh-CN"]
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


async def test_picture_cards_are_not_served_yet(stub: "content_grpc.ContentServiceAsyncStub") -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RenderCard(content_pb.RenderCardRequest(item=brief().item))
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
