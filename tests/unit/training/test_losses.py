"""Losses against a plain computation, what is drawn, and how often it counts as drawn."""

import numpy as np
import pytest
from numpy.typing import NDArray

from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.retrieval.negatives import Sampler

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
RNG = np.random.default_rng(0)
RIGHT = RNG.normal(0, 3, 4).astype(np.float32)
WRONG = RNG.normal(0, 3, (4, 6)).astype(np.float32)


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (1 / (1 + np.exp(-x))).astype(np.float32)
    return found


def test_the_sampled_softmax_is_the_chance_of_the_wanted_item() -> None:
    from magpie_services.training.retrieval import losses

    counts = np.log(np.array([0.5, 1, 2, 3, 0.1, 1], np.float32))
    expected = np.exp(RIGHT) / (np.exp(RIGHT) + (np.exp(WRONG) / np.exp(counts)).sum(1))
    found = np.asarray(losses.sampled_softmax(RIGHT, WRONG, counts))
    np.testing.assert_allclose(found, -np.log(expected), rtol=1e-4)


def test_with_every_other_item_drawn_once_it_is_the_full_softmax() -> None:
    from magpie_services.training.retrieval import losses

    logits = np.concatenate([RIGHT[:, None], WRONG], 1)
    full = np.asarray(losses.full_softmax(logits, np.zeros(4, np.int32)))
    sampled = np.asarray(losses.sampled_softmax(RIGHT, WRONG, np.zeros(6, np.float32)))
    np.testing.assert_allclose(full, sampled, rtol=1e-4)


def test_gbce_raises_the_chance_of_the_wanted_item_to_a_power() -> None:
    from magpie_services.training.retrieval import losses

    for power in (1.0, 0.3):
        chance, others = sigmoid(RIGHT) ** power, np.log(1 - sigmoid(WRONG)).sum(1)
        expected = -(np.log(chance) + others) / 7
        np.testing.assert_allclose(np.asarray(losses.binary(RIGHT, WRONG, power)), expected, rtol=1e-3)


def test_the_power_of_gbce() -> None:
    from magpie_services.training.retrieval import losses

    assert losses.generalised_power(256, 12_101, 0.0) == pytest.approx(1.0)
    assert losses.generalised_power(256, 12_101, 1.0) == pytest.approx(256 / 12_100)
    alpha = 256 / 12_100
    by_hand = alpha * (0.75 * (1 - 1 / alpha) + 1 / alpha)
    assert losses.generalised_power(256, 12_101, 0.75) == pytest.approx(by_hand)
    assert losses.generalised_power(100, 50, 0.75) == pytest.approx(1.0)


def test_only_seen_items_are_drawn_and_few_are_all_taken() -> None:
    counts = np.array([0, 5, 0, 3, 2])
    sampler = Sampler(RetrieverPlan(negatives=2), counts)
    assert not sampler.full
    drawn = sampler.draw(np.array([1], np.int32), np.random.default_rng(0))
    assert set(drawn.items.tolist()) <= {1, 3, 4}
    assert Sampler(RetrieverPlan(negatives=3), counts).full
    assert Sampler(RetrieverPlan(negatives=1, full_below=3), counts).full
    assert not Sampler(RetrieverPlan(negatives=3, objective="bce"), counts).full


def test_logq_counts_what_was_drawn() -> None:
    counts = np.concatenate([[0], np.arange(1, 21)])
    plan = RetrieverPlan(negatives=10, mixed=0.4, logq=True)
    sampler, rng = Sampler(plan, counts), np.random.default_rng(0)
    targets = rng.choice(21, 5_000, p=counts / counts.sum()).astype(np.int32)
    found, expected = np.zeros(21), np.zeros(21)
    for _ in range(2_000):
        drawn = sampler.draw(targets, rng)
        np.add.at(found, drawn.items, 1)
        expected[drawn.items] = np.exp(drawn.log_counts)
    np.testing.assert_allclose(found[1:] / 2_000, expected[1:], rtol=0.15)


def test_each_position_may_have_negatives_of_its_own() -> None:
    plan = RetrieverPlan(negatives=3, shared=False)
    sampler = Sampler(plan, np.concatenate([[0], np.ones(50, int)]))
    drawn = sampler.draw(np.arange(1, 8, dtype=np.int32), np.random.default_rng(0))
    assert drawn.items.shape == drawn.log_counts.shape == (7, 3)
