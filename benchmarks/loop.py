"""Whether the loop pays: sealed marketplaces live against the real services, which learn as they go.

    benchmarks/loop.py --worlds 20 [--first-seed 1] [--results FILE] [--pictures FOLDER]

A world by seed, 20 by default. Each gets the whole suite in a folder of its own and lives `WARM_DAYS` days
under a logging policy that favours active users, then `ROUNDS` rounds of `ROUND_DAYS` days of decisions and
feedback, with a retraining before each. The marketplace is a process of its own that speaks the public API;
its seal is printed before anything runs. Afterwards its evaluator (`magpie_simulator compare`) lives the
same days again in forks of the same world with the same luck: nothing sent, random, popular, a shop's
rules, a click model that greedily pushes, an oracle that knows every true chance, and an observer that
knows all but people's needs, which it must infer from what they do. The click model learns from the pushes
that Magpie learnt from, and then, round by round, from its own; its volume and the oracle's price are the
best in hindsight.

The reward is the marketplace's (`reward_formula` in its report), per 1,000 user-days, over all rounds.

- `gap_closed`: (Magpie - random) / (oracle - random), mean over worlds. `gap_closed_worst_decile`: the 10 %
  quantile over worlds. For comparison in the conditions: the same of every other sender.
- `gap_closed_expected`: the same share in what pushes could be expected to earn by themselves at their true
  chances, before the dice fell (`true_value`: clicks, purchases beyond those that would have come anyway,
  dismissals, opt-outs; fatigue and habit left out). Less noisy, less whole.
- `pushes_saved`: incremental purchases are those beyond the fork in which nothing is sent. How many pushes
  would the click model need for as many as Magpie's? Interpolated between its volumes, all worlds together
  (the best of the volumes up to each, from no push and no purchase on); at most its pushes at full volume.
  Saved is (its pushes - Magpie's) / the larger of both: -1 where Magpie won no purchase.
- `optouts_change`: opt-outs, stated and silent, against those of the rules limited to as many pushes a day
  as Magpie's, active users first; all worlds together.

Each has an interval `_low`, `_high`: 95 %, bootstrap over worlds (none of a single world).
"""

import argparse
import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from harness import report, say
from loop_figures import World, closed, closed_expected, figures, total
from loop_pictures import draw

from magpie import Magpie
from magpie.v1 import release_service_pb2
from magpie_cli import training
from magpie_cli.demo import lake
from magpie_cli.demo.clock import SandboxClock
from magpie_cli.demo.marketplace import Plan, options_for
from magpie_cli.demo.simulator import simulate
from magpie_cli.suite import Suite

USERS, ITEMS = 800, 300
WARM_DAYS, ROUNDS, ROUND_DAYS = 14, 3, 7
# What is learnt and decided counts here, not how fast: a busy machine must not change it.
PATIENT = {
    f"MAGPIE_PUSH_{peer}_TIMEOUT_SECONDS": "20" for peer in ("PROFILE", "CANDIDATE", "RANKING", "CONTENT")
}
RIVALS = ("none", "popular", "rules", "click-greedy", "observer")


async def live(seed: int, users: int) -> World:
    """One world from its first day to the comparison."""
    began = time.monotonic()
    plan = Plan(users=users, items=ITEMS, warm_days=WARM_DAYS, rounds=ROUNDS, days=ROUND_DAYS, seed=seed)
    with TemporaryDirectory(prefix="magpie-benchmark-") as folder:
        options, listen = options_for(Path(folder) / "suite")
        options = replace(options, environment={**options.environment, **PATIENT})
        world = Path(folder) / "world"
        sizes = ("--seed", str(seed), "--users", str(users), "--items", str(ITEMS), "--start", plan.start)
        seal = (await simulate("create", "--world", str(world), *sizes))["seal"]
        say(f"world {seed}: seal {seal}")
        async with Suite(options) as suite:
            clock = SandboxClock(plan.time_ms(0))

            async def days(number: int, policy: str) -> World:
                found = await simulate(
                    *("run", "--world", str(world), "--days", str(number), "--policy", policy),
                    *("--endpoints", str(options.state / "endpoints.json"), "--listen", listen, "--no-forks"),
                    secret=suite.secrets["webhook_secret"],
                )
                clock.advance(plan.time_ms(found["first_day"] + found["days"]))
                return found

            async with Magpie(suite.endpoints, timeout_seconds=60, now_ms=clock.now_ms) as magpie:
                warm_up = await days(WARM_DAYS, "historic")
                say(f"world {seed}: warmed up, {time.monotonic() - began:.0f} s")
                rounds, releases = [], []
                for number in range(ROUNDS):
                    await lake.caught_up(suite.metrics_url("lake"))
                    run = await training.retrain(magpie, seed=seed)
                    released = run.state == release_service_pb2.RUN_STATE_RELEASED
                    releases.append(run.version if released else run.reason)
                    if not number and not released:
                        raise SystemExit(f"world {seed}: no first model: {run.reason}")
                    rounds.append(await days(ROUND_DAYS, "magpie"))
                    say(f"world {seed}: round {number + 1}, {time.monotonic() - began:.0f} s")
        for lived in (warm_up, *rounds):
            if violations := lived["checks"]["violations"]:
                raise SystemExit(f"world {seed}: promises were broken: {violations}")
        compared = await simulate(
            *("compare", "--world", str(world), "--first-day", str(WARM_DAYS)),
            *("--round-days", str(ROUND_DAYS)),
        )
        if compared["seal"] != seal:
            raise SystemExit(f"world {seed}: not the world that was sealed")
    reasons = [lived["reasons"] for lived in rounds]
    seconds = round(time.monotonic() - began, 1)
    found = {"seed": seed, "users": users, "releases": releases, "reasons": reasons, "seconds": seconds}
    found |= {"decisions": [lived["decisions"] for lived in rounds], "compared": compared}
    say(f"world {seed}: gap closed {closed(found, 'magpie'):.2f}, {seconds:.0f} s")
    return found


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--results", type=Path, help="JSON lines, a world each; worlds found there stand")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="draw the curves as SVG into this folder"
    )
    options = parser.parse_args()
    worlds: list[World] = []
    if options.results and options.results.exists():
        worlds = [json.loads(line) for line in options.results.read_text("utf-8").splitlines()]
    seeds = range(options.first_seed, options.first_seed + options.worlds)
    worlds = [world for world in worlds if world["seed"] in seeds and world["users"] == options.users]
    for seed in seeds:
        if seed in {world["seed"] for world in worlds}:
            continue
        worlds.append(await live(seed, options.users))
        if options.results:
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(worlds[-1]) + "\n")
    if options.pictures:
        draw(options.pictures, worlds, closed)
    report(
        "loop",
        figures(worlds),
        {
            "worlds": len(worlds),
            "users": options.users,
            "items": ITEMS,
            "days": [WARM_DAYS] + [ROUND_DAYS] * ROUNDS,
            "gap_closed_by_world": [round(closed(world, "magpie"), 3) for world in worlds],
            "gap_closed_by_rivals": {
                name: round(float(np.mean([closed(world, name) for world in worlds])), 3) for name in RIVALS
            },
            "gap_closed_expected_by_rivals": {
                name: round(float(np.mean([closed_expected(world, name) for world in worlds])), 3)
                for name in RIVALS
            },
            "pushes": {
                name: round(float(np.mean([total(world, name, "pushes") for world in worlds])))
                for name in (*RIVALS, "random", "magpie", "oracle")
            },
            "seconds_a_world": round(float(np.mean([world["seconds"] for world in worlds]))),
        },
    )


if __name__ == "__main__":
    asyncio.run(main())
