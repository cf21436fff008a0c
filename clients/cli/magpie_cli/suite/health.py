"""Asks a process whether it is ready: gRPC health where it speaks gRPC, an open port otherwise."""

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PROBE_SECONDS = 2.0


async def is_serving(address: str, services: tuple[str, ...]) -> bool:
    """Whether every one of these services at "host:port" says SERVING ("" is the process as a whole)."""
    async with grpc.aio.insecure_channel(address) as channel:
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


async def is_listening(address: str) -> bool:
    """Whether anything takes connections at "host:port"."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
