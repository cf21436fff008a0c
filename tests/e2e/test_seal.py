"""The learner cannot look into the marketplace: whatever its processes hold, no parameter is in it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from redis import Redis
from tests.conftest import free_port

from magpie_cli.demo import lake
from magpie_cli.demo.simulator import simulate
from magpie_cli.suite import Suite, SuiteOptions
from magpie_cli.suite.process import _group

pytestmark = [pytest.mark.timeout(240), pytest.mark.tensorflow]

SEED = 8_402_719_364_175  # long enough to be recognised wherever it turns up
NOBODY = 65_534


async def test_the_learner_finds_nothing_of_the_worlds_parameters(tmp_path: Path) -> None:
    world, listen = tmp_path / "private" / "world", f"127.0.0.1:{free_port()}"
    options = SuiteOptions(
        state=tmp_path / "suite",
        auto_ports=True,
        sandbox=True,
        webhook=f"http://{listen}/",
        environment={"MAGPIE_LAKE_BATCH_SECONDS": "0.5"},
    )
    sizes = ("--seed", str(SEED), "--users", "60", "--items", "48")
    seal = (await simulate("create", "--world", str(world), *sizes))["seal"]
    secrets = _secrets(world)
    async with Suite(options) as suite:
        report = await simulate(
            *("run", "--world", str(world), "--days", "2", "--policy", "historic", "--listen", listen),
            *("--endpoints", str(options.state / "endpoints.json"), "--no-forks"),
            secret=suite.secrets["webhook_secret"],
        )
        assert report["seal"] == seal
        assert report["world"]["pushes"] > 0, "it did live against the services"
        await lake.caught_up(suite.metrics_url("lake"))
        places = dict(_processes(suite)) | dict(_redis(suite.redis_url))
    places |= dict(_files(options.state)) | dict(_tables(options.state / "lake"))
    assert {"profile environ", "push cmdline", "worker files", "redis keys", "lake events"} <= set(places)
    assert sum(map(len, places.values())) > 100_000
    found = [
        (place, name) for place, held in places.items() for name, secret in secrets.items() if secret in held
    ]
    assert found == []
    # The search finds what is there: the public beginning of the seal is in the ids of events.
    assert any(seal[:8].encode() in held for held in places.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_account_cannot_open_the_worlds_folder() -> None:
    with TemporaryDirectory(prefix="magpie-world-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "open.txt").write_text("to everybody")
        _create(place / "world")
        tries = {
            "open.txt": "",
            "world": "PermissionError",
            "world/world.json": "PermissionError",
            "world/state.npz": "PermissionError",
        }
        for name, complaint in tries.items():
            attempt = (
                f"os.listdir({str(place / name)!r}) if {name!r} == 'world' else open({str(place / name)!r})"
            )
            opened = subprocess.run(
                [sys.executable, "-S", "-c", f"import os; os.setuid({NOBODY}); {attempt}"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (opened.returncode == 0) == (not complaint), name
            assert complaint in opened.stderr


def test_a_worlds_files_are_their_owners_alone(tmp_path: Path) -> None:
    world = tmp_path / "world"
    _create(world)
    assert world.stat().st_mode & 0o777 == 0o700
    for name in ("world.json", "state.npz"):
        assert (world / name).stat().st_mode & 0o777 == 0o600


def _create(world: Path) -> None:
    command = [sys.executable, "-m", "magpie_simulator", "create", "--world", str(world), "--users", "10"]
    subprocess.run(command, check=True, capture_output=True)


def _secrets(world: Path) -> dict[str, bytes]:
    """What nobody else may hold, in the forms in which it could be held."""
    parameters = json.loads((world / "world.json").read_text("utf-8"))
    assert parameters["seed"] == SEED
    return {
        "folder": str(world).encode(),
        "seed": str(SEED).encode(),
        "seed in hexadecimal": f"{SEED:x}".encode(),
        "seed, little end first": SEED.to_bytes(8, "little"),
        "seed, big end first": SEED.to_bytes(8, "big"),
        "salt": parameters["salt"].encode(),
        "a parameter's name": b"fatigue_recovery",
        "another": b"annoyed_share",
    }


def _processes(suite: Suite) -> Iterator[tuple[str, bytes]]:
    """Environment, arguments, open files and maps of the suite's processes and their children."""
    for name, group in suite.pids().items():
        for pid in _group(group):
            of = Path("/proc") / str(pid)
            own = "" if pid == group else f" {pid}"
            for part in ("environ", "cmdline", "maps"):
                yield f"{name} {part}{own}", (of / part).read_bytes()
            files = [os.readlink(file) for file in (of / "fd").iterdir() if file.is_symlink()]
            files += [os.readlink(of / "cwd"), os.readlink(of / "root")]
            yield f"{name} files{own}", "\n".join(files).encode()


def _redis(url: str) -> Iterator[tuple[str, bytes]]:
    """All of Redis, as it is kept."""
    with Redis.from_url(url) as client:
        keys = sorted(client.scan_iter(count=1_000))
        yield "redis keys", b"\n".join(keys)
        for key in keys:
            kind = client.type(key)
            if kind == b"stream":
                entries = client.xrange(key)
                held = [part for _, fields in entries for pair in fields.items() for part in pair]
                yield f"redis {key!r}", b"\n".join(held)
            else:
                yield f"redis {key!r}", client.dump(key) or b""


def _files(state: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the suite: addresses, logs, models, Redis's own."""
    for path in state.rglob("*"):
        if path.is_file():
            yield f"file {path.relative_to(state)}", path.read_bytes()


def _tables(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The lake's tables, uncompressed."""
    for table in folder.iterdir():
        if (table / "_delta_log").exists():
            rows = DeltaTable(table).to_pyarrow_table()
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, rows.schema) as writer:
                writer.write_table(rows)
            yield f"lake {table.name}", sink.getvalue().to_pybytes()
