"""Off-policy estimates: right on average, whatever the model; bad rows counted, not believed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.core.off_policy import Estimator, Evaluation, evaluate
from magpie_services.core.off_policy_log import Log

TRUSTING_NO_MODEL = (Estimator.IPS, Estimator.DR)


def log_of(
    drawn: Sequence[int],
    reward: Sequence[float],
    logging: Sequence[Sequence[float]],
    target: Sequence[Sequence[float]],
    model: Sequence[Sequence[float]],
    users: Sequence[int] | None = None,
) -> Log:
    """A log whose decisions have equally many arms."""
    count, arms = np.shape(logging)
    return Log(
        user=np.arange(count) if users is None else np.array(users),
        reward=np.array(reward, np.float64),
        drawn=np.array(drawn) + np.arange(count) * arms,
        owner=np.repeat(np.arange(count), arms),
        logging=np.ravel(logging).astype(np.float64),
        target=np.ravel(target).astype(np.float64),
        model=np.ravel(model).astype(np.float64),
    )


def clicks(
    count: int,
    seed: int,
    *,
    model_error: float = 1.0,
    users: int | None = None,
    chances: tuple[float, ...] = (0.3, 0.1, 0.2),
) -> tuple[Log, float]:
    """Logs of a policy that prefers arm 0 and explores, the target prefers arm 2; and the target's worth."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.5, 1.5, (count, 1)) * np.array(chances)
    logging = np.tile([0.9, 0.05, 0.05], (count, 1))
    target = np.tile([0.05, 0.05, 0.9], (count, 1))
    drawn = (rng.random((count, 1)) > logging.cumsum(1)).sum(1).clip(max=2)
    reward = rng.random(count) < truth[np.arange(count), drawn]
    who = rng.integers(0, users or count, count)
    log = log_of(
        drawn.tolist(),
        reward.tolist(),
        logging.tolist(),
        target.tolist(),
        (truth * model_error).tolist(),
        who.tolist(),
    )
    return log, float((target[0] * np.array(chances)).sum())


chance_lists = st.lists(st.integers(1, 9), min_size=3, max_size=3).map(lambda n: [x / sum(n) for x in n])
numbers = st.lists(st.floats(-5, 5), min_size=3, max_size=3)


@given(chance_lists, chance_lists, numbers, numbers)
def test_right_on_average_over_the_dice_whatever_the_model(
    logging: list[float], target: list[float], worth: list[float], model: list[float]
) -> None:
    mean = dict.fromkeys(TRUSTING_NO_MODEL, 0.0)
    for arm, chance in enumerate(logging):
        found = evaluate(log_of([arm], [worth[arm]], [logging], [target], [model]), replicates=2)
        for name in mean:
            mean[name] += chance * found.values[name].value
    wanted = sum(a * b for a, b in zip(target, worth, strict=True))
    assert mean == pytest.approx(dict.fromkeys(mean, wanted), abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(-3, 3), chance_lists, chance_lists, numbers), min_size=1)
)
def test_the_estimates_are_those_of_the_papers(
    rows: list[tuple[int, float, list[float], list[float], list[float]]],
) -> None:
    drawn, reward, logging, target, model = zip(*rows, strict=True)
    found = evaluate(log_of(drawn, reward, logging, target, model), replicates=2)
    w = [t[a] / p[a] for a, p, t in zip(drawn, logging, target, strict=True)]
    q = [m[a] for a, m in zip(drawn, model, strict=True)]
    v = [sum(x * y for x, y in zip(t, m, strict=True)) for t, m in zip(target, model, strict=True)]
    n = len(rows)
    correction = sum(a * (b - c) for a, b, c in zip(w, reward, q, strict=True))
    earned = sum(a * b for a, b in zip(w, reward, strict=True))
    assert found.values[Estimator.IPS].value == pytest.approx(earned / n, abs=1e-9)
    assert found.values[Estimator.SNIPS].value == pytest.approx(earned / sum(w), abs=1e-9)
    assert found.values[Estimator.DM].value == pytest.approx(sum(v) / n, abs=1e-9)
    assert found.values[Estimator.DR].value == pytest.approx((sum(v) + correction) / n, abs=1e-9)
    assert found.values[Estimator.SNDR].value == pytest.approx(sum(v) / n + correction / sum(w), abs=1e-9)
    kept = sum(a * (b - c) for a, b, c in zip(w, reward, q, strict=True) if a <= found.tau)
    assert found.values[Estimator.SWITCH_DR].value == pytest.approx((sum(v) + kept) / n, abs=1e-9)
    assert found.logged.value == pytest.approx(sum(reward) / n, abs=1e-9)
    assert found.gains[Estimator.DR].value == pytest.approx((sum(v) + correction - sum(reward)) / n, abs=1e-9)
    assert found.effective == pytest.approx(sum(w) ** 2 / sum(x * x for x in w), abs=1e-9)
    assert 0 <= found.overlap <= 1 + 1e-9
    assert found.unsupported == 0


