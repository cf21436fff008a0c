"""The state of an experiment as one HTML page: verdict, users, every metric, how it moved. Pure."""

from html import escape

from magpie_services.core.memory import DAY_MS
from magpie_services.kit.pages import plots
from magpie_services.kit.pages.elements import card, moment, number, table, tile
from magpie_services.kit.pages.style import CSS
from magpie_services.push.experiments.analysis import ALPHA, MISMATCH, Analysis, Reading, Verdict, guard_days
from magpie_services.push.experiments.declared import HARMS, Experiment

_BAD = (Verdict.HARMFUL, Verdict.INVALID, Verdict.WORSE)


def render(experiment: Experiment, found: Analysis, stopped: str) -> str:
    """The page, whole: nothing else is needed to read it. `stopped` says why it was, or is ""."""
    good = "passed" if found.verdict is Verdict.BETTER else ""
    kind = "refused" if found.verdict in _BAD or stopped else good
    lines = [*([f"It was stopped: {stopped}"] if stopped else []), *found.lines]
    body = (
        f"<header><h1>Experiment {escape(found.experiment_id)}</h1>"
        f'<span class="verdict {kind}">{found.verdict.value.replace("_", " ")}</span></header>'
        f'<p class="soft">As of {moment(found.at_ms)} UTC; layer {escape(experiment.layer)},'
        f" {experiment.share:.0%} of users; the control is {escape(found.arms[0])}.</p>"
        + "".join(f"<p>{escape(line)}</p>" for line in lines)
        + _users(experiment, found)
        + _metrics(experiment, found)
        + _paths(experiment, found)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Experiment {escape(found.experiment_id)}</title><style>{CSS}</style></head>"
        f"<body><main>{body}<footer>A user counts once, by what they did in {experiment.window_days:g}"
        f" days from their first decision in the experiment ({guard_days(experiment):g} for opt-outs and"
        " dismissals), when these are over. Intervals and p-values hold however often this page is looked at."
        "</footer></main></body></html>"
    )


def _users(experiment: Experiment, found: Analysis) -> str:
    tiles = [
        tile(f"{users:,}", name, f"{whole:,} with their days over")
        for name, users, whole in zip(found.arms, found.users, found.whole, strict=True)
    ]
    ratio = "as the weights ask" if found.mismatch > MISMATCH else "not as the weights ask"
    tiles.append(tile(f"{found.mismatch:.2g}", "p of the arms' sizes", ratio))
    if found.crossed:
        tiles.append(tile(f"{found.crossed:,}", "users seen in two arms", "since weights changed"))
    return f'<h2>Users</h2><div class="tiles">{"".join(tiles)}</div>'


def _metrics(experiment: Experiment, found: Analysis) -> str:
    rows = []
    for one in found.readings:
        role = "decides" if one.metric is experiment.metric else ""
        role = role or ("guardrail" if one.metric in experiment.guardrails else "")
        now = one.now
        ends = [number(now.low), number(now.high)] if abs(now.low) != float("inf") else ["–", "–"]
        name = one.metric.value.replace("_", "-")
        figures = [number(one.control), number(one.treatment), f"{now.value:+.4f}", *ends]
        rows.append([one.arm, name, role, *figures, f"{one.p:.2g}", f"{one.explained:.0%}"])
    titles = ("arm", "metric", "", "control", "arm's", "difference", "from", "to", "p", "noise taken away")
    return (
        f'<h2>What users did</h2><p class="soft">A user. Intervals of {1 - ALPHA:.0%} over all looks'
        " together; noise is taken away by what users bought and looked at before (CUPED).</p>"
        + f'<div class="card">{table(titles, rows, texts=3)}</div>'
    )


def _paths(experiment: Experiment, found: Analysis) -> str:
    cards = []
    for one in found.readings:
        if one.metric is experiment.metric or one.metric in HARMS:
            plot = _path(one)
            if plot:
                title = f"{one.arm}: {one.metric.value.replace('_', '-')} more than the control"
                cards.append(card(title, plot))
    if not cards:
        return ""
    return (
        '<h2>How the difference moved</h2><p class="soft">Once the band has left the dashed line, it is'
        " decided.</p>"
        f'<div class="plots">{"".join(cards)}</div>'
    )


def _path(one: Reading) -> str:
    told = [look for look in one.looks if abs(look.difference.low) != float("inf")]
    if len(told) < 2:
        return ""
    first = one.looks[0].at_ms
    return plots.band(
        [
            ((look.at_ms - first) / DAY_MS, look.difference.value, look.difference.low, look.difference.high)
            for look in told
        ],
        "days",
        f"{one.arm}, {one.metric.value}",
    )
