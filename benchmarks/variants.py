"""How much of what good words could gain is gained: Magpie's choice of words in worlds that hide how they
work.

Ten worlds (`wording/world.py`), 50,000 pushes each and 5,000 more, in this process, by the very classes of
the content service; what came back is told every 500 pushes, and only what has come by then (the service
learns every few seconds). Of each policy the hidden chances of a click of what it sent are averaged, and a
*share of the lift* is (policy - uniform) / (all-knowing - uniform).

- `lift_share`: of the 5,000 pushes after the first 50,000, the policy as it stands then; mean over worlds.
- `lift_share_so_far`: of the first 50,000, what was lost while learning included.
- `rollout_lift_share`, `rollout_lift_share_so_far`: the same of test and roll out, with the length of the
  test and the way to find the winner that do best on two worlds of their own.

Our own constants were set on worlds with seeds from 1,000 on; those reported are 1 to 10.
"""

import argparse
import statistics
import time
from itertools import product

from harness import report, say
from wording.policies import Learner, Plan, Policy, RollOut, Uniform, run
from wording.world import World

WORLDS, SENDS, EVERY, AFTER = 10, 50_000, 500, 5_000
VALIDATION = (501, 502)
PLANS = [Plan(*plan) for plan in product((2_000, 5_000, 10_000), ("parts", "stages", "regression"))]


def main() -> None:
    """Runs everything and prints the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--first", type=int, default=1, help="seed of the first world")
    parser.add_argument("--sends", type=int, default=SENDS)
    arguments = parser.parse_args()
    started = time.perf_counter()
    plan = _best_plan(arguments.sends)
    shares: dict[str, list[tuple[float, float]]] = {"magpie": [], "rollout": []}
    lifts: list[float] = []
    for seed in range(arguments.first, arguments.first + arguments.worlds):
        world = World(seed, arguments.sends + AFTER)
        bounds = _bounds(world)
        lifts.append(_mean(bounds[1]) / _mean(bounds[0]))
        for name, policy in (("magpie", Learner()), ("rollout", RollOut(plan))):
            shares[name].append(_shares(world, policy, bounds))
        told = " ".join(f"{name} {now:.3f}, so far {past:.3f}" for name, [*_, (now, past)] in shares.items())
        say(f"world {seed}: the all-knowing gain {lifts[-1]:.2f} times uniform; {told}")
    figures: dict[str, float] = {}
    for key, name in (("lift_share", "magpie"), ("rollout_lift_share", "rollout")):
        for at, suffix in enumerate(("", "_so_far")):
            values = [found[at] for found in shares[name]]
            figures[key + suffix] = round(statistics.fmean(values), 4)
            figures[f"{key}{suffix}_deviation"] = round(statistics.pstdev(values), 4)
    figures["oracle_over_uniform"] = round(statistics.fmean(lifts), 3)
    figures["seconds"] = round(time.perf_counter() - started, 1)
    conditions = {"worlds": arguments.worlds, "sends": arguments.sends, "told_every": EVERY}
    report("variants", figures, {**conditions, "rollout_test": plan.test, "rollout_by": plan.by})


def _best_plan(sends: int) -> Plan:
    worlds = [World(seed, sends + AFTER) for seed in VALIDATION]
    bounds = [_bounds(world) for world in worlds]
    found = {
        plan: statistics.fmean(
            _shares(world, RollOut(plan), bound)[0] for world, bound in zip(worlds, bounds, strict=True)
        )
        for plan in PLANS
        if plan.test < sends
    }
    for plan, share in found.items():
        say(f"test {plan.test:,} by {plan.by}: {share:.3f}")
    return max(found, key=found.__getitem__)


Bounds = tuple[list[float], list[float]]


def _bounds(world: World) -> Bounds:
    """The chances under the uniform and the all-knowing policy."""
    return run(world, Uniform(), every=EVERY), run(world, None, every=EVERY)


def _shares(world: World, policy: Policy, bounds: Bounds) -> tuple[float, float]:
    """The share of the lift of the last pushes, and of all before them."""
    chances = run(world, policy, every=EVERY)
    now, past = slice(-AFTER, None), slice(None, -AFTER)
    return _share(chances, bounds, now), _share(chances, bounds, past)


def _share(chances: list[float], bounds: Bounds, which: slice) -> float:
    low, high = (_mean(bound[which]) for bound in bounds)
    return (_mean(chances[which]) - low) / (high - low)


def _mean(values: list[float]) -> float:
    return statistics.fmean(values)


if __name__ == "__main__":
    main()