def test_a_policy_judged_by_its_own_log_earns_what_it_earned() -> None:
    log, _ = clicks(500, 1)
    found = evaluate(replace(log, target=log.logging))
    for name in (Estimator.IPS, Estimator.SNIPS):
        assert found.values[name] == pytest.approx(found.logged)
        assert found.gains[name].value == pytest.approx(0.0, abs=1e-12)
    assert found.effective == pytest.approx(500)
    assert found.overlap == pytest.approx(1.0)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = dict.fromkeys((Estimator.IPS, Estimator.SNIPS, Estimator.DR, Estimator.SWITCH_DR), 0)
    for seed in range(200):
        log, truth = clicks(800, seed, users=300, model_error=1.15)
        found = evaluate(log, replicates=300, seed=seed)
        for name in held:
            held[name] += found.values[name].low <= truth <= found.values[name].high
    assert min(held.values()) / 200 >= 0.92


def test_a_model_that_holds_is_believed_where_weights_are_large() -> None:
    log, truth = clicks(20_000, 3)
    found = evaluate(log)
    switched, robust = found.values[Estimator.SWITCH_DR], found.values[Estimator.DR]
    assert found.tau < 18
    assert switched.high - switched.low < robust.high - robust.low
    assert switched.low <= truth <= switched.high


def test_a_model_that_is_far_off_is_not_believed() -> None:
    log, truth = clicks(20_000, 4, model_error=2.5)
    found = evaluate(log)
    assert found.tau == pytest.approx(18)
    assert found.bias == 0
    assert found.values[Estimator.DM].value > 1.5 * truth
    assert found.values[Estimator.SWITCH_DR].value == pytest.approx(truth, rel=0.15)


def test_what_was_never_possible_is_reported() -> None:
    found = evaluate(
        log_of([0, 1], [1, 0], [[0.5, 0.5, 0]] * 2, [[0.3, 0.3, 0.4]] * 2, [[0.5, 0.5, 0.9]] * 2)
    )
    assert found.unsupported == pytest.approx(0.4)
    # Nothing says how well the model does there: any value is possible.
    assert found.values[Estimator.SWITCH_DR].low == -np.inf
    only = evaluate(log_of([0, 1], [1, 0], [[0.5, 0.5, 0]] * 2, [[0, 0, 1.0]] * 2, [[0.5, 0.5, 0.9]] * 2))
    assert (only.effective, only.rewarded) == (0, 0)
    assert only.values[Estimator.SNIPS].high == np.inf


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("propensity", {"logging": 0.0}),
        ("propensity", {"logging": np.nan}),
        ("propensity", {"logging": -0.1}),
        ("chances", {"logging": 1.2}),
        ("chances", {"target": np.nan}),
        ("chances", {"target": 0.5}),
        ("model", {"model": np.inf}),
        ("reward", {"reward": np.nan}),
    ],
)
def test_bad_rows_are_counted_out_and_change_nothing_else(reason: str, change: dict[str, float]) -> None:
    log, _ = clicks(60, 5)
    whole: Evaluation = evaluate(log)
    (name, value) = next(iter(change.items()))
    spoilt = getattr(log, name).copy()
    spoilt[7 if name == "reward" else log.drawn[7]] = value
    found = evaluate(replace(log, **{name: spoilt}))
    assert found.left_out == {reason: 1}
    kept = np.arange(60) != 7
    without = evaluate(
        log_of(
            (log.drawn % 3)[kept].tolist(),
            log.reward[kept].tolist(),
            log.logging.reshape(60, 3)[kept].tolist(),
            log.target.reshape(60, 3)[kept].tolist(),
            log.model.reshape(60, 3)[kept].tolist(),
            log.user[kept].tolist(),
        )
    )
    assert found.values == without.values
    assert (whole.left_out, whole.decisions, found.decisions) == ({}, 60, 59)


def test_a_log_that_does_not_fit_together_is_refused_by_name() -> None:
    log, _ = clicks(4, 6)
    with pytest.raises(ValueError, match="reward"):
        replace(log, reward=np.zeros(3))
    with pytest.raises(ValueError, match="target"):
        replace(log, target=np.zeros(3))
    with pytest.raises(ValueError, match="drawn"):
        replace(log, drawn=log.drawn + 100)
    with pytest.raises(ValueError, match="own decision"):
        replace(log, drawn=np.roll(log.drawn, 1))
    with pytest.raises(ValueError, match="owner"):
        replace(log, owner=log.owner[::-1])
    with pytest.raises(ValueError, match="no decision"):
        evaluate(replace(log, logging=np.zeros(12)))
