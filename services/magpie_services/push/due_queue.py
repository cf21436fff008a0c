"""Sends what has become due, and what a crash left half-way. Everything is checked again at this last moment.

A queued push is claimed for a while; who dies while holding it loses the claim, and another takes it up under
the same decision id. The queue holds pushes for hours: nothing that was true then is taken on trust.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec
import structlog

from magpie_services.core.decisions import Arm, DecisionVerdict, Verdict
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import MagpieError
from magpie_services.kit.redis import partitions
from magpie_services.push import predicates
from magpie_services.push.briefs import Fact, other
from magpie_services.push.campaigns import State
from magpie_services.push.caps import Caps
from magpie_services.push.case import Plan, subject_of
from magpie_services.push.clients import Device, Services, User
from magpie_services.push.last_look import LastLook, Waiting
from magpie_services.push.ledger import Ledger, Open, Slot, slot_of
from magpie_services.push.predicates import Rules
from magpie_services.push.sandbox import follow
from magpie_services.push.sending import Sender, ended

log = structlog.get_logger()

BATCH = 16
RETRY_SECONDS = 1.0

#: How long a push of a paused campaign waits before it is looked at again, and one whose words nobody checks.
PAUSED_MS = 60_000

States = Callable[[Iterable[str]], Awaitable[dict[str, State]]]


class DueQueue:
    """The loop. `states` tells how campaigns stand."""

    def __init__(
        self,
        ledger: Ledger,
        sender: Sender,
        services: Services,
        caps: Caps,
        rules: Rules,
        channels: Iterable[str],
        states: States,
        clock: Clock,
        wall: Clock,
        *,
        poll_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._services = services
        self._last_look = LastLook(services, clock)
        self._caps = caps
        self._rules = rules
        self._channels = frozenset(channels)
        self._states = states
        self._clock = clock
        self._wall = wall
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Send until cancelled. A service or a store that is away is waited for."""
        while True:
            try:
                follow(self._clock)
                busy = await self.step()
            except MagpieError as error:
                log.warning("due.waiting", error=error.reason)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception:
                # What nobody planned for in one push must not stop the others; its claim runs out.
                log.error("due.failed", error=traceback.format_exc())
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not busy:
                await asyncio.sleep(self._poll_seconds)

    async def step(self) -> int:
        """Claims and settles one batch; how many pushes it had. Raises when profile or the store is away."""
        pushes = await self._ledger.claim(partitions(), self._clock.now_ms(), self._wall.now_ms(), BATCH)
        if not pushes:
            return 0
        # The provider has these already: only the closing was left.
        await self._sender.told([push for push in pushes if push.delivered])
        waiting = [push for push in pushes if not push.delivered]
        campaigns = await self._states({push.decision.campaign_id for push in waiting} - {""})
        waiting = await self._unpaused(waiting, campaigns)
        if waiting:
            await self._settle(waiting, campaigns)
        return len(pushes)

    async def _unpaused(self, pushes: Sequence[Open], campaigns: dict[str, State]) -> list[Open]:
        """Puts pushes of paused campaigns back, until they expire; gives the others."""
        now_ms = self._clock.now_ms()
        others = []
        for push in pushes:
            if campaigns.get(push.decision.campaign_id) is State.PAUSED and now_ms < push.expires_ms:
                await self._ledger.postpone(push, min(now_ms + PAUSED_MS, push.expires_ms))
            else:
                others.append(push)
        return others

    async def _settle(self, pushes: Sequence[Open], campaigns: dict[str, State]) -> None:
        now_ms = self._clock.now_ms()
        ids = list(dict.fromkeys(push.decision.user_id for push in pushes))
        users = {user.user_id: user for user in await self._services.users(ids)}
        usages = dict(zip(ids, await self._caps.usage(ids, now_ms), strict=True))
        arms = [push.decision.arm or Arm() for push in pushes]
        spoken_of = {arm.item_id for arm in arms} | {arm.because_item_id for arm in arms}
        facts = await self._services.items(sorted(spoken_of - {""}))
        waiting: list[Waiting] = []
        for push, arm in zip(pushes, arms, strict=True):
            decision = push.decision
            user = users[decision.user_id]
            mine = (p.sent_ms for p in user.pushes.recent if p.decision_id == decision.decision_id)
            sent_ms = max(mine, default=0)
            if sent_ms:
                # The portrait knows of it: it went out, and only the closing was lost.
                went = msgspec.structs.replace(decision, verdict=DecisionVerdict.SENT, send_ms=sent_ms)
                await self._sender.close([(went, Slot.COMMIT)])
                continue
            device = self._device(push, user)
            fact = facts.get(arm.item_id)
            verdict, refusal = self._check(push, user, device, usages[user.user_id].counts, fact, now_ms)
            if refusal is None and campaigns.get(decision.campaign_id) is State.CANCELLED:
                verdict, refusal = DecisionVerdict.EXPIRED, predicates.campaign_over(decision.campaign_id)
            if refusal is not None:
                await self._end(push, verdict, refusal)
            elif device and fact and not await self._still_quiet(push, user, device, now_ms):
                waiting.append(Waiting(push, user, device, fact, other(facts, arm)))
        await self._hand_over(waiting, now_ms)

    async def _hand_over(self, waiting: Sequence[Waiting], now_ms: int) -> None:
        """Sends what has words that hold and a slot; ends or puts back the rest."""
        ready: list[Plan] = []
        for one, looked in zip(waiting, await self._last_look.at(waiting), strict=True):
            if looked.refusal is not None:
                await self._end(one.push, DecisionVerdict.EXPIRED, looked.refusal)
                continue
            if looked.push is None:
                await self._ledger.postpone(one.push, min(now_ms + PAUSED_MS, one.push.expires_ms))
                continue
            slot = await self._ledger.renew(looked.push, now_ms, self._wall.now_ms())
            if slot is None:
                continue
            if not slot.granted:
                full = self._rules.slot_refused(slot.window, slot.filled)
                await self._end(one.push, DecisionVerdict.BLOCKED, full)
                continue
            ready.append(Plan(looked.push, one.device))
        await self._sender.hand_over(ready)

    async def _end(self, push: Open, verdict: DecisionVerdict, refusal: Verdict) -> None:
        await self._sender.close([(ended(push.decision, verdict, refusal), slot_of(push))])

    def _check(
        self,
        push: Open,
        user: User,
        device: Device | None,
        counts: tuple[int, ...],
        fact: Fact | None,
        now_ms: int,
    ) -> tuple[DecisionVerdict, Verdict | None]:
        """The verdict and the predicate that stops the push now; None when it may go."""
        item_id = push.decision.item_id
        late = predicates.expiry(item_id, now_ms, push.expires_ms)
        if not late.passed:
            return DecisionVerdict.EXPIRED, late
        subject = subject_of(
            user, device, now_ms, push.transactional, counts, 0, but=push.decision.decision_id
        )
        refusal = predicates.refusal(predicates.ask(subject, self._rules))
        if refusal is not None:
            return DecisionVerdict.BLOCKED, refusal
        repeat = predicates.repeat_of_item(item_id, subject, self._rules)
        if not repeat.passed:
            return DecisionVerdict.BLOCKED, repeat
        there = predicates.stock(item_id, fact.item if fact else None)
        return DecisionVerdict.EXPIRED, None if there.passed else there

    async def _still_quiet(self, push: Open, user: User, device: Device | None, now_ms: int) -> bool:
        """Puts a push back that became due in quiet hours after all (the user moved, or it was late)."""
        subject = subject_of(user, device, now_ms, push.transactional, (), 0, but=push.decision.decision_id)
        verdict, until_ms = predicates.quiet_hours(subject, self._rules, drop=push.drop_in_quiet_hours)
        if not until_ms or verdict is None:
            return False
        refusal = predicates.refusal([predicates.outlives_quiet(push.expires_ms, until_ms, now_ms), verdict])
        if refusal is not None:
            await self._end(push, DecisionVerdict.EXPIRED, refusal)
            return True
        decision = msgspec.structs.replace(
            push.decision,
            verdict=DecisionVerdict.QUEUED,
            send_ms=until_ms,
            reasons=[*push.decision.reasons, verdict],
        )
        await self._ledger.postpone(msgspec.structs.replace(push, decision=decision), until_ms)
        return True

    def _device(self, push: Open, user: User) -> Device | None:
        """The device it was meant for, else another that is served."""
        served = [device for device in user.devices if device.channel in self._channels]
        meant = (device for device in served if device.device_id == push.decision.device_id)
        return next(meant, served[0] if served else None)
