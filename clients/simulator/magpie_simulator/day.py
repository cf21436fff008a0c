"""Lives days of a world through the real services: events out, pushes in, outcomes out, block by block."""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from magpie import Connect, Endpoints
from magpie.v1 import decision_pb2 as decision_pb
from magpie.v1 import device_pb2 as device_pb
from magpie_simulator import keep, noise, speech
from magpie_simulator.acts import PUSH, Kind, Table, joined, rows
from magpie_simulator.asking import WAYS, Asking
from magpie_simulator.catalogue import item_id, item_index, item_message, since
from magpie_simulator.inbox import REMEMBERED_MS, Inbox, Message
from magpie_simulator.parameters import DAY_MS
from magpie_simulator.people import PLATFORMS, Bools, Ints, user_id, user_index
from magpie_simulator.record import Record
from magpie_simulator.shopfront import Shopfront
from magpie_simulator.timetable import EDGES, PUSH_HOUR, moment_ms
from magpie_simulator.world import arrived

QUEUE_WAIT_SECONDS = 1.0  # without any of them arriving: then it is time to ask
ASKED_AT_ONCE = 8
Tell = Callable[[dict[str, Any]], None]


class Life:
    """A world that lives against the services. `tell` gets one dict for every step of progress."""

    def __init__(
        self,
        folder: Path,
        endpoints: Endpoints,
        *,
        policy: str,
        patience_seconds: float,
        tell: Tell,
        connect: Connect | None = None,
    ) -> None:
        """`connect` as in Magpie. Raises keep.NoWorld."""
        self._folder, self._tell, self._asking = folder, tell, WAYS[policy]
        self.world, self._memory = keep.load(folder)
        self._now_ms = self.world.day_start_ms
        self._patience_seconds = patience_seconds
        self._arrived: list[Table] = []
        self.record = Record(policy=policy)
        self.inbox = Inbox(self.world, self._memory, folder / keep.JOURNAL, lambda: self._now_ms)
        self._shopfront = Shopfront(
            endpoints,
            lambda: self._now_ms,
            prefix=self.world.parameters.seal[:8],
            patience_seconds=patience_seconds,
            connect=connect,
        )

    async def close(self) -> None:
        """Hangs up; what is on disk is the world as of the last finished day."""
        self.inbox.close()
        await self._shopfront.close()

    async def live(self, days: int) -> None:
        """Lives `days` days; each is saved when it is over. Raises ServiceGone."""
        for number in range(days):
            await self._live_day(number, days)
        self.record.refused = dict(self._shopfront.refused)

    async def _live_day(self, number: int, days: int) -> None:
        world, blocks = self.world, len(EDGES) - 1
        date = str(np.datetime64(world.day_start_ms, "ms").astype("datetime64[D]"))
        self._now_ms = self.inbox.since_ms = world.day_start_ms
        self._arrived.clear()
        had_app = world.minds.installed.copy()
        world.begin_day()
        await self._open(world.minds.installed & ~had_app)
        await self._stock_shelf(0)
        for block, (start, end) in enumerate(pairwise(EDGES), start=1):
            await self._live_block(block, moment_ms(world, start), moment_ms(world, end))
            if end == PUSH_HOUR and self._asking is not None:
                await self._ask_for_pushes(self._asking)
            await self._hear_queue()
            self._hand_over(self.inbox.collect(), block)
            share = (number + block / blocks) / days
            self._tell(
                {"progress": round(share, 4), "day": world.day, "activity": f"{date} {end:02d}:00 UTC"}
            )
        self.record.tally.user_days += len(world.people)
        world.end_day()
        self._memory.forget(world.day_start_ms - REMEMBERED_MS)
        awaited = {*world.waiting["push"].tolist(), *world.going_on["push"].tolist()}
        self._memory.tokens = {key: token for key, token in self._memory.tokens.items() if key in awaited}
        keep.save_arrivals(self._folder, world.day - 1, np.concatenate([rows(0, PUSH), *self._arrived]))
        keep.save(self._folder, world, self._memory)
        self.inbox.new_day()

    async def _open(self, returned: Bools) -> None:
        """Before anything else, once: answers on consent and devices of everybody. Later, who came back."""
        world, memory = self.world, self._memory
        if memory.registered:
            await self._register(np.flatnonzero(returned))
            return
        people = np.flatnonzero(~world.people.bot)
        await self._shopfront.set_consents(
            [(user_id(int(user)), self._answers(int(user))) for user in people], world.day
        )
        await self._register(people)
        memory.registered = True

    async def _register(self, users: Ints) -> None:
        world = self.world
        devices = [
            (user_id(user), PLATFORMS[int(world.people.platform[user])], speech.declared(world, user))
            for user in users.tolist()
        ]
        await self._shopfront.register_devices(devices, world.day)

    def _answers(self, user: int) -> list[device_pb.Consent]:
        folk = self.world.people
        granted = {
            device_pb.PURPOSE_MARKETING_PUSH: bool(folk.consents[user]),
            device_pb.PURPOSE_PERSONALISATION: bool(folk.personalised[user]),
            device_pb.PURPOSE_MODEL_TRAINING: bool(folk.teaches[user]),
        }
        when = speech.timestamp(self._now_ms)
        return [
            device_pb.Consent(purpose=purpose, granted=yes, time=when, source="onboarding")
            for purpose, yes in granted.items()
        ]

    async def _stock_shelf(self, block: int) -> None:
        """Tells the catalogue what changed on the shelf."""
        world, shelf = self.world, self.world.shelf
        changed = np.flatnonzero(shelf.changed)
        gone = [item_id(index) for index in changed.tolist() if shelf.withdrawn[index]]
        items = [
            item_message(
                world.goods,
                index,
                locale=world.parameters.locales[0],
                price=int(shelf.price[index]),
                list_price=int(shelf.list_price[index]),
                stock=int(shelf.stock[index]),
                stars=(float(shelf.stars[index]), int(shelf.ratings[index])),
                published_ms=world.parameters.start_ms + since(world.goods, index) * DAY_MS,
            )
            for index in changed.tolist()
            if not shelf.withdrawn[index]
        ]
        await self._shopfront.upsert_items(items, f"shelf-{world.day}-{block}")
        await self._shopfront.remove_items(gone, f"gone-{world.day}-{block}")
        shelf.changed[:] = False

    async def _live_block(self, block: int, start_ms: int, end_ms: int) -> None:
        world = self.world
        self.inbox.since_ms, self._now_ms = start_ms, end_ms
        began = time.perf_counter()
        bots = noise.bots(world, start_ms, end_ms)
        happened = world.live(start_ms, end_ms)
        self.record.happened(happened)
        events = list(speech.events(world, joined([happened, bots])))
        outcomes = list(speech.outcomes(happened, self._memory.tokens))
        self.record.world_seconds += time.perf_counter() - began
        await self._shopfront.record_events(noise.with_doubles(world, events, block))
        await self._shopfront.record_outcomes(noise.receipts(world, outcomes, block))
        await self._withdraw(happened[happened["kind"] == Kind.SILENT_OPT_OUT])
        await self._stock_shelf(block)

    async def _withdraw(self, silent: Table) -> None:
        """Those who turned pushes off in the settings."""
        answers = [
            (
                user_id(int(row["user"])),
                [
                    device_pb.Consent(
                        purpose=device_pb.PURPOSE_MARKETING_PUSH,
                        granted=False,
                        time=speech.timestamp(row["ms"]),
                        source="settings",
                    )
                ],
            )
            for row in silent
        ]
        await self._shopfront.set_consents(answers, self.world.day)

    async def _ask_for_pushes(self, asking: Asking) -> None:
        """The shop's scheduler."""
        users = [user_id(user) for user in asking.users(self.world).tolist()]
        policy = asking.policy(self.world)
        self._tell_activity(f"deciding about {len(users)} users")
        began = time.perf_counter()
        decisions = await self._shopfront.send_pushes(users, policy, self.world.day)
        self.record.push_seconds += time.perf_counter() - began
        self.record.decided(decisions)
        for decision in decisions:
            if decision.decision_id in self._memory.answers:
                continue
            if decision.verdict == decision_pb.DECISION_VERDICT_QUEUED:
                self._memory.due[decision.decision_id] = decision.send_time.ToMilliseconds()
            elif decision.verdict == decision_pb.DECISION_VERDICT_SENT:
                self.record.lost_pushes += 1

    def _tell_activity(self, activity: str) -> None:
        self._tell({"day": self.world.day, "activity": activity})

    async def _hear_queue(self) -> None:
        """Waits for pushes whose quiet hours are over by now. Of those that do not come it asks what became
        of them, a few at a time, and goes on without those that expired or whose facts changed."""
        if not self._overdue():
            return
        await self._shopfront.tell_time()
        left, heard = len(self.inbox.memory.due), time.monotonic()
        while due := self._overdue():
            await asyncio.sleep(0.02)
            if (now := len(self.inbox.memory.due)) < left:
                left, heard = now, time.monotonic()
            elif time.monotonic() - heard > QUEUE_WAIT_SECONDS:
                given_up = time.monotonic() - heard > self._patience_seconds
                some = due[:ASKED_AT_ONCE]
                for decision_id in due if given_up else await self._shopfront.not_waiting(some):
                    if self._memory.due.pop(decision_id, None) is not None:
                        self.record.queued_not_arrived += 1

    def _overdue(self) -> list[str]:
        return [key for key, due_ms in self._memory.due.items() if due_ms <= self._now_ms]

    def _hand_over(self, messages: Sequence[Message], block: int) -> None:
        """Pushes reach people at the end of a block."""
        memory = self._memory
        numbers = np.arange(memory.pushes, memory.pushes + len(messages))
        memory.pushes += len(messages)
        for number, message in zip(numbers.tolist(), messages, strict=True):
            memory.tokens[number] = message.attribution_token
            self.record.arrived(number, message)
        pushes = arrived(
            np.array([message.arrived_ms for message in messages], np.int64),
            np.array([user_index(message.user_id) for message in messages], np.int64),
            np.array([item_index(message.item_id) for message in messages], np.int64),
            numbers,
            np.array([message.opening for message in messages], np.int64),
        )
        pushes["block"] = block
        self._arrived.append(pushes)
        self.world.receive(pushes)
