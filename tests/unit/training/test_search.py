"""What a search draws fits the plans, and what is adopted later still does."""

import time
from pathlib import Path
from typing import Any

import pytest

from magpie_services.kit.errors import Invalid
from magpie_services.training.plan import Plan
from magpie_services.training.search.records import Search, Task, Trial, TrialState, ended, task
from magpie_services.training.search.space import SPACES, Choice, apply
from magpie_services.training.search.study import Attempt
from magpie_services.training.search.work import STALE_SECONDS, sweep

PLAN = Plan(run_id="r", folder="f", lake_folder="l")


class Ends:
    """Draws the first or the last of everything."""

    def __init__(self, last: bool) -> None:
        self._last = last

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return choices[-1 if self._last else 0]

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return high if self._last else low


@pytest.mark.parametrize("model", SPACES)
@pytest.mark.parametrize("last", [False, True])
def test_all_that_can_be_drawn_makes_a_plan(model: str, last: bool) -> None:
    space = SPACES[model]
    drawn = space.draw(Ends(last))
    part = getattr(apply(PLAN, model, drawn), model)
    assert {name: getattr(part, name) for name in drawn} == drawn
    for name, domain in space.settings.items():
        usual = getattr(getattr(PLAN, model), name)
        if isinstance(domain, Choice):
            assert all(type(value) is type(usual) for value in domain.values), name


def test_adopted_settings_that_no_plan_has_any_more_are_left_out() -> None:
    assert apply(PLAN, "ranker", {"gone": 1, "batch": 64}).ranker.batch == 64


@pytest.mark.parametrize("settings", [{"dropout": 7.0}, {"encoder": "hexagonal"}])
def test_settings_out_of_range_name_the_model(settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="retriever"):
        apply(PLAN, "retriever", settings)


def test_the_best_is_a_finished_one_in_the_right_direction() -> None:
    scores = [(TrialState.FINISHED, 0.2), (TrialState.PRUNED, 0.9), (TrialState.FINISHED, 0.1)]
    trials = {n: Trial(number=n, state=state, score=score) for n, (state, score) in enumerate(scores)}
    search = Search(search_id="s", model="ranker", wanted=4, as_of_ms=0, seed=1, created_ms=0, trials=trials)
    best = search.best(higher_is_better=True), search.best(higher_is_better=False)
    assert [one.number for one in best if one] == [0, 2]
    assert not search.done


def test_what_nobody_works_at_is_removed_after_a_week(tmp_path: Path) -> None:
    (tmp_path / "search-1").mkdir()
    sweep(tmp_path)
    assert list(tmp_path.iterdir())
    sweep(tmp_path, time.time() + STALE_SECONDS + 1)
    assert not list(tmp_path.iterdir())


def test_a_metric_that_is_no_number_ends_the_trial() -> None:
    attempt = Attempt(Ends(last=False), SPACES["ranker"])  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="diverge"):
        attempt.heard(2, float("nan"))


def test_what_a_child_left_in_part_is_nothing(tmp_path: Path) -> None:
    assert ended(tmp_path) is None
    (tmp_path / "ended.json").write_bytes(b'{"number": 1, "sta')
    assert ended(tmp_path) is None


def test_a_child_that_was_told_nothing_says_so(tmp_path: Path) -> None:
    Task(search_id="s", model="ranker", number=3).save(tmp_path)
    assert task(tmp_path).number == 3
    for content in (b'{"search_id": "s"', b"{}"):
        (tmp_path / "trial.json").write_bytes(content)
        with pytest.raises(Invalid, match=r"no readable trial\.json"):
            task(tmp_path)
