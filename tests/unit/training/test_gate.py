"""The gate never lets a worse model through, and never stops one for noise."""

import numpy as np
import pytest

from magpie_services.training import gate, metrics
from magpie_services.training.gate import Marks

USERS = 400


def marks(ndcg: float = 0.2, loss: float = 0.3, seed: int = 0) -> Marks:
    rng = np.random.default_rng(seed)
    return Marks(
        ndcg=np.clip(rng.normal(ndcg, 0.1, USERS), 0, 1),
        recall=np.full(USERS, 0.5),
        loss=np.clip(rng.normal(loss, 0.05, USERS), 0, None),
        weight=np.ones(USERS),
    )


POPULAR = np.full(USERS, 0.1)


def test_as_good_as_the_champion_passes() -> None:
    verdict = gate.judge(marks(seed=1), marks(seed=1), marks(seed=2), POPULAR, seed=1)
    assert verdict.passed
    assert verdict.metrics["champion_ndcg_at_10"] == pytest.approx(0.2, abs=0.02)
    assert verdict.metrics["band_ndcg_at_10"] > 0


@pytest.mark.parametrize("worse", [marks(ndcg=0.1), marks(loss=0.5)])
def test_worse_than_the_champion_is_refused_with_both_figures(worse: Marks) -> None:
    verdict = gate.judge(worse, worse, marks(), POPULAR, seed=1)
    assert not verdict.passed
    assert "of the champion (noise band" in verdict.reasons[0]


def test_a_release_that_lost_what_its_twin_had_is_refused() -> None:
    verdict = gate.judge(marks(), marks(ndcg=0.05), None, POPULAR, seed=1)
    assert [("its own twin" in reason) for reason in verdict.reasons] == [True]


def test_what_is_not_a_number_is_refused() -> None:
    broken = Marks(np.full(USERS, np.nan), np.full(USERS, np.nan), np.zeros(USERS), np.ones(USERS))
    verdict = gate.judge(broken, marks(), marks(), POPULAR, seed=1)
    assert not verdict.passed
    assert all(np.isfinite(value) for value in verdict.metrics.values())


def test_the_first_release_may_be_weaker_than_popular_but_not_dead() -> None:
    assert gate.judge(marks(0.15), marks(0.15), None, np.full(USERS, 0.2), seed=1).passed
    assert not gate.judge(marks(0.02), marks(0.02), None, np.full(USERS, 0.2), seed=1).passed


def test_a_handful_of_users_judges_nothing() -> None:
    few = Marks(np.zeros(5), np.zeros(5), np.full(5, 9.0), np.ones(5))
    assert gate.judge(few, few, marks(), np.ones(5), seed=1).passed


def test_a_champion_that_cannot_be_loaded_is_none() -> None:
    gone = Marks(np.full(USERS, np.nan), np.full(USERS, np.nan), np.full(USERS, np.nan), np.ones(USERS))
    verdict = gate.judge(marks(), marks(), gone, POPULAR, seed=1)
    assert verdict.passed
    assert all(np.isfinite(value) for value in verdict.metrics.values())  # JSON has no NaN
    assert not gate.judge(marks(0.02), marks(0.02), gone, np.full(USERS, 0.2), seed=1).passed


def test_a_champion_with_other_features_is_compared_on_retrieval_only() -> None:
    other = marks()
    other = Marks(other.ndcg, other.recall, np.full(USERS, np.nan), np.zeros(USERS))
    assert gate.judge(marks(loss=9.0), marks(loss=9.0), other, POPULAR, seed=1).passed


def test_measures() -> None:
    assert metrics.ndcg([1, 2, 3], {1, 2}, 10) == pytest.approx(1.0)
    assert metrics.ndcg([9, 8], {1}, 10) == 0.0
    assert metrics.recall([1, 9], {1, 2, 3}, 2) == 0.5
    assert metrics.top(np.array([[0.1, 0.9, 0.5]]), 2).tolist() == [[1, 2]]
    assert metrics.auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
    assert metrics.auc(np.array([0, 1]), np.array([0.5, 0.5])) == 0.5
    half = metrics.logloss(np.array([0.0]), np.array([0.4]), np.array([0.5]))
    assert half[0] == pytest.approx(-np.log(0.8))
