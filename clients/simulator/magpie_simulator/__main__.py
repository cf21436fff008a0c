"""The marketplace as a process of its own: `python -m magpie_simulator create | run | compare | load`."""

import argparse
import asyncio
import json
import math
import os
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from magpie import Endpoints
from magpie_simulator import keep, load
from magpie_simulator.asking import WAYS
from magpie_simulator.compare import compare
from magpie_simulator.day import Life
from magpie_simulator.forks import live_forks
from magpie_simulator.parameters import Parameters, checked
from magpie_simulator.phones import Phones
from magpie_simulator.shopfront import ServiceGone

SECRET_VARIABLE = "MAGPIE_SIMULATOR_WEBHOOK_SECRET"  # noqa: S105 (a name)
BAD_INPUT, UNREACHABLE = 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; answers the exit code: 0 well, 2 bad input, 3 a bad endpoint or a service gone."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "create":
            _create(options)
        elif options.command == "compare":
            _report(compare(options.world, options.first_day, options.round_days, _tell), options.report)
        elif options.command == "load":
            asyncio.run(_load(options))
        else:
            asyncio.run(_run(options))
    except ServiceGone as error:
        return _complain(error, UNREACHABLE)
    except (keep.NoWorld, ValueError, OSError) as error:
        return _complain(error, BAD_INPUT)
    except KeyboardInterrupt:
        return 130
    return 0


def _create(options: argparse.Namespace) -> None:
    parameters = checked(
        Parameters(
            seed=options.seed,
            users=options.users,
            items=options.items,
            locales=tuple(options.locales.split(",")),
            start=options.start,
            salt=secrets.token_hex(16),
        )
    )
    _tell({"report": {"seal": parameters.seal}})
    keep.create(options.world, parameters)


async def _load(options: argparse.Namespace) -> None:
    if not all(map(math.isfinite, (options.rate, options.pushes, options.seconds))):
        raise ValueError("rate, pushes and seconds must be numbers")
    if options.rate < 0 or options.pushes < 0 or options.seconds <= 0:
        raise ValueError("rate and pushes must not be negative, seconds must be positive")
    name = options.name or f"load-{int(time.time() * 1000):x}"
    asked = load.Load(
        rate=options.rate,
        pushes=options.pushes,
        seconds=options.seconds,
        name=name,
        start_ms=options.start_ms,
    )
    counts = await load.run(asked, _endpoints(options.endpoints), options.acknowledged)
    _tell({"report": asdict(counts)})


def _endpoints(path: Path) -> Endpoints:
    try:
        return Endpoints.load(path)
    except (OSError, ValueError) as error:
        raise ServiceGone(f"endpoints: {error}") from None


async def _run(options: argparse.Namespace) -> None:
    endpoints = _endpoints(options.endpoints)
    life = Life(
        options.world,
        endpoints,
        policy=options.policy,
        patience_seconds=options.patience,
        tell=_tell,
    )
    phones = Phones(life.inbox.take, os.environ.get(SECRET_VARIABLE, "").encode())
    try:
        try:
            address = await phones.start(options.listen)
        except (OSError, ValueError) as error:
            raise ServiceGone(f"listen {options.listen}: {error}") from None
        _tell({"seal": life.world.parameters.seal, "phones": f"http://{address}/"})
        twin, first_day = life.world.fork(), life.world.day
        await life.live(options.days)
        _tell(
            {"progress": 1.0, "day": life.world.day, "activity": "living the same days under other policies"}
        )
        volumes = life.record.volumes_from(twin, options.days)
        forks = {} if options.no_forks else live_forks(twin, options.days, volumes)
        report = life.record.report(life.world, life.inbox, first_day, forks)
    finally:
        await phones.stop()
        await life.close()
    _report(report, options.report)


def _report(report: dict[str, Any], file: Path | None) -> None:
    if file:
        file.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
    _tell({"report": report})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="magpie_simulator", description="A sealed marketplace.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a world in a new folder and print its seal")
    create.add_argument("--world", type=Path, required=True, metavar="FOLDER")
    create.add_argument("--seed", type=int, default=7)
    create.add_argument("--users", type=int, default=600)
    create.add_argument("--items", type=int, default=300)
    create.add_argument("--locales", default="zh-CN,en")
    create.add_argument("--start", default="2026-03-02", metavar="DATE")
    run = commands.add_parser("run", help="live some days of a world against the services")
    run.add_argument("--world", type=Path, required=True, metavar="FOLDER")
    run.add_argument("--endpoints", type=Path, required=True, metavar="FILE", help="JSON: service to address")
    run.add_argument("--days", type=_days, required=True)
    run.add_argument("--policy", choices=sorted(WAYS), default="magpie")
    run.add_argument("--listen", default="127.0.0.1:7100", metavar="HOST:PORT", help="where pushes arrive")
    run.add_argument("--report", type=Path, metavar="FILE", help="write the report here too")
    run.add_argument("--patience", type=float, default=15.0, metavar="SECONDS", help="of an outage")
    run.add_argument("--no-forks", action="store_true", help="leave out the comparison with other policies")
    judge = commands.add_parser("compare", help="after a run: the same days under rivals and the oracle")
    judge.add_argument("--world", type=Path, required=True, metavar="FOLDER")
    judge.add_argument("--first-day", type=_days, required=True, metavar="DAY", help="when deciding began")
    judge.add_argument("--round-days", type=_days, default=7, metavar="DAYS", help="between two trainings")
    judge.add_argument("--report", type=Path, metavar="FILE", help="write the report here too")
    press = commands.add_parser(
        "load", help="events, pushes and outcomes at a steady rate, by the wall's clock"
    )
    press.add_argument(
        "--endpoints", type=Path, required=True, metavar="FILE", help="JSON: service to address"
    )
    press.add_argument("--rate", type=float, default=500.0, metavar="EVENTS", help="a second")
    press.add_argument("--pushes", type=float, default=0.0, metavar="DECISIONS", help="a second")
    press.add_argument("--seconds", type=float, default=30.0)
    press.add_argument("--acknowledged", type=Path, required=True, metavar="FILE", help="what was promised")
    press.add_argument("--start-ms", type=int, default=0, help="a sandbox's time to begin at; 0: the wall's")
    press.add_argument(
        "--name", default="", help="keeps the ids of runs apart; drawn from the time if not given"
    )
    return parser


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3_660:
        raise argparse.ArgumentTypeError("must be 1 to 3660")
    return int(text)


def _tell(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _complain(error: Exception, code: int) -> int:
    print(f"magpie_simulator: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
