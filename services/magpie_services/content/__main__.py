"""`python -m magpie_services.content`: wires the content service and serves it."""

import grpc

from magpie.v1 import content_service_pb2_grpc as content_grpc
from magpie_services.content.compose import Composer
from magpie_services.content.servicer import ContentServicer
from magpie_services.content.settings import ContentSettings
from magpie_services.kit import serving
from magpie_services.kit.clock import clock_for


async def main(settings: ContentSettings) -> None:
    """Serve until told to stop."""
    clock = clock_for(settings.sandbox)
    servicer = ContentServicer(Composer(settings.default_locale, settings.cached_items), clock)

    def register(server: grpc.aio.Server) -> None:
        content_grpc.add_ContentServiceServicer_to_server(servicer, server)

    await serving.serve(settings, register, clock=clock)


if __name__ == "__main__":
    serving.run("content", ContentSettings, main)
