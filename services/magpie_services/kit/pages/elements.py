"""The pieces that the page is made of: tiles, cards, lists, tables; every text is escaped."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape


def tile(value: str, name: str, more: str = "") -> str:
    """A figure with its name; `more` is markup."""
    small = f"<small>{more}</small>" if more else ""
    return f'<div class="card tile"><span>{escape(name)}</span><b>{value}</b>{small}</div>'


def card(title: str, content: str) -> str:
    """Markup under a title."""
    return f'<div class="card"><h3>{escape(title)}</h3>{content}</div>'


def listed(told: Sequence[tuple[str, str]]) -> str:
    """Names and values."""
    return f"<dl>{''.join(f'<dt>{escape(k)}</dt><dd>{escape(v)}</dd>' for k, v in told)}</dl>"


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1, fresh: Sequence[bool] = ()
) -> str:
    """The first `texts` columns are words; `fresh` rows begin a part."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if place >= texts else ''}>{escape(cell)}</{tag}>"
            for place, cell in enumerate(row)
        )

    marks = [*fresh, *[False] * (len(rows) - len(fresh))]
    body = "".join(
        f"<tr{' class=part' if mark else ''}>{cells('td', row)}</tr>"
        for row, mark in zip(rows, marks, strict=True)
    )
    return (
        f'<div class="scroll"><table><thead><tr>{cells("th", titles)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def number(value: float | None) -> str:
    """Four digits after the point; a dash for none."""
    return "–" if value is None else f"{value:.4f}"


def moment(at_ms: int) -> str:
    """To the minute, in UTC."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
