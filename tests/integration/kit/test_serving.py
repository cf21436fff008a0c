"""The plumbing over a real socket."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.integration.kit.echo import NAME, Echo, Settings, unary_stream, unary_unary

from magpie_services.kit import context, status
from magpie_services.kit.channels import open_channel, translate
from magpie_services.kit.clock import RequestClock
from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import CannotStart, Invalid, MagpieError, NotFound, TooMany, Unavailable
from magpie_services.kit.probe import is_serving
from magpie_services.kit.serving import READY_POLL_SECONDS, Server, running, spare

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def unary(
    channel: grpc.aio.Channel, *, timeout: float = 2, name: str = "Unary", body: bytes = b""
) -> str:
    answer: bytes = await unary_unary(channel, name)(body, timeout=timeout)
    return answer.decode()


async def stream(channel: grpc.aio.Channel, *, timeout: float = 2) -> list[bytes]:
    return [answer async for answer in unary_stream(channel, "Stream")(b"", timeout=timeout)]


def raising(error: Exception) -> Callable[[], str]:
    def behave() -> str:
        raise error

    return behave


@pytest.mark.parametrize("kind", [unary, stream])
@pytest.mark.parametrize(
    "error", [Invalid("user_id", "is required"), TooMany("enough", retry_after_ms=20), Unavailable("away")]
)
async def test_an_error_arrives_as_its_status_with_details(
    kind: Callable[[grpc.aio.Channel], Awaitable[Any]], error: MagpieError
) -> None:
    async with (
        running(Settings(), Echo(raising(error)).register) as address,
        open_channel(address) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await kind(channel)
    assert caught.value.code() is status.code_of(error)
    seen = translate(caught.value)
    assert (type(error), error.message) == (type(seen), seen.message)


async def test_a_request_with_a_thousand_faults_is_told_the_first_of_them() -> None:
    faults = [(f"briefs[{n}].item.text.title", "必填" * 60) for n in range(1_000)]
    echo = Echo(raising(Invalid.many(faults)))
    async with running(Settings(), echo.register) as address, grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary_unary(channel, "Unary")(b"", timeout=2)
    seen = translate(caught.value)
    assert isinstance(seen, Invalid)
    assert 1 < len(seen.violations) < 1_000
    assert list(seen.violations) == faults[: len(seen.violations)]


@pytest.mark.parametrize("kind", [unary, stream])
async def test_the_text_of_an_unexpected_exception_never_leaves(
    kind: Callable[[grpc.aio.Channel], Awaitable[Any]],
) -> None:
    echo = Echo(raising(RuntimeError("password=hunter2")))
    async with running(Settings(), echo.register) as address, open_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await kind(channel)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    trailing = caught.value.trailing_metadata()
    assert "hunter2" not in repr(trailing)
    assert len(str(trailing[context.REQUEST_ID_HEADER])) == 32


async def test_a_proxy_of_the_environment_is_not_asked_about_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with running(Settings(), Echo(lambda: "x").register) as address:
        async with open_channel(f"dns:///{address}") as channel:
            assert await unary(channel) == "x"
        assert await asyncio.to_thread(is_serving, address)


async def test_streams_deliver_in_order() -> None:
    async with running(Settings(), Echo(lambda: "x").register) as address, open_channel(address) as channel:
        assert await stream(channel) == [b"first", b"x"]


async def test_the_request_id_travels_through_services() -> None:
    inner = Echo(context.request_id.get)
    async with running(Settings(), inner.register) as inner_address, open_channel(inner_address) as hop:
        outer = Echo(lambda: unary(hop))
        async with running(Settings(), outer.register) as address, open_channel(address) as channel:
            call = unary_unary(channel, "Unary")
            seen = await call(b"", timeout=2, metadata=((context.REQUEST_ID_HEADER, "r-1"),))
            unfit = await call(b"", timeout=2, metadata=((context.REQUEST_ID_HEADER, "a b"),))
    assert seen == b"r-1"
    assert unfit != b"a b"
    assert len(unfit) == 32


async def test_an_outgoing_call_gets_less_time_than_its_caller_gave() -> None:
    echo = Echo(lambda: remaining(10))
    async with running(Settings(), echo.register) as address, open_channel(address) as channel:
        left = float(await unary(channel, timeout=0.5))
    assert 0.3 < left < 0.5 + 0.02  # gRPC rounds a deadline up on the wire by some milliseconds


async def test_a_deadline_is_kept_to_and_cancels_the_work() -> None:
    echo = Echo()
    async with running(Settings(), echo.register) as address, open_channel(address) as channel:
        started = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary(channel, name="Slow", body=b"5", timeout=0.3)
        took = time.monotonic() - started
        await asyncio.wait_for(echo.cancelled.wait(), 2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0.28 < took < 0.6


async def test_a_call_without_a_deadline_is_capped_by_the_server() -> None:
    echo = Echo()
    settings = Settings(max_call_seconds=0.2)
    async with running(settings, echo.register) as address, grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary_unary(channel, "Slow")(b"5")
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert echo.cancelled.is_set()


async def test_our_channels_refuse_a_call_without_timeout() -> None:
    async with running(Settings(), Echo().register) as address, open_channel(address) as channel:
        with pytest.raises(ValueError, match="timeout"):
            await unary_unary(channel, "Unary")(b"")
        with pytest.raises(ValueError, match="timeout"):
            await unary_stream(channel, "Stream")(b"").read()


async def test_a_sandbox_takes_the_time_from_the_request_and_hands_it_on() -> None:
    clock = RequestClock()
    inner = Echo(clock.now_ms)
    async with running(Settings(sandbox=True), inner.register, clock=clock) as to, open_channel(to) as hop:
        outer = Echo(lambda: unary(hop))
        async with (
            running(Settings(sandbox=True), outer.register) as address,
            open_channel(address) as channel,
        ):
            seen = await unary_unary(channel, "Unary")(b"", timeout=2, metadata=((context.NOW_HEADER, "42"),))
    assert seen == b"42"
    assert clock.now_ms() == 42


@pytest.mark.parametrize(("sandbox", "now"), [(False, "42"), (True, "-1"), (True, "soon"), (True, "9" * 15)])
async def test_the_time_is_refused_outside_a_sandbox_and_when_it_is_none(sandbox: bool, now: str) -> None:
    echo = Echo()
    async with running(Settings(sandbox=sandbox), echo.register) as address, open_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary_unary(channel, "Unary")(b"", timeout=2, metadata=((context.NOW_HEADER, now),))
    error = translate(caught.value)
    assert isinstance(error, Invalid)
    assert error.violations[0][0] == "magpie-now"
    assert echo.calls == 0


async def test_health_follows_readiness_by_service_and_liveness_by_process() -> None:
    ready = False

    async def is_ready() -> bool:
        return ready

    async with (
        running(Settings(), Echo().register, ready=is_ready) as address,
        open_channel(address) as channel,
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)

        async def check(service: str) -> Any:
            return (await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=2)).status

        assert [await check(""), await check(NAME)] == [SERVING, NOT_SERVING]
        ready = True
        await asyncio.sleep(READY_POLL_SECONDS + 0.1)
        assert await check(NAME) == SERVING


async def test_reflection_lists_the_services() -> None:
    async with running(Settings(), Echo().register) as address, grpc.aio.insecure_channel(address) as channel:
        plain: Any = channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(plain)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([request]))
        names = [service.name async for answer in call for service in answer.list_services_response.service]
    assert {NAME, "grpc.health.v1.Health"} <= set(names)


async def test_a_stop_lets_the_call_in_flight_finish_and_then_closes() -> None:
    echo = Echo()
    seen_by_closers: list[bool] = []

    async def fails() -> None:
        raise RuntimeError("cannot close")

    async def close() -> None:
        seen_by_closers.append(echo.finished.is_set())

    server = Server(Settings(grace_seconds=5), echo.register, closers=[fails, close])
    await server.start()
    async with open_channel(server.address) as channel:
        call = asyncio.ensure_future(unary(channel, name="Slow", body=b"0.3"))
        await echo.started.wait()
        await server.stop()
        assert await call == "done"
    assert seen_by_closers == [True]


async def test_overload_answers_at_once() -> None:
    echo = Echo()
    settings = Settings(max_concurrent_calls=1)
    async with running(settings, echo.register) as address, open_channel(address) as channel:
        first = asyncio.ensure_future(unary(channel, name="Slow", body=b"0.3"))
        await echo.started.wait()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary(channel, name="Slow", body=b"0.3")
        stub: Any = health_pb2_grpc.HealthStub(channel)
        alive = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
        assert not first.done()
        await first
        assert await unary(channel, name="Slow", body=b"0") == "done", "the place is free again"
    assert isinstance(translate(caught.value), TooMany)
    assert alive.status == SERVING, "an overloaded process is not a dead one"


async def test_only_named_reads_are_tried_again() -> None:
    echo = Echo(raising(Unavailable("away")))
    async with running(Settings(), echo.register) as address:
        for reads, calls in (((f"{NAME}/Unary",), 3), ((), 1)):
            echo.calls = 0
            async with open_channel(address, retry_reads=reads) as channel:
                with pytest.raises(grpc.aio.AioRpcError):
                    await unary(channel)
            assert echo.calls == calls


async def test_an_address_in_use_is_one_clear_line() -> None:
    async with running(Settings(), Echo().register) as address:
        with pytest.raises(CannotStart, match=f"cannot listen on {address}"):
            await Server(Settings(listen=address), Echo().register).start()


async def test_the_death_of_a_background_loop_is_noticed() -> None:
    async def dies() -> None:
        raise NotFound("gone")

    server = Server(Settings(), Echo().register, background=[dies])
    await server.start()
    await asyncio.wait_for(server.failed.wait(), 2)
    await server.stop()


async def test_a_spare_loop_that_dies_begins_anew_and_the_service_lives_on() -> None:
    begun, holds = 0, asyncio.Event()

    async def dies_twice() -> None:
        nonlocal begun
        begun += 1
        if begun <= 2:
            raise RuntimeError("of no use")
        holds.set()
        await asyncio.Event().wait()

    server = Server(Settings(), Echo().register, background=[spare(dies_twice, first_pause_seconds=0.01)])
    await server.start()
    await asyncio.wait_for(holds.wait(), 5)
    assert not server.failed.is_set()
    await server.stop()


async def test_metrics_are_served() -> None:
    server = Server(Settings(metrics_listen="127.0.0.1:0"), Echo().register)
    await server.start()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{server.metrics_port}/metrics")
    await server.stop()
    assert "magpie_rpc_duration_seconds" in answer.text
