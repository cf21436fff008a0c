"""The baselines: each does what its formula says, and learns what a child would see."""

import numpy as np
import pytest
from numpy.typing import NDArray

from magpie_services.core.events import KIND_CODES, EventKind
from magpie_services.training.retrieval.baselines import ials
from magpie_services.training.retrieval.baselines.bpr import Bpr
from magpie_services.training.retrieval.baselines.ease import Ease
from magpie_services.training.retrieval.baselines.ials import Ials
from magpie_services.training.retrieval.baselines.interactions import DAY_MS, counts
from magpie_services.training.retrieval.baselines.itemcf import ItemCF
from magpie_services.training.retrieval.baselines.popular import Popular
from magpie_services.training.retrieval.baselines.registry import GRIDS
from magpie_services.training.retrieval.baselines.repeats import MostFrequent, RepeatLast
from magpie_services.training.retrieval.sequences import History

BOUGHT = KIND_CODES[EventKind.PURCHASE]
RETURNED = KIND_CODES[EventKind.RETURN_ITEM]


def log(*users: list[tuple[int, int]], kind: int = BOUGHT) -> History:
    """Users as lists of (day, item)."""
    rows = [row for user in users for row in user]
    return History(
        tuple(f"u{number}" for number in range(len(users))),
        np.concatenate([[0], np.cumsum([len(user) for user in users])]).astype(np.int64),
        np.array([item for _, item in rows], np.int32),
        np.full(len(rows), kind, np.int32),
        np.array([day * DAY_MS for day, _ in rows], np.int64),
    )


def ranked(scores: NDArray[np.float32]) -> list[list[int]]:
    """Items best first, without padding."""
    return [(np.argsort(-row[1:], kind="stable") + 1).tolist() for row in scores]


def two_tastes(users: int = 40) -> History:
    """Half of the users meet some of the items 1 to 5, half some of 6 to 10."""
    rng = np.random.default_rng(1)
    return log(
        *[
            [(day, int(item)) for day, item in enumerate(rng.permutation(5)[:4] + 1 + 5 * (user % 2))]
            for user in range(users)
        ]
    )


@pytest.mark.parametrize("name", GRIDS)
def test_all_answer_finite_scores_for_anybody(name: str) -> None:
    history, nobody = two_tastes(), log([], [(3, 2)])
    for baseline in GRIDS[name][:1]:
        assert baseline.name == name
        scorer = baseline.fit(history, 12, seed=1)
        for asked in (history, nobody, log([(0, 1), (0, 2)], kind=0)):
            found = scorer.scores(asked)
            assert found.shape == (len(asked.users), 12)
            assert found.dtype == np.float32
            assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ["itemcf", "ease", "ials", "bpr"])
def test_those_that_learn_keep_tastes_apart(name: str) -> None:
    history = two_tastes()
    scores = GRIDS[name][0].fit(history, 11, seed=1).scores(history)
    for user, row in enumerate(scores):
        mine, others = (slice(1, 6), slice(6, 11)) if user % 2 == 0 else (slice(6, 11), slice(1, 6))
        assert row[mine].mean() > row[others].mean()


def test_popularity_is_counted_by_users_and_of_late() -> None:
    history = log([(0, 1), (0, 1), (0, 1), (0, 2)], [(1, 2), (1, 3)], [(30, 3)], [(31, 4)])
    assert ranked(Popular().fit(history, 5, 1).scores(log([])))[0] == [2, 3, 1, 4]
    assert ranked(Popular(days=7).fit(history, 5, 1).scores(log([])))[0] == [3, 4, 2, 1]


def test_what_was_given_back_does_not_count() -> None:
    returned = log([(0, 1)], [(0, 1)], kind=RETURNED)
    assert not Popular().fit(returned, 3, 1).scores(log([])).any()


def test_repeats_come_by_age_or_by_number() -> None:
    history = log([(0, 1), (0, 2), (1, 2), (2, 3)], [(0, 4), (1, 4)], [(0, 4)])
    assert ranked(RepeatLast().fit(history, 6, 1).scores(history))[0] == [3, 2, 1, 4, 5]
    assert ranked(MostFrequent().fit(history, 6, 1).scores(history))[0] == [2, 3, 1, 4, 5]
    old = log([(0, 1), (1, 1), (100, 2), (200, 3)])
    assert ranked(MostFrequent(half_life_days=10).fit(old, 4, 1).scores(old))[0] == [3, 2, 1]


