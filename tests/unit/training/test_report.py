"""The training report says what it should, needs nothing beside it, and its plots are sound SVG."""

import re
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from magpie_services.core.feature_schema import HEADS
from magpie_services.kit.pages import plots
from magpie_services.training.plan import Plan, RetrieverPlan
from magpie_services.training.progress import Point
from magpie_services.training.report import findings, page
from magpie_services.training.report.findings import Findings
from magpie_services.training.report.plots import calibration
from magpie_services.training.results import Outcome, Report

PLAN = Plan(run_id="run-1", folder="/f", lake_folder="/l", champion=3, retriever=RetrieverPlan(dropout=0.37))
REPORT = Report(
    tensorflow="2.21.0",
    start_ms=1_760_000_000_000,
    end_ms=1_765_184_000_000,
    metrics={"users": 12_450.0, "fit_seconds": 74.0, "privacy_epsilon": 2.5, "unknown_outcomes": 321.0},
)
OUTCOME = Outcome(
    champion=3,
    passed=False,
    reasons=["NDCG@10 <b>0.1</b> is worse"],
    metrics={"ndcg_at_10": 0.0612, "champion_ndcg_at_10": 0.0583, "popular_ndcg_at_10": 0.031},
)
CURVES = {
    "retriever": [
        Point(stage="retriever", step=step, measure="ndcg_at_10", loss=3 / step, metric=0.01 * step)
        for step in (1, 2, 3)
    ]
}


def exam(rows: int = 4_000) -> Any:
    """Rows whose first head happens as often as `chances` say; of the last head nothing is known."""
    rng = np.random.default_rng(1)
    chances = np.clip(rng.beta(1, 20, (rows, len(HEADS))), 0.001, 0.9)
    labels = (rng.random(chances.shape) < chances).astype(np.float32)
    known = np.ones_like(labels)
    known[:, -1] = 0
    held = SimpleNamespace(
        labels=labels,
        known=known,
        shares=np.ones_like(labels),
        sent=(rng.random(rows) < 0.5).astype(np.float32),
        recent=rng.integers(0, 2, (rows, 20)),
    )
    history = SimpleNamespace(offsets=np.array([0, 2, 9, 40]))
    rows_type = type("Rows", (), {**vars(held), "__len__": lambda self: rows})
    return SimpleNamespace(rows=rows_type(), history=history), chances


def found(factor: float = 1.0) -> Findings:
    asked, chances = exam()
    by_user = np.array([0.1, 0.2, 0.3])
    return findings.find(asked, chances * factor, by_user, by_user, by_user / 2)


def test_calibrated_probabilities_lie_on_the_diagonal_and_others_do_not() -> None:
    good, bad = found().heads[0], found(2.0).heads[0]
    assert good.error is not None
    assert bad.error is not None
    assert good.error < 0.25 < 0.6 < bad.error
    assert sum(one.low <= one.predicted <= one.high for one in good.bins) >= 8
    assert [one.predicted for one in good.bins] == sorted(one.predicted for one in good.bins)
    assert all(one.low <= one.observed <= one.high for one in good.bins)


def test_slices_cover_the_rows_and_leave_out_what_is_not_known() -> None:
    every = found()
    of_first = [one for one in every.slices if one.head == HEADS[0]]
    for by in ("arm", "history"):
        assert sum(one.rows for one in of_first if one.by == by) == 4_000
    assert not [one for one in every.slices if one.head == HEADS[-1]]
    assert every.heads[-1].error is None
    assert [(one.users, one.ndcg) for one in every.readers] == [(1, 0.1), (1, 0.2), (1, 0.3)]


def test_a_ranker_that_could_not_be_asked_is_left_out() -> None:
    asked, chances = exam(10)
    nothing = np.full_like(chances, np.nan)
    by_user = np.zeros(3)
    assert findings.find(asked, nothing, by_user, by_user, by_user).heads == []
    assert findings.find(asked, None, by_user, by_user, by_user).slices == []


def test_the_page_says_all_and_needs_nothing_beside_it() -> None:
    html = page.render(PLAN, REPORT, OUTCOME, CURVES, found())
    for words in (
        "refused by the gate",
        "release 3",
        "12,450",
        "0.0612",
        "+5.0%",
        "74 s",
        "2.5",
        "run-1",
        "321 outcomes",
    ):
        assert words in html
    assert "<dd class=own>0.37</dd>" in html
    assert "&lt;b&gt;0.1&lt;/b&gt;" in html
    assert "prefers-color-scheme:dark" in html
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", html)


def test_a_page_of_a_run_that_found_out_nothing_is_still_one() -> None:
    outcome = Outcome(champion=0, passed=True, reasons=[], metrics={})
    report = Report(tensorflow="2", start_ms=0, end_ms=0, metrics={})
    html = page.render(PLAN, report, outcome, {}, Findings())
    assert "passed the gate" in html
    assert "<svg" not in html
    assert "outcomes of kinds" not in html


@pytest.mark.parametrize(
    "points", [[(1.0, 0.0)], [(1.0, 5.0), (2.0, 5.0)], [(1.0, -3.0), (9.0, 1e-9)], [(3.0, 1e6), (4.0, 2e6)]]
)
def test_lines_are_sound_svg_within_the_frame(points: list[tuple[float, float]]) -> None:
    svg = ElementTree.fromstring(plots.lines([("a & b", points)], "epoch", points[-1]))
    dots = [(float(dot.get("cx", "nan")), float(dot.get("cy", "nan"))) for dot in svg.iter("circle")]
    assert len(dots) == len(points) + 1
    assert all(0 <= x <= plots.WIDTH and 0 <= y <= plots.HEIGHT for x, y in dots)
    assert 1 <= len(list(svg.iter("text"))) < 20


def test_calibration_plots_are_sound_svg_within_the_frame() -> None:
    svg = ElementTree.fromstring(calibration(found().heads[0].bins, "click"))
    for dot in svg.iter("circle"):
        assert 0 <= float(dot.get("cx", "nan")) <= plots.WIDTH
        assert 0 <= float(dot.get("cy", "nan")) <= plots.HEIGHT
    assert calibration([], "none") == plots.lines([], "none") == ""


def test_what_others_wrote_stays_text() -> None:
    evil = '"><script>alert(1)</script>&'
    point = Point(stage=evil, step=1, measure=evil, loss=1.0, metric=1.0)
    plan = msgspec.structs.replace(PLAN, run_id=evil)
    report = msgspec.structs.replace(REPORT, tensorflow=evil, metrics={f"privacy_{evil}": 1.0})
    outcome = Outcome(champion=0, passed=False, reasons=[evil], metrics={evil: 0.5})
    every = found()
    heads = [msgspec.structs.replace(every.heads[0], head=evil)]
    slices = [msgspec.structs.replace(every.slices[0], head=evil, by=evil, name=evil)]
    readers = [msgspec.structs.replace(every.readers[0], name=evil)]
    html = page.render(
        plan, report, outcome, {evil: [point]}, Findings(heads=heads, slices=slices, readers=readers)
    )
    assert "<script" not in html
    assert html.count("alert(1)") == html.count("&lt;script&gt;alert(1)") >= 9


def test_with_privacy_the_page_says_what_is_not_private() -> None:
    words = "figures of the exam are not private"
    assert words in page.render(PLAN, REPORT, OUTCOME, CURVES, Findings())
    open_ = msgspec.structs.replace(REPORT, metrics={"users": 3.0})
    assert words not in page.render(PLAN, open_, OUTCOME, CURVES, Findings())
