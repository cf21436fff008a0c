"""The profile process starts, serves, stops; and does not start over users sealed with another key."""

import base64
import os
import subprocess
import sys
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.conftest import free_port

pytestmark = pytest.mark.timeout(180)
SERVING = health_pb2.HealthCheckResponse.SERVING


def start(redis_url: str, port: int, key: bytes) -> "subprocess.Popen[str]":
    variables = {
        "MAGPIE_PROFILE_REDIS_URL": redis_url,
        "MAGPIE_PROFILE_LISTEN": f"127.0.0.1:{port}",
        "MAGPIE_PROFILE_METRICS_LISTEN": "",
        "MAGPIE_PROFILE_KEY": base64.b64encode(key).decode(),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "magpie_services.profile"],
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_until_told_to_stop_and_knows_its_key(redis_url: str) -> None:
    port, key = free_port(), os.urandom(32)
    process = start(redis_url, port, key)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = health_pb2.HealthCheckRequest(service="magpie.v1.ProfileService")
            health: Any = health_pb2_grpc.HealthStub(channel)
            assert health.Check(request, timeout=60, wait_for_ready=True).status == SERVING
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0

    wrong = start(redis_url, port, os.urandom(32))
    _, errors = wrong.communicate(timeout=60)
    assert wrong.returncode == 1
    assert errors.splitlines()[-1] == (
        "magpie profile: MAGPIE_PROFILE_KEY is not the key of the users in this Redis"
    )
