"""kill -9 of every process of the suite in turn, Redis too, under load: nothing acknowledged is lost or
doubled, no cap is exceeded, and everything comes back by itself."""

import asyncio
import os
import signal
import time
import uuid
from collections import Counter
from pathlib import Path

import grpc
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable
from google.protobuf.timestamp_pb2 import Timestamp
from tests.e2e.phone import Phone

from magpie import Magpie
from magpie.v1 import (
    catalog_service_pb2,
    device_pb2,
    event_pb2,
    item_pb2,
    money_pb2,
    profile_service_pb2,
    push_service_pb2,
)
from magpie_cli.suite import Suite, SuiteOptions

pytestmark = [pytest.mark.timeout(240), pytest.mark.tensorflow]

USERS, ITEMS, DAILY_CAP = 40, 60, 3
# The sleep between kills: long enough for the load to meet every state of the one that comes back.
PAUSE_SECONDS = 1.5
RECOVERY_SECONDS = 30


async def test_kill_any_process_under_load(tmp_path: Path) -> None:
    async with Phone() as phone:
        options = SuiteOptions(
            state=tmp_path / "suite",
            auto_ports=True,
            webhook=phone.url,
            # No gap, no night: the cap alone decides. Short claims: what died is taken up soon.
            environment={
                "MAGPIE_PUSH_MINIMUM_GAP_SECONDS": "0",
                "MAGPIE_PUSH_QUIET_START": "00:00",
                "MAGPIE_PUSH_QUIET_END": "00:00",
                "MAGPIE_PUSH_REPEAT_DAYS": "0",
                "MAGPIE_PUSH_DAILY_CAP": str(DAILY_CAP),
                "MAGPIE_PUSH_WEBHOOK_TIMEOUT_SECONDS": "1",
                "MAGPIE_PUSH_CLAIM_SECONDS": "6",
                "MAGPIE_PUSH_RESERVATION_SECONDS": "12",
            },
        )
        lake = options.state / "lake"
        async with Suite(options) as suite, Magpie(suite.endpoints, timeout_seconds=5) as magpie:
            await _fill(magpie)
            load = Load(magpie)
            running = [asyncio.create_task(load.events()), asyncio.create_task(load.pushes())]
            names = [name for name, pid in suite.pids().items() if pid]
            assert {"redis", "profile", "push", "lake", "worker", "model_server"} <= set(names)
            for name in names:
                old = suite.pids()[name]
                os.kill(old, signal.SIGKILL)
                await _until(lambda name=name, old=old: suite.pids()[name] not in (0, old), name)
                await asyncio.sleep(PAUSE_SECONDS)
            await _until(lambda: all(process.state == "up" for process in suite.processes), "all up")
            load.stop = True
            await asyncio.gather(*running)
            assert load.acknowledged
            await _until(lambda: _caught_up(lake, load.acknowledged), "the lake", seconds=60)

            rows = _event_ids(lake)
            counts = Counter(rows)
            assert [event_id for event_id in load.acknowledged if counts[event_id] != 1] == []
            sent = phone.by_user()
            assert sent, "no push got through at all"
            assert {user: len(ids) for user, ids in sent.items() if len(ids) > DAILY_CAP} == {}


async def _until(condition, what: str, seconds: float = RECOVERY_SECONDS) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        await asyncio.sleep(0.2)


class Load:
    """Events and pushes for ever; remembers the events that were acknowledged."""

    def __init__(self, magpie: Magpie) -> None:
        self.stop = False
        self.acknowledged: set[str] = set()
        self._magpie = magpie

    async def events(self) -> None:
        while not self.stop:
            ids = [uuid.uuid4().hex for _ in range(20)]
            now = Timestamp(seconds=int(time.time()))
            events = [
                event_pb2.Event(
                    event_id=event_id,
                    user_id=f"user-{number % USERS}",
                    kind=event_pb2.EVENT_KIND_VIEW_ITEM,
                    occur_time=now,
                    item_id=f"item-{number % ITEMS}",
                )
                for number, event_id in enumerate(ids)
            ]
            request = profile_service_pb2.RecordEventsRequest(events=events)
            # A client keeps trying with the same ids until it is told that they were taken.
            while True:
                try:
                    answer = await self._magpie.profile.RecordEvents(request)
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.1)
                    continue
                assert not answer.refusals
                assert answer.accepted_count + answer.duplicate_count == len(ids)
                self.acknowledged.update(ids)
                break
            await asyncio.sleep(0.02)

    async def pushes(self) -> None:
        policy = push_service_pb2.Policy(
            objective=push_service_pb2.Objective(click=1, purchase=1, min_value=-1_000)
        )
        while not self.stop:
            targets = [push_service_pb2.Target(user_id=f"user-{number}") for number in range(USERS)]
            request = push_service_pb2.SendPushesRequest(
                targets=targets, policy=policy, request_id=uuid.uuid4().hex
            )
            for _ in range(3):  # the same request again, as a client does that got no answer
                try:
                    await self._magpie.push.SendPushes(request)
                    break
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.3)
            await asyncio.sleep(0.2)


async def _fill(magpie: Magpie) -> None:
    items = [
        item_pb2.Item(
            item_id=f"item-{number}",
            text=item_pb2.ItemText(title=f"Kettle no. {number}"),
            locale="en",
            price=money_pb2.Money(currency="EUR", minor_units=1_000 + number),
            stock=100,
        )
        for number in range(ITEMS)
    ]
    await magpie.catalog.UpsertItems(catalog_service_pb2.UpsertItemsRequest(items=items, request_id="items"))
    for number in range(USERS):
        user = f"user-{number}"
        consents = [
            device_pb2.Consent(purpose=purpose, granted=True)
            for purpose in (device_pb2.PURPOSE_MARKETING_PUSH, device_pb2.PURPOSE_PERSONALISATION)
        ]
        await magpie.profile.SetConsent(
            profile_service_pb2.SetConsentRequest(user_id=user, consents=consents, request_id=f"c{number}")
        )
        device = device_pb2.Device(device_id="phone", channel=device_pb2.CHANNEL_WEBHOOK, address="x")
        await magpie.profile.RegisterDevice(
            profile_service_pb2.RegisterDeviceRequest(user_id=user, device=device, request_id=f"d{number}")
        )


def _event_ids(lake: Path) -> list[str]:
    """Every row's id, repeats included: the raw table, not the reader that hides them."""
    table = DeltaTable(str(lake / "events")).to_pyarrow_dataset()
    found: list[str] = table.to_table(columns=["event_id"], filter=ds.field("kind") == "view_item")[
        "event_id"
    ].to_pylist()
    return found


def _caught_up(lake: Path, acknowledged: set[str]) -> bool:
    return acknowledged <= set(_event_ids(lake))
