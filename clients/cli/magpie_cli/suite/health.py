"""Asks a process whether it is ready: by gRPC health."""

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PROBE_SECONDS = 2.0


async def is_serving(address: str, services: tuple[str, ...]) -> bool:
    """Whether every one of these services at "host:port" says SERVING ("" is the process as a whole)."""
    async with grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answers = await asyncio.gather(
                *(
                    stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=PROBE_SECONDS)
                    for name in services
                )
            )
        except grpc.aio.AioRpcError:
            return False
    return all(answer.status == health_pb2.HealthCheckResponse.SERVING for answer in answers)
