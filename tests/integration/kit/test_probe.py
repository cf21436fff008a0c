"""The probe that container engines run, against a real server."""

import asyncio
import subprocess
import sys

import pytest
from tests.integration.kit.echo import NAME, Echo, Settings

from magpie_services.kit import probe
from magpie_services.kit.serving import running


async def exit_status(*arguments: str) -> int:
    return await asyncio.to_thread(probe.main, arguments)


async def test_a_healthy_process_passes_and_its_service_when_it_is_ready() -> None:
    async def never() -> bool:
        return False

    settings = Settings(listen="127.0.0.1:0")
    async with (
        running(settings, Echo().register) as ready,
        running(settings, Echo().register, ready=never) as not_yet,
    ):
        assert await exit_status(ready) == 0
        assert await exit_status(ready, NAME) == 0
        assert await exit_status(ready, "no.such.Service") == 1
        assert await exit_status(not_yet) == 0
        assert await exit_status(not_yet, NAME) == 1
    assert await exit_status(ready) == 1


async def test_a_container_asks_its_own_service() -> None:
    async with running(Settings(listen="127.0.0.1:0"), Echo().register) as address:
        listen = f"0.0.0.0:{address.rpartition(':')[2]}"
        run = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "magpie_services.kit.probe"],
            env={"MAGPIE_ECHO_LISTEN": listen, "MAGPIE_ECHO_METRICS_LISTEN": "0.0.0.0:1"},
            timeout=20,
        )
    assert run.returncode == 0


@pytest.mark.parametrize(
    "environment",
    [{}, {"MAGPIE_A_LISTEN": "a:1", "MAGPIE_B_LISTEN": "b:1"}, {"MAGPIE_A_METRICS_LISTEN": "a:1"}],
)
def test_an_address_that_is_not_plain_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="ADDRESS"):
        probe.own_address(environment)


def test_every_interface_is_asked_on_loopback() -> None:
    assert probe.own_address({"MAGPIE_PUSH_LISTEN": "0.0.0.0:7005"}) == "127.0.0.1:7005"
    assert probe.own_address({"MAGPIE_MODEL_SERVER_LISTEN": "[::]:8500"}) == "[::1]:8500"
    assert probe.own_address({"MAGPIE_PUSH_LISTEN": "10.0.0.9:7005"}) == "10.0.0.9:7005"