def test_itemcf_is_the_cosine_with_shrinkage() -> None:
    history = log([(0, 1), (0, 2)], [(0, 1), (0, 2), (0, 3)], [(0, 1)])
    scores = ItemCF(shrinkage=1.0).fit(history, 4, 1).scores(log([(0, 1)]))
    once = np.log(2)
    np.testing.assert_allclose(scores[0], [0, 0, once * 2 / (6**0.5 + 1), once * 1 / (3**0.5 + 1)], rtol=1e-5)
    with_itself = ItemCF(shrinkage=1.0, own=True).fit(history, 4, 1).scores(log([(0, 1)]))
    assert with_itself[0, 1] == pytest.approx(once * 3 / 4)
    assert np.count_nonzero(ItemCF(neighbours=1).fit(history, 4, 1).links.toarray()) == 3


def test_ease_minimises_its_own_objective() -> None:
    history, ridge = two_tastes(20), 2.0
    met = counts(history, 11).toarray()[:, 1:].astype(np.float64)
    found = Ease(ridge=ridge).fit(history, 11, 1).scores(history)[:, 1:]
    # Column by column: ridge regression of an item on all the others.
    for item in range(10):
        others = np.delete(np.arange(10), item)
        inputs = met[:, others]
        weights = np.linalg.solve(inputs.T @ inputs + ridge * np.eye(9), inputs.T @ met[:, item])
        np.testing.assert_allclose(found[:, item], inputs @ weights, atol=1e-4)


def test_ease_models_the_popular_only_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("magpie_services.training.retrieval.baselines.ease.MAX_ITEMS", 2)
    history = log([(0, 1), (0, 2)], [(0, 1), (0, 2)], [(0, 3)])
    assert ranked(Ease(ridge=1).fit(history, 4, 1).scores(log([(0, 1)])))[0] == [2, 1, 3]


def test_ials_descends_to_the_exact_solution() -> None:
    history, plan = two_tastes(), Ials(factors=4, ridge=0.5)
    met = plan.confidence(history, 11)
    rng = np.random.default_rng(1)
    items = rng.normal(0, 0.5, (11, 4)).astype(np.float32)
    users = np.zeros((40, 4), np.float32)
    losses = []
    for _ in range(5):
        users = ials.solve(met, items, users, plan.ridge)
        losses.append(ials.loss(met, users, items, plan.ridge))
        items = ials.solve(met.T.tocsr(), users, items, plan.ridge)
        losses.append(ials.loss(met, users, items, plan.ridge))
    assert losses == sorted(losses, reverse=True)
    # A user's factors solve their normal equations.
    weight = met[0].toarray()[0]
    left = items.T @ ((1 + weight)[:, None] * items) + plan.ridge * np.eye(4)
    exact = np.linalg.solve(left, items.T @ ((1 + weight) * (weight > 0)))
    np.testing.assert_allclose(ials.solve(met, items, users, plan.ridge, steps=8)[0], exact, atol=1e-3)


def test_bpr_ranks_what_was_met_above_the_rest_and_repeats_itself() -> None:
    history = two_tastes()
    plan = Bpr(factors=8, epochs=40)
    scores = plan.fit(history, 11, seed=3).scores(history)
    met = counts(history, 11).toarray() > 0
    above = [np.mean(row[own][:, None] > row[1:][~own[1:]]) for row, own in zip(scores, met, strict=True)]
    assert np.mean(above) > 0.95
    np.testing.assert_array_equal(scores, plan.fit(history, 11, seed=3).scores(history))


def test_a_basket_counts_an_item_once() -> None:
    assert counts(log([(0, 1), (0, 1), (1, 1)]), 2).toarray()[0, 1] == 2
    assert counts(log([(0, 1), (0, 1), (0, 1)]), 2).toarray()[0, 1] == 3  # times are not known: rows count
