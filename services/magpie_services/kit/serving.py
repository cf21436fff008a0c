"""Serve gRPC until told to stop: health, reflection, metrics, background loops, an end that loses no call."""

import asyncio
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import grpc
import prometheus_client
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from magpie_services.kit import local, logging, metrics
from magpie_services.kit.channels import MAX_MESSAGE_BYTES
from magpie_services.kit.clock import Clock, SystemClock
from magpie_services.kit.errors import CannotStart
from magpie_services.kit.interceptors import CallInterceptor
from magpie_services.kit.settings import ServiceSettings

log = structlog.get_logger()

Settings = TypeVar("Settings", bound=ServiceSettings)
Register = Callable[[grpc.aio.Server], None]
Ready = Callable[[], Awaitable[bool]]
Loop = Callable[[], Coroutine[Any, Any, None]]
Closer = Callable[[], Awaitable[None]]

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
READY_POLL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
#: Calls of health and reflection that find a place however many others there are.
PROBES = 32


async def always_ready() -> bool:
    return True


def spare(loop: Loop, *, first_pause_seconds: float = 1.0) -> Loop:
    """A background loop that the service can do without for a while: begun anew when it dies, after a pause
    that grows to a minute, in place of ending the process.
    """
    name = getattr(loop, "__qualname__", str(loop))

    async def run() -> None:
        pause = first_pause_seconds
        while True:
            began = time.monotonic()
            try:
                return await loop()
            except Exception:
                log.error("background.begins_anew", loop=name, error=traceback.format_exc())
                metrics.BACKGROUND_DEATHS.labels(name).inc()
            if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause = first_pause_seconds
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    return run


