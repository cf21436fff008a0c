"""What every benchmark shares: the one JSON line, latencies under a steady load, and a shop to measure on."""

import asyncio
import json
import os
import platform
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from magpie import Magpie
from magpie.v1 import (
    catalog_service_pb2,
    device_pb2,
    event_pb2,
    item_pb2,
    money_pb2,
    profile_service_pb2,
    release_service_pb2,
)
from magpie_cli.suite import Suite, SuiteOptions

BRANDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir")
CATEGORIES = ("Dresses", "Shoes", "Bags", "Kitchen", "Audio", "Toys", "Books", "Garden")
DAY_SECONDS = 86_400


def report(name: str, figures: dict[str, float], conditions: Mapping[str, object]) -> None:
    """Prints the one line that counts, last."""
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "grpcio": grpc.__version__}
    print(json.dumps({"benchmark": name, "figures": figures, "conditions": {**conditions, **machine}}))


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far: what noise of the machine does not change much."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def capacity(call: Callable[[int], Awaitable[object]], in_flight: int, seconds: float) -> float:
    """Calls a second with `in_flight` of them always under way."""
    end, done = time.perf_counter() + seconds, 0

    async def worker(number: int) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call(number + in_flight * done)
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(worker(number) for number in range(in_flight)))
    return done / (time.perf_counter() - started)


async def latencies(
    call: Callable[[int], Awaitable[object]], per_second: float, seconds: float, seed: int = 1
) -> list[float]:
    """Milliseconds of calls that arrive at random (Poisson), whether or not earlier ones have been answered.

    Measured from when each should have started, so that a slow answer cannot hide the ones queued behind it.
    """
    rng, taken, tasks = random.Random(seed), list[float](), list[asyncio.Task[None]]()
    started = time.perf_counter()
    due = started

    async def one(number: int, due: float) -> None:
        await call(number)
        taken.append((time.perf_counter() - due) * 1000)

    while due < started + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(len(tasks), due)))
        due += rng.expovariate(per_second)
    await asyncio.gather(*tasks)
    return taken


@dataclass(frozen=True)
class Shop:
    """A running suite with items, users with histories, consent and devices; its state is in `folder`."""

    folder: Path
    suite: Suite
    magpie: Magpie
    users: list[str]
    items: list[str]


@asynccontextmanager
async def shop(
    *, users: int, items: int, events_a_user: int = 40, trained: bool = True, rooms: Iterable[str] = ()
) -> AsyncIterator[Shop]:
    """Starts a suite in a temporary folder, fills it, trains and releases models, and takes it down after.

    With `rooms` only these are started; `profile` and `candidate` must be among them.
    """
    with TemporaryDirectory(prefix="magpie-benchmark-") as folder:
        say("starting the suite")
        options = SuiteOptions(state=Path(folder), auto_ports=True, rooms=frozenset(rooms))
        async with Suite(options) as suite, Magpie(suite.endpoints, timeout_seconds=60) as magpie:
            names = [f"user-{n}" for n in range(users)], [f"item-{n}" for n in range(items)]
            place = Shop(Path(folder), suite, magpie, *names)
            say(f"filling it: {items} items, {users} users")
            await _fill(place, events_a_user)
            if trained:
                await _train(place)
            yield place


async def _fill(place: Shop, events_a_user: int) -> None:
    rng = random.Random(7)
    for start in range(0, len(place.items), 500):
        batch = [_item(number, rng) for number in range(start, min(start + 500, len(place.items)))]
        await place.magpie.catalog.UpsertItems(
            catalog_service_pb2.UpsertItemsRequest(items=batch, request_id=f"items-{start}")
        )
    events = [event for user in place.users for event in history(user, place.items, events_a_user, rng)]
    for start in range(0, len(events), 1_000):
        answer = await place.magpie.profile.RecordEvents(
            profile_service_pb2.RecordEventsRequest(events=events[start : start + 1_000])
        )
        if answer.refusals:
            raise SystemExit(f"an event was refused: {answer.refusals[0]}")
    for start in range(0, len(place.users), 50):
        await asyncio.gather(*(_reachable(place.magpie, user) for user in place.users[start : start + 50]))


