"""The catalogue as CatalogService tells it: all items to learn words from, one item to draw its card."""

from collections.abc import AsyncIterator

import grpc

from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie_services.core.items import Item
from magpie_services.kit.channels import open_channel, translate
from magpie_services.kit.deadlines import remaining
from magpie_services.wire.items import item_from_proto

PAGE_ITEMS = 200  # long descriptions and vectors included, far below the limit of a message
_READS = ("magpie.v1.CatalogService/ListItems", "magpie.v1.CatalogService/GetItems")


class Catalogue:
    """Reads items; `seconds` is for one call."""

    def __init__(self, address: str, seconds: float) -> None:
        self._channel = open_channel(address, retry_reads=_READS)
        self._stub = catalog_grpc.CatalogServiceStub(self._channel)
        self._seconds = seconds

    async def items(self) -> AsyncIterator[Item]:
        """Every item that is not withdrawn, in no particular order. Raises MagpieError."""
        token = ""
        while True:
            request = catalog_pb.ListItemsRequest(page_size=PAGE_ITEMS, page_token=token)
            try:
                page = await self._stub.ListItems(request, timeout=remaining(self._seconds))
            except grpc.aio.AioRpcError as error:
                raise translate(error) from error
            for message in page.items:
                yield item_from_proto(message)
            token = page.next_page_token
            if not token:
                return

    async def item(self, item_id: str) -> Item | None:
        """One item, None where there is none or it was withdrawn. Raises MagpieError."""
        request = catalog_pb.GetItemsRequest(item_ids=[item_id], omit_picture_vectors=True)
        try:
            answer = await self._stub.GetItems(request, timeout=remaining(self._seconds))
        except grpc.aio.AioRpcError as error:
            raise translate(error) from error
        found = [item_from_proto(message) for message in answer.items if not message.withdrawn]
        return found[0] if found else None

    async def close(self) -> None:
        """Let go of the connection."""
        await self._channel.close()
