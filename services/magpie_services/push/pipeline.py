"""One batch of users from target to decision: ask the rules, find, rank, choose, write, check.

One call to each service a chunk. Nothing here has an effect: `sending` hands over and the ledger remembers.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode, Stage, Verdict
from magpie_services.kit import ledger_keys, metrics
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid, MagpieError
from magpie_services.push import policy as policies
from magpie_services.push import predicates, words
from magpie_services.push.caps import Caps
from magpie_services.push.clients import Brief, Device, Draft, Fact, Services, User, impersonal
from magpie_services.push.ledger import Open
from magpie_services.push.policy import Choice, Policy
from magpie_services.push.predicates import Rules, Subject

log = structlog.get_logger()

CHUNKS_AT_ONCE = 4


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to decide about; with `item_id` about that item only, with `copy` in the caller's words."""

    user_id: str
    item_id: str = ""
    copy: Copy | None = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What all targets of one request share. `patient` raises where a service is gone, to try again later."""

    policy: Policy
    request_id: str
    mode: Mode
    campaign_id: str = ""
    patient: bool = False


class Plan(msgspec.Struct, frozen=True):
    """A decision without its effects: to be sent now (SENT), later (QUEUED), or nothing more to do."""

    push: Open
    device: Device | None = None

    @property
    def decision(self) -> Decision:
        return self.push.decision


class _Case:
    """One user on the way through; `verdict` is set when the way has ended."""

    def __init__(
        self, target: Target, user: User, subject: Subject, device: Device | None, seed: int
    ) -> None:
        self.target = target
        self.user = user
        self.subject = subject
        self.device = device
        self.seed = seed
        self.hold_until_ms = 0
        self.reasons: list[Verdict] = []
        self.verdict: DecisionVerdict | None = None
        self.person = user.portrait if user.personal else impersonal(user.portrait)
        self.candidates = candidate_pb.CandidateList(user_id=target.user_id)
        self.choice: Choice | None = None
        self.copy: Copy | None = None
        self.item_version = 0
        self.fallbacks: list[str] = []
        self.ranker_version = 0
        self.retriever_version = 0
        self.schema_hash = ""

    @property
    def chosen(self) -> Arm:
        """The chosen arm; the no-send arm before anything was chosen."""
        return self.choice.arms[self.choice.chosen] if self.choice else Arm()

    def end(self, verdict: DecisionVerdict, reason: Verdict) -> None:
        self.verdict = verdict
        self.reasons.append(reason)


class Pipeline:
    """Decides. `tokens` signs what comes back with outcomes; `channels` are those that a provider serves."""

    def __init__(
        self,
        services: Services,
        caps: Caps,
        rules: Rules,
        tokens: AttributionTokens,
        channels: Sequence[str],
        clock: Clock,
        *,
        chunk_users: int = 64,
        shadow_words: bool = False,
    ) -> None:
        self._services = services
        self._caps = caps
        self._rules = rules
        self._tokens = tokens
        self._channels = frozenset(channels)
        self._clock = clock
        self._chunk = chunk_users
        self._shadow_words = shadow_words
        self._at_once = asyncio.Semaphore(CHUNKS_AT_ONCE)

    async def decide(self, targets: Sequence[Target], ask: Ask) -> list[Plan]:
        """Plans in the order of the targets.

        Raises Unavailable when profile or the store is gone; Invalid when another service refuses a part of
        the request. Without candidates or ranking the verdict is FAILED; a `patient` ask raises instead.
        """
        chunks = [targets[start : start + self._chunk] for start in range(0, len(targets), self._chunk)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._chunk_of(chunk, ask)) for chunk in chunks]
        except BaseExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None
        return [plan for task in tasks for plan in task.result()]

    async def _chunk_of(self, targets: Sequence[Target], ask: Ask) -> list[Plan]:
        async with self._at_once:
            now_ms = self._clock.now_ms()
            cases = await self._cases(targets, ask, now_ms)
            going = await self._named(_open(cases))
            going = await self._retrieve(going, ask)
            going = await self._rank(going, ask)
            if ask.mode is not Mode.SHADOW or self._shadow_words:
                await self._write(going, ask)
            return [self._plan(case, ask, now_ms) for case in cases]

    async def _cases(self, targets: Sequence[Target], ask: Ask, now_ms: int) -> list[_Case]:
        """The target stage: portraits and caps are read, the rules about users asked."""
        user_ids = [target.user_id for target in targets]
        users, usages = await asyncio.gather(
            self._services.users(user_ids), self._caps.usage(user_ids, now_ms)
        )
        cases = []
        for target, user, usage in zip(targets, users, usages, strict=True):
            device = next((d for d in user.devices if d.channel in self._channels), None)
            subject = subject_of(
                user, device, now_ms, ask.policy.transactional, usage.counts, usage.last_sent_ms
            )
            seed = policies.seed_of(ask.request_id, target.user_id)
            case = _Case(target, user, subject, device, seed)
            case.reasons = predicates.ask(subject, self._rules)
            if predicates.refusal(case.reasons):
                case.verdict = DecisionVerdict.BLOCKED
            else:
                self._ask_quiet_hours(case, ask.policy)
            cases.append(case)
        return cases

    def _ask_quiet_hours(self, case: _Case, policy: Policy) -> None:
        verdict, until_ms = predicates.quiet_hours(case.subject, self._rules, drop=policy.drop_in_quiet_hours)
        if verdict is None:
            return
        if not verdict.passed:
            case.end(DecisionVerdict.BLOCKED, verdict)
            return
        case.reasons.append(verdict)
        expires_ms = case.subject.now_ms + int(policy.expiry_seconds * 1000)
        if until_ms >= expires_ms:
            reason = f"quiet hours end after the push would expire ({policy.expiry_seconds / 3600:g} h)"
            case.end(
                DecisionVerdict.BLOCKED,
                Verdict(predicate="expiry", passed=False, stage=Stage.TARGET, reason=reason),
            )
        case.hold_until_ms = until_ms

    async def _named(self, cases: list[_Case]) -> list[_Case]:
        """Items that the caller named: they must exist, be in stock and not repeat."""
        named = [case for case in cases if case.target.item_id]
        if not named:
            return cases
        facts = await self._services.items(list({case.target.item_id for case in named}))
        for case in named:
            item_id = case.target.item_id
            fact = facts.get(item_id)
            checks = [
                predicates.stock(item_id, fact.item if fact else None),
                predicates.repeat_of_item(item_id, case.subject, self._rules),
            ]
            failed = predicates.refusal(checks)
            if failed:
                case.end(DecisionVerdict.BLOCKED, failed)
                continue
            case.candidates.candidates.add(item_id=item_id, sources=[candidate_pb.CANDIDATE_SOURCE_CALLER])
        return _open(cases)

    async def _retrieve(self, cases: list[_Case], ask: Ask) -> list[_Case]:
        searching = [case for case in cases if not case.target.item_id]
        if not searching:
            return cases
        policy = ask.policy
        try:
            found = await self._services.retrieve(
                [case.person for case in searching], policy.candidate_limit, policy.filter, searching[0].seed
            )
        except MagpieError as error:
            _fail(searching, ask, error, "candidates", Stage.CANDIDATES)
            return _open(cases)
        for case, listed in zip(searching, found.lists, strict=True):
            case.retriever_version = found.retriever_version
            if found.degraded:
                case.fallbacks.append("retrieval")
            _leave_out_repeats(case, listed, self._rules)
        return _open(cases)

    async def _rank(self, cases: list[_Case], ask: Ask) -> list[_Case]:
        """Scores, and the choice."""
        if not cases:
            return []
        policy, logging = ask.policy, ask.mode is not Mode.DRY_RUN
        # Any of the arms may be drawn, and the features of the one drawn must be there to be logged.
        best = max(policy.logged_best, policy.arms) if logging else 0
        try:
            ranked = await self._services.rank(
                [case.person for case in cases],
                [case.candidates for case in cases],
                best=best,
                rest=policy.logged_rest if logging else 0,
                seed=cases[0].seed,
            )
        except MagpieError as error:
            _fail(cases, ask, error, "ranking", Stage.RANK)
            return []
        for case, arms in zip(cases, ranked.lists, strict=True):
            case.ranker_version, case.schema_hash = ranked.ranker_version, ranked.schema_hash
            if ranked.fallback:
                case.fallbacks.append("ranking")
            case.choice = policies.choose(arms, policy, case.seed)
            if not case.chosen.item_id:
                case.end(DecisionVerdict.NO_SEND, _why_not(case.choice, policy))
        return _open(cases)

    async def _write(self, cases: list[_Case], ask: Ask) -> None:
        """The words for each chosen item, from facts read now, and the last checks of item and words."""
        if not cases:
            return
        ids = {case.chosen.item_id for case in cases} | {case.chosen.because_item_id for case in cases}
        try:
            facts = await self._services.items(sorted(ids - {""}))
        except MagpieError as error:
            _fail(cases, ask, error, "catalogue", Stage.TAKE)
            return
        for case in cases:
            fact = facts.get(case.chosen.item_id)
            verdict = predicates.stock(case.chosen.item_id, fact.item if fact else None)
            if not verdict.passed:
                case.end(DecisionVerdict.BLOCKED, verdict)
                continue
            case.reasons.append(verdict)
            case.item_version = fact.item.version if fact else 0
        cases = _open(cases)
        await self._verify([case for case in cases if case.target.copy], facts, ask)
        await self._compose([case for case in cases if not case.target.copy], facts, ask.policy)
        for case in _open(cases):
            if case.copy is not None:
                item = facts[case.chosen.item_id].item
                case.reasons.append(predicates.price(case.copy, item, verified=False))

    async def _verify(self, cases: list[_Case], facts: dict[str, Fact], ask: Ask) -> None:
        if not cases:
            return
        drafts = [
            Draft(case.target.copy or Copy(), facts[case.chosen.item_id], None, _channel(case))
            for case in cases
        ]
        try:
            verdicts = await self._services.verify(drafts)
        except MagpieError as error:
            _fail(cases, ask, error, "copy_verified", Stage.COMPOSE)
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
                link=draft.copy.link or item.link,
                image_uri=draft.copy.image_uri or item.image_uri,
                spans=[],
                propensity=1.0,
            )

    async def _compose(self, cases: list[_Case], facts: dict[str, Fact], policy: Policy) -> None:
        if not cases:
            return
        briefs = [
            Brief(
                fact=facts[case.chosen.item_id],
                portrait=case.person,
                strategy=policy.strategy,
                locale=case.device.locale if case.device else "",
                channel=_channel(case),
                because=facts.get(case.chosen.because_item_id),
                seed=case.seed,
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

    def _plan(self, case: _Case, ask: Ask, now_ms: int) -> Plan:
        verdict = case.verdict
        if verdict is None:
            verdict = DecisionVerdict.QUEUED if case.hold_until_ms else DecisionVerdict.SENT
        going = verdict in (DecisionVerdict.SENT, DecisionVerdict.QUEUED)
        decision_id = ledger_keys.decision_id(ask.request_id, case.target.user_id)
        live = going and ask.mode is Mode.LIVE
        decision = Decision(
            decision_id=decision_id,
            user_id=case.target.user_id,
            mode=ask.mode,
            verdict=verdict,
            decided_ms=now_ms,
            request_id=ask.request_id,
            campaign_id=ask.campaign_id,
            reasons=case.reasons,
            arms=policies.logged(case.choice, ask.policy) if case.choice else [],
            chosen=case.choice.chosen if case.choice else -1,
            propensity=case.chosen.propensity if case.choice else 1.0,
            explored=case.choice.explored if case.choice else False,
            holdout=any(reason.predicate == "holdout" and not reason.passed for reason in case.reasons),
            policy_version=ask.policy.version,
            ranker_version=case.ranker_version,
            retriever_version=case.retriever_version,
            fallbacks=case.fallbacks,
            copy=case.copy if going else None,
            channel=_channel(case) if going else "",
            device_id=case.device.device_id if going and case.device else "",
            provider=_channel(case) if live else "",
            send_ms=(case.hold_until_ms or now_ms) if going else 0,
            attribution_token=self._tokens.sign(decision_id, case.target.user_id, now_ms) if live else "",
            schema_hash=case.schema_hash,
            seed=case.seed,
            portrait_version=case.user.portrait.version,
            item_version=case.item_version,
        )
        push = Open(
            decision=decision,
            expires_ms=now_ms + int(ask.policy.expiry_seconds * 1000),
            transactional=ask.policy.transactional,
            drop_in_quiet_hours=ask.policy.drop_in_quiet_hours,
        )
        return Plan(push, case.device)


def subject_of(
    user: User,
    device: Device | None,
    now_ms: int,
    transactional: bool,
    counts: tuple[int, ...],
    last_sent_ms: int,
    *,
    but: str = "",
) -> Subject:
    """What the rules read of a user; the push of decision `but` is left out of the past."""
    pushes = [push for push in user.pushes.recent if push.decision_id != but]
    if but:
        last_sent_ms = max((push.sent_ms for push in pushes), default=0)
    else:
        last_sent_ms = max(last_sent_ms, user.pushes.last_sent_ms)
    return Subject(
        user_id=user.user_id,
        now_ms=now_ms,
        known=user.known,
        transactional=transactional,
        consent=user.marketing.granted if user.marketing else None,
        consent_ms=user.marketing.at_ms if user.marketing else 0,
        last_unsubscribed_ms=user.pushes.last_unsubscribed_ms,
        timezone=(device.timezone if device else "") or user.portrait.timezone,
        reachable=device is not None,
        devices=len(user.devices),
        last_sent_ms=last_sent_ms,
        counts=counts,
        pushes=pushes,
    )


def _open(cases: Sequence[_Case]) -> list[_Case]:
    return [case for case in cases if case.verdict is None]


def _channel(case: _Case) -> str:
    return case.device.channel if case.device else ""


def _fail(cases: Sequence[_Case], ask: Ask, error: MagpieError, predicate: str, stage: Stage) -> None:
    """A service is gone: nothing can be decided for these. What the request itself got wrong is raised."""
    if ask.patient or isinstance(error, Invalid):
        raise error
    log.warning("service.gone", step=predicate, error=error.reason, users=len(cases))
    metrics.DEGRADED.labels(predicate).inc()
    reason = Verdict(predicate=predicate, passed=False, stage=stage, reason="the service did not answer")
    for case in cases:
        case.end(DecisionVerdict.FAILED, reason)


def _leave_out_repeats(case: _Case, listed: candidate_pb.CandidateList, rules: Rules) -> None:
    repeated = predicates.repeated_items(case.subject, rules)
    out = [found.item_id for found in listed.candidates if found.item_id in repeated]
    if out:
        kept = [found for found in listed.candidates if found.item_id not in repeated]
        listed = candidate_pb.CandidateList(user_id=listed.user_id, candidates=kept)
        reason = f"{len(out)} items were pushed too short a time ago and left out"
        case.reasons.append(
            Verdict(predicate="repeat_of_item", passed=bool(kept), stage=Stage.CANDIDATES, reason=reason)
        )
    case.candidates = listed
    if not listed.candidates:
        case.end(
            DecisionVerdict.NO_SEND,
            Verdict(
                predicate="candidates", passed=False, stage=Stage.CANDIDATES, reason="no item may be pushed"
            ),
        )


def _why_not(choice: Choice, policy: Policy) -> Verdict:
    best = choice.arms[0]
    if choice.explored:
        reason = "drawn to learn what happens without a push"
    elif not best.item_id:
        reason = "no item is worth a push"
    else:
        least = policy.objective.min_value
        reason = f"the best item is worth {best.value:.4g}, and it takes more than {least:.4g}"
    return Verdict(predicate="value", passed=False, stage=Stage.RANK, reason=reason, item_id=best.item_id)