async def _reachable(magpie: Magpie, user: str) -> None:
    consents = [
        device_pb2.Consent(purpose=purpose, granted=True)
        for purpose in (
            device_pb2.PURPOSE_MARKETING_PUSH,
            device_pb2.PURPOSE_PERSONALISATION,
            device_pb2.PURPOSE_MODEL_TRAINING,
        )
    ]
    await magpie.profile.SetConsent(
        profile_service_pb2.SetConsentRequest(user_id=user, consents=consents, request_id=f"consent-{user}")
    )
    device = device_pb2.Device(device_id="phone", channel=device_pb2.CHANNEL_CONSOLE, platform="android")
    await magpie.profile.RegisterDevice(
        profile_service_pb2.RegisterDeviceRequest(user_id=user, device=device, request_id=f"device-{user}")
    )


async def _train(place: Shop) -> None:
    say("training and releasing models")
    request = release_service_pb2.RequestRetrainingRequest(request_id="train", seed=1)
    run = (await place.magpie.releases.RequestRetraining(request)).run
    while run.state not in (
        release_service_pb2.RUN_STATE_RELEASED,
        release_service_pb2.RUN_STATE_REFUSED,
        release_service_pb2.RUN_STATE_FAILED,
    ):
        await asyncio.sleep(1)
        run = (await place.magpie.releases.GetRun(release_service_pb2.GetRunRequest(run_id=run.run_id))).run
    if run.state != release_service_pb2.RUN_STATE_RELEASED:
        raise SystemExit(f"no model to measure: {run.reason}")


def history(user: str, items: list[str], count: int, rng: random.Random) -> list[event_pb2.Event]:
    """A user's past: mostly items near one favourite, views and some purchases, over thirty days."""
    now, favourite = time.time(), rng.randrange(len(items))
    found = []
    for number in range(count):
        near = (favourite + int(rng.gauss(0, len(items) / 50))) % len(items)
        item = items[near if rng.random() < 0.8 else rng.randrange(len(items))]
        kind = event_pb2.EVENT_KIND_PURCHASE if rng.random() < 0.1 else event_pb2.EVENT_KIND_VIEW_ITEM
        found.append(
            event_pb2.Event(
                event_id=f"{user}-{number}",
                user_id=user,
                kind=kind,
                occur_time=Timestamp(seconds=int(now - rng.random() * 30 * DAY_SECONDS)),
                item_id=item,
                unit_price=money_pb2.Money(currency="EUR", minor_units=1_000 + 10 * near),
                attributes={"locale": "en", "timezone": _daylight_zone(now)},
            )
        )
    return found


def _daylight_zone(now: float) -> str:
    """A time zone where it is about noon, so that quiet hours do not decide what is measured."""
    offset = 12 - time.gmtime(now).tm_hour
    # The signs of Etc/GMT are turned: Etc/GMT-3 is three hours ahead of UTC.
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def _item(number: int, rng: random.Random) -> item_pb2.Item:
    category, brand = CATEGORIES[number % len(CATEGORIES)], rng.choice(BRANDS)
    return item_pb2.Item(
        item_id=f"item-{number}",
        text=item_pb2.ItemText(title=f"{brand} {category.lower()} no. {number}"),
        locale="en",
        categories=["Shop", category],
        brand=brand,
        price=money_pb2.Money(currency="EUR", minor_units=1_000 + 10 * number),
        list_price=money_pb2.Money(currency="EUR", minor_units=1_200 + 12 * number),
        stock=100,
        attributes={"colour": item_pb2.AttributeValues(values=[rng.choice(("blue", "green", "red"))])},
        link=f"https://shop.example/{number}",
    )
