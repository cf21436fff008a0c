"""One user on the way from target to plan: what is known of them by now, and what it comes to."""

from collections.abc import Sequence

import msgspec
import structlog

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie_services.core.decisions import Arm, Copy, Decision, DecisionVerdict, Mode, Stage, Verdict
from magpie_services.core.experiments import Assignment
from magpie_services.kit import ledger_keys, metrics
from magpie_services.kit.attribution import AttributionTokens
from magpie_services.kit.errors import Invalid, MagpieError
from magpie_services.push.briefs import charted
from magpie_services.push.clients import Device, User
from magpie_services.push.ledger import Open
from magpie_services.push.policy import Choice, Policy
from magpie_services.push.predicates import Subject

log = structlog.get_logger()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to decide about; with `item_id` about that item only, with `copy` in the caller's words."""

    user_id: str
    item_id: str = ""
    copy: Copy | None = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What the targets of a request that are decided by one policy share; `assignments` are the arms of
    experiments that it is of. `patient` raises where a service is gone, to try again later."""

    policy: Policy
    request_id: str
    mode: Mode
    campaign_id: str = ""
    patient: bool = False
    assignments: tuple[Assignment, ...] = ()
    policy_version: str = ""

    def __post_init__(self) -> None:
        # Once a request, not once a user.
        msgspec.structs.force_setattr(self, "policy_version", self.policy.version)


class Plan(msgspec.Struct, frozen=True):
    """A decision without its effects: to be sent now (SENT), later (QUEUED), or nothing more to do."""

    push: Open
    device: Device | None = None

    @property
    def decision(self) -> Decision:
        return self.push.decision


class Case:
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
        self.person = user.person
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

    @property
    def facts(self) -> dict[str, str]:
        """What is known of the chosen item beside the catalogue, as facts for words."""
        found = (one for one in self.candidates.candidates if one.item_id == self.chosen.item_id)
        return charted(next(found, candidate_pb.Candidate()))

    def end(self, verdict: DecisionVerdict, reason: Verdict) -> None:
        self.verdict = verdict
        self.reasons.append(reason)

    @property
    def channel(self) -> str:
        """The channel of the device that would be reached; "" where there is none."""
        return self.device.channel if self.device else ""

    def plan(self, ask: Ask, tokens: AttributionTokens) -> Plan:
        """What it came to; the token is signed for pushes that will go out."""
        now_ms = self.subject.now_ms
        verdict = self.verdict
        if verdict is None:
            verdict = DecisionVerdict.QUEUED if self.hold_until_ms else DecisionVerdict.SENT
        going = verdict in (DecisionVerdict.SENT, DecisionVerdict.QUEUED)
        decision_id = ledger_keys.decision_id(ask.request_id, self.target.user_id)
        live = going and ask.mode is Mode.LIVE
        decision = Decision(
            decision_id=decision_id,
            user_id=self.target.user_id,
            mode=ask.mode,
            verdict=verdict,
            decided_ms=now_ms,
            request_id=ask.request_id,
            campaign_id=ask.campaign_id,
            reasons=self.reasons,
            arms=self.choice.arms if self.choice else [],
            chosen=self.choice.chosen if self.choice else -1,
            propensity=self.chosen.propensity if self.choice else 1.0,
            explored=self.choice.explored if self.choice else False,
            holdout=any(reason.predicate == "holdout" and not reason.passed for reason in self.reasons),
            policy_version=ask.policy_version,
            ranker_version=self.ranker_version,
            retriever_version=self.retriever_version,
            fallbacks=self.fallbacks,
            copy=self.copy if going else None,
            channel=self.channel if going else "",
            device_id=self.device.device_id if going and self.device else "",
            provider=self.channel if live else "",
            send_ms=(self.hold_until_ms or now_ms) if going else 0,
            attribution_token=tokens.sign(decision_id, self.target.user_id, now_ms) if live else "",
            schema_hash=self.schema_hash,
            seed=self.seed,
            portrait_version=self.user.portrait.version,
            item_version=self.item_version,
            assignments=list(ask.assignments),
        )
        push = Open(
            decision=decision,
            expires_ms=now_ms + int(ask.policy.expiry_seconds * 1000),
            transactional=ask.policy.transactional,
            drop_in_quiet_hours=ask.policy.drop_in_quiet_hours,
            given=self.target.copy is not None,
        )
        return Plan(push, self.device)


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


def still_open(cases: Sequence[Case]) -> list[Case]:
    """Those whose way has not ended."""
    return [case for case in cases if case.verdict is None]


def fail(cases: Sequence[Case], ask: Ask, error: MagpieError, predicate: str, stage: Stage) -> None:
    """A service is gone: nothing can be decided for these. What the request itself got wrong is raised."""
    if ask.patient or isinstance(error, Invalid):
        raise error
    log.warning("service.gone", step=predicate, error=error.reason, users=len(cases))
    metrics.DEGRADED.labels(predicate).inc()
    reason = Verdict(predicate=predicate, passed=False, stage=stage, reason="the service did not answer")
    for case in cases:
        case.end(DecisionVerdict.FAILED, reason)
