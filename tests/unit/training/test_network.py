"""The ranker's network: what it may depend on, what moves it, and what its calibration says."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import progress
from magpie_services.training.plan import RankerPlan
from magpie_services.training.ranking import calibration, light, rows
from magpie_services.training.ranking.rows import (
    CLICK,
    ORGANIC,
    ORGANIC_DAY,
    PURCHASE,
    PURCHASE_DAY,
    UNSUBSCRIBE,
    WIDTHS,
)

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
PURE = ("network", "loss")


def shaken(seed: int = 0) -> Any:
    """A ranker whose every weight is random, so that whatever can matter does."""
    from magpie_services.training.ranking.network import Ranker

    rng, model = np.random.default_rng(seed), Ranker(light.prior(), RankerPlan())
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    return model


def asked(users: int, count: int, seed: int = 1) -> list[Any]:
    """Inputs of users with `count` candidates each."""
    rng = np.random.default_rng(seed)
    user, item, cross = WIDTHS
    return [
        rng.normal(0, 0.5, (users, user)).astype(np.float32),
        rng.normal(0, 0.5, (users, count, item)).astype(np.float32),
        rng.normal(0, 0.5, (users, count, cross)).astype(np.float32),
        rng.integers(1, 2**31 - 1, (users, count, 3)).astype(np.int32),
        rng.integers(1, 2**31 - 1, (users, 20)).astype(np.int32),
    ]


def score(model: Any, inputs: list[Any]) -> Any:
    return np.asarray(model.probabilities(*inputs))


@pytest.mark.parametrize("name", PURE)
def test_the_network_knows_no_backend(name: str) -> None:
    tree = ast.parse((Path(rows.__file__).parent / f"{name}.py").read_text("utf-8"))
    named = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not {one for one in named if one.partition(".")[0] in ("tensorflow", "jax", "torch")}


def test_a_candidate_scores_the_same_whoever_stands_beside_it() -> None:
    model, whole = shaken(), asked(3, 7)
    found = score(model, whole)
    alone = [whole[0][1:2], *(part[1:2, 4:5] for part in whole[1:4]), whole[4][1:2]]
    np.testing.assert_allclose(score(model, alone)[0, 0], found[1, 4], atol=1e-6)
    padded = [whole[0], *(np.pad(part, [(0, 0), (0, 5), (0, 0)]) for part in whole[1:4]), whole[4]]
    np.testing.assert_allclose(score(model, padded)[:, :7], found, atol=1e-6)


def test_what_was_met_and_when_matters_and_somebody_new_is_scored_all_the_same() -> None:
    model, whole = shaken(), asked(1, 4)
    found = score(model, whole)
    turned = [*whole[:4], whole[4][:, ::-1]]
    assert np.abs(score(model, turned) - found).max() > 1e-5
    nothing = score(model, [*whole[:3], np.zeros_like(whole[3]), np.zeros_like(whole[4])])
    assert np.isfinite(nothing).all()
    assert np.abs(nothing - found).max() > 1e-5


def test_the_deep_part_looks_only_at_what_it_may_see() -> None:
    model, whole = shaken(), asked(2, 3)
    other = [whole[0].copy(), *whole[1:]]
    other[0][:, light.CALENDAR] += 1.0

    def deep(one: list[Any]) -> Any:
        plain = one[0] @ np.asarray(model.light_user)
        return np.asarray(model.logits(*one)) - plain[:, None]

    assert np.abs(deep(other) - deep(whole)).max() > 1e-4
    seen = np.ones(WIDTHS[0], np.float32)
    seen[light.CALENDAR] = 0
    model.seen.assign(seen)
    np.testing.assert_allclose(deep(other), deep(whole), atol=1e-5)


def test_ids_that_share_a_row_in_one_table_differ_in_the_other() -> None:
    model, whole = shaken(), asked(1, 1)
    other = [*whole[:3], whole[3] + 8_191, whole[4]]  # the same rest in the first table
    assert np.abs(score(model, other) - score(model, whole)).max() > 1e-5


def test_a_day_never_has_more_purchases_than_its_week() -> None:
    found = score(shaken(), asked(8, 30))
    assert (found[..., PURCHASE_DAY] <= found[..., PURCHASE]).all()
    assert (found[..., ORGANIC_DAY] <= found[..., ORGANIC]).all()


def test_the_calibration_in_the_graph_is_the_curve_that_was_fitted() -> None:
    rng, model = np.random.default_rng(0), shaken()
    low = rng.uniform(-8, -4, (len(HEADS), 1))
    knots = (low + np.linspace(0, 6, calibration.KNOTS)).astype(np.float32)
    values = (low + np.cumsum(rng.uniform(0.01, 0.3, knots.shape), 1)).astype(np.float32)
    model.calibrate(knots, values)
    heads = [CLICK, UNSUBSCRIBE]  # no ceiling above them
    at_knots = np.asarray(model.calibrated(knots.T))[:, heads]
    np.testing.assert_allclose(at_knots, (1 / (1 + np.exp(-values.astype(float)))).T[:, heads], atol=2e-5)
    logits = rng.uniform(-14, 8, (500, len(HEADS))).astype(np.float32)
    curves = calibration.Curves(knots, values)
    found = np.asarray(model.calibrated(logits))
    np.testing.assert_allclose(found[:, heads], curves.probabilities(logits)[:, heads], atol=2e-5)
    line = np.repeat(np.linspace(-14, 8, 4_000, dtype=np.float32)[:, None], len(HEADS), 1)
    assert (np.diff(np.asarray(model.calibrated(line))[:, heads], axis=0) >= 0).all()


def test_a_masked_label_moves_nothing() -> None:
    import tensorflow as tf

    from magpie_services.training.ranking import fit
    from magpie_services.training.ranking.loss import log_loss

    model, made = shaken(), worlds.rows(64)

    def gradients(labels: Any) -> list[Any]:
        inputs, _, weights, shares = fit.batch(made, RankerPlan())
        with tf.GradientTape() as tape:
            total, _ = log_loss(model.logits(*inputs)[:, 0], labels, weights, shares)
        return [
            tf.convert_to_tensor(g).numpy()
            for g in tape.gradient(total, [w.value for w in model.trainable_weights])
        ]

    turned = np.where(made.known > 0, made.labels, 1 - made.labels).astype(np.float32)
    for one, other in zip(gradients(made.labels), gradients(turned), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_push_adds_only_what_pushes_taught() -> None:
    from magpie_services.training.ranking import fit

    silent = replace(worlds.rows(1_500, sent=False), exposure=np.ones(1_500, np.float32))
    model, _ = fit.train(RankerPlan(epochs=2), silent, 1, progress.silent)
    found = fit.logits(model, silent)
    np.testing.assert_allclose(found[:, PURCHASE], found[:, ORGANIC], atol=1e-5)
    np.testing.assert_allclose(found[:, PURCHASE_DAY], found[:, ORGANIC_DAY], atol=1e-5)
