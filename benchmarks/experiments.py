"""Experiments: false alarms when looked at all the time, how soon a difference is found, and what CUPED takes
away.

Experiments of clicks (a rare one and a common one), each looked at after every 50 users of an arm: by
Magpie's sequential test, and by the usual test at 5 %. Guardrails: opt-outs that come to both arms alike,
looked at after each. CUPED: purchases of a week in the marketplace, put right by those of the four weeks
before.
"""

import argparse

import harness
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.sequential import LEAST_USERS, adjusted, difference, mismatch
from magpie_simulator.acts import Kind
from magpie_simulator.parameters import Parameters
from magpie_simulator.timetable import moment_ms
from magpie_simulator.world import World

Floats = NDArray[np.float64]
STEP, MOST, PLANNED = 50, 5_000, 5_000
RATES = (0.02, 0.2)
LIFT = 0.3
WEEKS_BEFORE, DAYS_AFTER = 4, 7


def clicks(rate: float, lift: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Users' clicks of both arms, in the order in which they came in."""
    control, treatment = (
        (rng.random(MOST) < chance).astype(np.float64) for chance in (rate, rate * (1 + lift))
    )
    return control, treatment


def decided(control: Floats, treatment: Floats) -> tuple[int, int]:
    """Users of an arm after which each test first said that there is a difference, 0 for never: the
    sequential one, and the usual one.
    """
    sequential = usual = 0
    for users in range(LEAST_USERS, MOST + 1, STEP):
        one, other = control[:users], treatment[:users]
        if not sequential and difference(one, other, planned=PLANNED).p <= 0.05:
            sequential = users
        error = ((one.var() + other.var()) / users) ** 0.5
        if not usual and error and abs(other.mean() - one.mean()) > 1.96 * error:
            usual = users
        if sequential and usual:
            break
    return sequential, usual


def harmless(rng: np.random.Generator, opt_outs: int = 200) -> bool:
    """Whether a guardrail stops an experiment in which each opt-out is as likely in either arm."""
    arms = (rng.random(opt_outs) < 0.5).cumsum()
    return any(
        mismatch([count - int(arm), int(arm)], [1, 1], strength=2.0) <= 0.05
        for count, arm in enumerate(arms, start=1)
    )


def taken_away(seed: int, users: int) -> float:
    """Share of the variance of a week's purchases that purchases and looks of the weeks before foretell."""
    world = World.create(Parameters(seed=seed, users=users, items=300))
    days = WEEKS_BEFORE * 7 + DAYS_AFTER
    after, before = np.zeros(users), np.zeros((users, 2))
    for day in range(days):
        world.begin_day()
        happened = world.live(moment_ms(world, 0), moment_ms(world, 24))
        buyers = happened[happened["kind"] == Kind.PURCHASE]["user"]
        if day >= WEEKS_BEFORE * 7:
            np.add.at(after, buyers, 1.0)
        else:
            np.add.at(before[:, 0], buyers, 1.0)
            np.add.at(before[:, 1], happened[happened["kind"] == Kind.VIEW_ITEM]["user"], 1.0)
        world.end_day()
    return adjusted(after, before)[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=400, help="experiments of each kind")
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--users", type=int, default=5_000)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    figures: dict[str, float] = {}
    for rate in RATES:
        none = np.array([decided(*clicks(rate, 0.0, rng)) for _ in range(options.runs)])
        some = np.array([decided(*clicks(rate, LIFT, rng)) for _ in range(options.runs)])
        found = some[:, 0] > 0
        name = f"{rate:g}".replace("0.", "")
        figures[f"false_alarms_{name}"] = float((none[:, 0] > 0).mean())
        figures[f"false_alarms_usual_{name}"] = float((none[:, 1] > 0).mean())
        figures[f"found_{name}"] = float(found.mean())
        figures[f"users_to_find_{name}"] = float(np.median(some[found, 0])) if found.any() else float("nan")
        harness.say(f"clicks of {rate:.0%}: {figures}")
    figures["guardrail_false_alarms"] = float(np.mean([harmless(rng) for _ in range(options.runs)]))
    figures["cuped_variance"] = float(
        np.mean([taken_away(seed, options.users) for seed in range(1, options.worlds + 1)])
    )
    conditions = {"runs": options.runs, "most_users": MOST, "lift": LIFT, "worlds": options.worlds}
    harness.report("experiments", figures, conditions)


if __name__ == "__main__":
    main()
