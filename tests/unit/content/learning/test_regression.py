"""What weights follow from what was answered."""

import numpy as np
import pytest

from magpie_services.content.learning import features, regression
from magpie_services.content.learning.features import FACTORS, FAMILIES, codes
from magpie_services.content.learning.regression import Evidence

HERE = "active.bargain.evening"


def seen(*rows: tuple[str, str, float, float]) -> Evidence:
    """Evidence of (variant, context, trials, clicks)."""
    found = [codes(variant, context) for variant, context, _, _ in rows]
    assert None not in found
    trials, clicks = np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
    return Evidence(np.array(found), trials, clicks)


def weight(posterior: regression.Posterior, name: str) -> tuple[float, float]:
    at = features.names().index(name)
    return float(posterior.mean[at]), float(posterior.deviation[at])


def test_names_are_as_many_as_weights_and_each_once() -> None:
    names = features.names()
    assert len(set(names)) == len(names) == features.SIZE
    assert names[0] == "base"


def test_what_is_followed_more_weighs_more_and_evidence_narrows() -> None:
    few, many = (
        regression.fit(
            seen(
                ("en:price_drop:plain:none:look", HERE, 100.0 * times, 20.0 * times),
                ("en:trending:plain:none:look", HERE, 100.0 * times, 5.0 * times),
            )
        )
        for times in (1, 20)
    )
    for posterior in (few, many):
        assert weight(posterior, "strategy=price_drop")[0] > 0.0 > weight(posterior, "strategy=trending")[0]
    gap = [weight(one, "strategy=price_drop")[0] - weight(one, "strategy=trending")[0] for one in (few, many)]
    assert gap[1] > gap[0]
    assert weight(many, "strategy=price_drop")[1] < weight(few, "strategy=price_drop")[1]
    assert weight(few, "strategy=premium")[0] == 0.0
    assert weight(few, "strategy=premium")[1] == pytest.approx(0.4)


def test_the_mode_is_where_the_slope_is_nothing() -> None:
    rng = np.random.default_rng(3)
    rows = np.stack([rng.integers(0, len(levels), 400) for levels in FACTORS.values()], axis=1)
    evidence = Evidence(rows, np.full(400, 50.0), rng.binomial(50, 0.1, 400).astype(float))
    start = regression.fit(evidence)
    found = regression.fit(evidence, start)

    def log_posterior(mean: np.ndarray) -> float:
        score = regression.score(mean, rows)
        fits = evidence.clicks * score - evidence.trials * np.logaddexp(0.0, score)
        variances = np.repeat(np.square(start.scales), [family.size for family in FAMILIES])
        centre = regression.prior().mean
        return float(fits.sum() - 0.5 * np.sum((mean - centre) ** 2 / variances))

    best = log_posterior(found.mean)
    for _ in range(20):
        assert log_posterior(found.mean + rng.normal(0.0, 0.02, features.SIZE)) < best


def test_a_circumstance_seen_little_is_drawn_to_what_holds_elsewhere() -> None:
    rows = [
        ("en:price_drop:plain:none:look", f"{stage}.bargain.evening", 2_000.0, 300.0)
        for stage in ("new", "active", "loyal")
    ]
    rows += [
        ("en:trending:plain:none:look", f"{stage}.bargain.evening", 2_000.0, 60.0)
        for stage in ("new", "active", "loyal")
    ]
    # Lapsing users: a handful of pushes that say the opposite.
    rows += [
        ("en:price_drop:plain:none:look", "lapsing.bargain.evening", 6.0, 0.0),
        ("en:trending:plain:none:look", "lapsing.bargain.evening", 6.0, 1.0),
    ]
    posterior = regression.fit(seen(*rows))
    asked = np.array(
        [
            codes(f"en:{name}:plain:none:look", "lapsing.bargain.evening")
            for name in ("price_drop", "trending")
        ]
    )
    one, other = regression.score(posterior.mean, asked)
    assert one > other + 0.5


def test_families_that_explain_nothing_shrink() -> None:
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(0, len(levels), 3_000) for levels in FACTORS.values()], axis=1)
    effect = np.linspace(-0.8, 0.8, len(FACTORS["strategy"]))[rows[:, 0]]
    rate = 1.0 / (1.0 + np.exp(-(effect - 2.0)))
    evidence = Evidence(rows, np.full(3_000, 20.0), rng.binomial(20, rate).astype(float))
    posterior = None
    for _ in range(10):
        posterior = regression.fit(evidence, posterior)
    assert posterior is not None
    scales = dict(zip((family.factors for family in FAMILIES), posterior.scales, strict=True))
    assert scales["strategy",] > features.family("strategy").deviation
    for factors in (("tone",), ("opener",), ("strategy", "stage"), ("call", "part")):
        assert scales[factors] < 0.95 * features.family(*factors).deviation


def test_nothing_seen_leaves_the_prior() -> None:
    nothing = Evidence(np.zeros((0, len(FACTORS)), np.intp), np.zeros(0), np.zeros(0))
    found, prior = regression.fit(nothing), regression.prior()
    assert np.allclose(found.mean, prior.mean)
    assert np.allclose(found.covariance, prior.covariance)
    assert found.scales == pytest.approx(prior.scales)


def test_draws_have_the_mean_and_deviation_of_the_posterior() -> None:
    posterior = regression.fit(seen(("en:price_drop:plain:none:look", HERE, 500.0, 50.0)))
    draws = posterior.draws(4_000, np.random.default_rng(1))
    assert np.allclose(draws.mean(axis=0), posterior.mean, atol=0.05 * 3.0)
    assert np.allclose(draws.std(axis=0), posterior.deviation, rtol=0.1)
    half = posterior.draws(4_000, np.random.default_rng(1), sharpness=2.0)
    assert np.allclose(half.std(axis=0), posterior.deviation / 2.0, rtol=0.1)


def test_a_form_sent_to_the_tired_is_not_blamed_and_how_much_they_tire_is_learnt() -> None:
    form, other = "en:price_drop:plain:none:look", "en:trending:plain:none:look"
    tired = f"{HERE}.tired3"
    found = None
    evidence = seen(
        (form, HERE, 1_000.0, 100.0),
        (form, tired, 9_000.0, 450.0),
        (other, HERE, 1_000.0, 80.0),
        (other, tired, 1_000.0, 40.0),
    )
    for _ in range(5):
        found = regression.fit(evidence, found)
    assert found is not None
    asked = np.array([codes(one, HERE) for one in (form, other)])
    better, worse = regression.score(found.mean, asked)
    assert better > worse
    level = weight(found, "tired=3")[0] - weight(found, "tired=0")[0]
    assert -0.9 < level < -0.4
    assert weight(found, "tired=9")[0] == pytest.approx(-0.9)
