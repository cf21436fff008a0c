"""From plan to push: write it down, hand it over, close it. Whoever repeats a request meets what was done.

Bounds: a push is handed over at least once after it was begun, and more than once only under the same
idempotency key (the decision id), after a crash or an answer that got lost.
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
import structlog

from magpie_services.core.decisions import Copy, Decision, DecisionVerdict, Mode, Stage, Verdict
from magpie_services.core.events import Event, EventKind
from magpie_services.kit import ledger_keys, metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import MagpieError
from magpie_services.push import predicates
from magpie_services.push.case import Ask, Plan, Target
from magpie_services.push.clients import Device, Services
from magpie_services.push.delivery import Fate, Provider, PushMessage, Receipt
from magpie_services.push.ledger import Ledger, Open, Slot
from magpie_services.push.pipeline import Pipeline
from magpie_services.push.predicates import Rules

log = structlog.get_logger()

_FIRST_PAUSE_MS = 30_000


class Sender:
    """Sends. `providers` by channel; `wall` is the clock of leases, `clock` that of decisions."""

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        services: Services,
        providers: Mapping[str, Provider],
        rules: Rules,
        clock: Clock,
        wall: Clock,
        *,
        max_attempts: int = 5,
    ) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._services = services
        self._providers = providers
        self._rules = rules
        self._clock = clock
        self._wall = wall
        self._max_attempts = max_attempts
        self._at_work: set[asyncio.Task[list[Decision]]] = set()

    async def send(self, targets: Sequence[Target], ask: Ask) -> list[Decision]:
        """Decides and sends (or, for a shadow, decides and logs); decisions in the order of the targets.

        A decision that this request id led to before is answered from the ledger. Raises like the pipeline.
        """
        ids = [ledger_keys.decision_id(ask.request_id, target.user_id) for target in targets]
        known = await self._ledger.recall(ids)
        fresh = [target for target, decision in zip(targets, known, strict=True) if decision is None]
        settled = await self._settle_whole(await self._pipeline.decide(fresh, ask)) if fresh else []
        news = {decision.decision_id: decision for decision in settled}
        return [decision or news[identity] for identity, decision in zip(ids, known, strict=True)]

    async def _settle_whole(self, plans: list[Plan]) -> list[Decision]:
        """Settles to the end even when the caller hangs up: half-way would be known only after the claim."""
        task = asyncio.create_task(self._settle(plans))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def _settle(self, plans: list[Plan]) -> list[Decision]:
        now_ms, wall_ms = self._clock.now_ms(), self._wall.now_ms()
        settled: list[Decision] = []
        closings: list[tuple[Decision, Slot]] = []
        ready: list[Plan] = []
        for verdict, due in ((DecisionVerdict.SENT, False), (DecisionVerdict.QUEUED, True)):
            going = [plan for plan in plans if _live(plan) and plan.decision.verdict is verdict]
            if not going:
                continue
            begun = await self._ledger.begin([plan.push for plan in going], now_ms, wall_ms, due=due)
            for plan, result in zip(going, begun, strict=True):
                if result.known is not None:
                    settled.append(result.known)
                elif result.refused is not None:
                    full = self._rules.slot_refused(result.refused.window, result.refused.filled)
                    closings.append((ended(plan.decision, DecisionVerdict.BLOCKED, full), Slot.NONE))
                elif due:
                    settled.append(plan.decision)
                else:
                    ready.append(plan)
        closings += [(plan.decision, Slot.NONE) for plan in plans if not _live(plan)]
        settled += await self.hand_over(ready)
        return settled + await self.close(closings)

    async def close(self, closings: Sequence[tuple[Decision, Slot]]) -> list[Decision]:
        """Writes final decisions to the ledger; gives the records that stand."""
        if not closings:
            return []
        for decision, _slot in closings:
            refusal = predicates.refusal(decision.reasons)
            reason = refusal.predicate if refusal else ""
            metrics.PUSH_DECISIONS.labels(decision.mode.value, decision.verdict.value, reason).inc()
        return await self._ledger.finish(closings)

    async def hand_over(self, plans: Sequence[Plan]) -> list[Decision]:
        """Gives begun pushes to their providers and closes them; gives each decision as it then stands."""
        now_ms = self._clock.now_ms()
        by_channel: dict[str, list[Plan]] = {}
        for plan in plans:
            by_channel.setdefault(plan.device.channel if plan.device else "", []).append(plan)
        answers = await asyncio.gather(
            *(self._give(channel, group, now_ms) for channel, group in by_channel.items())
        )
        outcomes = [pair for answer in answers for pair in answer]
        accepted = [
            _sent(plan, receipt, now_ms) for plan, receipt in outcomes if receipt.fate is Fate.ACCEPTED
        ]
        gone = [plan for plan, receipt in outcomes if receipt.fate is Fate.GONE]
        waiting = [
            await self._not_yet(plan, receipt, now_ms)
            for plan, receipt in outcomes
            if receipt.fate not in (Fate.ACCEPTED, Fate.GONE)
        ]
        refused = [
            (_refused(plan.decision, receipt), Slot.RELEASE)
            for plan, receipt in outcomes
            if receipt.fate is Fate.GONE
        ]
        await self._report(gone, now_ms)
        done = await self.told(accepted)
        done += [decision for decision, slot in waiting if slot is None]
        return done + await self.close([*refused, *((d, slot) for d, slot in waiting if slot is not None)])

    async def told(self, sent: Sequence[Open]) -> list[Decision]:
        """Records sent pushes in the portraits and closes them; when that fails they stay open for later."""
        if not sent:
            return []
        try:
            await self._services.record([_event(push.decision) for push in sent])
        except MagpieError as error:
            log.warning("push_sent.not_recorded", error=error.reason, pushes=len(sent))
            for push in sent:
                await self._ledger.keep_open(push)
            return [push.decision for push in sent]
        return await self.close([(push.decision, Slot.COMMIT) for push in sent])

    async def _give(self, channel: str, plans: list[Plan], now_ms: int) -> list[tuple[Plan, Receipt]]:
        provider = self._providers.get(channel)
        if provider is None:
            return [(plan, _no_provider(plan, channel)) for plan in plans]
        messages = [_message(plan.push, plan.device, now_ms) for plan in plans if plan.device]
        try:
            receipts = await provider.send(messages)
        except Exception:
            # A provider tells of trouble in its receipts; one that broke may have sent before it did.
            log.exception("provider.broke", channel=channel)
            receipts = [_broken(message) for message in messages]
        return list(zip(plans, receipts, strict=True))

    async def _not_yet(self, plan: Plan, receipt: Receipt, now_ms: int) -> tuple[Decision, Slot | None]:
        """What becomes of a push without a final receipt; no slot when it stays open."""
        attempts = plan.push.attempts + 1
        unknown = receipt.fate is Fate.UNKNOWN
        pause_ms = max(_FIRST_PAUSE_MS << (attempts - 1), int(receipt.retry_after_seconds * 1000))
        again = attempts < self._max_attempts and now_ms + pause_ms < plan.push.expires_ms
        if receipt.fate is Fate.REJECTED or not again:
            # It may have arrived: then it counts.
            return _refused(plan.decision, receipt), Slot.COMMIT if unknown else Slot.RELEASE
        decision = msgspec.structs.replace(
            ended(plan.decision, DecisionVerdict.QUEUED, _send_verdict(receipt)), send_ms=now_ms + pause_ms
        )
        push = msgspec.structs.replace(plan.push, decision=decision, attempts=attempts, tried=unknown)
        if unknown:
            # The slot stays reserved and the claim runs out: then the same id is tried again.
            await self._ledger.keep_open(push)
        else:
            await self._ledger.postpone(push, decision.send_ms)
        return decision, None

    async def _report(self, gone: Sequence[Plan], now_ms: int) -> None:
        if not gone:
            return
        tokens = [(plan.decision.attribution_token, plan.decision.device_id) for plan in gone]
        try:
            await self._services.report_gone(tokens, now_ms)
        except MagpieError as error:
            # The next push to the device will find it gone again.
            log.warning("token_gone.not_reported", error=error.reason, devices=len(gone))


def ended(decision: Decision, verdict: DecisionVerdict, reason: Verdict) -> Decision:
    """The decision with another verdict and the reason for it at the end."""
    return msgspec.structs.replace(decision, verdict=verdict, reasons=[*decision.reasons, reason])


def _live(plan: Plan) -> bool:
    going = plan.decision.verdict in (DecisionVerdict.SENT, DecisionVerdict.QUEUED)
    return going and plan.decision.mode is Mode.LIVE


def _sent(plan: Plan, receipt: Receipt, now_ms: int) -> Open:
    decision = msgspec.structs.replace(
        plan.decision,
        verdict=DecisionVerdict.SENT,
        provider_message_id=receipt.provider_message_id,
        send_ms=now_ms,
    )
    return msgspec.structs.replace(plan.push, decision=decision, delivered=True)


def _refused(decision: Decision, receipt: Receipt) -> Decision:
    return ended(decision, DecisionVerdict.FAILED, _send_verdict(receipt))


def _send_verdict(receipt: Receipt) -> Verdict:
    reason = receipt.reason or f"the provider says: {receipt.fate.value}"
    return Verdict(predicate="provider", passed=False, stage=Stage.SEND, reason=reason)


def _no_provider(plan: Plan, channel: str) -> Receipt:
    reason = f"no provider serves the channel {channel!r}" if channel else "the device is gone"
    return Receipt(decision_id=plan.decision.decision_id, fate=Fate.REJECTED, reason=reason)


def _broken(message: PushMessage) -> Receipt:
    return Receipt(decision_id=message.decision_id, fate=Fate.UNKNOWN, reason="the provider broke")


def _message(push: Open, device: Device, now_ms: int) -> PushMessage:
    decision, copy = push.decision, push.decision.copy or Copy()
    return PushMessage(
        decision_id=decision.decision_id,
        attribution_token=decision.attribution_token,
        user_id=decision.user_id,
        device_id=device.device_id,
        address=device.address,
        title=copy.title,
        body=copy.body,
        link=copy.link,
        image_uri=copy.image_uri,
        item_id=decision.item_id,
        campaign_id=decision.campaign_id,
        send_ms=now_ms,
        expires_ms=push.expires_ms,
    )


def _event(decision: Decision) -> Event:
    variant_id = decision.copy.variant_id if decision.copy else ""
    return Event(
        event_id=f"push_sent/{decision.decision_id}",
        user_id=decision.user_id,
        kind=EventKind.PUSH_SENT,
        occurred_ms=decision.send_ms,
        item_id=decision.item_id,
        decision_id=decision.decision_id,
        campaign_id=decision.campaign_id,
        attributes={"variant_id": variant_id} if variant_id else {},
    )
