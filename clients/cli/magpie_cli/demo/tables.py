"""The demo's results as tables and as JSON."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from magpie.v1 import feedback_service_pb2
from magpie_cli.demo.hits import mean_rates
from magpie_cli.demo.marketplace import Explained, Round
from magpie_cli.demo.replay import POLICIES, WeekResult
from magpie_cli.training import state_name

TOP_REASONS = 3
SHOWN_REASONS = 4
RIVALS = ("none", "random", "popular", "random, same volume", "popular, same volume")


def weeks_table(weeks: Sequence[WeekResult], *, new: bool = False) -> Table:
    """Hit rates by week and policy in percent; with `new` those of items new to the customer."""
    table = Table(
        title="pushed items bought within seven days, %" + (", new to the customer only" if new else ""),
        box=box.SIMPLE_HEAD,
    )
    for title in ("week", "pushes", "buyers", "model", *POLICIES):
        table.add_column(title, justify="right", no_wrap=True)
    for week in weeks:
        scores = [week.scores[name] for name in POLICIES]
        table.add_row(
            _date(week.start_ms),
            str(scores[0].users),
            str(week.customers),
            f"v{week.version}",
            *(_percent(score.new_rate if new else score.rate) for score in scores),
        )
    table.add_section()
    means = [mean_rates([week.scores[name] for week in weeks])[new] for name in POLICIES]
    table.add_row("mean", "", "", "", *map(_percent, means))
    return table


def weeks_json(weeks: Sequence[WeekResult]) -> dict[str, Any]:
    """The same as one object, rates as shares."""
    return {
        "weeks": [
            {
                "week": _date(week.start_ms),
                "pushes": week.scores[POLICIES[0]].users,
                "buyers": week.customers,
                "model_version": week.version,
                "unanswered": dict(week.unanswered),
                "hits": {name: week.scores[name].hits for name in POLICIES},
                "new_hits": {name: week.scores[name].new_hits for name in POLICIES},
                "rates": {name: round(week.scores[name].rate, 6) for name in POLICIES},
                "new_rates": {name: round(week.scores[name].new_rate, 6) for name in POLICIES},
            }
            for week in weeks
        ],
        "means": {
            name: dict(
                zip(("rate", "new_rate"), mean_rates([week.scores[name] for week in weeks]), strict=True)
            )
            for name in POLICIES
        },
    }


def rounds_table(rounds: Sequence[Round]) -> Table:
    """One column a round."""
    table = Table(title="the marketplace by round")
    table.add_column("")
    for past in rounds:
        table.add_column(f"round {past.number}", justify="right")
    figures = [(past, past.report["decisions"], past.report["world"]) for past in rounds]

    def row(title: str, values: Iterable[object]) -> None:
        table.add_row(title, *(str(value) for value in values))

    row("model version", (f"v{past.version}" if past.version else "none" for past in rounds))
    row("users decided", (decided.get("decided", 0) for _, decided, _ in figures))
    row("sent", (decided.get("sent", 0) + decided.get("queued", 0) for _, decided, _ in figures))
    row("not sent", (not_sent(past) for past in rounds))
    row("  because", (_reasons(past) for past in rounds))
    for name in ("opened", "clicked", "bought", "dismissed", "opted_out"):
        row(name.replace("_", " "), (world[name] for _, _, world in figures))
    table.add_section()
    row("reward: magpie", (f"{world['reward']:.1f}" for _, _, world in figures))
    for rival in RIVALS:
        if all(rival in past.report["forks"] for past in rounds):
            row(f"reward: {rival}", (f"{past.report['forks'][rival]['reward']:.1f}" for past in rounds))
    table.add_section()
    row("retraining after it", (_training(past) for past in rounds))
    if rounds:
        table.caption = f"reward {rounds[0].report['reward_formula']}"
    return table


def words_table(words: Sequence[feedback_service_pb2.MetricRow]) -> Table:
    """What came of pushes by the reason that their words gave."""
    table = Table(title="words: the reasons given", box=box.SIMPLE_HEAD)
    table.add_column("reason")
    for title in ("sent", "share", "opened", "clicked"):
        table.add_column(title, justify="right")
    total = sum(row.sent_count for row in words)
    for row in words:
        shares = (
            row.sent_count / total,
            row.opened_count / row.sent_count,
            row.clicked_count / row.sent_count,
        )
        table.add_row(row.group.replace("_", " "), str(row.sent_count), *(f"{share:.1%}" for share in shares))
    return table


def push_panel(one: Explained) -> Panel:
    """A push as its user saw it, and in short why: `magpie explain` has the rest."""
    lines = [one.sample["body"], "", one.summary, *(f"· {reason}" for reason in one.why[:SHOWN_REASONS])]
    lines += [f"· {change}" for change in one.counterfactuals[:1]]
    title = f"{one.sample['title']} → {one.sample['user_id']} ({one.sample['outcome']})"
    return Panel(Text("\n".join(lines)), title=Text(title), title_align="left")


def rounds_json(
    rounds: Sequence[Round],
    words: Sequence[feedback_service_pb2.MetricRow],
    explained: Sequence[Explained],
) -> dict[str, Any]:
    """The same as one object, with the explanations."""
    return {
        "rounds": [
            {
                "round": past.number,
                "model_version": past.version,
                "retraining": _training(past),
                "report": past.report,
            }
            for past in rounds
        ],
        "words": {
            row.group: {"sent": row.sent_count, "opened": row.opened_count, "clicked": row.clicked_count}
            for row in words
        },
        "explanations": [
            {
                "push": one.sample,
                "summary": one.summary,
                "why": one.why,
                "counterfactuals": one.counterfactuals,
            }
            for one in explained
        ],
    }


def not_sent(past: Round) -> int:
    """Decisions of a round that sent nothing."""
    decided = past.report["decisions"]
    return int(decided.get("decided", 0) - decided.get("sent", 0) - decided.get("queued", 0))


def _reasons(past: Round) -> str:
    return "\n".join(f"{entry['reason']} {entry['count']}" for entry in past.report["reasons"][:TOP_REASONS])


def _training(past: Round) -> str:
    if past.run is None:
        return ""
    state = state_name(past.run)
    return f"{state} v{past.run.version}" if state == "released" else f"{state}: {past.run.reason}"


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"
