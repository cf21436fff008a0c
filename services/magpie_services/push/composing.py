"""Words for what was chosen, from facts read at that moment, and the last checks of item and words."""

import msgspec
import structlog

from magpie_services.core.decisions import Copy, DecisionVerdict, Stage
from magpie_services.core.untrusted import safe_image, safe_link
from magpie_services.kit import metrics
from magpie_services.kit.errors import MagpieError
from magpie_services.push import predicates, words
from magpie_services.push.briefs import Brief, Draft, Fact, other
from magpie_services.push.case import Ask, Case, fail, still_open
from magpie_services.push.clients import Services
from magpie_services.push.policy import Policy
from magpie_services.wire import portraits

log = structlog.get_logger()


class Composer:
    """Fills in the words of cases that are still open, or ends them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def write(self, cases: list[Case], ask: Ask) -> None:
        """The words for each chosen item, from facts read now, and the last checks of item and words."""
        if not cases:
            return
        ids = {case.chosen.item_id for case in cases} | {case.chosen.because_item_id for case in cases}
        try:
            facts = await self._services.items(sorted(ids - {""}))
        except MagpieError as error:
            fail(cases, ask, error, "catalogue", Stage.TAKE)
            return
        for case in cases:
            fact = facts.get(case.chosen.item_id)
            verdict = predicates.stock(case.chosen.item_id, fact.item if fact else None)
            if not verdict.passed:
                case.end(DecisionVerdict.BLOCKED, verdict)
                continue
            case.reasons.append(verdict)
            case.item_version = fact.item.version if fact else 0
        cases = still_open(cases)
        await self._verify([case for case in cases if case.target.copy], facts, ask)
        await self._compose([case for case in cases if not case.target.copy], facts, ask.policy)
        for case in still_open(cases):
            if case.copy is not None:
                item = facts[case.chosen.item_id].item
                case.reasons.append(predicates.price(case.copy, item))

    async def _verify(self, cases: list[Case], facts: dict[str, Fact], ask: Ask) -> None:
        if not cases:
            return
        drafts = [
            Draft(
                copy=case.target.copy or Copy(),
                fact=facts[case.chosen.item_id],
                because=other(facts, case.chosen),
                channel=case.channel,
                portrait=portraits.from_proto(case.person),
                now_ms=case.subject.now_ms,
                facts=case.facts,
            )
            for case in cases
        ]
        try:
            verdicts = await self._services.verify(drafts)
        except MagpieError as error:
            fail(cases, ask, error, "copy_verified", Stage.COMPOSE)
            return
        for case, draft, findings in zip(cases, drafts, verdicts, strict=True):
            verdict = predicates.copy_verified(case.chosen.item_id, not findings, findings)
            if findings:
                case.end(DecisionVerdict.BLOCKED, verdict)
                continue
            case.reasons.append(verdict)
            item = draft.fact.item
            case.copy = msgspec.structs.replace(
                draft.copy,
                link=draft.copy.link or safe_link(item.link),
                image_uri=draft.copy.image_uri or safe_image(item.image_uri),
                # What only words of ours may say of themselves: the choice of words learns by it.
                spans=[],
                variant_id="",
                propensity=1.0,
                safe_template=False,
                context="",
                writer="",
            )

    async def _compose(self, cases: list[Case], facts: dict[str, Fact], policy: Policy) -> None:
        if not cases:
            return
        briefs = [
            Brief(
                fact=facts[case.chosen.item_id],
                portrait=case.person,
                strategy=policy.strategy,
                locale=case.device.locale if case.device else "",
                channel=case.channel,
                because=other(facts, case.chosen),
                seed=case.seed,
                facts=case.facts,
            )
            for case in cases
        ]
        try:
            copies = await self._services.compose(briefs)
        except MagpieError as error:
            log.warning("content.gone", error=error.reason, users=len(cases))
            metrics.DEGRADED.labels("content").inc()
            copies = [
                words.safe(brief.fact.item, brief.locale or case.user.portrait.locale)
                for brief, case in zip(briefs, cases, strict=True)
            ]
        for case, copy in zip(cases, copies, strict=True):
            case.copy = copy
            if copy.safe_template:
                case.fallbacks.append("content")
