"""From batches to lessons: places instead of items, padding that weighs nothing, augmentation; learning by
seed.
"""

from typing import Any

import numpy as np
import pytest

from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.progress import silent
from magpie_services.training.retrieval import vocabulary
from magpie_services.training.retrieval.augmentation import augmented
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.windows import Batch, NextItem, Windows

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
ITEMS = 40


def walk(users: int = 30, seed: int = 0) -> History:
    """Users who mostly step from an item to the next one."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 20, users)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    steps = np.where(rng.random(offsets[-1]) < 0.9, 1, rng.integers(0, ITEMS, offsets[-1]))
    items = (np.cumsum(steps) % ITEMS + 1).astype(np.int32)
    names = tuple(str(user) for user in range(users))
    return History(names, offsets, items, np.zeros_like(items), np.zeros(len(items), np.int64))


def batch(history: History, seed: int = 0) -> Batch:
    return next(Windows(history, NextItem(history)).epoch(8, 100, np.random.default_rng(seed)))


def known() -> vocabulary.Vocabulary:
    ids = [f"{number:03d}" for number in range(1, ITEMS + 1)]
    return vocabulary.plain(ids, {item_id: [int(item_id) % 5] for item_id in ids})


@pytest.mark.parametrize(
    "plan",
    [
        RetrieverPlan(full_below=ITEMS),
        RetrieverPlan(negatives=8),
        RetrieverPlan(negatives=8, mixed=0.5, logq=True),
        RetrieverPlan(negatives=3, shared=False, objective="bce", scoring="dot", content=False),
        RetrieverPlan(negatives=8, objective="gbce", l1=1e-4, l2=1e-4),
        RetrieverPlan(negatives=8, precision="mixed_bfloat16"),
    ],
)
def test_padding_a_lesson_changes_no_loss(plan: RetrieverPlan) -> None:
    from magpie_services.training.retrieval import fit
    from magpie_services.training.retrieval.lessons import padded

    history = walk()
    learner = fit.begin(plan, known(), history, 1)
    lesson = learner._lessons.lesson(batch(history), np.random.default_rng(0))
    total, weight = learner.model(lesson)
    wide = padded(lesson)
    assert wide.items.shape == (64, 32 if lesson.items.shape[1] > 16 else 16)
    again, same = learner.model(wide)
    np.testing.assert_allclose(float(total), float(again), rtol=2e-2 if plan.precision != "float32" else 1e-4)
    assert float(weight) == float(same) == len(lesson.at)


def test_a_lesson_names_the_same_items_as_its_batch() -> None:
    from magpie_services.training.retrieval import fit

    history = walk()
    for plan in (RetrieverPlan(full_below=ITEMS), RetrieverPlan(negatives=8)):
        learner, given = fit.begin(plan, known(), history, 1), batch(history)
        lesson = learner._lessons.lesson(given, np.random.default_rng(0))
        assert lesson.rows[0] == 0
        np.testing.assert_array_equal(lesson.rows[lesson.items], given.items)
        np.testing.assert_array_equal(lesson.rows[lesson.targets], given.targets)


def test_a_seed_decides_everything_and_averages_are_what_is_kept() -> None:
    from magpie_services.training.retrieval import fit

    class Nobody:
        asked = 0

        def score(self, model: Any) -> float:
            return 0.0

    history, found = walk(), []
    plan = RetrieverPlan(
        negatives=8, epochs=2, seconds=60, ema=0.9, dropout=0.2, crop=0.5, mask=0.1, reorder=0.3
    )
    for seed in (1, 1, 2):
        learner = fit.begin(plan, known(), history, seed)
        learner.learn(Windows(history, NextItem(history)), Nobody(), seed, silent)
        found.append(learner.model.vectors())
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 1e-3


def test_what_is_learnt_is_the_next_step() -> None:
    from magpie_services.training.retrieval import fit
    from magpie_services.training.retrieval.leave_one_out import Data

    data = Data("walk", known(), walk(200))
    past, validation = data.split(2)
    plan = RetrieverPlan(full_below=ITEMS, epochs=12, seconds=60, content=False, id_dropout=0.0)
    learner = fit.begin(plan, data.vocabulary, past, 1)
    learnt = learner.learn(Windows(past, NextItem(past)), validation, 1, silent)
    assert learnt.best > 0.5  # by chance 0.11


@pytest.mark.parametrize(
    "plan",
    [
        RetrieverPlan(negatives=1, shared=False, objective="bce", scoring="dot", encoder="sasrec"),
        RetrieverPlan(negatives=8, objective="gbce", mixed=0.3, logq=True, l2=1e-5),
    ],
)
def test_other_objectives_are_learnt_by_the_compiled_step(plan: RetrieverPlan) -> None:
    from magpie_services.training.retrieval import fit

    history, losses = walk(100), []
    learner = fit.begin(plan, known(), history, 1)
    for _, loss, _ in learner.epochs(Windows(history, NextItem(history)), 6, 60.0, 1):
        losses.append(loss)
    assert losses[-1] < 0.9 * losses[0]


def test_augmentation_keeps_targets_and_hides_what_it_should() -> None:
    history = walk(300)
    given = next(Windows(history, NextItem(history)).epoch(200, 10_000, np.random.default_rng(0)))
    rng = np.random.default_rng(1)
    assert augmented(given, RetrieverPlan(), rng) is given
    hidden = augmented(given, RetrieverPlan(mask=0.3), rng)
    assert (hidden.items > 0).sum() / (given.items > 0).sum() == pytest.approx(0.7, abs=0.05)
    assert hidden.targets is not None
    np.testing.assert_array_equal(hidden.targets, given.targets)
    cropped = augmented(given, RetrieverPlan(crop=1.0), rng)
    assert 0.6 < len(cropped.at) / len(given.at) < 0.9
    assert (cropped.items.ravel()[cropped.at] > 0).all()
    # What is left of a window is its newest part.
    assert (np.diff((cropped.items > 0).astype(int), axis=1) >= 0).all()
    turned = augmented(given, RetrieverPlan(reorder=1.0), rng)
    assert (turned.items != given.items).any()
    np.testing.assert_array_equal(np.sort(turned.items, 1), np.sort(given.items, 1))
