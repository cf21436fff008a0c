"""The folder of a demo: emptied for the next one, never under a suite that runs."""

from pathlib import Path

import pytest

from magpie_cli.demo import folder
from magpie_cli.failures import BadInput
from magpie_cli.suite import SuiteFailed
from magpie_cli.suite.lock import FILE, StateLock


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A folder after a demo."""
    (tmp_path / "lake" / "events").mkdir(parents=True)
    (tmp_path / "suite.json").touch()
    (tmp_path / FILE).touch()
    return tmp_path


def test_what_an_earlier_demo_left_is_gone(used: Path) -> None:
    folder.empty(used)
    assert [path.name for path in used.iterdir()] == [FILE]
    folder.empty(used)
    folder.empty(used / "not there yet")


def test_nothing_is_removed_under_a_suite_that_runs(used: Path) -> None:
    running = StateLock(used)
    running.acquire()
    try:
        with pytest.raises(SuiteFailed, match="already runs"):
            folder.empty(used)
    finally:
        running.release()
    assert (used / "suite.json").exists()


def test_whoever_starts_meanwhile_meets_the_same_lock(used: Path) -> None:
    before = (used / FILE).stat().st_ino
    folder.empty(used)
    assert (used / FILE).stat().st_ino == before


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.md").touch()
    with pytest.raises(BadInput, match="not made by a demo"):
        folder.empty(tmp_path)
    with pytest.raises(BadInput, match="not made by a demo"):
        folder.empty(tmp_path / "thesis.md")
    assert (tmp_path / "thesis.md").exists()
