"""Every image installs the versions that were tested together, by hash, and from no address of ours."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
NAME = re.compile(r"^[A-Za-z0-9._-]+")


def pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text()))


def canonical(requirement: str) -> str:
    match = NAME.match(requirement)
    assert match is not None, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


TESTED = pins(ROOT / "requirements/dev.txt") | pins(ROOT / "requirements/build.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_image_installs_what_was_tested(path: Path) -> None:
    assert pins(path).items() <= TESTED.items()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_pin_has_hashes_and_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in requirement, requirement


@pytest.mark.parametrize("extra", sorted(PROJECT["optional-dependencies"]))
def test_the_pins_cover_what_the_project_asks_for(extra: str) -> None:
    path = ROOT / f"requirements/{extra}.txt"
    pinned = pins(path) if path.exists() else TESTED
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"][extra]
    assert {canonical(name) for name in wanted} - {"magpie"} <= pinned.keys()
