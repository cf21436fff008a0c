"""Reasons of a trained network, as its SavedModel gives them. TensorFlow is imported here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.training import worlds

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.plan import RECENT, RankerPlan
from magpie_services.training.progress import silent
from magpie_services.training.ranking.rows import CLICK, PURCHASE, WIDTH, WIDTHS

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
PLAN = RankerPlan(epochs=12, seconds=1e6, batch=64, embedding=8, learning_rate=5e-3, dropout=0.0)
CASES = 60
Arrays = dict[str, NDArray[Any]]


def taught() -> Any:
    """Arms that are clicked when a feature speaks for them, and by whoever met item 1."""
    rows = worlds.rows(4_000)
    recent = (rows.recent % 40 + 1).astype(np.int32)
    chance = np.where((recent == 1).any(1), 0.8, 0.05)
    again = (np.random.default_rng(5).random(len(rows)) < chance) & (rows.sent > 0)
    labels = rows.labels.copy()
    labels[:, CLICK] = np.maximum(labels[:, CLICK], again)
    return replace(rows, recent=recent, hashes=(rows.hashes % 40 + 1).astype(np.int32), labels=labels)


@pytest.fixture(scope="module")
def trained() -> tuple[Any, Any]:
    from magpie_services.training.ranking import fit as ranker_fit

    rows = taught()
    model, _ = ranker_fit.train(PLAN, rows, 1, silent, epochs=PLAN.epochs)
    ranker_fit.calibrate(model, rows)
    return model, rows


def exported(model: Any, rows: Any, folder: Path) -> Any:
    import tensorflow as tf

    from magpie_services.training import export

    export.save_ranker(model, folder, rows.features.mean(0))
    return tf.saved_model.load(str(folder))


@pytest.fixture(scope="module")
def served(trained: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return exported(*trained, tmp_path_factory.mktemp("ranker") / "1")


def question(rows: Any, count: int = CASES) -> Arrays:
    """Row by row a question of one candidate; variant 1 + p is without the past's place p."""
    part = rows.take(np.flatnonzero(rows.sent > 0)[:count])
    user, items, cross = np.split(part.features, np.cumsum(WIDTHS[:2]), axis=1)
    keep = np.concatenate([np.ones((1, RECENT)), 1 - np.eye(RECENT)]).astype(np.int32)

    def every(values: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(values[:, None], 1 + RECENT, axis=1)

    return {
        "user": every(user),
        "items": every(items)[:, :, None],
        "cross": every(cross)[:, :, None],
        "recent": part.recent[:, None] * keep[None],
        "hashes": part.hashes[:, None],
    }


def call(model: Any, signature: str, inputs: Arrays) -> Arrays:
    import tensorflow as tf

    found = model.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in found.items()}


def ranked(model: Any, asked: Arrays, variant: Callable[[int], int]) -> NDArray[np.float64]:
    """Log-odds [B, H] by signature `rank`, of one variant of each question."""
    at = np.array([variant(row) for row in range(len(asked["hashes"]))])
    inputs = {name: asked[name][np.arange(len(at)), at] for name in ("user", "items", "cross", "recent")}
    mask = np.ones((len(at), 1), np.float32)
    found = call(model, "rank", {**inputs, "hashes": asked["hashes"], "mask": mask})
    chance = np.clip(found["probabilities"][:, 0].astype(np.float64), 1e-9, 1 - 1e-9)  # float32 ends at 1
    return np.log(chance) - np.log1p(-chance)


def test_an_event_is_worth_what_the_score_loses_without_it(trained: tuple[Any, Any], served: Any) -> None:
    asked = question(trained[1])
    effects = call(served, "explain", asked)["effects"][:, 1:, 0, CLICK]
    whole, dice = ranked(served, asked, lambda row: 0), np.random.default_rng(2)
    top = whole - ranked(served, asked, lambda row: 1 + int(effects[row].argmax()))
    other = whole - ranked(served, asked, lambda row: 1 + int(dice.integers(RECENT)))
    # Above, float32 probabilities leave little of log-odds; below, `ranked` cuts them off.
    plain = (whole[:, CLICK] < 6) & (whole[:, CLICK] > -18)
    assert plain.mean() > 0.5
    np.testing.assert_allclose(top[plain, CLICK], effects[plain].max(1), atol=2e-3)
    assert effects.max(1).mean() > 0.05, "the network reads the past"
    assert np.mean(top[plain, CLICK] >= other[plain, CLICK] - 1e-4) >= 0.95
    assert np.mean(top[plain, CLICK]) > 2 * np.mean(other[plain, CLICK])


def test_integrated_gradients_add_up_to_the_gap(trained: tuple[Any, Any], served: Any) -> None:
    found = call(served, "explain", question(trained[1]))
    assert found["attributions"].shape == (CASES, 1, WIDTH, len(HEADS))
    heads = [CLICK, PURCHASE]
    gap, error = np.abs(found["gap"][:, 0, heads]), found["error"][:, 0, heads]
    np.testing.assert_allclose(
        found["attributions"].sum(2)[:, 0, heads] - found["gap"][:, 0, heads], 0, atol=error.max() + 1e-5
    )
    clear = gap > 0.05
    assert clear.mean() > 0.8
    assert np.median(error[clear] / gap[clear]) < 0.005
    assert np.mean(error[clear] / gap[clear] < 0.01) >= 0.85


def test_a_question_is_answered_alike_alone_and_among_others(trained: tuple[Any, Any], served: Any) -> None:
    asked = question(trained[1], 3)
    together = call(served, "explain", asked)
    alone = call(served, "explain", {name: value[1:2] for name, value in asked.items()})
    for name, value in alone.items():
        assert len(together[name]) == 3, "one answer a row: batches can be joined"
        np.testing.assert_allclose(together[name][1:2], value, atol=1e-4)


def test_other_weights_have_other_reasons(trained: tuple[Any, Any], tmp_path: Path, served: Any) -> None:
    model, rows = trained
    kept, rng = model.get_weights(), np.random.default_rng(3)
    scrambled = [
        rng.permutation(weight.ravel()).reshape(weight.shape) if weight.ndim > 1 and trainable else weight
        for weight, trainable in zip(kept, [w.trainable for w in model.weights], strict=True)
    ]
    try:
        model.set_weights(scrambled)
        other = exported(model, rows, tmp_path / "1")
    finally:
        model.set_weights(kept)
    asked = question(rows)
    before, after = (call(one, "explain", asked) for one in (served, other))
    past = [np.argmax(found["effects"][:, 1:, 0, CLICK], 1) for found in (before, after)]
    assert np.mean(past[0] == past[1]) < 0.5
    shared = [found["attributions"][:, 0, :, CLICK] for found in (before, after)]
    assert np.abs(shared[0] - shared[1]).mean() > 0.1 * np.abs(shared[0]).mean()
