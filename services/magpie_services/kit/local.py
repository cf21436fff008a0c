"""Calls inside one process: the same servicers and interceptors, without sockets and without serialising.

An address "local:NAME" in place of "host:port" chooses it, for who listens and for who calls. For runs of
many rooms in one event loop: large simulations, profiles. Messages are handed over as they are, so neither
side may change what it was given or gave. A call has a task of its own, a deadline, metadata and a status as
over a socket; there is no retrying, and one address has one server.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any

import grpc

PREFIX = "local:"
Handler = "grpc.RpcMethodHandler[Any, Any]"
Pairs = Iterable[tuple[str, str | bytes]]
Complete = Callable[[grpc.aio.ClientCallDetails], grpc.aio.ClientCallDetails]

_servers: dict[str, "LocalServer"] = {}


def listens(address: str) -> bool:
    """Whether somebody serves at an address."""
    return address in _servers


class LocalServer:
    """Stands where a grpc.aio.Server would."""

    def __init__(self, interceptors: Sequence[grpc.aio.ServerInterceptor]) -> None:
        self._interceptors = interceptors
        self._generic: list[grpc.GenericRpcHandler] = []
        self._found: dict[str, Any] = {}
        self._address = ""

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Serves the methods that these know."""
        self._generic += handlers

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        """Known by the generic handlers already."""

    def add_insecure_port(self, address: str) -> int:
        """Answers 1; raises RuntimeError when somebody listens there."""
        if address in _servers:
            raise RuntimeError(f"{address} is taken")
        self._address = address
        _servers[address] = self
        return 1

    async def start(self) -> None:
        """It has been serving since it had its address."""

    async def stop(self, grace: float | None) -> None:
        """No call arrives any more; those in flight go on."""
        _servers.pop(self._address, None)

    async def behaviour(self, method: str, metadata: Pairs) -> Any:
        """The handler of a method within the interceptors; None when nobody knows it."""
        if method not in self._found:
            details = _HandlerCallDetails(method, tuple(metadata))

            async def look(asked: grpc.HandlerCallDetails) -> Any:
                services = (generic.service(asked) for generic in self._generic)
                return next((handler for handler in services if handler is not None), None)

            continuation: Any = look
            for interceptor in reversed(self._interceptors):
                continuation = _within(interceptor, continuation)
            self._found[method] = await continuation(details)
        return self._found[method]


class LocalChannel:
    """Stands where a grpc.aio.Channel would. `complete` sees the details of every call first."""

    def __init__(self, address: str, complete: Complete = lambda details: details) -> None:
        self._address, self._complete = address, complete

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Callable[..., "_UnaryCall"]:
        """Calls with one answer."""
        return lambda request, **options: _UnaryCall(self._start(method, request, **options))

    def unary_stream(self, method: str, *_: Any, **__: Any) -> Callable[..., "_StreamedCall"]:
        """Calls with many answers."""
        return lambda request, **options: _StreamedCall(self._start(method, request, **options))

    async def close(self, grace: float | None = None) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "LocalChannel":
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"no {name} inside one process")

    def _start(
        self, method: str, request: Any, *, timeout: float | None = None, metadata: Any = None, **_: Any
    ) -> "_Call":
        details = self._complete(
            grpc.aio.ClientCallDetails(method, timeout, grpc.aio.Metadata(*(metadata or ())), None, None)
        )
        return _Call(self._address, method, request, details.timeout, tuple(details.metadata or ()))


class _Call:
    """One call under way: the server's side runs in a task of its own, and puts its answers here."""

    def __init__(
        self, address: str, method: str, request: Any, timeout: float | None, metadata: Sequence[Any]
    ) -> None:
        self.context = _Context(timeout, metadata)
        self.task = asyncio.create_task(self._serve(address, method, request))
        self._timeout = timeout

    async def _serve(self, address: str, method: str, request: Any) -> Any:
        context = self.context
        try:
            async with asyncio.timeout(self._timeout):
                server = _servers.get(address)
                if server is None:
                    raise _failed(grpc.StatusCode.UNAVAILABLE, f"nobody listens on {address}")
                handler = await server.behaviour(method, context.metadata)
                if handler is None:
                    raise _failed(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
                return await (handler.unary_unary or handler.unary_stream)(request, context)
        except TimeoutError:
            raise _failed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from None
        except grpc.aio.AbortError:
            raise _failed(context.code(), context.details(), context.trailing) from None
        finally:
            context.answers.put_nowait(_END)


class _UnaryCall:
    """What a caller awaits."""

    def __init__(self, call: _Call) -> None:
        self._call = call

    def __await__(self) -> Generator[Any, None, Any]:
        return self._wait().__await__()

    def cancel(self) -> bool:
        """Gives the call up."""
        return self._call.task.cancel()

    async def _wait(self) -> Any:
        try:
            return await self._call.task
        except asyncio.CancelledError:
            self._call.task.cancel()
            raise


class _StreamedCall:
    """What a caller iterates over."""

    def __init__(self, call: _Call) -> None:
        self._call = call

    def cancel(self) -> bool:
        """Gives the call up."""
        return self._call.task.cancel()

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            while (answer := await self._call.context.answers.get()) is not _END:
                yield answer
            await self._call.task
        finally:
            self._call.task.cancel()


class _Context:
    """The server's view of a call: what our servicers and interceptors use of grpc.aio.ServicerContext."""

    def __init__(self, timeout: float | None, metadata: Sequence[Any]) -> None:
        self.metadata = metadata
        self.trailing: tuple[Any, ...] = ()
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self._until = None if timeout is None else time.monotonic() + timeout
        self._code, self._details = grpc.StatusCode.OK, ""

    def invocation_metadata(self) -> Sequence[Any]:
        return self.metadata

    def time_remaining(self) -> float | None:
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def set_trailing_metadata(self, metadata: Iterable[Any]) -> None:
        self.trailing = tuple(metadata)

    async def send_initial_metadata(self, metadata: Any) -> None:
        """Callers inside one process do not look at it."""

    async def write(self, answer: Any) -> None:
        self.answers.put_nowait(answer)

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing: Pairs = ()) -> None:
        self._code, self._details, self.trailing = code, details, tuple(trailing)
        raise grpc.aio.AbortError

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details

    def peer(self) -> str:
        return PREFIX


class _HandlerCallDetails(grpc.HandlerCallDetails):
    def __init__(self, method: str, metadata: tuple[Any, ...]) -> None:
        self.method = method
        self.invocation_metadata = metadata


_END = object()


def _within(
    interceptor: grpc.aio.ServerInterceptor, inner: Any
) -> Callable[[grpc.HandlerCallDetails], Coroutine[Any, Any, Any]]:
    async def outer(details: grpc.HandlerCallDetails) -> Any:
        return await interceptor.intercept_service(inner, details)

    return outer


def _failed(code: grpc.StatusCode, details: str, trailing: Pairs = ()) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details=details)
