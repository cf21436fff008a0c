"""A service of four methods for the tests of the plumbing, spoken in bytes: no proto of ours is needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from magpie_services.kit.settings import ServiceSettings

NAME = "magpie.test.Echo"
Context = grpc.aio.ServicerContext[bytes, bytes]


class Settings(ServiceSettings):
    """Port 0, nothing else needed."""


class Echo:
    """`unary` and `stream` answer what `behave` does; `slow` sleeps for the request's seconds."""

    def __init__(self, behave: Callable[[], Any] = lambda: "") -> None:
        self.behave = behave
        self.calls = 0
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()
        self.finished = asyncio.Event()

    async def unary(self, request: bytes, context: Context) -> bytes:
        self.calls += 1
        answer = self.behave()
        if isinstance(answer, Awaitable):
            answer = await answer
        return str(answer).encode()

    async def stream(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        yield b"first"
        yield await self.unary(request, context)

    async def slow(self, request: bytes, context: Context) -> bytes:
        self.started.set()
        try:
            await asyncio.sleep(float(request))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.finished.set()
        return b"done"

    def register(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Stream": grpc.unary_stream_rpc_method_handler(self.stream),
            "Slow": grpc.unary_unary_rpc_method_handler(self.slow),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))


def unary_unary(channel: grpc.aio.Channel, method: str) -> Any:
    return channel.unary_unary(f"/{NAME}/{method}")


def unary_stream(channel: grpc.aio.Channel, method: str) -> Any:
    return channel.unary_stream(f"/{NAME}/{method}")
