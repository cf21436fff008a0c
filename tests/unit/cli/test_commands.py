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
        ("replay", "--min-value", "0.1"),
        ("compose", "--item", "i", "--user", "u"),
        ("card", "--item", "i", "--out", "card.jpg"),
        ("variants", "--locale", "en"),
        ("train",),
        ("train", "search", "--trials", "2"),
        ("train", "adopt", "search-1"),
        ("releases", "report", "3"),
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
    for content in ('{"kitchen": "here"}', "{"):
        (state / "endpoints.json").write_text(content)
        wrong = magpie("releases", "--state", str(state))
        assert wrong.exit_code == Exit.BAD_INPUT
        assert "endpoints.json" in wrong.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--item"),
        (("--item", "i", "--item-file", "item.json"), "--item"),
        (("--item-file", "none.json"), "none.json"),
        (("--item-file", "item.json"), "item.json"),
        (("--item", "i", "--user", "u", "--portrait-file", "p.json"), "--user"),
        (("--item", "i", "--strategy", "bargain"), "price_drop"),
        (("--item", "i", "--tone", "loud"), "playful"),
        (("--item", "i", "--channel", "fax"), "email"),
        (("--item", "i", "--fact", "popular_rank"), "--fact"),
        (("--item", "i", "--text", "hello", "--variants", "2"), "--variants"),
        (("--item", "i", "--variants", "17"), "--variants"),
    ],
)
def test_words_are_told_what_they_lack(
    state: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(state)
    (state / "item.json").write_text('{"itemId": "i", "colour": "blue"}')
    result = magpie("compose", "--state", str(state), *arguments)
    assert result.exit_code == Exit.BAD_INPUT
    assert told in result.output


def test_json_is_one_object_also_where_a_command_fails_after_its_report(state: Path) -> None:
    file = state / "events.csv"
    file.write_text("who,when\nu,soon\n")
    result = magpie(
        *("import", str(file), "--kind", "events", "--state", str(state), "--json"),
        *("--map", "user_id=who", "--map", "time=when", "--set", "kind=view"),
    )
    assert result.exit_code == Exit.BAD_INPUT
    assert json.loads(result.output)["bad_rows"] == 1


def test_a_demo_touches_no_folder_that_is_not_a_demo_s(state: Path) -> None:
    mine = state / "demo" / "mine"
    mine.parent.mkdir()
    mine.touch()
    result = magpie("demo", "--state", str(state))
    assert result.exit_code == Exit.BAD_INPUT
    assert mine.exists()


def test_a_log_of_another_kind_ends_before_anything_is_emptied_or_started(state: Path) -> None:
    log = state / "log.csv"
    log.write_text("who,what\n")
    left = state / "demo" / "lock"
    left.parent.mkdir()
    (left.parent / "left").touch()
    left.touch()
    result = magpie("demo", "--events", str(log), "--state", str(state))
    assert result.exit_code == Exit.BAD_INPUT
    assert "row 1 has no column 'InvoiceNo'" in result.output.replace("\n", " ")
    assert (left.parent / "left").exists()


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
