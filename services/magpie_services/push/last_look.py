"""The words of a push that waited, held against the facts of the moment in which it is handed over.

Words that no longer hold are never sent: they are written anew about the same item, from what is true now.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import structlog

from magpie_services.core.decisions import Copy, Decision, Stage, Verdict
from magpie_services.core.untrusted import safe_image, safe_link
from magpie_services.kit import metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import MagpieError
from magpie_services.push import predicates, words
from magpie_services.push.briefs import Brief, Draft, Fact, charted
from magpie_services.push.clients import Device, Services, User
from magpie_services.push.ledger import Open
from magpie_services.wire import portraits

log = structlog.get_logger()

_NO_ANSWER = "the content service did not answer"


class Waiting(NamedTuple):
    """A push about to be handed over, and everything it speaks of as it is now."""

    push: Open
    user: User
    device: Device
    fact: Fact
    because: Fact | None

    @property
    def decision(self) -> Decision:
        return self.push.decision

    @property
    def copy(self) -> Copy:
        return self.push.decision.copy or Copy()


class Looked(NamedTuple):
    """The push as it may be sent; `refusal` ends it instead, and without either it must go on waiting."""

    push: Open | None = None
    refusal: Verdict | None = None


class LastLook:
    """Verifies, writes anew where needed, and counts what became of the words."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self._services = services
        self._clock = clock

    async def at(self, waiting: Sequence[Waiting]) -> list[Looked]:
        """What may be sent of each, in order."""
        if not waiting:
            return []
        charts = await self._services.charted(sorted({one.fact.item.item_id for one in waiting}))
        facts = {item_id: charted(found) for item_id, found in charts.items()}
        findings = await self._findings(waiting, facts)
        looked: dict[str, Looked] = {}
        stale: list[tuple[Waiting, str]] = []
        for one, found in zip(waiting, findings, strict=True):
            if found is not None and not found:
                looked[one.decision.decision_id] = _held(one)
            elif one.push.given:
                looked[one.decision.decision_id] = _of_the_caller(one, found)
            else:
                stale.append((one, "; ".join(found) if found else _NO_ANSWER))
        copies = await self._written([one for one, _ in stale], facts)
        for (one, reason), copy in zip(stale, copies, strict=True):
            looked[one.decision.decision_id] = _anew(one, copy, reason)
        return [looked[one.decision.decision_id] for one in waiting]

    async def _findings(
        self, waiting: Sequence[Waiting], facts: dict[str, dict[str, str]]
    ) -> Sequence[list[str] | None]:
        """What is wrong with the words of each; None where nobody could tell."""
        now_ms = self._clock.now_ms()
        try:
            return await self._services.verify(
                [
                    Draft(
                        copy=one.copy,
                        fact=one.fact,
                        because=one.because,
                        channel=one.device.channel,
                        portrait=portraits.from_proto(one.user.person),
                        now_ms=now_ms,
                        facts=facts.get(one.fact.item.item_id, {}),
                    )
                    for one in waiting
                ]
            )
        except MagpieError as error:
            log.warning("words.not_verified", error=error.reason, pushes=len(waiting))
            return [None] * len(waiting)

    async def _written(self, stale: Sequence[Waiting], facts: dict[str, dict[str, str]]) -> list[Copy]:
        """New words for each, for whatever reason there is now; those that are always there else."""
        if not stale:
            return []
        briefs = [
            Brief(
                fact=one.fact,
                portrait=one.user.person,
                strategy="",
                locale=one.device.locale,
                channel=one.device.channel,
                because=one.because,
                seed=one.decision.seed,
                facts=facts.get(one.fact.item.item_id, {}),
            )
            for one in stale
        ]
        try:
            return await self._services.compose(briefs)
        except MagpieError as error:
            log.warning("content.gone", error=error.reason, users=len(stale))
            metrics.DEGRADED.labels("content").inc()
            return [words.safe(one.fact.item, one.device.locale or one.user.portrait.locale) for one in stale]


def _held(one: Waiting) -> Looked:
    """The words as they were; where they lead and the picture are the item's of today."""
    metrics.PUSH_WORDS.labels("held").inc()
    item = one.fact.item
    if one.push.given:
        return Looked(push=one.push)
    copy = msgspec.structs.replace(one.copy, link=safe_link(item.link), image_uri=safe_image(item.image_uri))
    decision = msgspec.structs.replace(one.decision, copy=copy)
    return Looked(push=msgspec.structs.replace(one.push, decision=decision))


def _of_the_caller(one: Waiting, findings: list[str] | None) -> Looked:
    """Words that somebody gave us are sent as they are or not at all."""
    if findings is None:
        metrics.PUSH_WORDS.labels("waiting").inc()
        return Looked()
    metrics.PUSH_WORDS.labels("dropped").inc()
    return Looked(refusal=predicates.copy_verified(one.fact.item.item_id, False, findings))


def _anew(one: Waiting, copy: Copy, reason: str) -> Looked:
    item = one.fact.item
    price = predicates.price(copy, item)
    if not price.passed:
        metrics.PUSH_WORDS.labels("dropped").inc()
        return Looked(refusal=price)
    metrics.PUSH_WORDS.labels("safe" if copy.safe_template else "renewed").inc()
    told = Verdict(
        predicate="words_renewed",
        passed=True,
        stage=Stage.TAKE,
        reason=f"the words chosen before were not sent: {reason}",
        item_id=item.item_id,
    )
    fallbacks = one.decision.fallbacks
    if copy.safe_template and "content" not in fallbacks:
        fallbacks = [*fallbacks, "content"]
    decision = msgspec.structs.replace(
        one.decision,
        copy=copy,
        item_version=item.version,
        fallbacks=fallbacks,
        reasons=[*one.decision.reasons, told],
    )
    return Looked(push=msgspec.structs.replace(one.push, decision=decision))
