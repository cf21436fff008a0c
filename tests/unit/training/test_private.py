"""Differential privacy: sampling, clipping, accounting and the ledger; and that something is learnt."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.core.feature_schema import HEADS
from magpie_services.kit.errors import Invalid
from magpie_services.training.metrics import auc
from magpie_services.training.privacy import Privacy
from magpie_services.training.ranking import light, private, private_accounting, private_ledger
from magpie_services.training.ranking.private_accounting import Mechanism
from magpie_services.training.ranking.rows import CLICK, PURCHASE

CHEAP = Privacy(noise=1.0, rate=0.02048, steps=244, budget_epsilon=3.6, budget_delta=1e-6)


def people(count: int = 600, users: int = 60) -> private.People:
    return private.by_user(worlds.rows(count, users), worlds.END_MS)


def test_sampling_is_poisson_each_user_by_itself() -> None:
    rng = np.random.default_rng(1)
    draws = [private.drawn(1_000, 0.1, rng) for _ in range(2_000)]
    sizes = np.array([len(draw) for draw in draws])
    # A shuffled batch would have no variance at all, sampling with a fixed size neither.
    assert sizes.mean() == pytest.approx(100, abs=1)
    assert sizes.var() == pytest.approx(1_000 * 0.1 * 0.9, rel=0.15)
    times = np.bincount(np.concatenate(draws), minlength=1_000) / len(draws)
    assert times.std() == pytest.approx(np.sqrt(0.1 * 0.9 / len(draws)), rel=0.15)
    first, second = (np.array([who in set(draw.tolist()) for draw in draws]) for who in (3, 4))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08


def test_gradients_by_user_are_those_of_the_loss() -> None:
    some = people(40, 5)
    rng = np.random.default_rng(2)
    weights = rng.normal(0, 0.1, (len(HEADS), some.inputs.shape[1]))
    found = private.user_gradients(some, np.array([0, 2]), weights)

    def loss(user: int, at: np.ndarray) -> float:
        rows = slice(some.starts[user], some.starts[user + 1])
        seen = some.shares[rows] / (1 + np.exp(-some.inputs[rows] @ at.T))
        label = some.labels[rows]
        return float(-(some.weights[rows] * (label * np.log(seen) + (1 - label) * np.log1p(-seen))).sum())

    for place, user in enumerate((0, 2)):
        for head, column in ((CLICK, 3), (PURCHASE, 7), (CLICK, -1)):
            moved = weights.copy()
            moved[head, column] += 1e-6
            slope = (loss(user, moved) - loss(user, weights)) / 1e-6
            assert found[place, head, column] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("clip", [0.1, 1.0])
def test_one_user_moves_the_sum_by_at_most_the_clip(clip: float) -> None:
    some = people()
    weights = np.random.default_rng(3).normal(0, 0.3, (len(HEADS), some.inputs.shape[1]))
    everybody = np.arange(len(some))
    whole = private.clipped_sum(some, everybody, weights, clip)
    moved = [
        np.linalg.norm(whole - private.clipped_sum(some, np.delete(everybody, user), weights, clip))
        for user in everybody
    ]
    assert max(moved) <= clip * (1 + 1e-9)
    assert min(moved) > 0
    assert not private.clipped_sum(some, everybody[:0], weights, clip).any()


def test_all_rows_of_a_user_are_one_contribution_and_rows_of_nobody_are_left_out() -> None:
    rows = worlds.rows(300, 10)
    one = replace(rows, groups=np.zeros(len(rows), np.int64))
    assert len(private.by_user(one, worlds.END_MS)) == 1
    unknown = replace(rows, groups=np.full(len(rows), -1))
    assert len(private.by_user(unknown, worlds.END_MS)) == 0
    learnt = private.fit(CHEAP, unknown, worlds.END_MS, 1.0, np.random.default_rng())
    np.testing.assert_array_equal(learnt.weights, light.prior().weights)


def test_without_noise_it_learns_what_the_log_says_and_with_noise_no_two_fits_agree() -> None:
    rows, exam = worlds.rows(4_000, 400), worlds.rows(2_000, seed=9)
    privacy = Privacy()
    found = private.fit(privacy, rows, worlds.END_MS, 0.0, np.random.default_rng(4))
    asked = exam.known[:, CLICK] > 0
    score = found.logits(exam.features)[asked, CLICK]
    assert auc(exam.labels[asked, CLICK], score) > 0.67
    noisy = [private.fit(privacy, rows, worlds.END_MS, 1.0, np.random.default_rng()) for _ in range(2)]
    assert np.abs(noisy[0].weights - noisy[1].weights).max() > 1e-3


@pytest.mark.parametrize(
    ("noise", "users", "batch", "epochs", "delta", "known"),
    [(1.0, 100_000, 2_048, 5, 1e-6, 2.443), (1.5, 10_000, 1_024, 5, 1e-5, 2.57)],
)
def test_the_accountant_agrees_with_known_values(
    noise: float, users: int, batch: int, epochs: int, delta: float, known: float
) -> None:
    mechanism = Mechanism(noise=noise, rate=batch / users, steps=round(epochs * users / batch))
    assert private_accounting.epsilon([mechanism], delta) == pytest.approx(known, rel=0.005)


def test_of_one_gaussian_the_accountant_knows_the_exact_curve() -> None:
    from scipy.stats import norm

    spent = private_accounting.epsilon([Mechanism(noise=2.0, rate=1.0, steps=1)], 1e-5)
    # delta(epsilon) of the Gaussian mechanism with sensitivity 1 (Balle and Wang, 2018).
    delta = norm.cdf(0.25 - spent * 2) - np.exp(spent) * norm.cdf(-0.25 - spent * 2)
    assert delta == pytest.approx(1e-5, rel=0.01)


def test_the_noise_is_the_least_that_keeps_epsilon() -> None:
    noise = private_accounting.noise_for(2.5, 1e-6, 0.02048, 244)
    for factor, kept in ((1.0, True), (0.98, False)):
        mechanism = Mechanism(noise=noise * factor, rate=0.02048, steps=244)
        assert (private_accounting.epsilon([mechanism], 1e-6) <= 2.5) == kept
    assert private_accounting.epsilon([Mechanism(noise=0.0, rate=0.1, steps=1)], 1e-6) == float("inf")
    with pytest.raises(Invalid, match=r"privacy\.epsilon"):
        private_accounting.noise_for(1e-4, 1e-6, 1.0, 10)


def test_the_ledger_composes_runs_and_refuses_the_one_that_goes_over(tmp_path: Path) -> None:
    path = tmp_path / "privacy.json"
    first = private_ledger.spend(path, "run-1", CHEAP, 1)
    assert first.epsilon == pytest.approx(2.44, abs=0.02)
    assert first.spent_epsilon == pytest.approx(first.epsilon)
    again = private_ledger.spend(path, "run-1", CHEAP, 1)
    assert again == first, "the same run, delivered twice, spends once"
    second = private_ledger.spend(path, "run-2", CHEAP, 2)
    together = private_accounting.epsilon([Mechanism(noise=1.0, rate=0.02048, steps=488)], 1e-6)
    assert second.spent_epsilon == pytest.approx(together)
    assert first.epsilon < second.spent_epsilon < 2 * first.epsilon, "better than adding up"
    with pytest.raises(Invalid, match=r"privacy\.budget_epsilon: is 3\.6 .*2 runs have spent 3\."):
        private_ledger.spend(path, "run-3", CHEAP, 3)
    assert [entry.run_id for entry in private_ledger.entries(path)] == ["run-1", "run-2"]


def test_a_ledger_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "privacy.json"
    path.write_bytes(b"[{")
    with pytest.raises(Invalid, match=r"privacy\.ledger"):
        private_ledger.spend(path, "run-1", CHEAP, 1)
    assert path.read_bytes() == b"[{"
    entry = {"run_id": "r", "mechanism": {"noise": 1.0, "rate": 7.0, "steps": 1}, "end_ms": 1}
    path.write_bytes(msgspec.json.encode([entry]))  # no such chance
    with pytest.raises(Invalid, match=r"privacy\.ledger"):
        private_ledger.spend(path, "run-1", CHEAP, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", 0.0),
        ("rate", 1.5),
        ("clip", 0.0),
        ("steps", 0),
        ("epsilon", 0.0),
        ("delta", 0.1),
        ("noise", -1.0),
    ],
)
def test_what_is_out_of_range_is_named(field: str, value: float) -> None:
    with pytest.raises(Invalid, match=rf"privacy\.{field}"):
        msgspec.convert({field: value}, Privacy)
