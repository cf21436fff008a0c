"""The command line from outside: exit codes, one line for every failure, no tracebacks."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from magpie import Endpoints
from magpie_cli.checks import Finding
from magpie_cli.commands.doctor import exit_code
from magpie_cli.failures import Exit
from magpie_cli.main import app

# Port 1 refuses connections at once.
NOWHERE = Endpoints(**dict.fromkeys(Endpoints.__dataclass_fields__, "127.0.0.1:1"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder of a suite that is not there."""
    NOWHERE.save(tmp_path / "endpoints.json")
    return tmp_path


def magpie(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "--dry-run", "--user", "u"),
        ("explain", "d"),
        ("train",),
        ("releases",),
        ("releases", "promote", "3"),
        ("releases", "rollback"),
        ("campaign", "list"),
        ("campaign", "create", "spring"),
        ("campaign", "watch", "c"),
    ],
)
def test_a_service_that_is_gone_is_exit_code_3(state: Path, arguments: tuple[str, ...]) -> None:
    result = magpie(*arguments, "--state", str(state), "--json")
    assert result.exit_code == Exit.UNREACHABLE, result.output
    assert "does not answer" in json.loads(result.output)["error"]


def test_bad_input_is_exit_code_2(state: Path) -> None:
    file = state / "events.csv"
    file.write_text("who,when\n")
    wrong = magpie(
        *("import", str(file), "--kind", "events", "--state", str(state)),
        *("--map", "user_id=who", "--map", "item_id=what", "--map", "time=when", "--set", "kind=view"),
    )
    assert wrong.exit_code == Exit.BAD_INPUT
    assert "row 1 has no column 'what'; it has 'who', 'when'" in wrong.output.replace("\n", " ")
    assert magpie("import", str(file), "--mapping", "online-retail").exit_code == Exit.BAD_INPUT
    assert magpie("import", str(state / "none"), "--mapping", "online-retail").exit_code == Exit.BAD_INPUT
    assert magpie("import", str(file), "--map", "user_id=who").exit_code == Exit.BAD_INPUT
    assert magpie("up", "--state", str(state), "--only", "kitchen").exit_code == Exit.BAD_INPUT
    assert magpie("push", "--user", "u", "--user", "u").exit_code == Exit.BAD_INPUT
    assert magpie("demo", "--events", str(state / "none")).exit_code == Exit.BAD_INPUT
    assert magpie("demo", "--start", "soon", "--events", str(file)).exit_code == Exit.BAD_INPUT
    (state / "endpoints.json").write_text('{"kitchen": "here"}')
    assert magpie("releases", "--state", str(state)).exit_code == Exit.BAD_INPUT


def test_doctor_says_what_is_gone(state: Path) -> None:
    result = magpie("doctor", "--state", str(state), "--json")
    assert result.exit_code == Exit.UNREACHABLE
    checks = {check["check"]: check["ok"] for check in json.loads(result.output)["checks"]}
    assert checks["python"] is True
    assert checks["push"] is False


def test_what_findings_come_to() -> None:
    well, note, bad = Finding("a", True, ""), Finding("b", None, ""), Finding("c", False, "")
    gone = Finding("d", False, "", reachable=False)
    assert exit_code([well, note]) is Exit.OK
    assert exit_code([well, bad]) is Exit.FAILED
    assert exit_code([bad, gone]) is Exit.UNREACHABLE
