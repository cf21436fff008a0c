"""The marketplace as a process of its own, against services that remember what they were told."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import free_port
from tests.integration.simulator.suite import Suite, serving

from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie_simulator.parameters import Parameters

USERS, ITEMS = 120, 60


async def simulate(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Runs the process; answers exit code, the JSON lines it printed, and its standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "magpie_simulator",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode or 0, [json.loads(line) for line in out.splitlines()], error.decode()


async def create(folder: Path, users: int = USERS) -> str:
    code, lines, error = await simulate(
        "create", "--world", str(folder / "world"), "--users", str(users), "--items", str(ITEMS)
    )
    assert code == 0, error
    seal: str = lines[0]["report"]["seal"]
    return seal


async def run(folder: Path, suite: Suite, days: int, *more: str) -> tuple[int, list[dict[str, Any]], str]:
    port = free_port()
    suite.phones = f"http://127.0.0.1:{port}/"
    return await simulate(
        "run",
        *("--world", str(folder / "world"), "--endpoints", str(folder / "endpoints.json")),
        *("--days", str(days), "--listen", f"127.0.0.1:{port}", "--patience", "0"),
        *more,
    )


async def test_three_days_go_round(tmp_path: Path) -> None:
    seal = await create(tmp_path)
    async with serving(tmp_path) as suite:
        code, lines, error = await run(
            tmp_path, suite, 3, "--policy", "explore", "--report", str(tmp_path / "report.json")
        )
    assert (code, error) == (0, "")
    report = lines[-1]["report"]
    assert report == json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["seal"] == lines[0]["seal"] == seal
    shares = [line["progress"] for line in lines if "progress" in line]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    # What people did arrived, in time, and a few events twice.
    kinds = {event.kind for event in suite.events.values()}
    assert {
        event_pb.EVENT_KIND_SESSION_START,
        event_pb.EVENT_KIND_VIEW_ITEM,
        event_pb.EVENT_KIND_SEARCH,
        event_pb.EVENT_KIND_PURCHASE,
    } <= kinds
    assert suite.doubles > 0
    assert suite.late == 0
    assert len(suite.items) >= ITEMS - 2
    assert 0.5 * USERS < len([yes for yes in suite.consents.values() if yes[0]]) < 0.8 * USERS
    # Every push reached its phone once, those in the queue too, and came to something.
    assert report["decisions"]["decided"] == len(suite.sent)
    assert report["world"]["pushes"] >= 0.9 * len(suite.sent)
    assert not suite.queue
    checks = report["checks"]
    assert checks["repeated_deliveries"] == checks["queued_not_arrived"] == checks["sent_not_arrived"] == 0
    assert set(checks["violations"]) <= {"quiet_hours", "no_consent"}  # this suite keeps no rules
    assert checks["refused"] == {}
    tokens = {outcome.attribution_token for outcome in suite.outcomes}
    assert tokens <= {f"token-{sent}" for sent in suite.sent}
    assert {outcome.kind for outcome in suite.outcomes} >= {
        feedback_pb.OUTCOME_KIND_DELIVERED,
        feedback_pb.OUTCOME_KIND_DISMISSED,
    }
    assert set(report["forks"]) == {
        "none",
        "random",
        "popular",
        "random, same volume",
        "popular, same volume",
    }
    assert len(report["samples"]) == 5


async def test_a_day_cut_short_is_lived_again_without_doubling(tmp_path: Path) -> None:
    await create(tmp_path)
    async with serving(tmp_path) as suite:
        suite.fail_after = 14  # after the pushes of the first day
        code, lines, error = await run(tmp_path, suite, 2)
        assert code == 3
        assert error.startswith("magpie_simulator: profile at 127.0.0.1:")
        assert error.count("\n") == 1
        assert suite.sent
        before = len(suite.sent)
        suite.fail_after = -1
        code, lines, error = await run(tmp_path, suite, 2)
        assert (code, error) == (0, "")
        checks = lines[-1]["report"]["checks"]
        assert checks["repeated_deliveries"] == checks["sent_not_arrived"] == 0
        assert checks["queued_not_arrived"] == 0
        # The pushes of the cut day were sent once and reacted to in the second attempt.
        assert len(suite.sent) < 2.2 * before
        delivered = [o for o in suite.outcomes if o.kind == feedback_pb.OUTCOME_KIND_DELIVERED]
        assert len({o.attribution_token for o in delivered}) > 0.8 * len(suite.sent)


@pytest.mark.parametrize("text", ["{", '{"profile": 1}', '{"nobody": "127.0.0.1:1"}'])
async def test_bad_endpoints_are_named(tmp_path: Path, text: str) -> None:
    await create(tmp_path, users=5)
    (tmp_path / "endpoints.json").write_text(text)
    code, _, error = await run(tmp_path, Suite(), 1)
    assert code == 3
    assert error.startswith("magpie_simulator: endpoints: ")


async def test_no_world_is_said(tmp_path: Path) -> None:
    Suite().endpoints.save(tmp_path / "endpoints.json")
    code, lines, error = await run(tmp_path, Suite(), 1)
    assert (code, lines) == (2, [])
    assert "holds no world" in error


async def test_a_load_writes_down_what_was_acknowledged(tmp_path: Path) -> None:
    async with serving(tmp_path) as suite:
        code, lines, error = await simulate(
            *("load", "--endpoints", str(tmp_path / "endpoints.json"), "--rate", "2000", "--seconds", "0.5"),
            *("--acknowledged", str(tmp_path / "acknowledged.jsonl"), "--start-ms", "1772409600000"),
        )
    assert (code, error) == (0, "")
    assert lines[-1]["report"]["events"] == 1_000
    acknowledged = [json.loads(line) for line in (tmp_path / "acknowledged.jsonl").read_text().splitlines()]
    assert {line["event"] for line in acknowledged} == set(suite.events)
    assert suite.late == 0


async def test_after_the_run_its_days_are_lived_again_by_rivals_and_the_oracle(tmp_path: Path) -> None:
    seal = await create(tmp_path)
    async with serving(tmp_path) as suite:
        for days, policy in ((4, "historic"), (3, "magpie")):
            code, lines, error = await run(tmp_path, suite, days, "--policy", policy, "--no-forks")
            assert (code, error) == (0, "")
    lived = lines[-1]["report"]
    world = ("--world", str(tmp_path / "world"))
    code, lines, error = await simulate("compare", *world, "--first-day", "4", "--round-days", "2")
    assert (code, error) == (0, "")
    report = lines[-1]["report"]
    assert (report["seal"], report["round_days"]) == (seal, [2, 1])
    assert msgspec.convert(report["parameters"], Parameters).seal == seal
    senders = report["senders"]
    assert senders["magpie"]["total"] == lived["world"], "what was lived against the services, exactly"
    for name in ("random", "popular", "rules"):
        same = senders[f"{name}, same volume"]["total"]["pushes"]
        assert same <= senders["magpie"]["total"]["pushes"]
    assert senders["none"]["total"]["pushes"] == senders["none"]["true_value"] == 0
    assert senders["oracle"]["true_value"] > max(senders["magpie"]["true_value"], 0)
    assert senders["oracle"]["total"]["reward"] > senders["random"]["total"]["reward"]
    assert all(len(sender["rounds"]) == 2 for sender in senders.values())
    pushes = [volume["pushes"] for volume in report["click_greedy"]["volumes"]]
    assert pushes == sorted(pushes)
    arrivals = next((tmp_path / "world" / "arrivals").glob("*.npy"))
    arrivals.write_bytes((tmp_path / "world" / "arrivals" / "00003.npy").read_bytes())
    code, _, error = await simulate("compare", *world, "--first-day", "4")
    assert code == 2
    assert "do not lead to the world" in error
