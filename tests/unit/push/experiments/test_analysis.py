"""What an analysis concludes, from users whose truth is known."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from magpie_services.core.memory import DAY_MS
from magpie_services.kit.pages import plots
from magpie_services.push.experiments import page
from magpie_services.push.experiments.analysis import Analysis, Reading, Users, Verdict, analyse
from magpie_services.push.experiments.declared import Arm, Experiment, Metric

START_MS = 20_000 * DAY_MS
EXPERIMENT = Experiment(
    experiment_id="e", arms=(Arm(name="control"), Arm(name="other")), planned_users=2_000, start_ms=START_MS
)
RATES = {
    Metric.PURCHASES: 0.4,
    Metric.CLICKS: 0.2,
    Metric.OPT_OUTS: 0.02,
    Metric.DISMISSALS: 0.1,
    Metric.PUSHES: 2.0,
}


def users(count: int, seed: int = 1, share: float = 0.5, **lifts: float) -> Users:
    """Users who come in over four weeks; of the other arm's the rates named are that much higher."""
    rng = np.random.default_rng(seed)
    arm = (rng.random(count) < share).astype(np.int64)
    before = rng.gamma(1.0, 1.0, count)
    values = {
        metric: rng.poisson(
            rate * (1 + arm * lifts.get(metric, 0.0)) * (before if metric is Metric.PURCHASES else 1.0)
        ).astype(np.float64)
        for metric, rate in RATES.items()
    }
    return Users(
        arm,
        START_MS + rng.integers(0, 28 * DAY_MS, count),
        np.stack([before, np.ones(count)], axis=1),
        values,
    )


def at(found: Users, days: float, experiment: Experiment = EXPERIMENT) -> Analysis:
    return analyse(experiment, found, START_MS + int(days * DAY_MS))


def reading(found: Analysis, metric: Metric) -> Reading:
    return next(one for one in found.readings if one.metric is metric)


def test_a_better_arm_is_found_and_by_how_much() -> None:
    found = at(users(6_000, purchases=0.3), 40)
    assert found.verdict is Verdict.BETTER
    assert "other is better: purchases +" in found.lines[0]
    one = reading(found, Metric.PURCHASES)
    assert one.now.low < 0.3 * 0.4 < one.now.high
    assert one.explained > 0.1
    assert found.whole == found.users


def test_more_opt_outs_stop_it_however_well_it_sells() -> None:
    found = at(users(12_000, purchases=0.3, opt_outs=1.5), 40)
    assert found.verdict is Verdict.HARMFUL
    assert found.lines[0].startswith("Stop: other makes more opt-outs +")


def test_a_handful_of_opt_outs_in_one_arm_alone_is_enough() -> None:
    found = users(2_000)
    found.values[Metric.OPT_OUTS][:] = 0.0
    found.values[Metric.OPT_OUTS][np.flatnonzero(found.arm == 1)[:9]] = 1.0
    assert at(found, 40).verdict is Verdict.HARMFUL
    found.values[Metric.OPT_OUTS][np.flatnonzero(found.arm == 0)[:5]] = 1.0
    assert at(found, 40).verdict is Verdict.UNDECIDED


def test_fewer_opt_outs_stop_nothing() -> None:
    assert at(users(12_000, opt_outs=-0.8), 40).verdict is Verdict.UNDECIDED


def test_an_arm_that_loses_its_users_makes_all_of_it_worthless() -> None:
    found = at(users(6_000, share=0.45, purchases=0.5), 40)
    assert found.verdict is Verdict.INVALID
    assert "cannot be trusted" not in found.lines[0]
    assert "no comparison can be trusted" in found.lines[0]


def test_a_user_counts_when_their_days_are_over() -> None:
    early = at(users(6_000, purchases=2.0), 6.9)
    assert early.verdict is Verdict.TOO_EARLY
    assert sum(early.whole) == 0
    # Harm is known sooner: its days are fewer.
    assert at(users(12_000, opt_outs=3.0), 6.9).verdict is Verdict.HARMFUL


def test_what_was_once_shown_does_not_go_away() -> None:
    found = users(4_000, purchases=0.6)
    late = found.entered_ms > START_MS + 14 * DAY_MS
    found.values[Metric.PURCHASES][late] = 0.0
    first = at(found, 20)
    assert first.verdict is Verdict.BETTER
    assert reading(at(found, 40), Metric.PURCHASES).p <= 0.05


def test_daily_looks_at_experiments_without_a_difference_rarely_stop_or_crown_one() -> None:
    wrong = 0
    for seed in range(60):
        found = users(2_000, seed)
        verdicts = {at(found, day).verdict for day in (12, 20, 28, 36)}
        wrong += bool(verdicts & {Verdict.BETTER, Verdict.WORSE})
    assert wrong / 60 <= 0.05


def test_several_arms_share_the_error() -> None:
    three = Experiment(
        experiment_id="e", arms=(*EXPERIMENT.arms, Arm(name="third")), planned_users=2_000, start_ms=START_MS
    )
    found = users(6_000, purchases=0.3)
    found = found._replace(arm=np.where(np.arange(6_000) % 3 == 2, 2, found.arm))
    told = at(found, 40, three)
    assert {one.arm for one in told.readings} == {"other", "third"}
    alone = reading(at(users(6_000, purchases=0.3), 40), Metric.CLICKS).now
    shared = reading(told, Metric.CLICKS).now
    assert shared.high - shared.low > alone.high - alone.low


def test_nobody_yet_is_too_early() -> None:
    empty = Users(
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, 2)),
        {metric: np.zeros(0) for metric in Metric},
    )
    assert at(empty, 3).verdict is Verdict.TOO_EARLY


@pytest.mark.parametrize("days", [3.0, 40.0])
def test_the_page_stands_alone_and_says_it(days: float) -> None:
    experiment = Experiment(experiment_id="a <b>", arms=EXPERIMENT.arms, start_ms=START_MS)
    found = at(users(3_000), days, experiment)
    html = page.render(experiment, found, "by hand & at once" if days > 3 else "")
    assert "a &lt;b&gt;" in html
    assert "<b>a" not in html
    assert ("by hand &amp; at once" in html) == (days > 3)
    assert "http" not in html
    pictures = re.findall("<svg.*?</svg>", html)
    assert len(pictures) == (3 if days > 7 else 2)  # harm is known sooner
    for picture in pictures:
        for path in ElementTree.fromstring(picture).iter("path"):
            numbers = [float(text) for text in re.findall(r"-?[0-9.]+", path.get("d", ""))]
            assert all(-1 <= number <= plots.WIDTH + 1 for number in numbers)
    assert found.verdict.value.replace("_", " ") in html
