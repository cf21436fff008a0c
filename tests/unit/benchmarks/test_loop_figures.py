"""The arithmetic of the loop's benchmark, and that its pictures can be drawn."""

import xml.etree.ElementTree as ElementTree
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


figures, pictures = load("loop_figures"), load("loop_pictures")


def tally(reward: float, pushes: int = 0, purchases: int = 100, left: int = 0) -> dict[str, float]:
    return {
        "reward": reward,
        "pushes": pushes,
        "purchases": purchases,
        "opted_out": left,
        "silently_opted_out": 1,
    }


def world(seed: int = 1, magpie: float = 70.0, purchases: int = 115, left: int = 5) -> dict[str, Any]:
    senders = {
        "none": tally(20.0),
        "random": tally(0.0, 1_000, 101, 30),
        "popular": tally(5.0, 1_000, 102, 30),
        "rules": tally(25.0, 900, 108, 20),
        "rules, same volume": tally(22.0, 300, 104, 9),
        "click-greedy": tally(40.0, 500, 110, 8),
        "magpie": tally(magpie, 300, purchases, left),
        "oracle": tally(100.0, 300, 130, 1),
    }
    volumes = [tally(30.0, 200, 104), tally(40.0, 500, 110), tally(20.0, 1_000, 120)]
    return {
        "seed": seed,
        "users": 10,
        "compared": {
            "round_days": [2, 2],
            "senders": {
                name: {"total": total, "rounds": [total, total], "true_value": 10 * total["reward"]}
                for name, total in senders.items()
            },
            "click_greedy": {"volumes": volumes},
        },
    }


def test_the_gap_is_from_random_to_the_oracle() -> None:
    one = world(magpie=70.0)
    assert figures.closed(one, "magpie") == pytest.approx(0.7)
    assert figures.closed(one, "random") == 0.0
    assert figures.closed(one, "oracle") == 1.0


def test_pushes_saved_are_those_that_the_click_model_would_need_for_as_many_purchases() -> None:
    # 15 more purchases than without pushes: half way from 110 (500 pushes) to 120 (1,000).
    assert figures.pushes_saved([world(purchases=115)]) == pytest.approx((750 - 300) / 750)
    # Fewer pushes needed than Magpie's: nothing is saved, and it says how much was lost.
    assert figures.pushes_saved([world(purchases=102)]) == pytest.approx((100 - 300) / 300)
    assert figures.pushes_saved([world(purchases=99)]) == -1.0
    # Never reached: at least what full volume takes.
    assert figures.pushes_saved([world(purchases=150)]) == pytest.approx(0.7)


def test_a_volume_that_wins_less_than_a_smaller_one_does_not_count() -> None:
    assert figures.needed(5.0, [0.0, 100.0, 200.0, 300.0], [0.0, 10.0, 10.0, 20.0]) == 50.0
    assert figures.needed(15.0, [0.0, 100.0, 200.0, 300.0], [0.0, 10.0, 10.0, 20.0]) == 250.0


def test_opt_outs_are_against_the_rules_at_the_same_volume() -> None:
    assert figures.optouts_change([world(left=4)]) == pytest.approx((5 - 10) / 10)


def test_intervals_hold_the_mean_and_come_from_several_worlds_only() -> None:
    single = figures.figures([world()])
    names = ("gap_closed", "gap_closed_worst_decile", "gap_closed_expected", "pushes_saved", "optouts_change")
    assert set(single) == set(names)
    assert single["gap_closed_expected"] == single["gap_closed"] == pytest.approx(0.7)
    found = figures.figures([world(seed, magpie=60.0 + seed) for seed in range(20)])
    assert found["gap_closed"] == pytest.approx(0.695)
    assert found["gap_closed_low"] < found["gap_closed"] < found["gap_closed_high"]
    assert found["gap_closed_worst_decile"] == pytest.approx(0.619)


def test_pictures_are_drawn(tmp_path: Path) -> None:
    worlds = [world(seed, magpie=50.0 + seed) for seed in range(1, 5)]
    pictures.draw(tmp_path, worlds, figures.closed)
    for name in ("loop_rounds.svg", "loop_worlds.svg", "loop_frontier.svg"):
        text = (tmp_path / name).read_text("utf-8")
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert "nan" not in text
        assert "magpie" in text
