"""One run as one HTML page: what was learnt from, how, how well, and what the gate said of it."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from magpie_services.kit.pages import plots
from magpie_services.kit.pages.elements import card, listed, moment, number, table, tile
from magpie_services.kit.pages.style import CSS
from magpie_services.training.plan import Plan
from magpie_services.training.progress import Point
from magpie_services.training.report.findings import Findings, Head
from magpie_services.training.report.plots import calibration
from magpie_services.training.results import Outcome, Report

_STAGES = {
    "retriever": "Retriever, without the newest week",
    "ranker": "Ranker, without the newest week",
    "retriever_all": "Retriever, going on over all data",
    "ranker_all": "Ranker, over all data",
}
_HIGHER_IS_BETTER = {"ndcg_at_10": True, "recall_at_100": True, "logloss": False, "purchase_logloss": False}
_NAMES = {
    "ndcg_at_10": "NDCG@10",
    "recall_at_100": "Recall@100",
    "purchase_logloss": "Log loss of purchases",
    "purchase_auc": "AUC of purchases",
    "click_auc": "AUC of clicks",
    "logloss": "log loss",
}
_SIZES = ("users", "items", "interactions", "arms", "sent_arms")


def render(
    plan: Plan, report: Report, outcome: Outcome, curves: Mapping[str, Sequence[Point]], findings: Findings
) -> str:
    """The page, whole: no other file, script or address is needed to read it."""
    body = "".join(
        (
            _head(plan, outcome),
            _tiles(outcome),
            _privacy(report),
            _learnt(report),
            _curves(curves),
            _against(outcome),
            _calibration(findings),
            _slices(findings),
            _cost(report, curves),
            _settings(plan),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Training report of {escape(plan.run_id)}</title><style>{CSS}</style></head>"
        f"<body><main>{body}<footer>TensorFlow {escape(report.tensorflow)}, seed {plan.seed}."
        " Figures are from the newest week, which the examined models did not learn from.</footer>"
        "</main></body></html>"
    )


def _head(plan: Plan, outcome: Outcome) -> str:
    word, kind = ("passed the gate", "passed") if outcome.passed else ("refused by the gate", "refused")
    whom = f"release {outcome.champion}" if outcome.champion else "popular items: there was no release before"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in outcome.reasons)
    return (
        f'<header><h1>Training report</h1><span class="verdict {kind}">{word}</span></header>'
        f'<p class="soft">Run {escape(plan.run_id)}, compared with {whom}.</p>'
        + (f'<ul class="reasons">{reasons}</ul>' if reasons else "")
    )


def _tiles(outcome: Outcome) -> str:
    parts = []
    for name in ("ndcg_at_10", "recall_at_100", "purchase_logloss"):
        if name not in outcome.metrics:
            continue
        value, before = outcome.metrics[name], outcome.metrics.get(f"champion_{name}")
        popular = outcome.metrics.get(f"popular_{name}")
        than = ""
        if before:
            than = f"{_change(value, before, _HIGHER_IS_BETTER[name])} against the champion's {before:.4f}"
        elif popular:
            than = f"popular items: {popular:.4f}"
        parts.append(tile(f"{value:.4f}", _NAMES[name], than))
    return f'<div class="tiles">{"".join(parts)}</div>' if parts else ""


def _change(value: float, before: float, higher_is_better: bool) -> str:
    share = value / before - 1
    kind = "up" if (share >= 0) == higher_is_better else "down"
    return f'<span class="{kind}">{share:+.1%}</span>'


def _learnt(report: Report) -> str:
    days = (report.end_ms - report.start_ms) / 86_400_000
    tiles = [
        tile(f"{report.metrics[name]:,.0f}", name.replace("_", " "))
        for name in _SIZES
        if name in report.metrics
    ]
    unknown = report.metrics.get("unknown_outcomes", 0)
    said = f"{moment(report.start_ms)} to {moment(report.end_ms)} UTC, {days:.0f} days."
    if unknown:
        said += f" {unknown:,.0f} outcomes of kinds that this release does not know are left out."
    return f'<h2>What it learnt from</h2><p class="soft">{said}</p><div class="tiles">{"".join(tiles)}</div>'


def _curves(curves: Mapping[str, Sequence[Point]]) -> str:
    cards = []
    for stage, points in curves.items():
        title = _STAGES.get(stage, stage)
        losses = [(float(point.step), point.loss) for point in points if point.loss is not None]
        if losses:
            cards.append(card(f"{title}: loss", plots.lines([("loss", losses)], "epoch")))
        scores = [(float(point.step), point.metric) for point in points if point.metric is not None]
        if scores:
            measure = points[0].measure
            pick = max if _HIGHER_IS_BETTER.get(measure, True) else min
            best = pick(scores, key=lambda point: point[1])
            plot = plots.lines([(measure, scores)], "epoch", best)
            cards.append(card(f"{title}: {_NAMES.get(measure, measure)} of held-out users", plot))
    if not cards:
        return ""
    return f'<h2>How it learnt</h2><div class="plots">{"".join(cards)}</div>'


def _against(outcome: Outcome) -> str:
    metrics, rows = outcome.metrics, []
    for name in sorted(metrics):
        if name.startswith(("champion_", "popular_", "band_", "release_")):
            continue
        columns = [metrics.get(f"{prefix}{name}") for prefix in ("champion_", "popular_", "band_")]
        rows.append([_NAMES.get(name, name.replace("_", " ")), *map(number, [metrics[name], *columns])])
    if not rows:
        return ""
    return (
        "<h2>Against what serves, and against what is popular</h2>"
        '<p class="soft">Within the noise band (90 %, by users) two models count as equal.</p>'
        + table(("measure", "this model", "champion", "popular items", "noise band"), rows)
    )


def _calibration(findings: Findings) -> str:
    cards = []
    for head in findings.heads:
        if head.bins and head.positives:
            content = calibration(head.bins, f"calibration of {head.head}")
            cards.append(card(_calibrated(head), content))
    if not cards:
        return ""
    return (
        "<h2>Do probabilities hold?</h2>"
        '<p class="soft">Each point is a tenth of the rows: what was predicted for them, and the share'
        " where it happened, with a 90 % interval. On the dashed line both are equal.</p>"
        f'<div class="plots">{"".join(cards)}</div>'
    )


def _calibrated(head: Head) -> str:
    said = f"{head.error:.1%} off, of the base rate" if head.error is not None else "too few to judge"
    return f"{head.head.replace('_', ' ').capitalize()}: {said} ({head.positives:,} of {head.rows:,})"


def _slices(findings: Findings) -> str:
    parts = []
    if any(reader.users for reader in findings.readers):
        parts.append("<h3>Retrieval</h3>" + _readers(findings))
    if findings.slices:
        parts.append("<h3>Ranking</h3>" + _ranked(findings))
    if not parts:
        return ""
    cards = "".join(f'<div class="card scroll">{part}</div>' for part in parts)
    return f"<h2>For whom does it work?</h2>{cards}"


def _readers(findings: Findings) -> str:
    rows = [
        [
            f"{reader.name} interactions",
            f"{reader.users:,}",
            *map(number, (reader.ndcg, reader.recall, reader.popular)),
        ]
        for reader in findings.readers
    ]
    return table(("users with", "users", "NDCG@10", "Recall@100", "NDCG@10 of popular items"), rows)


def _ranked(findings: Findings) -> str:
    rows, fresh, before = [], [], ""
    for one in findings.slices:
        fresh.append(bool(before) and one.head != before)
        rows.append(
            [
                one.head.replace("_", " ") if one.head != before else "",
                one.name if one.by == "arm" else f"history: {one.name}",
                f"{one.rows:,}",
                f"{one.positives:,}",
                f"{one.observed:.3%}",
                f"{one.predicted:.3%}",
                f"{one.predicted / one.observed - 1:+.1%}" if one.observed else "–",
                number(one.logloss),
                number(one.auc),
            ]
        )
        before = one.head
    titles = ["head", "slice", "rows", "positives", "happened", "predicted", "apart", "log loss", "AUC"]
    return table(titles, rows, texts=2, fresh=fresh)


def _cost(report: Report, curves: Mapping[str, Sequence[Point]]) -> str:
    told = [
        (words, f"{report.metrics[name]:,.0f} {unit}")
        for name, words, unit in (
            ("fit_seconds", "from the lake to the models", "s"),
            ("fit_peak_mb", "most memory at once", "MB"),
        )
        if name in report.metrics
    ]
    told += [
        (_STAGES.get(stage, stage), f"{points[-1].step} epochs") for stage, points in curves.items() if points
    ]
    return f'<h2>What it cost</h2><div class="card">{listed(told)}</div>' if told else ""


def _privacy(report: Report) -> str:
    told = [
        (name.removeprefix("privacy_").replace("_", " "), f"{value:.6g}")
        for name, value in sorted(report.metrics.items())
        if name.startswith("privacy_")
    ]
    if not told:
        return ""
    return (
        "<h2>Privacy of the people it learnt from</h2>"
        '<p class="soft">The ranker was trained with differential privacy; the unit is a user.</p>'
        '<p class="soft"><b>The figures of the exam are not private</b>, nor are the retriever and the'
        " curves: they were counted from the log without noise. Keep this page as you keep the log.</p>"
        f'<div class="card">{listed(told)}</div>'
    )


def _settings(plan: Plan) -> str:
    cards = []
    for name in ("retriever", "ranker"):
        part = getattr(plan, name)
        told = [(field, value, value != usual) for field, value, usual in _fields(part)]
        entries = "".join(
            f"<dt>{escape(field.replace('_', ' '))}</dt>"
            f"<dd{' class=own' if own else ''}>{escape(_words(value))}</dd>"
            for field, value, own in told
        )
        cards.append(card(name.capitalize(), f"<dl>{entries}</dl>"))
    return (
        '<h2>Settings</h2><p class="soft">Those that are not the usual ones are bold.</p>'
        f'<div class="plots">{"".join(cards)}</div>'
    )


def _fields(part: msgspec.Struct) -> Iterator[tuple[str, Any, Any]]:
    usual = type(part)()
    for field in msgspec.structs.fields(part):
        yield field.name, getattr(part, field.name), getattr(usual, field.name)


def _words(value: Any) -> str:
    if isinstance(value, msgspec.Struct):
        return ", ".join(f"{name} {_words(found)}" for name, found, _ in _fields(value))
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
