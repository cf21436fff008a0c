"""Why a decision came out as it did, in plain words, from what the ledger has of it. Pure."""

from typing import NamedTuple

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.feature_schema import HEADS
from magpie_services.push import predicates


class WhatIf(NamedTuple):
    """A change, and what the decision would have come to then."""

    change: str
    verdict: DecisionVerdict


# What would have to be different for a predicate to say yes.
_CHANGES = {
    "known_user": "Had the user been seen before",
    "consent": "Had the user consented to marketing pushes",
    "opt_out": "Had the user consented again after opting out",
    "device": "Had the user a device on a channel that is served",
    "holdout": "Were the user not in the holdout",
    "minimum_gap": "Had more time passed since the last push",
    "frequency_cap": "Had fewer pushes been sent lately, or were the cap higher",
    "quiet_hours": "Outside of quiet hours, or had the policy let it wait",
    "expiry": "Had the push been allowed to wait longer",
    "stock": "Had the item been in stock",
    "price": "Had the item not changed",
    "repeat_of_item": "Had the item not been pushed lately",
    "copy_verified": "Had every claim of the words been in the item's facts",
    "campaign": "Had the campaign not been cancelled",
    "candidates": "Had there been an item to push",
    "ranking": "Had the ranking service answered",
    "catalogue": "Had the catalogue answered",
    "provider": "Had the provider taken it",
}


def summary(decision: Decision) -> str:
    """One line: what happened and why."""
    subject = {Mode.SHADOW: "Would have been", Mode.DRY_RUN: "Would be", Mode.LIVE: "Was"}[decision.mode]
    refusal = predicates.refusal(decision.reasons)
    because = f": {refusal.reason or refusal.predicate}" if refusal else ""
    match decision.verdict:
        case DecisionVerdict.SENT:
            how = "drawn to learn" if decision.explored else "the best of the items"
            return f"{subject} sent item {decision.item_id}, {how}."
        case DecisionVerdict.QUEUED:
            return f"Waits to be sent item {decision.item_id}{because}."
        case DecisionVerdict.NO_SEND:
            return f"Nothing was sent{because}."
        case DecisionVerdict.BLOCKED:
            name = refusal.predicate if refusal else "a rule"
            return f"Stopped by the rule {name}{because}."
        case DecisionVerdict.EXPIRED:
            return f"Was queued and then dropped{because}."
        case DecisionVerdict.FAILED:
            return f"Failed{because}."


def why(decision: Decision) -> list[str]:
    """Rules in the order they were asked, then the value of what was chosen against the rest."""
    lines = []
    for verdict in decision.reasons:
        mark = "passed" if verdict.passed else "said no"
        about = f" for {verdict.item_id}" if verdict.item_id else ""
        lines.append(f"{verdict.predicate}{about} {mark}" + (f": {verdict.reason}" if verdict.reason else ""))
    chosen = decision.arm
    if chosen is not None:
        if chosen.item_id:
            lines.append(f"item {chosen.item_id} {_worth(chosen)}")
        others = [arm for arm in decision.arms if arm.item_id and arm is not chosen]
        if others:
            lines.append(f"next best was {others[0].item_id}, {_worth(others[0])}")
        lines.append(f"the policy chose this with probability {chosen.propensity:.3g}")
        if decision.explored:
            lines.append("it was drawn to learn, not because it was best")
    if decision.copy:
        words = decision.copy
        forced = ", the safe template, as nothing else could be had" if words.safe_template else ""
        lines.append(f"words: strategy {words.strategy or 'the caller’s own'}{forced}")
    lines += [f"{step} answered in a lesser way" for step in decision.fallbacks]
    return lines


def counterfactuals(decision: Decision) -> list[WhatIf]:
    """What would have turned the decision, as far as the record tells."""
    refusal = predicates.refusal(decision.reasons)
    best = next((arm for arm in decision.arms if arm.item_id), None)
    found = []
    if decision.verdict is DecisionVerdict.NO_SEND and best is not None:
        if decision.explored:
            found.append(
                WhatIf(f"Without the draw, item {best.item_id} would have been weighed", _weighed(best))
            )
        else:
            change = f"Were a push worth sending from a value of {best.value:.4g} down, item {best.item_id}"
            found.append(WhatIf(f"{change} would have been sent", DecisionVerdict.SENT))
    elif refusal is not None and refusal.predicate in _CHANGES and decision.verdict in _STOPPED:
        change = f"{_CHANGES[refusal.predicate]}, it could have been sent, the remaining rules permitting"
        found.append(WhatIf(change, DecisionVerdict.SENT))
    elif decision.arm is not None and decision.arm.item_id:
        found += _of_a_push(decision, decision.arm)
    return found


_STOPPED = (DecisionVerdict.BLOCKED, DecisionVerdict.EXPIRED, DecisionVerdict.FAILED)


def _of_a_push(decision: Decision, chosen: Arm) -> list[WhatIf]:
    change = f"Had a push to be worth more than {chosen.value:.4g}, nothing would have been sent"
    found = [WhatIf(change, DecisionVerdict.NO_SEND)]
    other = next((arm for arm in decision.arms if arm.item_id and arm is not chosen), None)
    if other is not None:
        change = f"Without item {chosen.item_id}, the next best was {other.item_id}, worth {other.value:.4g}"
        found.append(WhatIf(change, _weighed(other)))
    found.append(
        WhatIf("Had the frequency cap been reached, it would have been stopped", DecisionVerdict.BLOCKED)
    )
    return found


def _weighed(arm: Arm) -> DecisionVerdict:
    return DecisionVerdict.SENT if arm.value > 0 else DecisionVerdict.NO_SEND


def _worth(arm: Arm) -> str:
    parts = [f"{head} {chance:.2%}" for head, chance in zip(HEADS, arm.probabilities, strict=False)]
    return f"is worth {arm.value:.4g} ({', '.join(parts)})"
