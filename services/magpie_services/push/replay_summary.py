"""What a replay comes to, in lines fit for a marketer. Pure."""

from magpie_services.core.clustered import Interval
from magpie_services.core.off_policy import Estimator
from magpie_services.push.replay import Comparison, Evidence

PREFERRED = Estimator.SWITCH_DR
LEAST_EFFECTIVE = 100
LEAST_REWARDED = 20
MUCH_OUT_OF_REACH = 0.05


def lines(found: Comparison) -> list[str]:
    """What the other policy would have done, what it would have earned, and whether the log can tell."""
    decided = found.replayed.decided
    if not decided:
        return ["No decision of that time had anything to choose from."]
    other = decided - found.agreed
    more = found.replayed.sent - found.logged.sent
    change = f"{abs(more):,} {'more' if more > 0 else 'fewer'} pushes" if more else "as many pushes"
    said = [
        f"The other policy would have decided {other:,} of {decided:,} decisions otherwise"
        f" ({other / decided:.0%}): {change} ({found.logged.sent:,} as logged, {found.replayed.sent:,} then)."
    ]
    if found.out_of_reach > MUCH_OUT_OF_REACH * decided:
        said.append(
            f"In {found.out_of_reach / decided:.0%} of them it likes an item best that the policy of then"
            " could not choose; here it takes the best of those that could be chosen."
        )
    if found.evidence is None:
        return [
            *said,
            "No live decision among them was carried out: nothing is known of what would have come of it.",
        ]
    return said + _earned(found.evidence)


def _earned(evidence: Evidence) -> list[str]:
    best = next(one for one in evidence.estimates if one.estimator == PREFERRED)
    worth = f"worth {evidence.effective:,.0f} for it"
    basis = f"{evidence.decisions:,} decisions about {evidence.users:,} users, {worth}"
    if reason := _too_little(evidence, best.gain):
        return [f"Not enough overlap to tell what it would have earned: {reason} ({basis})."]
    said = [
        f"It would have earned {_with_ends(best.value)} a decision, in the objective's units; as logged"
        f" {_with_ends(evidence.earned)}."
    ]
    low, high = best.gain.low, best.gain.high
    if low > 0 or high < 0:
        share = f" ({best.gain.value / abs(evidence.earned.value):+.0%})" if evidence.earned.value else ""
        word = "more" if low > 0 else "less"
        said.append(f"That is {word}{share}: {_with_ends(best.gain, signed=True)} a decision ({basis}).")
    else:
        said.append(
            f"The log cannot tell the two apart: the difference is {_with_ends(best.gain, signed=True)}"
            f" a decision ({basis})."
        )
    return said


def _too_little(evidence: Evidence, gain: Interval) -> str:
    """Why the log cannot tell; "" where it can."""
    if evidence.effective < LEAST_EFFECTIVE:
        return f"the log is worth {evidence.effective:,.0f} decisions for it, and it takes {LEAST_EFFECTIVE}"
    if evidence.rewarded < LEAST_REWARDED:
        return f"only {evidence.rewarded} decisions that it might have made had a known outcome that counts"
    if gain.high - gain.low == float("inf"):
        return "too few users carry the estimate for an interval"
    return ""


def _with_ends(interval: Interval, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    value, low, high = (f"{number:{sign}.4g}" for number in (interval.value, interval.low, interval.high))
    return f"{value} (95 % interval {low} to {high})"
