"""The protocol of the published tables, on examples small enough to do by hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from magpie_services.kit.errors import Invalid
from magpie_services.training.retrieval import leave_one_out, transitions
from magpie_services.training.retrieval.blend import Blend, Popularity, trials
from magpie_services.training.retrieval.leave_one_out import Data
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.transitions import Pairs, Settings
from magpie_services.training.retrieval.windows import NextItem, Windows


class Fixed:
    """The same scores for everybody."""

    def __init__(self, *scores: float) -> None:
        self._scores = np.array(scores, np.float32)

    def scores(self, asked: History) -> NDArray[np.float32]:
        return np.broadcast_to(self._scores, (len(asked.users), len(self._scores)))


def data(folder: Path, *lines: str, attributes: str = "") -> Data:
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")
    if attributes:
        (folder / "item_attributes.json").write_text(attributes)
    return leave_one_out.read(folder)


def test_the_last_item_is_the_test_and_the_one_before_validation(tmp_path: Path) -> None:
    made = data(tmp_path, "u1 a b c d", "u2 b c", "u3 d c b")
    assert made.vocabulary.ids == ("", "a", "b", "c", "d")
    known, validation = made.split(2)
    past, test = made.split(1)
    assert (known.offsets.tolist(), known.items.tolist()) == ([0, 2, 4, 5], [1, 2, 2, 3, 4])
    assert past.items.tolist() == [1, 2, 3, 2, 3, 4, 3]
    assert (validation.wanted.tolist(), test.wanted.tolist()) == ([3, 3], [4, 2])
    assert test.history.items.tolist() == [1, 2, 3, 4, 3]  # u2 is too short to be asked
    assert made.training().items.tolist() == known.items.tolist()


def test_ranks_are_among_all_items_but_the_users_own_and_ties_count_against(tmp_path: Path) -> None:
    _, test = data(tmp_path, "u1 a b c d", "u3 d c b").split(1)
    # u1 has a, b, c and wants d: nothing else is left. u3 has d, c and wants b: a is as good.
    assert test.mark(Fixed(99, 5, 5, 4, 3)).ranks.tolist() == [1, 2]
    assert test.mark(Fixed(99, 4, 5, 9, 9)).ranks.tolist() == [1, 1]


def test_an_item_that_the_user_had_before_may_be_the_wanted_one(tmp_path: Path) -> None:
    _, test = data(tmp_path, "u1 a b a").split(1)
    assert test.mark(Fixed(0, 1, 2)).ranks.tolist() == [1]


def test_marks_by_hand() -> None:
    marks = leave_one_out.Marks(np.array([1, 3, 11]))
    assert marks.ndcg == pytest.approx((1 + 0.5) / 3)
    assert marks.recall == pytest.approx(2 / 3)


def test_several_weights_are_marked_in_one_go(tmp_path: Path) -> None:
    _, test = data(tmp_path, "u1 a b c d", "u3 d c b", "u4 a c d").split(1)
    scorers = (Fixed(0, 1, 2, 3, 4), Fixed(0, 9, 1, 0, 3))
    weights = [(1.0, 0.0), (1.0, 0.5), (1.0, 7.0)]
    together = test.marks(scorers, weights)
    for some, marks in zip(weights, together, strict=True):
        assert marks.ranks.tolist() == test.mark(Blend(scorers, some)).ranks.tolist()


def test_the_first_trial_of_a_blend_is_the_first_alone(tmp_path: Path) -> None:
    history = data(tmp_path, "u1 a b c d").history
    scorers = (Fixed(0, 1, 2, 3, 4), Fixed(0, 9, 1, 0, 3), Popularity(np.array([0, 1, 5, 2, 2])))
    tried = trials(scorers, history)
    assert tried[0] == (1.0, 0.0, 0.0)
    assert len(set(tried)) == len(tried)


def test_the_next_item_is_learnt_once_at_each_position(tmp_path: Path) -> None:
    long = " ".join(f"i{number:03d}" for number in range(130))
    known = data(tmp_path, f"u1 {long}", "u2 i001 i005 i002").history
    found = []
    for batch in Windows(known, NextItem(known)).epoch(2, 100, np.random.default_rng(1)):
        assert batch.items.size <= 100
        found += list(zip(batch.items.ravel()[batch.at].tolist(), batch.targets.tolist(), strict=True))
    pairs = [(item, item + 1) for item in range(1, 130)] + [(2, 6), (6, 3)]
    assert sorted(found) == sorted(pairs)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (["u1 a b", "u2"], "sequences.txt:2: has a user without items"),
        (["u1 a b", "", "u2"], "sequences.txt:3"),
        (["u1 a b c", f"u2 a {'b' * 129}"], "sequences.txt:2: has an id"),
        (["u1 a b c", "u2 a \0"], "sequences.txt:2: has an id"),
        (["u1 a a a"], "sequences.txt: has fewer than 2 items"),
        (["u1 a b", "u2 a"], "sequences.txt: has no user with 3 items"),
        ([], "sequences.txt: has no user"),
    ],
)
def test_a_file_that_says_too_little_is_refused(tmp_path: Path, lines: list[str], field: str) -> None:
    with pytest.raises(Invalid, match=field):
        data(tmp_path, *lines)


def test_a_missing_file_and_bad_attributes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="sequences"):
        leave_one_out.read(tmp_path)
    with pytest.raises(Invalid, match="item_attributes"):
        data(tmp_path, "u1 a b c", attributes='{"a": 3}')


@pytest.mark.parametrize("text", ["[]", "{", '{"a": [1e400]}', '{"a": [NaN]}', '{"a": "12"}', '{"a": ["x"]}'])
def test_attributes_that_are_no_lists_of_numbers_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="item_attributes"):
        data(tmp_path, "u1 a b c", attributes=text)


def test_transitions_by_hand(tmp_path: Path) -> None:
    known = data(tmp_path, "u1 a b c", "u2 a b").history
    settings = Settings(window=2, decay=0.5, back=0.25, power_from=0, power_to=0, steps=2, fading=0.5)
    made = transitions.fit(Pairs(known, 4), settings)
    # a→b twice, b→c once, a→c once at half; backwards a quarter of each.
    expected = np.array([[0, 0, 0, 0], [0, 0, 2, 0.5], [0, 0.5, 0, 1], [0, 0.125, 0.25, 0]])
    np.testing.assert_allclose(made.table.toarray(), expected)
    np.testing.assert_allclose(made.scores(known)[1], expected[2] + 0.5 * expected[1])
    items, weights = made.padded()
    assert items[1, :3].tolist() == [2, 3, 0]
    assert weights[1, :3].tolist() == [2, 0.5, 0]


def test_only_the_strongest_transitions_stay(tmp_path: Path) -> None:
    known = data(tmp_path, "u1 a b c", "u2 a b").history
    made = transitions.fit(Pairs(known, 4), Settings(window=2, keep=1, power_from=0, power_to=0))
    assert (made.table.toarray() > 0).sum(1).tolist() == [0, 1, 1, 1]


def test_tuning_takes_the_best_of_what_it_tried(tmp_path: Path) -> None:
    known = data(tmp_path, "u1 a b c d a b", "u2 a c b d").history
    log: list[tuple[Settings, float]] = []
    best = transitions.tuned(
        Pairs(known, 5),
        lambda made: -abs(made.settings.fading - 0.5) - abs(made.settings.back - 1.0),
        log=lambda tried, found: log.append((tried, found)),
    )
    assert (best.settings.fading, best.settings.back) == (0.5, 1.0)
    assert len({tried for tried, _ in log}) == len(log)


def test_cold_items_have_no_past_and_warm_ones_are_as_popular(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [f"u{user} " + " ".join(f"i{item}" for item in rng.integers(0, 60, 12)) for user in range(200)]
    made = data(tmp_path, *lines)
    split = leave_one_out.cold_split(made, 0.1, 1)
    assert len(split.items) == 6
    assert not np.isin(split.known.items, split.items).any()
    assert not np.isin(split.validation.wanted, split.items).any()
    assert not np.isin(split.matches, split.items).any()
    counts = np.bincount(made.training().items, minlength=len(made.vocabulary))
    assert abs(counts[split.items].mean() / counts[split.matches].mean() - 1) < 0.2
    assert (np.diff(split.known.offsets) >= 0).all()
    assert not np.isin(split.validation.wanted, split.matches).any(), "a fit stops by neither"


def test_a_choice_between_cold_items_sees_nothing_of_the_test(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [f"u{user} " + " ".join(f"i{item}" for item in rng.integers(0, 60, 12)) for user in range(200)]
    made = data(tmp_path, *lines)
    asked = made.split(2)[1]
    split = leave_one_out.cold_split(made, 0.1, 7, last=2)
    np.testing.assert_array_equal(split.asked.wanted, asked.wanted)
    np.testing.assert_array_equal(split.asked.history.items, asked.history.items)
    assert not np.isin(split.known.items, split.items).any()
