"""Outcomes: checked against the decision that their token names, counted once, joined to what was decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from magpie_services.core import checks
from magpie_services.core import outcomes as core_outcomes
from magpie_services.core.checks import Violation
from magpie_services.core.decisions import Decision
from magpie_services.core.money import Money
from magpie_services.core.outcomes import Outcome, OutcomeKind


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome as reported, its token verified: which decision, about whom, made when."""

    index: int
    kind: OutcomeKind
    decision_id: str
    user_id: str
    decided_ms: int
    occurred_ms: int
    outcome_id: str = ""
    value: Money | None = None
    device_id: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """Why the outcome at `index` was not taken; `field` is within the outcome."""

    index: int
    field: str
    reason: str


class Recorded(msgspec.Struct):
    """What became of a batch."""

    accepted: int = 0
    duplicates: int = 0
    refusals: list[Refusal] = []


class Entry(msgspec.Struct, frozen=True):
    """An outcome ready to be kept, and the decision as far as it is still known."""

    receipt: Receipt
    outcome: Outcome
    decision: Decision | None


class Known(msgspec.Struct, frozen=True):
    """What is kept of a decision: its record (None after its time) and the kinds of outcomes it had."""

    decision: Decision | None
    kinds: frozenset[str] = frozenset()


class OutcomeStore(Protocol):
    """Where decisions are read and outcomes kept. Raises kit.errors.Unavailable when it is away."""

    async def known(self, decision_ids: Sequence[str]) -> list[Known]:
        """What is kept of each, in order."""
        ...

    async def keep(self, entries: Sequence[Entry]) -> list[bool]:
        """Logs and counts each; False, and nothing done, where its decision had that kind before."""
        ...


class People(Protocol):
    """The users' side of an outcome. Every call is safe to repeat; raises kit.errors.MagpieError."""

    async def tell(self, entries: Sequence[Entry]) -> dict[int, str]:
        """Puts outcomes into portraits, withdraws consent, removes devices.

        Gives the reasons for those that were refused, by position in `entries`.
        """
        ...


def violations(receipt: Receipt, now_ms: int) -> list[Violation]:
    """What is wrong with a receipt whose token is good."""
    found = [
        *core_outcomes.violations(_outcome(receipt, None, now_ms), now_ms),
        *checks.identifier("device_id", receipt.device_id, required=False),
    ]
    if checks.EARLIEST_MS <= receipt.occurred_ms < receipt.decided_ms:
        found.append(Violation("occurred_ms", "is before the push was decided"))
    return found


class Outcomes:
    """Takes in outcomes. People first, the log second: a crash between is mended by the caller's retry."""

    def __init__(self, store: OutcomeStore, people: People, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._people = people
        self._now_ms = now_ms

    async def record(self, receipts: Sequence[Receipt]) -> Recorded:
        """Each checked receipt counts once a decision and kind; the first of a batch stands."""
        recorded = Recorded()
        known = await self._known(receipts)
        fresh: dict[tuple[str, str], Entry] = {}
        for receipt in receipts:
            facts, key = known[receipt.decision_id], (receipt.decision_id, receipt.kind)
            # An opt-out is passed on however often it comes: the user may have opted in again meanwhile.
            again = receipt.kind in facts.kinds and receipt.kind is not OutcomeKind.UNSUBSCRIBED
            if again or key in fresh:
                recorded.duplicates += 1
            else:
                outcome = _outcome(receipt, facts.decision, self._now_ms())
                fresh[key] = Entry(receipt, outcome, facts.decision)
        entries = list(fresh.values())
        if not entries:
            return recorded
        refused = await self._people.tell(entries)
        for position, reason in refused.items():
            recorded.refusals.append(Refusal(entries[position].receipt.index, "attribution_token", reason))
        kept = await self._store.keep([e for n, e in enumerate(entries) if n not in refused])
        recorded.accepted = sum(kept)
        recorded.duplicates += len(kept) - recorded.accepted
        return recorded

    async def _known(self, receipts: Sequence[Receipt]) -> Mapping[str, Known]:
        ids = list(dict.fromkeys(receipt.decision_id for receipt in receipts))
        return dict(zip(ids, await self._store.known(ids), strict=True)) if ids else {}


def _outcome(receipt: Receipt, decision: Decision | None, now_ms: int) -> Outcome:
    return Outcome(
        # Deterministic, so that the lake recognises a repeat whatever became of our own marks.
        outcome_id=receipt.outcome_id or f"{receipt.decision_id}:{receipt.kind}",
        decision_id=receipt.decision_id,
        kind=receipt.kind,
        user_id=receipt.user_id,
        item_id=decision.item_id if decision else "",
        campaign_id=decision.campaign_id if decision else "",
        occurred_ms=receipt.occurred_ms,
        received_ms=now_ms,
        value=receipt.value,
    )
