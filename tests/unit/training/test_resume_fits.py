"""Each fit that is stopped after an epoch goes on from its checkpoint as if nothing had been."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.training import checkpoint
from magpie_services.training.checkpoint import Checkpoint, File
from magpie_services.training.plan import RankerPlan, RetrieverPlan
from magpie_services.training.progress import silent

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
# Time boxes that are never reached; averaged weights, dropout and drawn negatives are all to come back.
RETRIEVER = RetrieverPlan(epochs=4, patience=9, seconds=1e6, negatives=8, batch=16, ema=0.9, dropout=0.2)
RANKER = RankerPlan(epochs=2, seconds=1e6, width=8, rank=4, experts=2, expert_width=8, embedding=4)


class Stopped(Exception):
    """In place of a kill."""


class StopsAfter(File):
    """A checkpoint whose process ends right after it was kept for the so-manieth time."""

    def __init__(self, path: Path, saves: int) -> None:
        super().__init__(path, "k")
        self._left = saves

    def save(self, numbers: checkpoint.Numbers, **parts: Any) -> None:
        super().save(numbers, **parts)
        self._left -= 1
        if not self._left:
            raise Stopped


def alike(fit: Callable[[Checkpoint], Any], path: Path, saves: int) -> None:
    """In peace, and stopped after some epochs and begun again: the same weights."""
    peace = fit(checkpoint.NONE)
    with pytest.raises(Stopped):
        fit(StopsAfter(path, saves))
    resumed = fit(File(path, "k"))
    for mine, theirs in zip(resumed.variables, peace.variables, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), rtol=1e-5, atol=1e-6)


def test_a_retriever(tmp_path: Path) -> None:
    from magpie_services.training.retrieval import fit

    known, history = worlds.world(users=40, events=12, items=24)

    def both(place: Checkpoint) -> Any:
        """The fit is kept in a place of its own: at its end already when begun again."""
        first = File(tmp_path / "first.npz", "k")
        fitted = fit.train(RETRIEVER, known, history, worlds.END_MS, 3, silent, first)
        fit.refit(fitted, known, history, 3, silent, place)
        return fitted.model

    alike(both, tmp_path / "then.npz", 1)


def test_a_ranker(tmp_path: Path) -> None:
    from magpie_services.training.ranking import fit

    rows = worlds.rows(1_500)

    def train(place: Checkpoint) -> Any:
        return fit.train(RANKER, rows, 3, silent, checkpoint=place)[0]

    alike(train, tmp_path / "a.npz", 1)


def test_a_checkpoint_of_other_weights_is_left_alone(tmp_path: Path) -> None:
    from magpie_services.training.ranking import fit

    File(tmp_path / "a.npz", "k").save({"epoch": 1}, model=[np.zeros(3)])
    rows = worlds.rows(600)
    model, _ = fit.train(RANKER, rows, 3, silent, epochs=1, checkpoint=File(tmp_path / "a.npz", "k"))
    assert np.isfinite(fit.logits(model, rows)).all()
