"""The lexicon is learnt from a CatalogService over a real socket, and outlives its absence."""

import asyncio
from typing import Any

import grpc

from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie.v1 import item_pb2 as item_pb
from magpie_services.content import slots
from magpie_services.content.catalogue import Catalogue
from magpie_services.content.compose import Brief, Composer
from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.extraction.learner import Learner
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait

HAT = Item(item_id="x", title="zinnwaldish hat")


class Shop(catalog_grpc.CatalogServiceServicer):
    """Items in pages of two."""

    def __init__(self) -> None:
        self.items = [
            item_pb.Item(
                item_id=str(at),
                text=item_pb.ItemText(title=f"zinnwaldish mug {at}"),
                attributes={"colour": item_pb.AttributeValues(values=["zinnwaldish"])},
                withdrawn=at == 4,
            )
            for at in range(5)
        ]
        self.pages = 0

    async def ListItems(
        self, request: catalog_pb.ListItemsRequest, context: Any
    ) -> catalog_pb.ListItemsResponse:
        self.pages += 1
        first = int(request.page_token or 0)
        token = str(first + 2) if first + 2 < len(self.items) else ""
        return catalog_pb.ListItemsResponse(items=self.items[first : first + 2], next_page_token=token)

    async def GetItems(
        self, request: catalog_pb.GetItemsRequest, context: Any
    ) -> catalog_pb.GetItemsResponse:
        return catalog_pb.GetItemsResponse(
            items=[one for one in self.items if one.item_id in request.item_ids]
        )


def knows_its_colour(composer: Composer) -> bool:
    """Whether a message about the hat may say its colour, which only its title tells."""
    brief = Brief(item=HAT, portrait=Portrait(user_id="u", locale="en"))
    return bool(composer.work(brief, 1_800_000_000_000).known.filled & slots.BITS["colour"])


async def test_words_are_learnt_page_by_page_and_kept() -> None:
    shop, server = Shop(), grpc.aio.server()  # type: ignore[abstract] # what is not asked for is not there
    catalog_grpc.add_CatalogServiceServicer_to_server(shop, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    catalogue, extractor = Catalogue(f"dns:///127.0.0.1:{port}", 2.0), Extractor()
    try:
        assert extractor.attributes(HAT) == []
        composer = Composer(extractor=extractor.spoken)
        assert not knows_its_colour(composer)
        learner = Learner(extractor, catalogue, 100, 0.01, composer.forget)
        assert await learner.learn() == 5
        # An item that was written about before is read anew.
        assert knows_its_colour(composer)
        assert shop.pages == 3
        assert [one.value for one in extractor.attributes(HAT)] == ["zinnwaldish"]
        found = await catalogue.item("3")
        assert found is not None
        assert found.item_id == "3"
        assert await catalogue.item("4") is None  # withdrawn
        assert await catalogue.item("9") is None
        assert await Learner(extractor, catalogue, most_items=2, seconds=1.0).learn() == 2
        await server.stop(None)
        extractor.lexicon = learnt = Extractor().lexicon
        running = asyncio.create_task(learner.run())
        await asyncio.sleep(0.1)
        assert not running.done()
        assert extractor.lexicon is learnt
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    finally:
        await catalogue.close()
        await server.stop(None)
