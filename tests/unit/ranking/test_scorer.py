"""The light scorer, the order of candidates and the draw of logged features."""

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ranking.test_batch import built

from magpie_services.core.features import HEADS
from magpie_services.ranking import light, scorer
from magpie_services.ranking.light import NAMES


def test_the_prior_fits_and_gives_probabilities() -> None:
    prior = light.prior()
    probabilities = prior.probabilities(built(20, 3))
    assert prior.fits
    assert probabilities.shape == (2, 100, len(HEADS))
    assert ((probabilities > 0) & (probabilities < 0.5)).all()


def test_the_prior_prefers_what_is_alike() -> None:
    click = light.prior().probabilities(built(20))[0, :20, 0]
    assert click[19] > click[9] > click[1]


def test_weights_of_other_features_do_not_fit() -> None:
    prior = light.prior()
    assert not msgspec.structs.replace(prior, schema_hash="another").fits
    assert not msgspec.structs.replace(prior, weights=prior.weights[:-4]).fits


def test_weights_are_applied_as_a_logistic_regression() -> None:
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(len(HEADS), len(NAMES))).astype(np.float32)
    bias = generator.normal(size=len(HEADS)).astype(np.float32)
    batch = built(4)
    expected = 1 / (1 + np.exp(-(batch.flat().astype(np.float64) @ weights.T + bias)))
    np.testing.assert_allclose(light.light(3, weights, bias).probabilities(batch), expected, atol=1e-5)


def test_candidates_are_ordered_by_click_and_purchase() -> None:
    probabilities = np.array([[0.1, 0.0, 0, 0], [0.1, 0.3, 0, 0], [0.2, 0.0, 0, 0]], dtype=np.float32)
    assert scorer.best_first(probabilities) == [1, 2, 0]


@given(st.integers(0, 30), st.integers(0, 10), st.integers(0, 10), st.integers(0, 2**64 - 1))
def test_a_sample_has_the_best_and_a_fair_share_of_the_rest(
    size: int, best: int, rest: int, seed: int
) -> None:
    order = list(reversed(range(size)))
    drawn, chance = scorer.sample(order, best, rest, seed, "u")
    others = max(size - best, 0)
    assert set(order[:best]) <= set(drawn)
    assert len(drawn) == min(size, best) + min(rest, others)
    assert chance == (min(rest, others) / others if others else 1.0)
    assert (drawn, chance) == scorer.sample(order, best, rest, seed, "u")


def test_every_candidate_of_the_rest_is_drawn_equally_often() -> None:
    counts = np.zeros(12)
    for seed in range(2_000):
        drawn, chance = scorer.sample(list(range(12)), 2, 3, seed, "u")
        counts[list(drawn)] += 1
    assert counts[:2].tolist() == [2_000, 2_000]
    assert np.abs(counts[2:] / 2_000 - chance).max() < 0.05
