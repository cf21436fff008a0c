"""The light model starts from what a person knows, learns what rows teach, and calibrates towards itself."""

from dataclasses import replace

import numpy as np
from tests.unit.training import worlds

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.plan import RankerPlan
from magpie_services.training.ranking import calibration, light, rows
from magpie_services.training.ranking.light import NAMES, PRIOR_RATES, PRIOR_WEIGHTS, Light
from magpie_services.training.ranking.rows import CLICK, ORGANIC, PURCHASE, UNSUBSCRIBE


def test_prior_weights_name_real_features() -> None:
    assert {name for weights in PRIOR_WEIGHTS.values() for name in weights} <= set(NAMES)
    assert set(PRIOR_WEIGHTS) | set(light.ALIKE) == set(PRIOR_RATES) == set(HEADS)


def test_without_rows_it_is_the_prior() -> None:
    learnt, prior = light.fit(rows.empty(), seed=1), light.prior()
    np.testing.assert_array_equal(learnt.weights, prior.weights)
    np.testing.assert_array_equal(learnt.bias, prior.bias)


def test_it_finds_what_matters() -> None:
    learnt = light.fit(worlds.rows(4_000), seed=1)
    others = np.delete(np.abs(learnt.weights[CLICK]), NAMES.index("interest"))
    assert 1.4 < learnt.weights[CLICK, NAMES.index("interest")] < 2.4
    assert others.max() < 0.8  # the prior believed in up to 2.0 elsewhere


def test_a_head_without_positives_keeps_its_weights_and_meets_a_smoothed_rate() -> None:
    learnt = light.fit(worlds.rows(2_000), seed=1)
    np.testing.assert_array_equal(learnt.weights[UNSUBSCRIBE], light.prior().weights[UNSUBSCRIBE])
    rates = 1 / (1 + np.exp(-learnt.logits(worlds.rows(2_000).features)[:, UNSUBSCRIBE]))
    assert 0 < rates.mean() < light.PRIOR_RATES["unsubscribe"]


def test_shadow_rows_teach_purchases_only() -> None:
    learnt = light.fit(worlds.rows(3_000, sent=False), seed=1)
    assert learnt.weights[ORGANIC, NAMES.index("interest")] > 1.2
    np.testing.assert_array_equal(learnt.weights[PURCHASE], learnt.weights[ORGANIC])
    assert learnt.bias[PURCHASE] == learnt.bias[ORGANIC]
    np.testing.assert_array_equal(learnt.weights[CLICK], light.prior().weights[CLICK])


def test_half_seen_purchases_are_not_half_the_chance() -> None:
    whole = worlds.rows(6_000)
    rng = np.random.default_rng(5)
    labels = whole.labels.copy()
    labels[:, PURCHASE] *= rng.random(len(whole)) < 0.5
    shares = np.where(np.arange(len(HEADS)) == PURCHASE, 0.5, 1).astype(np.float32)
    late = replace(whole, labels=labels, shares=np.tile(shares, (len(whole), 1)))
    one, other = light.fit(whole, 1), light.fit(late, 1)
    assert abs(one.bias[PURCHASE] - other.bias[PURCHASE]) < 0.35


def by_weekday(days: int, effect: float, noise: float) -> Light:
    """A fit to so many days, each likelier to bring clicks by its weekday and by chance."""
    rng, whole = np.random.default_rng(7), worlds.rows(14_000)
    day = np.arange(len(whole)) * days // len(whole)
    week = np.stack([np.sin(day * np.pi / 3.5), np.cos(day * np.pi / 3.5), day % 7 >= 5], 1)
    features, labels = whole.features.copy(), whole.labels.copy()
    features[:, light.CALENDAR] = week
    log_odds = -1 + effect * week[:, 0] + rng.normal(0, noise, days)[day]
    labels[:, CLICK] = rng.random(len(whole)) < 1 / (1 + np.exp(-log_odds))
    made = replace(whole, features=features, labels=labels, decided_ms=day * rows.DAY_MS)
    return light.fit(replace(made, known=np.ones_like(whole.known)), 1)


def test_of_the_day_of_the_week_two_weeks_teach_little_and_many_weeks_what_is_true() -> None:
    short, long = by_weekday(14, 0.0, 0.2), by_weekday(280, 0.5, 0.2)
    assert np.abs(short.weights[CLICK, light.CALENDAR]).max() < 0.1
    assert 0.2 < long.weights[CLICK, light.CALENDAR[0]] < 0.6


def test_a_campaign_that_did_well_by_chance_says_little_of_its_items() -> None:
    rng, whole = np.random.default_rng(4), worlds.rows(6_000)
    campaign, trait = np.arange(len(whole)) % 12, NAMES.index("item_popularity")
    features, labels = whole.features.copy(), whole.labels.copy()
    level = rng.normal(0, 1.0, 12)
    features[:, trait] = level[campaign]  # by bad luck a trait goes with it
    labels[:, CLICK] = rng.random(len(whole)) < 1 / (1 + np.exp(1.5 - level[campaign]))
    made = replace(
        whole, features=features, labels=labels, known=np.ones_like(whole.known), campaigns=campaign
    )
    blind, aware = light.fit(made, 1), light.fit(made, 1, RankerPlan(level_noise=1.0, strength=20.0))
    assert blind.weights[CLICK, trait] > 0.8
    assert aware.weights[CLICK, trait] < 0.75 * blind.weights[CLICK, trait]


def test_other_features_are_learnt_from_nothing_but_rows() -> None:
    rng, whole = np.random.default_rng(4), worlds.rows(3_000)
    features = rng.normal(0, 1, (len(whole), 6)).astype(np.float32)
    labels = whole.labels.copy()
    labels[:, CLICK] = rng.random(len(whole)) < 1 / (1 + np.exp(2 - features[:, 4]))
    made = replace(whole, features=features, labels=labels, known=np.ones_like(whole.known))
    belief = light.indifferent((3, 1, 2))
    assert not belief.light.weights.any()
    learnt = light.fit(made, 1, belief=belief)
    assert 0.8 < learnt.weights[CLICK, 4] < 1.1
    assert np.abs(np.delete(learnt.weights[CLICK], 4)).max() < 0.2


def test_calibration_finds_a_shift_and_leaves_rare_heads_alone() -> None:
    known = worlds.rows(4_000)
    logits = light.fit(known, 1).logits(known.features)
    slope, offset = calibration.platt(2 * logits + 1, known)
    assert abs(slope[PURCHASE] - 0.5) < 0.15
    assert abs(offset[PURCHASE] + 0.5) < 0.25
    assert (slope[UNSUBSCRIBE], offset[UNSUBSCRIBE]) == (1.0, 0.0)