class Server:
    """One gRPC server of a service. `start`, then `stop`; `failed` is set when a background loop died.

    Health: the name "" is SERVING while the process lives (liveness); each service's full name follows
    `ready` (readiness), starting with NOT_SERVING.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        register: Register,
        *,
        clock: Clock | None = None,
        ready: Ready = always_ready,
        background: Sequence[Loop] = (),
        closers: Sequence[Closer] = (),
    ) -> None:
        self.address = ""
        self.metrics_port = 0
        self.failed = asyncio.Event()
        self._settings = settings
        self._ready = ready
        self._background = background
        self._closers = closers
        self._tasks: list[asyncio.Task[None]] = []
        self._metrics: Any = None
        self._server = _server(settings, CallInterceptor(settings, clock or SystemClock()))
        recorder = _Recorder(self._server)
        register(cast(grpc.aio.Server, recorder))
        self.services = tuple(recorder.names)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.reflection and not settings.listen.startswith(local.PREFIX):
            reflection.enable_server_reflection(
                (*self.services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
            )

    async def start(self) -> None:
        """Bind, serve, start the background loops. Raises CannotStart when the address is taken."""
        for name in self.services:
            await self._health.set(name, NOT_SERVING)
        self.address = _bind(self._server, self._settings.listen)
        if self._settings.metrics_listen:
            self._metrics = _serve_metrics(self._settings.metrics_listen)
            self.metrics_port = int(self._metrics[0].server_port)
        await self._server.start()
        self._tasks = [asyncio.create_task(self._supervise(loop)) for loop in self._background]
        await self._report_health()
        self._tasks.append(asyncio.create_task(self._watch_readiness()))
        log.info("serving", address=self.address, services=list(self.services))

    async def stop(self) -> None:
        """Turn away, let calls in flight finish within the grace, then stop loops and run the closers."""
        await self._health.enter_graceful_shutdown()
        log.info("stopping", grace_seconds=self._settings.grace_seconds)
        await self._server.stop(self._settings.grace_seconds)
        await _cancel(self._tasks)
        for close in self._closers:
            try:
                await close()
            except Exception:
                log.warning("close.failed", error=traceback.format_exc())
        if self._metrics is not None:
            await asyncio.to_thread(_stop_metrics, *self._metrics)
        log.info("stopped")

    async def _supervise(self, loop: Loop) -> None:
        try:
            await loop()
        except Exception:
            # A service whose loop is dead only looks alive: better to restart it.
            log.error(
                "background.failed",
                loop=getattr(loop, "__qualname__", str(loop)),
                error=traceback.format_exc(),
            )
            self.failed.set()

    async def _watch_readiness(self) -> None:
        while True:
            await asyncio.sleep(READY_POLL_SECONDS)
            await self._report_health()

    async def _report_health(self) -> None:
        try:
            ready = await self._ready()
        except Exception as error:
            log.warning("ready.failed", error=repr(error))
            ready = False
        for name in self.services:
            await self._health.set(name, SERVING if ready else NOT_SERVING)


@asynccontextmanager
async def running(
    settings: ServiceSettings,
    register: Register,
    *,
    clock: Clock | None = None,
    ready: Ready = always_ready,
    background: Sequence[Loop] = (),
    closers: Sequence[Closer] = (),
) -> AsyncIterator[str]:
    """Serve inside the running event loop; gives the bound "host:port". For tests, and for several in one."""
    server = Server(settings, register, clock=clock, ready=ready, background=background, closers=closers)
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop()


async def serve(
    settings: ServiceSettings,
    register: Register,
    *,
    clock: Clock | None = None,
    ready: Ready = always_ready,
    background: Sequence[Loop] = (),
    closers: Sequence[Closer] = (),
) -> None:
    """Serve until SIGTERM or SIGINT. `clock` must be the one the domain reads, so that a sandbox can set it.

    `register` calls the generated `add_…Servicer_to_server` for each service; `background` loops run while it
    serves, and the death of one ends the process (raises CannotStart); `closers` run last, in order.
    """
    server = Server(settings, register, clock=clock, ready=ready, background=background, closers=closers)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await server.start()
    waits = [asyncio.create_task(event.wait()) for event in (told, server.failed)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await server.stop()
    if server.failed.is_set():
        raise CannotStart("a background loop died, see the log")


def run(
    service: str, settings: type[Settings], main: Callable[[Settings], Coroutine[Any, Any, None]]
) -> None:
    """The body of `__main__`: read settings, set up logs, run. A bad start is told in one line a problem."""
    try:
        values = settings.load()
        logging.configure(service, values.log_level)
        asyncio.run(main(values))
    except CannotStart as error:
        sys.exit("\n".join(f"magpie {service}: {line}" for line in str(error).splitlines()))
    except KeyboardInterrupt:
        sys.exit(130)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel until they are gone: `wait_for` of Python 3.11, used by redis-py, may swallow a first time."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


class _Recorder:
    """Stands in for the server while services register, to learn their names."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server
        self.names: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        handlers = tuple(handlers)
        self.names += [
            name for h in handlers if isinstance(h, grpc.ServiceRpcHandler) and (name := h.service_name())
        ]
        self._server.add_generic_rpc_handlers(handlers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


def _server(settings: ServiceSettings, interceptor: CallInterceptor) -> grpc.aio.Server:
    if settings.listen.startswith(local.PREFIX):
        return cast(grpc.aio.Server, local.LocalServer([interceptor]))
    return grpc.aio.server(
        interceptors=[interceptor],
        options=_options(),
        # Above the interceptor's own limit: a probe must not take an overloaded process for a dead one.
        maximum_concurrent_rpcs=settings.max_concurrent_calls + PROBES,
    )


def _options() -> list[tuple[str, int]]:
    return [
        ("grpc.max_connection_age_ms", 300_000),  # makes clients look up DNS again and find new pods
        ("grpc.max_connection_age_grace_ms", 30_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
        ("grpc.max_concurrent_streams", 1_024),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_metadata_size", 16 << 10),
        ("grpc.so_reuseport", 0),  # a forgotten process must not silently share the port
    ]


def _bind(server: grpc.aio.Server, listen: str) -> str:
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        port = 0
    if port == 0:
        raise CannotStart(f"cannot listen on {listen}: the address is taken or not ours")
    if listen.startswith(local.PREFIX):
        return listen
    return f"{listen.rpartition(':')[0]}:{port}"


def _serve_metrics(listen: str) -> Any:
    host, _, port = listen.rpartition(":")
    try:
        server, thread = prometheus_client.start_http_server(int(port), host or "::", metrics.REGISTRY)
    except (OSError, ValueError) as error:
        raise CannotStart(f"cannot listen on {listen} for metrics: {error}") from error
    log.info("metrics.serving", address=f"{host}:{server.server_port}")
    return server, thread


def _stop_metrics(server: Any, thread: Any) -> None:
    server.shutdown()
    server.server_close()
    thread.join()
