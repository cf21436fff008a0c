"""The rooms of the hot path work in one process without sockets as they do in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.timeout(240), pytest.mark.tensorflow]

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "marketplace.py"
SMALL = ("--users", "80", "--items", "48", "--days", "2", "--warm-days", "2")


@pytest.mark.parametrize("way", [(), ("--one-process",)])
def test_a_marketplace_lives_against_the_services(way: tuple[str, ...]) -> None:
    ran = subprocess.run([sys.executable, SCRIPT, *SMALL, *way], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["figures"]["user_days_per_s"] > 0
    (decisions,), (checks,) = found["conditions"]["decisions"], found["conditions"]["checks"]
    assert decisions["sent"] > 0.5 * decisions["decided"] > 20
    assert "failed" not in decisions
    assert checks["violations"] == checks["refused"] == {}
    assert checks["repeated_deliveries"] == checks["sent_not_arrived"] == 0
