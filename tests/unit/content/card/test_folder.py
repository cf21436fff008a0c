"""Pictures from the folder."""

import os
from pathlib import Path

import pytest

from magpie_services.content.card.decoding import Unusable
from magpie_services.content.card.folder import Folder


async def test_what_lies_in_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/pot.png").write_bytes(b"12345")
    assert await Folder(tmp_path, 5).fetch("a/pot.png") == b"12345"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("large", "TOO_LARGE"),
        ("missing", "NOT_FOUND"),
        ("", "NOT_FOUND"),
        ("pipe", "NOT_FOUND"),
        ("circle", "NOT_FOUND"),
        ("out", "OUTSIDE"),
        ("../secret", "OUTSIDE"),
        ("/etc/passwd", "OUTSIDE"),
        ("a\x00b", "NOT_FOUND"),
        ("x" * 5_000, "NOT_FOUND"),
    ],
)
async def test_nothing_else_is(tmp_path: Path, path: str, reason: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "large").write_bytes(b"123456")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "circle").symlink_to(folder / "circle")
    os.mkfifo(folder / "pipe")
    with pytest.raises(Unusable) as error:
        await Folder(folder, 5).fetch(path)
    assert error.value.reason == reason
