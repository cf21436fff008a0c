"""Why a decision came out as it did, in words fit for a marketer, from what the ledger has of it. Pure.

Rules that passed are in the decision itself; here are only those that changed something.
"""

from collections.abc import Mapping
from typing import NamedTuple

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode, Verdict
from magpie_services.core.feature_schema import HEADS
from magpie_services.push import predicates

MAX_TITLE_CHARS = 60
LEAST = 0.00005  # chances below it are not told


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
# Predicates that change a push even when they let it through.
_TELLING = ("opt_out", "quiet_hours", "personalisation", "repeat_of_item", "words_renewed")
_DEGRADED = {
    "retrieval": "The retrieval model did not answer: items came from what is popular, new or seen together",
    "ranking": "The ranking model did not answer: a simpler one scored the items",
    "content": "The content service did not answer: the words are the plain ones that are always there",
}
_STOPPED = (DecisionVerdict.BLOCKED, DecisionVerdict.EXPIRED, DecisionVerdict.FAILED)


def titles(decision: Decision) -> dict[str, str]:
    """Titles of items, by id, as far as the words of the push tell them."""
    spans = decision.copy.spans if decision.copy else []
    return {span.source: span.value for span in spans if span.field == "item.title" and span.value}


def runner_up(decision: Decision) -> Arm | None:
    """The best item that was not chosen; None where there was no other."""
    return next((arm for arm in decision.arms if arm.item_id and arm is not decision.arm), None)


class Explanation:
    """One decision in words; `titles` names items by id, others are called by their id."""

    def __init__(self, decision: Decision, names: Mapping[str, str]) -> None:
        self._decision = decision
        self._names = names
        self._refusal = predicates.refusal(decision.reasons)

    def summary(self) -> str:
        """One line: what happened and why."""
        decision, item = self._decision, self._name(self._decision.item_id)
        because = f": {self._refusal.reason or self._refusal.predicate}" if self._refusal else ""
        match decision.verdict:
            case DecisionVerdict.SENT:
                sent = {Mode.LIVE: "Sent", Mode.DRY_RUN: "Would send", Mode.SHADOW: "Would have sent"}
                return f"{sent[decision.mode]} {item}: {self._how()}."
            case DecisionVerdict.QUEUED:
                return f"Waits to send {item}{because or self._waiting()}."
            case DecisionVerdict.NO_SEND:
                return f"Nothing was sent{because}."
            case DecisionVerdict.BLOCKED:
                name = self._refusal.predicate.replace("_", " ") if self._refusal else "a rule"
                return f"Not sent, by the rule {name}{because}."
            case DecisionVerdict.EXPIRED:
                return f"Was queued and then dropped{because}."
            case DecisionVerdict.FAILED:
                return f"Failed{because}."

    def why(self) -> list[str]:
        """What decided it, one reason a line: the rule that stopped it, the value against the next best."""
        lines = [_sentence(self._refusal)] if self._refusal else []
        chosen = self._decision.arm
        if chosen is not None:
            lines += self._of_the_choice(chosen)
        for verdict in self._decision.reasons:
            if verdict.passed and verdict.reason and verdict.predicate in _TELLING:
                lines.append(_sentence(verdict))
        if self._decision.copy:
            lines.append(_words(self._decision))
        lines += [
            f"Decided as arm {one.arm} of experiment {one.experiment_id}."
            for one in self._decision.assignments
        ]
        return lines + [_DEGRADED.get(step, f"{step} was degraded") for step in self._decision.fallbacks]

    def counterfactuals(self) -> list[WhatIf]:
        """What would have turned the decision, as far as the record tells."""
        decision, refusal = self._decision, self._refusal
        if refusal is not None and decision.verdict in _STOPPED:
            if refusal.predicate not in _CHANGES:
                return []
            change = f"{_CHANGES[refusal.predicate]}, it could have been sent, other rules permitting"
            return [WhatIf(change, DecisionVerdict.SENT)]
        if decision.arm is None:
            return []
        if decision.explored:
            return self._without_the_draw()
        if decision.verdict is DecisionVerdict.NO_SEND:
            return self._of_nothing()
        return self._of_a_push(decision.arm)

    def _how(self) -> str:
        chosen = self._decision.arm
        if self._decision.explored:
            return "drawn at random, to learn"
        if chosen is not None and "caller" in chosen.sources:
            return "the item that was asked for"
        return "of the items for this user, it is worth most"

    def _waiting(self) -> str:
        quiet = [v.reason for v in self._decision.reasons if v.predicate == "quiet_hours" and v.reason]
        return f": {quiet[-1]}" if quiet else ""

    def _of_the_choice(self, chosen: Arm) -> list[str]:
        lines, other = [], runner_up(self._decision)
        if chosen.item_id:
            lines.append(f"{self._name(chosen.item_id)} is {_worth(chosen)}")
        if other is not None:
            rank = (
                "The next best is" if chosen.value >= other.value and chosen.item_id else "The best item is"
            )
            lines.append(f"{rank} {self._name(other.item_id)}, {_worth(other)}")
        if self._decision.explored:
            what = "this item" if chosen.item_id else "sending nothing"
            lines.append(f"Drawn to learn: {what} had a chance of {chosen.propensity:.2%}")
        elif chosen.propensity < 1.0:
            lines.append(f"Chosen so in {chosen.propensity:.1%} of such cases; the rest is drawn to learn")
        return lines

    def _without_the_draw(self) -> list[WhatIf]:
        # Whatever is not drawn goes to one arm: it has the greatest chance.
        usual = max(self._decision.arms, key=lambda arm: arm.propensity)
        if usual is self._decision.arm:
            return []
        if not usual.item_id:
            return [WhatIf("Without the draw, nothing would have been sent", DecisionVerdict.NO_SEND)]
        change = f"Without the draw, {self._name(usual.item_id)} would have been chosen"
        return [WhatIf(change, DecisionVerdict.SENT)]

    def _of_nothing(self) -> list[WhatIf]:
        best = runner_up(self._decision)
        if best is None:
            return []
        change = f"Had the bar for a push been below {best.value:.4g}, {self._name(best.item_id)}"
        return [WhatIf(f"{change} would have been sent", DecisionVerdict.SENT)]

    def _of_a_push(self, chosen: Arm) -> list[WhatIf]:
        found = []
        if self._decision.verdict is DecisionVerdict.QUEUED and self._waiting():
            change = "Outside of quiet hours, it would have been sent at once"
            found.append(WhatIf(change, DecisionVerdict.SENT))
        change = f"Had the bar for a push been above {chosen.value:.4g}, nothing would have been sent"
        found.append(WhatIf(change, DecisionVerdict.NO_SEND))
        other = runner_up(self._decision)
        if other is not None and other.value > 0:
            change = f"Had {self._name(chosen.item_id)} been out of stock, {self._name(other.item_id)}"
            found.append(WhatIf(f"{change} would have been next", DecisionVerdict.SENT))
        return found

    def _name(self, item_id: str) -> str:
        return named(item_id, self._names)


