"""A checkpoint is there whole or not at all, and only for what learns the same from the same."""

from pathlib import Path

import numpy as np
import pytest

from magpie_services.training import checkpoint
from magpie_services.training.checkpoint import File


class Variable:
    def __init__(self, value: np.ndarray) -> None:
        self.shape, self.value = value.shape, value

    def assign(self, value: np.ndarray) -> None:
        self.value = value

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.value


def test_what_was_kept_goes_back_into_the_variables(tmp_path: Path) -> None:
    model = [Variable(np.arange(6.0).reshape(2, 3)), Variable(np.array(3.5, np.float32))]
    File(tmp_path / "a.npz", "key").save({"epoch": 3, "best": 0.25}, model=model, best=[np.ones(2)])
    saved = File(tmp_path / "a.npz", "key").load()
    assert saved is not None
    assert saved.numbers == {"epoch": 3, "best": 0.25}
    fresh = [Variable(np.zeros((2, 3))), Variable(np.zeros((), np.float32))]
    assert saved.fits("model", fresh)
    saved.into("model", fresh)
    assert np.array_equal(fresh[0].value, model[0].value)
    assert fresh[1].value == np.float32(3.5)
    assert not saved.fits("model", fresh[:1])
    assert not saved.fits("optimizer", fresh)
    with pytest.raises(ValueError, match="argument"):
        saved.into("model", fresh[:1])


def test_of_another_key_cut_short_or_missing_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert File(path, "key").load() is None
    File(path, "key").save({"epoch": 1}, model=[np.ones(1000)])
    assert File(path, "other").load() is None
    path.write_bytes(path.read_bytes()[:500])
    assert File(path, "key").load() is None


def test_a_later_one_takes_the_place_of_the_first(tmp_path: Path) -> None:
    place = File(tmp_path / "a.npz", "key")
    for epoch in (1, 2):
        place.save({"epoch": epoch}, model=[np.full(3, epoch)])
    saved = place.load()
    assert saved is not None
    assert saved.numbers["epoch"] == 2
    assert [found.name for found in tmp_path.iterdir()] == ["a.npz"]


def test_nowhere_keeps_nothing() -> None:
    checkpoint.NONE.save({"epoch": 1})
    assert checkpoint.NONE.load() is None
