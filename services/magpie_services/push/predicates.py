"""The rules a push must pass: small named predicates, each answering with a reason and the figures behind it.

Pure. The first one that says no ends the decision; its name is the reason code in counters and progress.
"""

from collections.abc import Callable, Sequence

import msgspec

from magpie_services.core.decisions import Copy, Stage, Verdict
from magpie_services.core.experiments import position
from magpie_services.core.items import Item
from magpie_services.core.memory import DAY_MS, HOUR_MS, PushRecord
from magpie_services.push.quiet_hours import QuietHours


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The limits. Times in ms; `caps` pairs a rolling window with the most pushes in it, shortest first."""

    quiet: QuietHours
    minimum_gap_ms: int = 4 * HOUR_MS
    caps: tuple[tuple[int, int], ...] = ((DAY_MS, 3), (7 * DAY_MS, 10))
    repeat_ms: int = 7 * DAY_MS
    holdout_share: float = 0.0
    holdout_salt: str = "holdout"

    @property
    def slots(self) -> tuple[tuple[int, int], ...]:
        """What a reservation makes sure of: the caps, then the gap as a window with room for one."""
        return (*self.caps, (self.minimum_gap_ms, 1)) if self.minimum_gap_ms else self.caps

    def holds_out(self, user_id: str) -> bool:
        """Whether a user is in the global holdout."""
        return position(self.holdout_salt, user_id) < self.holdout_share

    def slot_refused(self, window: int, filled: int) -> Verdict:
        """The verdict of a reservation that found the window at this index of `slots` full."""
        window_ms, limit = self.slots[window]
        name = "frequency_cap" if window < len(self.caps) else "minimum_gap"
        reason = cap_reason(filled, limit, window_ms)
        return Verdict(predicate=name, passed=False, stage=Stage.TAKE, reason=reason)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules need to know of a user at `now_ms`. `counts` has the pushes in each cap's window."""

    user_id: str
    now_ms: int
    known: bool
    transactional: bool = False
    consent: bool | None = None
    consent_ms: int = 0
    last_unsubscribed_ms: int = 0
    timezone: str = ""
    reachable: bool = False
    devices: int = 0
    last_sent_ms: int = 0
    counts: tuple[int, ...] = ()
    pushes: Sequence[PushRecord] = ()


Answer = tuple[bool, str]
Predicate = Callable[[Subject, Rules], Answer | None]


def ask(subject: Subject, rules: Rules) -> list[Verdict]:
    """The verdicts of the target stage in order, up to and with the first that says no.

    A predicate that does not apply to this kind of push is not asked.
    """
    verdicts = []
    for name, predicate in TARGET:
        answer = predicate(subject, rules)
        if answer is None:
            continue
        passed, reason = answer
        verdicts.append(Verdict(predicate=name, passed=passed, stage=Stage.TARGET, reason=reason))
        if not passed:
            break
    return verdicts