def named(item_id: str, names: Mapping[str, str]) -> str:
    """An item as a person would know it: its title, cut short, and its id."""
    title = names.get(item_id, "")
    if not title:
        return f"item {item_id}" if item_id else "a push"
    shown = title if len(title) <= MAX_TITLE_CHARS else f"{title[: MAX_TITLE_CHARS - 1]}…"
    return f"“{shown}” ({item_id})"


def _sentence(verdict: Verdict) -> str:
    name = verdict.predicate.replace("_", " ")
    return f"{name[0].upper()}{name[1:]}" + (f": {verdict.reason}" if verdict.reason else "")


def _words(decision: Decision) -> str:
    strategy = decision.copy.strategy if decision.copy else ""
    return (
        f"The words are of the kind {strategy.replace('_', ' ')}"
        if strategy
        else "The words are the caller's own"
    )


def _worth(arm: Arm) -> str:
    """The expected worth, and the chances it was reckoned from."""
    names = ("a click", "a purchase", "a dismissal", "an opt-out")
    heads = dict(zip(HEADS, arm.probabilities, strict=False))
    chances = {name: f"{name} {p:.2%}" for name, p in zip(names, heads.values(), strict=False) if p >= LEAST}
    organic = heads.get("organic_purchase", 0.0)
    if "a purchase" in chances and organic >= LEAST:
        chances["a purchase"] += f" where {organic:.2%} would buy it anyway"
    return f"worth {arm.value:.3g}" + (f" (chance of {', '.join(chances.values())})" if chances else "")
