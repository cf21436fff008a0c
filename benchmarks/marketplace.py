"""How fast a marketplace lives: users x days against the real services.

    benchmarks/marketplace.py [--users 20000] [--items 2000] [--days 30] [--warm-days 3] [--one-process]

`minutes` is the wall's time of living `--days` days: the first `--warm-days` of a logging policy, then, after
one training (not counted, see the conditions), decisions by the models that it released. `user_days_per_s` is
the same as a rate, `decisions_per_s` counts users decided about. `cpu_seconds` in the conditions says which
process used what. With `--one-process` the services of the hot path and the world share this process, and
their calls need no sockets (one_process.py).
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import one_process
from harness import cpu_seconds, report, say

from magpie import Magpie
from magpie.v1 import release_service_pb2
from magpie_cli import training
from magpie_cli.demo import lake
from magpie_cli.demo.clock import SandboxClock
from magpie_cli.demo.marketplace import Plan, options_for
from magpie_cli.demo.simulator import simulate
from magpie_cli.suite import Suite
from magpie_services.kit.local import LocalChannel
from magpie_simulator.day import Life
from magpie_simulator.phones import Phones

Run = Callable[[int, str], Awaitable[dict[str, Any]]]


class Place:
    """A world in a folder, a suite, where the phones listen, and what living has cost so far."""

    def __init__(self, world: Path, suite: Suite, listen: str, plan: Plan) -> None:
        self.world, self.suite, self.listen, self.plan = world, suite, listen, plan
        self.seconds = self.training_seconds = 0.0
        self.cpu: dict[str, float] = {}
        self.reports: list[dict[str, Any]] = []

    async def live(self, days: int, policy: str, run: Run) -> None:
        """Lives some days and adds what they took."""
        say(f"living {days} days: {policy}")
        before, began, own = self._used(), time.perf_counter(), time.process_time()
        lived = await run(days, policy)
        self.seconds += time.perf_counter() - began
        self.reports.append(lived)
        spent = {name: value - before[name] for name, value in self._used().items()}
        spent |= {"this": time.process_time() - own, "simulator": lived["seconds"]["cpu"]}
        for name, value in spent.items():
            self.cpu[name] = self.cpu.get(name, 0.0) + value

    async def train(self, day: int) -> None:
        """Trains and releases the first models. Raises SystemExit when there are none."""
        clock, began = SandboxClock(self.plan.time_ms(day)), time.perf_counter()
        async with Magpie(self.suite.endpoints, timeout_seconds=60, now_ms=clock.now_ms) as magpie:
            await lake.caught_up(self.suite.metrics_url("lake"))
            run = await training.retrain(magpie, seed=7)
        if run.state != release_service_pb2.RUN_STATE_RELEASED:
            raise SystemExit(f"no model: {run.reason}")
        self.training_seconds = time.perf_counter() - began

    async def apart(self, days: int, policy: str) -> dict[str, Any]:
        """The marketplace as a process of its own."""
        return await simulate(
            *("run", "--world", str(self.world), "--days", str(days), "--policy", policy, "--no-forks"),
            *("--endpoints", str(self.suite.options.state / "endpoints.json"), "--listen", self.listen),
            secret=self.suite.secrets["webhook_secret"],
            told=lambda share, what: say(f"{share:6.1%} {what}"),
        )

    async def together(self, days: int, policy: str) -> dict[str, Any]:
        """The marketplace in this process, beside the services."""
        connect: Any = LocalChannel
        began = time.process_time()
        async with one_process.serving(self.suite) as endpoints:
            life = Life(
                self.world,
                endpoints,
                policy=policy,
                patience_seconds=15,
                tell=lambda line: say(f"{line.get('progress', 0):6.1%} {line.get('activity', '')}"),
                connect=connect,
            )
            phones = Phones(life.inbox.take, self.suite.secrets["webhook_secret"].encode())
            await phones.start(self.listen)
            first = life.world.day
            try:
                await life.live(days)
            finally:
                await phones.stop()
                await life.close()
        lived = life.record.report(life.world, life.inbox, first, {})
        lived["seconds"]["cpu"] = time.process_time() - began
        return lived

    def _used(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self.suite.pids().items() if pid}


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--warm-days", type=int, default=3)
    parser.add_argument("--one-process", action="store_true")
    options = parser.parse_args()
    plan = Plan(users=options.users, items=options.items)
    with TemporaryDirectory(prefix="magpie-benchmark-") as folder:
        suite_options, listen = options_for(Path(folder) / "suite")
        if options.one_process:
            suite_options = one_process.around(suite_options)
        world = Path(folder) / "world"
        say("making the marketplace")
        sizes = ("--users", str(options.users), "--items", str(options.items))
        await simulate("create", "--world", str(world), "--start", plan.start, *sizes)
        async with Suite(suite_options) as suite:
            place = Place(world, suite, listen, plan)
            run = place.together if options.one_process else place.apart
            warm = min(options.warm_days, options.days)
            await place.live(warm, "historic", run)
            if options.days > warm:
                await place.train(warm)
                await place.live(options.days - warm, "magpie", run)
    decided = sum(lived["decisions"]["decided"] for lived in place.reports)
    report(
        "marketplace",
        {
            "minutes": round(place.seconds / 60, 2),
            "user_days_per_s": round(options.users * options.days / place.seconds, 1),
            "decisions_per_s": round(decided / place.seconds, 1),
        },
        {
            "users": options.users,
            "items": options.items,
            "days": options.days,
            "one_process": options.one_process,
            "decisions": [lived["decisions"] for lived in place.reports],
            "reasons": [lived["reasons"] for lived in place.reports],
            "checks": [lived["checks"] for lived in place.reports],
            "training_seconds": round(place.training_seconds, 1),
            "cpu_seconds": {name: round(value, 1) for name, value in place.cpu.items()},
        },
    )


if __name__ == "__main__":
    asyncio.run(main())
