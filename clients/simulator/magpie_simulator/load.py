"""A bounded load: events, pushes and outcomes at a steady rate; what was acknowledged is written down.

For tests that kill processes under load: a line in the file is a promise that the suite gave.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import grpc

from magpie import Endpoints, Magpie
from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import event_pb2 as event_pb
from magpie.v1 import feedback_service_pb2 as feedback_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import push_service_pb2 as push_pb
from magpie_simulator.catalogue import item_id
from magpie_simulator.speech import timestamp

BATCH = 100
IN_FLIGHT = 8
PUSHED_USERS = 64
CALL_SECONDS = 10.0


@dataclass(frozen=True)
class Load:
    """`rate` events and `pushes` decisions a second for `seconds`; `name` keeps the ids of runs apart.

    `start_ms` is the time to begin at in a sandbox (ms since the epoch); 0 is by the wall's clock.
    """

    rate: float
    pushes: float
    seconds: float
    name: str
    users: int = 1_000
    items: int = 300
    start_ms: int = 0


@dataclass
class Counts:
    """What became of a load."""

    events: int = 0
    decisions: int = 0
    outcomes: int = 0
    failed_calls: int = 0
    refused: int = 0
    first_refusal: str = ""


async def run(load: Load, endpoints: Endpoints, acknowledged: Path) -> Counts:
    """Runs the load; appends a JSON line to `acknowledged` for every event, decision and outcome answered.

    Calls that fail are counted and not repeated: nobody knows what became of them.
    """
    with acknowledged.open("a", encoding="utf-8") as file:
        now_ms = _clock(load.start_ms)
        header = now_ms if load.start_ms else None
        async with Magpie(endpoints, timeout_seconds=CALL_SECONDS, now_ms=header) as magpie:
            return await _Generator(load, magpie, file, now_ms).run()


def _clock(start_ms: int) -> Callable[[], int]:
    """The wall's clock, or one that shows `start_ms` now and goes on from there."""
    ahead_ms = start_ms - int(time.time() * 1000) if start_ms else 0
    return lambda: int(time.time() * 1000) + ahead_ms


class _Generator:
    def __init__(self, load: Load, magpie: Magpie, file: TextIO, now_ms: Callable[[], int]) -> None:
        self._load, self._magpie, self._file, self._now_ms = load, magpie, file, now_ms
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._counts = Counts()

    async def run(self) -> Counts:
        if self._load.pushes:
            await asyncio.gather(*(self._enrol(user) for user in self._pushed()))
        await asyncio.gather(
            self._steadily(self._load.rate / BATCH, self._events),
            self._steadily(self._load.pushes / PUSHED_USERS, self._push),
        )
        return self._counts

    async def _steadily(self, per_second: float, call: Callable[[int], Awaitable[None]]) -> None:
        """Starts call after call at a rate, at most a few at once, and waits for the last."""
        if per_second <= 0:
            return
        began, tasks = time.monotonic(), []
        for number in range(max(1, round(per_second * self._load.seconds))):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            await self._gate.acquire()
            tasks.append(asyncio.create_task(self._guarded(call(number))))
        await asyncio.gather(*tasks)

    async def _guarded(self, call: Awaitable[None]) -> None:
        try:
            await call
        except grpc.aio.AioRpcError:
            self._counts.failed_calls += 1
        finally:
            self._gate.release()

    async def _events(self, number: int) -> None:
        now_ms = self._now_ms()
        events = [
            event_pb.Event(
                event_id=f"{self._load.name}-{number}-{place}",
                user_id=f"{self._load.name}-{(number * BATCH + place) % self._load.users}",
                kind=event_pb.EVENT_KIND_VIEW_ITEM,
                occur_time=timestamp(now_ms),
                item_id=item_id((number * 31 + place * 7) % self._load.items),
            )
            for place in range(BATCH)
        ]
        answer = await self._magpie.profile.RecordEvents(profile_pb.RecordEventsRequest(events=events))
        refused = {refusal.index for refusal in answer.refusals}
        taken = [event.event_id for place, event in enumerate(events) if place not in refused]
        self._counts.events += len(taken)
        self._refused([refusal.reason for refusal in answer.refusals])
        self._write({"event": event_id} for event_id in taken)

    async def _push(self, number: int) -> None:
        request = push_pb.SendPushesRequest(
            targets=[push_pb.Target(user_id=user) for user in self._pushed()],
            request_id=f"{self._load.name}-{number}",
        )
        decisions = (await self._magpie.push.SendPushes(request)).decisions
        self._counts.decisions += len(decisions)
        self._write({"decision": each.decision_id, "verdict": each.verdict} for each in decisions)
        sent = [each for each in decisions if each.verdict == decision_pb.DECISION_VERDICT_SENT]
        if sent:
            await self._report(sent)

    async def _report(self, sent: Sequence[decision_pb.Decision]) -> None:
        kinds = (feedback_pb.OUTCOME_KIND_DELIVERED, feedback_pb.OUTCOME_KIND_OPENED)
        now_ms = self._now_ms()
        told = [(decision, kind) for decision in sent for kind in kinds]
        answer = await self._magpie.feedback.RecordOutcomes(
            feedback_pb.RecordOutcomesRequest(
                outcomes=[
                    feedback_pb.Outcome(
                        attribution_token=decision.attribution_token,
                        kind=kind,
                        occur_time=timestamp(now_ms),
                    )
                    for decision, kind in told
                ]
            )
        )
        refused = {refusal.index for refusal in answer.refusals}
        taken = [pair for place, pair in enumerate(told) if place not in refused]
        self._counts.outcomes += len(taken)
        self._refused([refusal.reason for refusal in answer.refusals])
        self._write({"outcome": decision.decision_id, "kind": kind} for decision, kind in taken)

    async def _enrol(self, user: str) -> None:
        """Consent and a console device for a user who will be pushed to."""
        consent = device_pb.Consent(purpose=device_pb.PURPOSE_MARKETING_PUSH, granted=True)
        device = device_pb.Device(device_id="load", channel=device_pb.CHANNEL_CONSOLE)
        request_id = f"{self._load.name}-{user}"
        with suppress(grpc.aio.AioRpcError):
            await self._magpie.profile.SetConsent(
                profile_pb.SetConsentRequest(user_id=user, consents=[consent], request_id=request_id)
            )
            await self._magpie.profile.RegisterDevice(
                profile_pb.RegisterDeviceRequest(user_id=user, device=device, request_id=request_id)
            )

    def _pushed(self) -> list[str]:
        return [f"{self._load.name}-{number}" for number in range(PUSHED_USERS)]

    def _refused(self, reasons: Sequence[str]) -> None:
        self._counts.refused += len(reasons)
        if reasons and not self._counts.first_refusal:
            self._counts.first_refusal = reasons[0]

    def _write(self, lines: Iterable[dict[str, object]]) -> None:
        self._file.writelines(json.dumps(line) + "\n" for line in lines)
        self._file.flush()
