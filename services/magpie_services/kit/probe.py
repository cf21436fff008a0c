"""Asks a gRPC server whether it is healthy, for container engines that run a command to find out.

`python -m magpie_services.kit.probe [ADDRESS [SERVICE]]` ends with 0 when it says SERVING, else with 1. No
SERVICE asks for the process as a whole; no ADDRESS, where the one variable MAGPIE_<ROOM>_LISTEN says.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_SECONDS = 2.0
_LISTEN = re.compile(r"MAGPIE_[A-Z_]+(?<!_METRICS)_LISTEN")
_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # noqa: S104


def is_serving(address: str, service: str = "", *, timeout_seconds: float = TIMEOUT_SECONDS) -> bool:
    """Whether the health service at "host:port" says SERVING; False too when nothing answers in time."""
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its types do not know its methods
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_seconds)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def own_address(environment: Mapping[str, str]) -> str:
    """Where the service of this container is reached from inside it. Raises ValueError if unclear."""
    found = [value for name, value in environment.items() if _LISTEN.fullmatch(name)]
    if len(found) != 1:
        raise ValueError("name an ADDRESS, or set exactly one MAGPIE_<ROOM>_LISTEN")
    host, _, port = found[0].rpartition(":")
    return f"{_EVERY_INTERFACE.get(host, host)}:{port}"


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 healthy, 1 not, 2 asked wrongly."""
    if len(arguments) > 2:
        sys.stderr.write("usage: python -m magpie_services.kit.probe [ADDRESS [SERVICE]]\n")
        return 2
    try:
        address = arguments[0] if arguments else own_address(os.environ)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if is_serving(address, *arguments[1:]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