def refusal(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict that said no; None where all said yes."""
    return next((verdict for verdict in reversed(verdicts) if not verdict.passed), None)


def known_user(subject: Subject, _rules: Rules) -> Answer | None:
    if subject.known:
        return True, ""
    return False, "nothing is known of this user: never seen, or erased"


def consent(subject: Subject, _rules: Rules) -> Answer | None:
    if subject.transactional:
        return None
    if subject.consent is None:
        return False, "never asked for consent to marketing pushes, which means no"
    return subject.consent, "" if subject.consent else "said no to marketing pushes"


def opt_out(subject: Subject, _rules: Rules) -> Answer | None:
    if subject.transactional or not subject.last_unsubscribed_ms:
        return None
    if subject.consent_ms > subject.last_unsubscribed_ms:
        return True, "opted out once and has consented again since"
    return False, "opted out through a push and has not consented again since"


def device(subject: Subject, _rules: Rules) -> Answer | None:
    if subject.reachable:
        return True, ""
    if subject.devices:
        return False, f"none of {subject.devices} devices is on a channel that is served"
    return False, "has no device"


def holdout(subject: Subject, rules: Rules) -> Answer | None:
    if subject.transactional or rules.holdout_share <= 0.0:
        return None
    held = rules.holds_out(subject.user_id)
    return (
        not held,
        f"one of the {rules.holdout_share:.1%} who never get a push, to measure all pushes" * held,
    )


def minimum_gap(subject: Subject, rules: Rules) -> Answer | None:
    if not subject.last_sent_ms or not rules.minimum_gap_ms:
        return None
    gap_ms = subject.now_ms - subject.last_sent_ms
    figures = f"last push {gap_ms / HOUR_MS:.1f} h ago, at least {rules.minimum_gap_ms / HOUR_MS:g} h apart"
    return gap_ms >= rules.minimum_gap_ms, figures


def frequency_cap(subject: Subject, rules: Rules) -> Answer | None:
    for count, (window_ms, limit) in zip(subject.counts, rules.caps, strict=False):
        if count >= limit:
            return False, cap_reason(count, limit, window_ms)
    parts = [
        f"{n} of {cap[1]} in {_days(cap[0])}" for n, cap in zip(subject.counts, rules.caps, strict=False)
    ]
    return True, ", ".join(parts)


# The order is part of the contract: final reasons first. Quiet hours come after, as they only delay.
TARGET: tuple[tuple[str, Predicate], ...] = (
    ("known_user", known_user),
    ("consent", consent),
    ("opt_out", opt_out),
    ("device", device),
    ("holdout", holdout),
    ("minimum_gap", minimum_gap),
    ("frequency_cap", frequency_cap),
)


def cap_reason(count: int, limit: int, window_ms: int) -> str:
    """Why a cap says no, with its figures."""
    return f"{count} pushes in the last {_days(window_ms)}, at most {limit}"


def quiet_hours(subject: Subject, rules: Rules, *, drop: bool) -> tuple[Verdict | None, int]:
    """The verdict, and when the push may go (0: now). Not asked of transactional pushes."""
    if subject.transactional:
        return None, 0
    until_ms = rules.quiet.until_ms(subject.now_ms, subject.timezone)
    zone = subject.timezone or f"{rules.quiet.fallback_zone}, as theirs is not known"
    if until_ms is None:
        return Verdict(predicate="quiet_hours", passed=True, stage=Stage.TARGET), 0
    wait = f"quiet from {rules.quiet} ({zone}), over in {(until_ms - subject.now_ms) / HOUR_MS:.1f} h"
    reason = f"{wait}: given up as the policy says" if drop else f"{wait}: it waits until then"
    return Verdict(predicate="quiet_hours", passed=not drop, stage=Stage.TARGET, reason=reason), until_ms


def repeated_items(subject: Subject, rules: Rules) -> dict[str, int]:
    """Items pushed to the user too short a time ago, each with the time it was last sent."""
    floor_ms = subject.now_ms - rules.repeat_ms
    return {push.item_id: push.sent_ms for push in subject.pushes if push.item_id and push.sent_ms > floor_ms}


def repeat_of_item(item_id: str, subject: Subject, rules: Rules) -> Verdict:
    sent_ms = repeated_items(subject, rules).get(item_id)
    reason = ""
    if sent_ms is not None:
        ago, apart = _days(subject.now_ms - sent_ms), _days(rules.repeat_ms)
        reason = f"the same item was pushed {ago} ago, at least {apart} apart"
    return _take("repeat_of_item", sent_ms is None, reason, item_id)


def stock(item_id: str, item: Item | None) -> Verdict:
    """Whether the item can be had, by the catalogue as it stands."""
    if item is None:
        return _take("stock", False, "it is not in the catalogue", item_id)
    if item.withdrawn:
        return _take("stock", False, "it was withdrawn", item_id)
    left = "stock unknown" if item.stock is None else f"{item.stock} in stock"
    return _take("stock", item.available, left, item_id)


def price(copy: Copy, item: Item) -> Verdict:
    """Whether the words were written from this very version of the item."""
    written = {span.version for span in copy.spans if span.source == item.item_id}
    if written <= {item.version}:
        return _take("price", True, "", item.item_id)
    since = f"written for version {min(written)}, the catalogue has {item.version}"
    return _take("price", False, f"the item changed and the words no longer hold: {since}", item.item_id)


def copy_verified(item_id: str, passed: bool, findings: Sequence[str]) -> Verdict:
    verdict = _take("copy_verified", passed, "; ".join(findings), item_id)
    return msgspec.structs.replace(verdict, stage=Stage.COMPOSE)


def expiry(item_id: str, now_ms: int, expires_ms: int) -> Verdict:
    late_ms = now_ms - expires_ms
    reason = f"its time was over {late_ms / HOUR_MS:.1f} h ago" if late_ms >= 0 else ""
    return _take("expiry", late_ms < 0, reason, item_id)


def outlives_quiet(expires_ms: int, until_ms: int, now_ms: int) -> Verdict:
    """Whether a push that waits for the end of quiet hours is then still worth sending."""
    left = f"quiet hours end after the push would expire (in {(expires_ms - now_ms) / HOUR_MS:.3g} h)"
    passed = until_ms < expires_ms
    reason = "" if passed else left
    return Verdict(predicate="expiry", passed=passed, stage=Stage.TARGET, reason=reason)


def campaign_over(campaign_id: str) -> Verdict:
    return _take("campaign", False, f"campaign {campaign_id} was cancelled", "")


def _take(name: str, passed: bool, reason: str, item_id: str) -> Verdict:
    return Verdict(predicate=name, passed=passed, stage=Stage.TAKE, reason=reason, item_id=item_id)


def _days(ms: int) -> str:
    return f"{ms / DAY_MS:.3g} d" if ms >= 2 * DAY_MS else f"{ms / HOUR_MS:.3g} h"
