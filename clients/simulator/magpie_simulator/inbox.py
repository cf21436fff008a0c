"""What arrives on the phones: every push once, checked from outside against what was promised."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from magpie_simulator.catalogue import item_index
from magpie_simulator.parameters import DAY_MS, HouseRules
from magpie_simulator.people import ZONES, user_index
from magpie_simulator.world import World

REMEMBERED_MS = 9 * DAY_MS
MOST_EXAMPLES = 5


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One push as the webhook brings it; `arrived_ms` is when it reached the phone (ms since the epoch)."""

    decision_id: str
    attribution_token: str
    user_id: str
    title: str
    body: str
    item_id: str = ""
    device_id: str = ""
    link: str = ""
    image_uri: str = ""
    campaign_id: str = ""
    send_time_ms: int = 0
    arrived_ms: int = 0

    @property
    def opening(self) -> int:
        """A number made from the first words: people tire of the same opening."""
        return zlib.crc32(self.title[:2].encode())


class Memory(msgspec.Struct, kw_only=True):
    """What phones and shop remember between days: answers by decision id with their times, arrivals by user,
    tokens by number of the push, queued decisions with the time they are due."""

    answers: dict[str, tuple[str, int]] = {}
    arrivals: dict[int, list[int]] = {}
    tokens: dict[int, str] = {}
    due: dict[str, int] = {}
    registered: bool = False
    pushes: int = 0

    def forget(self, before_ms: int) -> None:
        """Lets go of what is older than any rule looks back."""
        self.answers = {key: value for key, value in self.answers.items() if value[1] >= before_ms}
        self.arrivals = {
            user: kept
            for user, times in self.arrivals.items()
            if (kept := [at_ms for at_ms in times if at_ms >= before_ms])
        }
        self.due = {key: at_ms for key, at_ms in self.due.items() if at_ms >= before_ms}


class Inbox:
    """Takes messages in. `since_ms` is where the present span of time began; `now_ms` gives the world's time.

    Arrivals of a day are journalled, so that a day lived again after a crash meets the same pushes.
    """

    def __init__(self, world: World, memory: Memory, journal: Path, now_ms: Callable[[], int]) -> None:
        self._world, self.memory, self._journal, self._now_ms = world, memory, journal, now_ms
        self.since_ms = world.day_start_ms
        self.violations: dict[str, int] = {}
        self.examples: list[str] = []
        self.repeated = 0
        self._waiting: list[Message] = []
        self._replay()
        journal.touch(mode=0o600)
        self._file = journal.open("ab")

    def take(self, raw: list[dict[str, Any]]) -> list[dict[str, str]]:
        """Receipts for messages. Raises msgspec.ValidationError when they are no messages."""
        messages = msgspec.convert(raw, list[Message])
        receipts = [self._one(message) for message in messages]
        self._file.flush()
        return receipts

    def collect(self) -> list[Message]:
        """The pushes that arrived since last asked, no later than now, in the order of their decisions."""
        now_ms = self._now_ms()
        ready = sorted(
            (message for message in self._waiting if message.arrived_ms <= now_ms),
            key=lambda message: (message.arrived_ms, message.user_id, message.decision_id),
        )
        self._waiting = [message for message in self._waiting if message.arrived_ms > now_ms]
        return ready

    def new_day(self) -> None:
        """The day is saved: its journal is not needed any more."""
        self._file.truncate(0)

    def close(self) -> None:
        """Closes the journal."""
        self._file.close()

    def _one(self, message: Message) -> dict[str, str]:
        known = self.memory.answers.get(message.decision_id)
        if known is not None:
            self.repeated += 1
            return {"decision_id": message.decision_id, "status": known[0]}
        now_ms = self._now_ms()
        # A push that was handed over in this span arrived when it says; it cannot claim another day.
        sent_ms = message.send_time_ms
        message = msgspec.structs.replace(
            message, arrived_ms=sent_ms if self.since_ms <= sent_ms <= now_ms else now_ms
        )
        status = self._accept(message)
        self._file.write(msgspec.json.encode((status, message)) + b"\n")
        return {"decision_id": message.decision_id, "status": status}

    def _accept(self, message: Message) -> str:
        user = user_index(message.user_id)
        strange = not 0 <= user < len(self._world.people)
        strange |= not 0 <= item_index(message.item_id) < len(self._world.goods)
        if strange:
            self._violate("not_ours", message)
            return self._remember(message, "rejected")
        if not self._world.minds.installed[user]:
            return self._remember(message, "gone")
        self._check(message, user)
        self.memory.arrivals.setdefault(user, []).append(message.arrived_ms)
        self._waiting.append(message)
        return self._remember(message, "accepted")

    def _remember(self, message: Message, status: str) -> str:
        self.memory.answers[message.decision_id] = (status, message.arrived_ms)
        self.memory.due.pop(message.decision_id, None)
        return status

    def _check(self, message: Message, user: int) -> None:
        rules: HouseRules = self._world.parameters.rules
        at_ms, times = message.arrived_ms, self.memory.arrivals.get(user, [])
        if rules.quiet_until_ms(at_ms, ZONES[int(self._world.people.zone[user])]) is not None:
            self._violate("quiet_hours", message)
        if sum(at_ms - DAY_MS < time_ms <= at_ms for time_ms in times) >= rules.cap_day:
            self._violate("daily_cap", message)
        if sum(at_ms - 7 * DAY_MS < time_ms <= at_ms for time_ms in times) >= rules.cap_week:
            self._violate("weekly_cap", message)
        if not self._world.minds.consents[user]:
            self._violate("no_consent", message)
        if not message.title.strip() or not message.attribution_token:
            self._violate("incomplete", message)

    def _violate(self, rule: str, message: Message) -> None:
        self.violations[rule] = self.violations.get(rule, 0) + 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(
                f"{rule}: {message.decision_id} to {message.user_id} at {message.arrived_ms}"
            )

    def _replay(self) -> None:
        """Takes in what a day that was cut short had received."""
        if not self._journal.exists():
            return
        for line in self._journal.read_bytes().splitlines():
            try:
                status, message = json.loads(line)
                kept = msgspec.convert(message, Message)
            except (ValueError, TypeError, msgspec.ValidationError):  # the line that was being written
                continue
            if kept.decision_id in self.memory.answers:
                continue
            self._remember(kept, status)
            if status == "accepted":
                self.memory.arrivals.setdefault(user_index(kept.user_id), []).append(kept.arrived_ms)
                self._waiting.append(kept)
