"""What surrounds every served call: its id, access line and metrics, load, deadline, sandbox's time, errors.

One interceptor, because these always come together and in this order. Health and reflection pass by.
"""

import asyncio
import re
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, TypeAlias

import grpc
import structlog

from magpie_services.kit import context, metrics, status
from magpie_services.kit.clock import Clock, RequestClock
from magpie_services.kit.errors import DeadlineExceeded, Invalid, MagpieError, TooMany
from magpie_services.kit.unreadable import Unreadable, reading

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")
#: The end of the year 9999: beyond it a Timestamp cannot say the time.
_LATEST_MS = 253_402_300_799_999

#: When an overloaded service may be asked again.
OVERLOAD_MS = 1_000

# Not subscriptable at run time.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Found: TypeAlias = "Handler | None"
Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Any]


class CallSettings(Protocol):
    @property
    def max_call_seconds(self) -> float: ...
    @property
    def max_concurrent_calls(self) -> int: ...
    @property
    def sandbox(self) -> bool: ...


class CallInterceptor(grpc.aio.ServerInterceptor):
    def __init__(self, settings: CallSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._in_flight = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Found]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Found:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        if handler.response_streaming:
            served = self._streaming(method, _behaviour(handler))
            build = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
        else:
            served = self._unary(method, _behaviour(handler))
            build = (
                grpc.stream_unary_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_unary_rpc_method_handler
            )
        wrapped: Handler = build(served, reading(handler.request_deserializer), handler.response_serializer)
        return wrapped

    def _unary(self, method: str, behaviour: Behaviour) -> Behaviour:
        async def serve(request: Any, servicer_context: Context) -> Any:
            return await self._around(method, servicer_context, lambda: work(request, servicer_context))

        async def work(request: Any, servicer_context: Context) -> Any:
            if isinstance(request, Unreadable):
                raise request.error
            return await behaviour(request, servicer_context)

        return serve

    def _streaming(self, method: str, behaviour: Behaviour) -> Behaviour:
        # A coroutine that writes, not a generator: a call cancelled halfway then unwinds in its own task.
        async def send(request: Any, servicer_context: Context) -> None:
            if isinstance(request, Unreadable):
                raise request.error
            responses = behaviour(request, servicer_context)
            if not hasattr(responses, "__aiter__"):
                await responses  # it writes for itself
                return
            async with aclosing(responses):
                async for response in responses:
                    await servicer_context.write(response)

        async def serve(request: Any, servicer_context: Context) -> None:
            await self._around(method, servicer_context, lambda: send(request, servicer_context))

        return serve

    async def _around(
        self, method: str, servicer_context: Context, work: Callable[[], Awaitable[Any]]
    ) -> Any:
        headers = _headers(servicer_context)
        request_id = _request_id(headers)
        context.request_id.set(request_id)
        servicer_context.set_trailing_metadata(((context.REQUEST_ID_HEADER, request_id),))
        with _Observed(method) as observed:
            try:
                async with self._place(), self._limit(servicer_context):
                    self._set_time(headers)
                    return await work()
            except grpc.aio.AbortError:
                observed.code = _aborted_code(servicer_context)
                raise
            except asyncio.CancelledError:
                observed.code = grpc.StatusCode.CANCELLED.name
                raise
            except MagpieError as error:
                answer = status.encode(error, request_id)
                if answer[0] is grpc.StatusCode.INTERNAL:
                    log.error("rpc.failed", method=method, error=traceback.format_exc())
            except Exception:
                answer = status.encode_unexpected(request_id)
                log.error("rpc.failed", method=method, error=traceback.format_exc())
            code, text, details = answer
            observed.code = code.name
            await servicer_context.abort(
                code, text, ((context.REQUEST_ID_HEADER, request_id), (status.DETAILS_KEY, details))
            )

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place among the calls in flight; where there is none, the caller is told at once."""
        if self._in_flight >= self._settings.max_concurrent_calls:
            raise TooMany("too many calls at once", retry_after_ms=OVERLOAD_MS, reason="OVERLOADED")
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def _limit(self, servicer_context: Context) -> "_Limit":
        """Note the caller's deadline; a caller that set none gets ours, which nobody else would enforce."""
        left: float | None = servicer_context.time_remaining()
        now = time.monotonic()
        if left is None:
            context.deadline.set(now + self._settings.max_call_seconds)
            return _Limit(self._settings.max_call_seconds)
        context.deadline.set(now + left)
        return _Limit(None)

    def _set_time(self, headers: Mapping[str, str]) -> None:
        text = headers.get(context.NOW_HEADER)
        if text is None:
            return
        if not self._settings.sandbox:
            raise Invalid(context.NOW_HEADER, "the time can be set in a sandbox only")
        if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) <= _LATEST_MS):
            raise Invalid(context.NOW_HEADER, "must be milliseconds since the Unix epoch")
        context.request_time_ms.set(int(text))
        if isinstance(self._clock, RequestClock):
            self._clock.observe(int(text))


class _Limit:
    """`asyncio.timeout` that says DeadlineExceeded, and only for its own expiry."""

    def __init__(self, seconds: float | None) -> None:
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:
        try:
            await self._timeout.__aexit__(*raised)
        except TimeoutError:
            raise DeadlineExceeded from None


class _Observed:
    """The access line and the metrics of one call."""

    def __init__(self, method: str) -> None:
        self._service, _, self._method = method.lstrip("/").partition("/")
        self._in_flight = metrics.RPC_IN_FLIGHT.labels(self._service, self._method)
        self.code = grpc.StatusCode.OK.name

    def __enter__(self) -> "_Observed":
        self._started = time.perf_counter()
        self._in_flight.inc()
        return self

    def __exit__(self, *_raised: object) -> None:
        seconds = time.perf_counter() - self._started
        self._in_flight.dec()
        metrics.RPC_SECONDS.labels(self._service, self._method, self.code).observe(seconds)
        log.info(
            "rpc.served", method=f"{self._service}/{self._method}", code=self.code, ms=round(seconds * 1e3, 3)
        )


def _behaviour(handler: Handler) -> Behaviour:
    either: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    behaviour: Behaviour = either
    return behaviour


def _headers(servicer_context: Context) -> dict[str, str]:
    return {
        key: value for key, value in servicer_context.invocation_metadata() or () if isinstance(value, str)
    }


def _request_id(headers: Mapping[str, str]) -> str:
    """The caller's id when it is fit for a log, else a new one."""
    brought = headers.get(context.REQUEST_ID_HEADER, "")
    return brought if _REQUEST_ID.fullmatch(brought) else uuid.uuid4().hex


def _aborted_code(servicer_context: Context) -> str:
    code: Any = servicer_context.code()
    names = {member.value[0]: member.name for member in grpc.StatusCode}
    return code.name if isinstance(code, grpc.StatusCode) else names.get(code, "UNKNOWN")
