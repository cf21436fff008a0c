"""Calls inside one process are like calls over a socket: statuses, deadlines, streams, what travels."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from tests.integration.kit.echo import Echo, Settings, unary_stream, unary_unary

from magpie_services.kit import context
from magpie_services.kit.channels import open_channel, translate
from magpie_services.kit.clock import RequestClock
from magpie_services.kit.errors import CannotStart, Invalid
from magpie_services.kit.serving import Server, running

ADDRESS = "local:echo"


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    served = Echo()
    async with running(
        Settings(listen=ADDRESS, sandbox=True), served.register, clock=RequestClock()
    ) as address:
        assert address == ADDRESS
        yield served


async def test_an_answer_is_handed_over_as_it_is(echo: Echo) -> None:
    echo.behave = lambda: "你好"
    async with open_channel(ADDRESS) as channel:
        assert await unary_unary(channel, "Unary")(b"", timeout=2) == "你好".encode()
        answers = [answer async for answer in unary_stream(channel, "Stream")(b"", timeout=2)]
    assert answers == [b"first", "你好".encode()]


async def test_an_error_arrives_with_its_details(echo: Echo) -> None:
    def behave() -> str:
        raise Invalid("user_id", "is required")

    echo.behave = behave
    async with open_channel(ADDRESS) as channel:

        async def streamed() -> None:
            async for _ in unary_stream(channel, "Stream")(b"", timeout=2):
                pass

        for answered in (unary_unary(channel, "Unary")(b"", timeout=2), streamed()):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answered
            seen = translate(caught.value)
            assert isinstance(seen, Invalid)
            assert list(seen.violations) == [("user_id", "is required")]


async def test_a_deadline_ends_the_work(echo: Echo) -> None:
    async with open_channel(ADDRESS) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary_unary(channel, "Slow")(b"30", timeout=0.05)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(echo.cancelled.wait(), 5)


async def test_who_gives_up_ends_the_work(echo: Echo) -> None:
    async with open_channel(ADDRESS) as channel:

        async def ask() -> Any:
            return await unary_unary(channel, "Slow")(b"30", timeout=60)

        task = asyncio.create_task(ask())
        await echo.started.wait()
        task.cancel()
        await asyncio.wait_for(echo.cancelled.wait(), 5)


async def test_id_and_time_travel_and_do_not_leak_into_the_caller(echo: Echo) -> None:
    echo.behave = lambda: f"{context.request_id.get()} {context.request_time_ms.get()}"
    headers = ((context.REQUEST_ID_HEADER, "r1"), (context.NOW_HEADER, "7"))
    async with open_channel(ADDRESS) as channel:
        assert await unary_unary(channel, "Unary")(b"", timeout=2, metadata=headers) == b"r1 7"
        assert context.request_time_ms.get() is None
        context.request_time_ms.set(9)
        assert (await unary_unary(channel, "Unary")(b"", timeout=2)).endswith(b" 9")
        with pytest.raises(ValueError, match="without timeout"):
            unary_unary(channel, "Unary")(b"")


async def test_nobody_there_and_nothing_known_are_said(echo: Echo) -> None:
    async with open_channel("local:nobody") as nobody, open_channel(ADDRESS) as channel:
        for call, code in (
            (unary_unary(nobody, "Unary"), grpc.StatusCode.UNAVAILABLE),
            (unary_unary(channel, "Unknown"), grpc.StatusCode.UNIMPLEMENTED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"", timeout=2)
            assert caught.value.code() is code


async def test_an_address_has_one_server(echo: Echo) -> None:
    second = Server(Settings(listen=ADDRESS), echo.register)
    with pytest.raises(CannotStart, match="local:echo"):
        await second.start()
    await second.stop()
    async with open_channel(ADDRESS) as channel:
        echo.behave = lambda: "still there"
        assert await unary_unary(channel, "Unary")(b"", timeout=2) == b"still there"
