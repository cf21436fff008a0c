"""One batch of users from target to decision: ask the rules, find, rank, choose, write, check.

One call to each service a chunk. Nothing here has an effect: `sending` hands over and the ledger remembers.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie_services.core.decisions import DecisionVerdict, Mode, Stage, Verdict
from magpie_services.core.experiments import Assignment
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import MagpieError
from magpie_services.push import policy as policies
from magpie_services.push import predicates
from magpie_services.push.caps import Caps
from magpie_services.push.case import Ask, Case, Plan, Target, fail, still_open, subject_of
from magpie_services.push.clients import Services
from magpie_services.push.composing import Composer
from magpie_services.push.experiments.declared import Experiments
from magpie_services.push.policy import Choice, Policy
from magpie_services.push.predicates import Rules

CHUNKS_AT_ONCE = 4
_IMPERSONAL = Verdict(
    predicate="personalisation",
    passed=True,
    stage=Stage.TARGET,
    reason="did not agree to be described: chosen by what is popular and new",
)


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
        experiments: Experiments | None = None,
    ) -> None:
        self._services = services
        self._composer = Composer(services)
        self._caps = caps
        self._rules = rules
        self._tokens = tokens
        self._channels = frozenset(channels)
        self._clock = clock
        self._chunk = chunk_users
        self._shadow_words = shadow_words
        self._experiments = experiments or Experiments()
        self._at_once = asyncio.Semaphore(CHUNKS_AT_ONCE)

    async def decide(self, targets: Sequence[Target], ask: Ask) -> list[Plan]:
        """Plans in the order of the targets.

        Raises Unavailable when profile or the store is gone; Invalid when another service refuses a part of
        the request. Without candidates or ranking the verdict is FAILED; a `patient` ask raises instead.
        """
        chunks = [
            (group[start : start + self._chunk], asked)
            for asked, group in self._by_policy(targets, ask)
            for start in range(0, len(group), self._chunk)
        ]
        try:
            async with asyncio.TaskGroup() as tasks:
                made = [tasks.create_task(self._chunk_of(chunk, asked)) for chunk, asked in chunks]
        except BaseExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None
        plans = {plan.decision.user_id: plan for task in made for plan in task.result()}
        return [plans[target.user_id] for target in targets]

    def _by_policy(self, targets: Sequence[Target], ask: Ask) -> list[tuple[Ask, list[Target]]]:
        """The targets by the arms of experiments that they are in; a message about one's own order is in
        none.
        """
        if ask.policy.transactional or not self._experiments.known:
            return [(ask, list(targets))]
        now_ms, groups = self._clock.now_ms(), defaultdict[tuple[Assignment, ...], list[Target]](list)
        for target in targets:
            groups[self._experiments.assigned(target.user_id, now_ms)].append(target)
        return [
            (
                msgspec.structs.replace(
                    ask, policy=self._experiments.policy(ask.policy, arms), assignments=arms
                ),
                group,
            )
            for arms, group in groups.items()
        ]

    async def _chunk_of(self, targets: Sequence[Target], ask: Ask) -> list[Plan]:
        async with self._at_once:
            now_ms = self._clock.now_ms()
            cases = await self._cases(targets, ask, now_ms)
            going = await self._named(still_open(cases), ask)
            going = await self._retrieve(going, ask)
            going = await self._rank(going, ask)
            if ask.mode is not Mode.SHADOW or self._shadow_words:
                await self._composer.write(going, ask)
            return [case.plan(ask, self._tokens) for case in cases]

    async def _cases(self, targets: Sequence[Target], ask: Ask, now_ms: int) -> list[Case]:
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
            case = Case(target, user, subject, device, seed)
            case.reasons = predicates.ask(subject, self._rules)
            if predicates.refusal(case.reasons):
                case.verdict = DecisionVerdict.BLOCKED
            else:
                self._ask_quiet_hours(case, ask.policy)
                if not user.personal:
                    case.reasons.append(_IMPERSONAL)
            cases.append(case)
        return cases

    def _ask_quiet_hours(self, case: Case, policy: Policy) -> None:
        verdict, until_ms = predicates.quiet_hours(case.subject, self._rules, drop=policy.drop_in_quiet_hours)
        if verdict is None:
            return
        if not verdict.passed:
            case.end(DecisionVerdict.BLOCKED, verdict)
            return
        case.reasons.append(verdict)
        expires_ms = case.subject.now_ms + int(policy.expiry_seconds * 1000)
        late = predicates.outlives_quiet(expires_ms, until_ms, case.subject.now_ms)
        if not late.passed:
            case.end(DecisionVerdict.BLOCKED, late)
        case.hold_until_ms = until_ms

    async def _named(self, cases: list[Case], ask: Ask) -> list[Case]:
        """Items that the caller named: they must exist, be in stock and not repeat."""
        named = [case for case in cases if case.target.item_id]
        if not named:
            return cases
        ids = sorted({case.target.item_id for case in named})
        try:
            facts, charts = await asyncio.gather(self._services.items(ids), self._services.charted(ids))
        except MagpieError as error:
            fail(named, ask, error, "catalogue", Stage.CANDIDATES)
            return still_open(cases)
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
            found = charts.get(item_id, candidate_pb.Candidate())
            case.candidates.candidates.add(
                item_id=item_id,
                sources=[candidate_pb.CANDIDATE_SOURCE_CALLER],
                popular_rank=found.popular_rank,
                popular_category=found.popular_category,
            )
        return still_open(cases)

    async def _retrieve(self, cases: list[Case], ask: Ask) -> list[Case]:
        searching = [case for case in cases if not case.target.item_id]
        if not searching:
            return cases
        policy = ask.policy
        try:
            found = await self._services.retrieve(
                [case.person for case in searching], policy.candidate_limit, policy.filter, searching[0].seed
            )
        except MagpieError as error:
            fail(searching, ask, error, "candidates", Stage.CANDIDATES)
            return still_open(cases)
        for case, listed in zip(searching, found.lists, strict=True):
            case.retriever_version = found.retriever_version
            if found.degraded:
                case.fallbacks.append("retrieval")
            _leave_out_repeats(case, listed, self._rules)
        return still_open(cases)

    async def _rank(self, cases: list[Case], ask: Ask) -> list[Case]:
        """Scores, and the choice."""
        if not cases:
            return []
        policy, logging = ask.policy, ask.mode is not Mode.DRY_RUN
        # Any of the arms may be drawn, and its features should be there to be logged. They are as far as the
        # ranking service, which orders by clicks and purchases, and this objective agree on the best.
        best = max(policy.logged_best, policy.arms) if logging else 0
        try:
            ranked = await self._services.rank(
                [case.person for case in cases],
                [case.candidates for case in cases],
                best=best,
                rest=policy.logged_rest if logging else 0,
                seed=cases[0].seed,
                worth=policy.objective.value,
                most=policy.arms,
            )
        except MagpieError as error:
            fail(cases, ask, error, "ranking", Stage.RANK)
            return []
        for case, arms in zip(cases, ranked.lists, strict=True):
            case.ranker_version, case.schema_hash = ranked.ranker_version, ranked.schema_hash
            if ranked.fallback:
                case.fallbacks.append("ranking")
            case.choice = policies.choose(arms, policy, case.seed)
            if not case.chosen.item_id:
                case.end(DecisionVerdict.NO_SEND, _why_not(case.choice, policy))
        return still_open(cases)


def _leave_out_repeats(case: Case, listed: candidate_pb.CandidateList, rules: Rules) -> None:
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
