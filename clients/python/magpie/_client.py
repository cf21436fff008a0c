"""One connection to the whole suite: a typed stub for each service, with deadlines and retries built in."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import grpc

from magpie._endpoints import Endpoints
from magpie.v1 import (
    campaign_service_pb2_grpc,
    candidate_service_pb2_grpc,
    catalog_service_pb2_grpc,
    content_service_pb2_grpc,
    experiment_service_pb2_grpc,
    feedback_service_pb2_grpc,
    profile_service_pb2_grpc,
    push_service_pb2_grpc,
    ranking_service_pb2_grpc,
    release_service_pb2_grpc,
)

Complete = Callable[[grpc.aio.ClientCallDetails], grpc.aio.ClientCallDetails]
Connect = Callable[[str, Complete], grpc.aio.Channel]

MAX_MESSAGE_BYTES = 16 << 20
NOW_HEADER = "magpie-now"

# Every call of the contract is safe to repeat: reads change nothing, writes carry a request id or event ids.
_RETRIES = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


def _options(address: str) -> list[tuple[str, Any]]:
    # gRPC would send even calls to this machine through the proxy of the environment.
    near = address.removeprefix("dns:///").rpartition(":")[0] in ("127.0.0.1", "localhost", "[::1]")
    return [*_OPTIONS, ("grpc.enable_http_proxy", 0 if near else 1)]


class Magpie:
    """A client of all services. Use it in one event loop: `async with Magpie(endpoints) as magpie`.

    Calls go through the stubs (`magpie.push.SendPushes(request)`). A call without `timeout=` gets
    `timeout_seconds`. Failed calls raise grpc.aio.AioRpcError; `problem_of` puts one in plain words.
    `now_ms`, for sandboxes only, tells the services what time it is (milliseconds since the epoch).
    `connect` opens a channel to an address in your own way; it is given a function that completes the details
    of a call (deadline, time), which must see every call.
    """

    def __init__(
        self,
        endpoints: Endpoints | None = None,
        *,
        timeout_seconds: float = 30.0,
        now_ms: Callable[[], int] | None = None,
        connect: Connect | None = None,
    ) -> None:
        endpoints = endpoints or Endpoints()
        complete, connect = _Defaults(timeout_seconds, now_ms).complete, connect or _connect
        self._channels = {name: connect(address, complete) for name, address in asdict(endpoints).items()}
        open_ = self._channels
        self.profile = profile_service_pb2_grpc.ProfileServiceStub(open_["profile"])
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(open_["candidate"])
        self.candidates = candidate_service_pb2_grpc.CandidateServiceStub(open_["candidate"])
        self.ranking = ranking_service_pb2_grpc.RankingServiceStub(open_["ranking"])
        self.content = content_service_pb2_grpc.ContentServiceStub(open_["content"])
        self.push = push_service_pb2_grpc.PushServiceStub(open_["push"])
        self.campaigns = campaign_service_pb2_grpc.CampaignServiceStub(open_["push"])
        self.experiments = experiment_service_pb2_grpc.ExperimentServiceStub(open_["push"])
        self.feedback = feedback_service_pb2_grpc.FeedbackServiceStub(open_["feedback"])
        self.releases = release_service_pb2_grpc.ReleaseServiceStub(open_["training"])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; calls under way are cancelled."""
        for channel in self._channels.values():
            await channel.close()


def _connect(address: str, complete: Complete) -> grpc.aio.Channel:
    # Two objects: gRPC takes an interceptor for one kind of call only, even where it could do both.
    interceptors = [_UnaryCalls(complete), _StreamedCalls(complete)]
    return grpc.aio.insecure_channel(address, options=_options(address), interceptors=interceptors)


class _Defaults:
    """Gives every call a deadline, and the sandbox's time where there is one."""

    def __init__(self, timeout_seconds: float, now_ms: Callable[[], int] | None) -> None:
        self._timeout_seconds = timeout_seconds
        self._now_ms = now_ms

    def complete(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if self._now_ms is not None:
            metadata.set_all(NOW_HEADER, [str(self._now_ms())])
        timeout = self._timeout_seconds if details.timeout is None else details.timeout
        return grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )


class _UnaryCalls(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(self._complete(details), request)


class _StreamedCalls(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(self._complete(details), request)
