"""What a campaign is and which states follow which. Pure."""

import hashlib
from enum import StrEnum

import msgspec

from magpie_services.core.decisions import Decision, DecisionVerdict
from magpie_services.kit.errors import NotAllowed
from magpie_services.push import predicates
from magpie_services.push.policy import Policy


class State(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (State.FINISHED, State.CANCELLED, State.FAILED)


class Spec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A campaign as it was created. `message` is the CampaignSpec as it came; the rest is read from it."""

    campaign_id: str
    message: bytes
    policy: Policy
    audience: bytes = b""
    start_ms: int = 0
    end_ms: int = 0
    budget: int = 0
    priority: int = 0
    shadow: bool = False
    created_ms: int = 0


class Progress(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far a campaign is: everybody up to `page_token` is decided about, but for those of `page`.

    The users of the page under way are written down before anything is sent to them: who takes it up again
    counts the same users, whoever has left the audience meanwhile, and stays within the budget.
    """

    page_token: str = ""
    page: list[str] = []
    pages: int = 0
    done: bool = False
    scanned: int = 0
    decided: int = 0
    verdicts: dict[str, int] = {}
    reasons: dict[str, int] = {}
    # Of the last minute: (wall ms, decided by then), oldest first.
    pace: list[tuple[int, int]] = []

    @property
    def pushes(self) -> int:
        """Pushes that count against the budget."""
        return self.verdicts.get(DecisionVerdict.SENT, 0) + self.verdicts.get(DecisionVerdict.QUEUED, 0)

    @property
    def users_per_second(self) -> float:
        """Over the last minute; 0 when unknown."""
        if len(self.pace) < 2:
            return 0.0
        (first_ms, first), (last_ms, last) = self.pace[0], self.pace[-1]
        return (last - first) * 1000 / (last_ms - first_ms) if last_ms > first_ms else 0.0

    def add(self, decisions: list[Decision]) -> None:
        """Counts decisions."""
        for decision in decisions:
            self.decided += 1
            _count(self.verdicts, decision.verdict.value)
            refusal = predicates.refusal(decision.reasons)
            if refusal is not None:
                _count(self.reasons, refusal.predicate)

    def mark(self, wall_ms: int) -> None:
        """Notes the pace; keeps one minute."""
        kept = [mark for mark in self.pace if wall_ms - mark[0] <= 60_000]
        self.pace = [*kept, (wall_ms, self.decided)]


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign as it stands."""

    spec: Spec
    state: State
    progress: Progress
    updated_ms: int
    error: str = ""


# What each call asks for, and from which states it may be asked.
MOVES: dict[str, tuple[frozenset[State], State]] = {
    "start": (frozenset({State.DRAFT}), State.RUNNING),
    "pause": (frozenset({State.RUNNING}), State.PAUSED),
    "resume": (frozenset({State.PAUSED}), State.RUNNING),
    "cancel": (frozenset({State.DRAFT, State.RUNNING, State.PAUSED}), State.CANCELLED),
}


def refuse(move: str, state: State) -> NotAllowed:
    """The error for a move that the state does not allow."""
    allowed = " or ".join(sorted(MOVES[move][0]))
    return NotAllowed(f"a campaign that is {state.value} cannot {move}: it must be {allowed}")


def campaign_id_of(request_id: str) -> str:
    """The id of the campaign that a request creates: repeating the request meets the same one."""
    return f"c-{hashlib.sha256(request_id.encode()).hexdigest()[:24]}"


def request_id_of(campaign_id: str) -> str:
    """The request id of every decision of a campaign, so that it decides about a user once.

    However often a page is read again after a crash, or users move between pages meanwhile.
    """
    return f"campaign/{campaign_id}"


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
