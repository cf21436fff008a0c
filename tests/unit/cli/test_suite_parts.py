"""Ports, secrets and the plan of processes, without starting any."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from magpie_cli.suite import SuiteFailed, SuiteOptions, ports, process, rooms
from magpie_cli.suite.secrets import NAMES, load_secrets


def planned(options: SuiteOptions) -> dict[str, rooms.Room]:
    secrets = dict.fromkeys(NAMES, "secret")
    return {room.name: room for room in rooms.plan(options, ports.fixed(), "redis://here", secrets)}


def test_free_ports_are_different_and_out_of_the_way_of_outgoing_connections() -> None:
    found = ports.free()
    assert found.keys() == ports.fixed().keys()
    assert len(set(found.values())) == len(found)
    assert all(15_000 <= port < 30_000 for port in found.values())


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SuiteFailed, match=rf"{port} \(push\)"):
            ports.check_free({"push": port})


def test_secrets_survive_and_are_never_replaced_by_accident(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    assert load_secrets(tmp_path) == first
    assert len(set(first.values())) == len(NAMES)
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"profile_key": "kept"}))
    assert load_secrets(tmp_path)["profile_key"] == "kept"
    for broken in ("{", "[]"):
        path.write_text(broken)
        with pytest.raises(SuiteFailed, match="restore it"):
            load_secrets(tmp_path)


def test_every_room_is_told_where_the_others_are(tmp_path: Path) -> None:
    plan = planned(SuiteOptions(state=tmp_path, sandbox=True))
    push = plan["push"].environment
    assert push["MAGPIE_PUSH_LISTEN"] == "127.0.0.1:7005"
    assert push["MAGPIE_PUSH_PROFILE_ADDRESS"] == "dns:///127.0.0.1:7001"
    assert push["MAGPIE_PUSH_REDIS_URL"] == "redis://here"
    assert push["MAGPIE_PUSH_SANDBOX"] == "true"
    assert push["MAGPIE_PUSH_ATTRIBUTION_SECRET"] == "secret"
    assert "MAGPIE_PROFILE_KEY" not in push  # a secret goes to the rooms that need it
    assert plan["worker"].environment["MAGPIE_TRAINING_LAKE_FOLDER"] == str(tmp_path / "lake")


def test_the_plan_follows_the_options(tmp_path: Path) -> None:
    assert tuple(planned(SuiteOptions(state=tmp_path))) == rooms.ROOMS
    assert "worker" not in planned(SuiteOptions(state=tmp_path, worker=False))
    assert list(planned(SuiteOptions(state=tmp_path, rooms=frozenset({"content"})))) == ["content"]
    extra = planned(SuiteOptions(state=tmp_path, environment={"MAGPIE_PUSH_DAILY_CAP": "9"}))
    assert extra["push"].environment["MAGPIE_PUSH_DAILY_CAP"] == "9"


def test_a_log_stays_bounded_while_its_process_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_BYTES", 10)
    log = tmp_path / "room.log"
    with log.open("ab") as file:
        file.write(b"as long as it may be")
        file.flush()
        process._rotate(log)
        subprocess.run([sys.executable, "-c", "print('more')"], stdout=file, check=True)
    assert log.read_bytes() == b"more\n"
    assert (tmp_path / "room.log.1").read_bytes() == b"as long as it may be"
