"""Items near a user: in the order of the cosine, with a lift for those that the model has not seen."""

import numpy as np
import pytest
from tests import shop

from magpie_services.candidate import vector_index
from magpie_services.candidate.near import VECTOR, near
from magpie_services.candidate.release import Release, UserVectors
from magpie_services.core.mirror import Mirror

OLD, NEW, LIMIT, LIFT = 40, 20, 10, 0.02


@pytest.fixture
def mirror() -> Mirror:
    mirror = Mirror()
    mirror.put([shop.item(number) for number in range(OLD + NEW)])
    return mirror


def release(vectors: np.ndarray) -> Release:
    known = np.concatenate([np.zeros((1, 64), np.float32), vectors[:OLD]])
    ids = ("", *(f"i{at}" for at in range(OLD)))
    made = Release(1, ids, vector_index.build(known, vector_index.Kind()), lift=LIFT)
    made.join([f"i{at}" for at in range(OLD, OLD + NEW)], vectors[OLD:])
    return made


def test_newcomers_are_lifted_once_and_no_item_comes_twice(mirror: Mirror) -> None:
    vectors = shop.vectors(OLD + NEW)
    users = UserVectors(release(vectors), vectors[[3, OLD + 5]], np.ones(2, np.bool_))
    found = near(users, mirror.columns, np.ones(OLD + NEW, np.bool_), LIMIT, {VECTOR})
    for user, one in found.items():
        lifted = vectors @ users.vectors[user] + np.where(np.arange(OLD + NEW) >= OLD, LIFT, 0)
        np.testing.assert_array_equal(one.rows, np.argsort(-lifted, kind="stable")[:LIMIT])
        assert len(set(one.rows.tolist())) == LIMIT


def test_of_equals_the_newcomer_comes_first_but_never_one_that_may_not_be_shown(mirror: Mirror) -> None:
    vectors = shop.vectors(OLD + NEW)
    vectors[OLD] = vectors[OLD + 1] = vectors[7]
    users = UserVectors(release(vectors), vectors[[7]], np.ones(1, np.bool_))
    allowed = np.ones(OLD + NEW, np.bool_)
    allowed[OLD + 1] = False
    rows = near(users, mirror.columns, allowed, LIMIT, {VECTOR})[0].rows.tolist()
    assert rows[:2] == [OLD, 7]
    assert OLD + 1 not in rows


def test_a_few_allowed_newcomers_do_not_pad_the_list(mirror: Mirror) -> None:
    vectors = shop.vectors(OLD + NEW)
    users = UserVectors(release(vectors), vectors[[0]], np.ones(1, np.bool_))
    allowed = np.zeros(OLD + NEW, np.bool_)
    allowed[[2, OLD + 3]] = True
    rows = near(users, mirror.columns, allowed, LIMIT, {VECTOR})[0].rows.tolist()
    assert sorted(rows) == [2, OLD + 3]
