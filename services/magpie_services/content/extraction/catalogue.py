"""The catalogue as CatalogService lists it."""

from collections.abc import AsyncIterator

import grpc

from magpie.v1 import catalog_service_pb2 as catalog_pb
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie_services.core.items import Item
from magpie_services.kit.channels import open_channel, translate
from magpie_services.kit.deadlines import remaining
from magpie_services.wire.items import item_from_proto

PAGE_ITEMS = 200  # long descriptions and vectors included, far below the limit of a message
_LIST_ITEMS = "magpie.v1.CatalogService/ListItems"


class CatalogueOverGrpc:
    """Reads the catalogue page by page; `seconds` is for one page."""

    def __init__(self, address: str, seconds: float) -> None:
        self._channel = open_channel(address, retry_reads=[_LIST_ITEMS])
        self._stub = catalog_grpc.CatalogServiceStub(self._channel)
        self._seconds = seconds

    async def items(self) -> AsyncIterator[Item]:
        """Every item that is not withdrawn. Raises MagpieError."""
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

    async def close(self) -> None:
        """Let go of the connection."""
        await self._channel.close()
