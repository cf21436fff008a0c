"""A service as a process: a clean start that says what is wrong, and a clean end."""

import os
import select
import signal
import subprocess
import sys

SERVICE = """
import grpc
from pydantic_settings import SettingsConfigDict
from magpie_services.kit import redis, serving, settings

class Settings(settings.ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MAGPIE_ROOM_")

def register(server):
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("magpie.test.Room", {}),))

async def main(values):
    client = redis.connect(values.redis_url)
    if values.wait_seconds != 60:
        await redis.wait_until_ready(client, timeout_seconds=values.wait_seconds)
    await serving.serve(values, register, closers=[client.aclose])

serving.run("room", Settings, main)
"""


def start(**variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **{f"MAGPIE_ROOM_{name}": value for name, value in variables.items()}}
    return subprocess.Popen(
        [sys.executable, "-c", SERVICE], env=environment, stderr=subprocess.PIPE, text=True
    )


def test_bad_settings_are_told_in_a_line_each_without_a_traceback() -> None:
    with start(MAX_CALL_SECONDS="soon", SANDBOX="perhaps") as process:
        _, text = process.communicate(timeout=20)
    assert process.returncode == 1
    assert [line.split(":")[1].strip() for line in sorted(text.splitlines())] == [
        "MAGPIE_ROOM_MAX_CALL_SECONDS",
        "MAGPIE_ROOM_SANDBOX",
    ]


def test_an_absent_redis_is_told_after_the_wait() -> None:
    with start(REDIS_URL="redis://127.0.0.1:1/0", WAIT_SECONDS="0") as process:
        _, text = process.communicate(timeout=20)
    assert process.returncode == 1
    assert text.splitlines()[-1].startswith("magpie room: Redis at 127.0.0.1:1 does not answer")
    assert "Traceback" not in text


def test_a_termination_signal_ends_it_in_order() -> None:
    with start() as process:
        assert process.stderr is not None
        lines: list[str] = []
        while not any('"serving"' in line for line in lines):
            assert select.select([process.stderr], [], [], 20)[0], "it never served"
            lines.append(process.stderr.readline())
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert '"stopping"' in rest
    assert '"stopped"' in rest
