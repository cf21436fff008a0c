"""Every entry acknowledged by Redis is in the lake exactly once, whoever dies when."""

import random
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from redis import Redis as BlockingRedis
from tests.integration.lake.conftest import DurableRedis, Start, eventually

from magpie_services.core import codec
from magpie_services.core.events import Event, EventKind
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.kit.redis import partition, partitions, stream_key
from magpie_services.lake import readers

NOW_MS = 1_760_000_000_000
# Processes start four times: a second each on a free machine, many on a busy one.
pytestmark = pytest.mark.timeout(240)


def event(n: int) -> Event:
    return Event(
        event_id=f"e{n}",
        user_id=f"u{n % 97}",
        kind=EventKind.VIEW_ITEM,
        occurred_ms=NOW_MS + n * 60_000,
        item_id=f"i{n % 13}",
    )


class Producer(threading.Thread):
    """Adds events and outcomes to the streams as fast as a moderate shop does, until told to stop."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged = 0
        self._stopped = threading.Event()
        self._url = url

    def run(self) -> None:
        with BlockingRedis.from_url(self._url) as client:
            while not self._stopped.wait(0.01):
                pipe = client.pipeline(transaction=False)
                for n in range(self.acknowledged, self.acknowledged + 20):
                    add(pipe, n)
                pipe.execute()
                self.acknowledged += 20

    def stop(self) -> int:
        self._stopped.set()
        self.join(10)
        return self.acknowledged


def add(client: "BlockingRedis", n: int) -> None:
    made = event(n)
    part = partition(made.user_id)
    outcome = Outcome(
        outcome_id=f"o{n}", decision_id=f"d{n}", kind=OutcomeKind.CLICKED, occurred_ms=made.occurred_ms
    )
    client.xadd(stream_key("events", part), {"v": codec.encode(made)})
    client.xadd(stream_key("outcomes", part), {"v": codec.encode(outcome)})


def rows(folder: Path, table: str) -> int:
    return int(DeltaTable(str(folder / table)).to_pyarrow_dataset().count_rows())


def there(folder: Path, count: int) -> Callable[[], bool]:
    def all_there() -> bool:
        if not (folder / "outcomes" / "_delta_log").exists():
            return False
        return rows(folder, "events") >= count and rows(folder, "outcomes") >= count

    return all_there


def check(folder: Path, url: str, count: int) -> None:
    """All rows are there, none twice; the streams are trimmed."""
    assert (rows(folder, "events"), rows(folder, "outcomes")) == (count, count)
    events = readers.read_events(str(folder), ["event_id", "occurred_ms"])
    assert events["event_id"].to_pylist() == [f"e{n}" for n in range(count)]
    assert readers.read_outcomes(str(folder), ["outcome_id"]).num_rows == count
    with BlockingRedis.from_url(url) as client:
        eventually(lambda: all(client.xlen(stream_key("events", part)) <= 1 for part in partitions()))


def test_a_writer_killed_at_any_point_loses_and_repeats_nothing(
    durable_redis: DurableRedis, start_writer: Start, tmp_path: Path
) -> None:
    folder, moments = tmp_path / "lake", random.Random(4)
    producer = Producer(durable_redis.url)
    producer.start()
    for _ in range(3):
        writer = start_writer(durable_redis.url, folder)
        committed = rows_or_none(folder)
        eventually(lambda before=committed: rows_or_none(folder) != before)  # type: ignore[misc]
        time.sleep(moments.uniform(0.0, 0.3))
        writer.kill()
        writer.wait(10)
    count = producer.stop()
    assert count > 0
    last = start_writer(durable_redis.url, folder)
    eventually(there(folder, count))
    check(folder, durable_redis.url, count)
    stop(last)


def rows_or_none(folder: Path) -> int | None:
    return rows(folder, "events") if (folder / "events" / "_delta_log").exists() else None


def stop(writer: subprocess.Popen[bytes]) -> None:
    writer.terminate()
    assert writer.wait(10) == 0


def test_a_redis_killed_and_started_again_loses_and_repeats_nothing(
    durable_redis: DurableRedis, start_writer: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "lake"
    writer = start_writer(durable_redis.url, folder)
    with BlockingRedis.from_url(durable_redis.url) as client:
        for n in range(200):
            add(client, n)
    eventually(lambda: (rows_or_none(folder) or 0) > 0)
    durable_redis.kill()
    durable_redis.start()
    with BlockingRedis.from_url(durable_redis.url) as client:
        for n in range(200, 400):
            add(client, n)
    eventually(there(folder, 400))
    check(folder, durable_redis.url, 400)
    stop(writer)
