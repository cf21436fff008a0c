"""Channels to other services: spread over their addresses, kept alive, never without a deadline."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import grpc

from magpie_services.kit import context, local
from magpie_services.kit.status import translate

__all__ = ["MAX_MESSAGE_BYTES", "open_channel", "translate"]

MAX_MESSAGE_BYTES = 16 << 20


def open_channel(address: str, *, retry_reads: Sequence[str] = ()) -> grpc.aio.Channel:
    """A channel to `address` ("dns:///host:port"); the caller closes it. Connects at the first call.

    "local:NAME" reaches a server inside this process (kit.local).
    `retry_reads` names methods ("magpie.v1.ProfileService/GetPortraits") that are safe to repeat: UNAVAILABLE
    is then tried three times in all. Every call must pass `timeout=`, else ValueError.
    """
    if address.startswith(local.PREFIX):
        return cast(grpc.aio.Channel, local.LocalChannel(address, _outgoing))
    return grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.service_config", json.dumps(_service_config(retry_reads))),
            ("grpc.enable_retries", 1),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 0),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.min_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 5_000),
            ("grpc.dns_min_time_between_resolutions_ms", 5_000),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            # Services stand beside each other: a proxy of the environment leads out of the house.
            ("grpc.enable_http_proxy", 0),
            # Channels must not share connections: a new server on a reused port would inherit one.
            ("grpc.use_local_subchannel_pool", 1),
        ],
        interceptors=[_UnaryCalls(), _StreamedCalls()],
    )


def _service_config(retry_reads: Sequence[str]) -> dict[str, Any]:
    # No `timeout` here: a deadline from a service config fires early and is not sent to the server.
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if retry_reads:
        pairs = [name.split("/") for name in retry_reads]
        config["retryThrottling"] = {"maxTokens": 10, "tokenRatio": 0.1}
        config["methodConfig"] = [
            {
                "name": [{"service": service, "method": method} for service, method in pairs],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    return config


def _outgoing(details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
    """The same call with what this one brought along: the request id and the sandbox's time."""
    if details.timeout is None:
        raise ValueError(f"call of {details.method!r} without timeout=: use kit.deadlines.remaining")
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    present = set(metadata.keys())
    if (request_id := context.request_id.get()) and context.REQUEST_ID_HEADER not in present:
        metadata.add(context.REQUEST_ID_HEADER, request_id)
    if (now_ms := context.request_time_ms.get()) is not None and context.NOW_HEADER not in present:
        metadata.add(context.NOW_HEADER, str(now_ms))
    return grpc.aio.ClientCallDetails(
        details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
    )


class _UnaryCalls(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(_outgoing(client_call_details), request)


class _StreamedCalls(grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(_outgoing(client_call_details), request)
