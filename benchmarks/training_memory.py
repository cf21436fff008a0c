"""How much memory it takes to read a lake into what models learn from: more events than are learnt from must
not need more memory.

    benchmarks/training_memory.py [--events 2000000] [--most 2000000]

Makes a lake of N events and one of twice as many, reads each in a fresh process with `max_events` = `most`,
and prints the peak resident memory of both over that of a process that has read nothing.
"""

import argparse
import datetime
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake
from harness import report, say

from magpie_services.lake.schemas import DECISIONS, EVENTS, ITEMS, OUTCOMES

DAYS = 60
DAY_MS = 86_400_000
END_MS = 1_765_184_000_000

READ = """
import json, resource, sys, time
from magpie_services.training import dataset
from magpie_services.training.plan import Plan, RetrieverPlan

empty = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
begun, cpu = time.perf_counter(), time.process_time()
plan = Plan(
    run_id="r", folder=".", lake_folder=sys.argv[1], retriever=RetrieverPlan(max_events=int(sys.argv[2]))
)
data = dataset.load(plan)
print(json.dumps({
    "events": len(data.history), "seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - empty,
}))
"""


def main() -> None:
    """Prints the figures as one JSON line, last."""
    parser = argparse.ArgumentParser(description="Memory of reading a lake.")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--most", type=int, default=2_000_000, help="newest events to learn from")
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=20_000)
    told = parser.parse_args()
    figures: dict[str, float] = {}
    for name, count in (("", told.events), ("twice_", 2 * told.events)):
        with TemporaryDirectory(prefix="magpie-benchmark-") as folder:
            say(f"a lake of {count} events")
            fill(Path(folder), count, told.users, told.items)
            found = read(Path(folder), told.most)
            say(f"read: {found}")
        figures |= {
            f"{name}peak_mb": found["peak_mb"],
            f"{name}bytes_per_event": found["peak_mb"] * 1_048_576 / max(found["events"], 1),
            f"{name}cpu_seconds": found["cpu"],
        }
    conditions = {"events": told.events, "most": told.most, "users": told.users, "items": told.items}
    report("training_memory", figures, conditions)


def read(lake: Path, most: int) -> dict[str, float]:
    """What a process that loads the lake needs."""
    run = [sys.executable, "-c", READ, str(lake), str(most)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def fill(lake: Path, events: int, users: int, items: int) -> None:
    """Views and purchases over sixty days, written day by day; the other tables are there and empty."""
    rng = np.random.default_rng(1)
    for spec in (ITEMS, DECISIONS, OUTCOMES):
        write_deltalake(str(lake / spec.name), pa.table(spec.batch([], range(0))), partition_by=["day"])
    schema = pa.table(EVENTS.batch([], range(0))).schema
    for day in range(DAYS):
        count = events // DAYS
        at_ms = END_MS - (DAYS - day) * DAY_MS + np.sort(rng.integers(0, DAY_MS, count))
        given = {
            "event_id": pa.array([f"e{day}-{n}" for n in range(count)]),
            "user_id": pa.array([f"u{n}" for n in rng.integers(0, users, count)]),
            "item_id": pa.array([f"i{n}" for n in rng.zipf(1.3, count) % items]),
            "kind": pa.array(np.where(rng.random(count) < 0.9, "view_item", "purchase")),
            "occurred_ms": pa.array(at_ms),
            "received_ms": pa.array(at_ms),
            "quantity": pa.array(np.ones(count, np.int64)),
        }
        columns = []
        for field in schema:
            if field.name == "day":
                when = datetime.datetime.fromtimestamp(int(at_ms[0]) / 1000, datetime.UTC).date()
                value = when if pa.types.is_date(field.type) else str(when)
                columns.append(pa.array([value] * count).cast(field.type))
            elif field.name in given:
                columns.append(given[field.name].cast(field.type))
            elif field.nullable:
                columns.append(pa.nulls(count, field.type))
            else:
                columns.append(pa.array(np.zeros(count, np.int64)).cast(field.type))
        table = pa.table(columns, schema=schema)
        write_deltalake(str(lake / EVENTS.name), table, partition_by=["day"], mode="append")


if __name__ == "__main__":
    main()
