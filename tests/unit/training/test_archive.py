"""What learning reads comes back from its file as it was."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magpie_services.training import archive


@dataclass(frozen=True)
class Words:
    ids: tuple[str, ...]
    index: dict[str, int]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class Shelf:
    words: Words
    weights: NDArray[np.float32]
    end_ms: int


MADE = Shelf(
    Words(("", "läuft", "b\0"), {"läuft": 1, "b\0": 2}, np.array([[1], [2]], np.int32)),
    np.zeros((0, 4), np.float32),
    1_760_000_000_123,
)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    archive.save(tmp_path / "data.npz", MADE)
    found = archive.load(tmp_path / "data.npz", Shelf)
    assert found is not None
    assert (found.words.ids, found.words.index, found.end_ms) == (
        MADE.words.ids,
        MADE.words.index,
        MADE.end_ms,
    )
    assert isinstance(found.end_ms, int)
    for mine, theirs in ((MADE.words.codes, found.words.codes), (MADE.weights, found.weights)):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape
        assert np.array_equal(mine, theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_a_file_of_another_make_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    assert archive.load(path, Shelf) is None
    path.write_bytes(b"PK\x03\x04 cut short")
    assert archive.load(path, Shelf) is None
    np.savez(path, words=np.zeros(3))
    assert archive.load(path, Shelf) is None


def test_a_file_with_a_bit_turned_over_raises_nothing(tmp_path: Path) -> None:
    path, rng = tmp_path / "data.npz", np.random.default_rng(1)
    archive.save(path, MADE)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + rng.bytes(1) + whole[place + 1 :])
        archive.load(path, Shelf)
