"""A push as a phone shows it, drawn in characters, wrapped by display columns."""

import re
import unicodedata
from datetime import datetime

from rich import box
from rich.align import Align
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

CARD_COLUMNS = 44
LETTER_COLUMNS = 72
BODY_LINES = 6
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CLOSING = "，。！？、；：）」』》】”’…％%,.!?;:)"
_OPENING = "（「『《【“‘("
_WIDE = "\u2e80-\U0010ffff"
# A run of Latin, or one wide character with what is joined to it; marks stay with what they belong to.
_CHUNK = re.compile(
    rf"\s+|[{_OPENING}]*(?:[^\s{_WIDE}{_OPENING}]+|.(?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.)*)[{_CLOSING}]*"
)


def phone(title: str, body: str, app: str, moment: datetime) -> RenderableType:
    """A locked phone with one card on it."""
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(Text(f"◆ {app}", style="dim"), Text("now", style="dim"))
    lines = [Text(line, style="bold") for line in wrapped(visible(title), CARD_COLUMNS)]
    shown = wrapped(visible(body), CARD_COLUMNS)
    if len(shown) > BODY_LINES:
        shown = [*shown[: BODY_LINES - 1], f"{_fitting(shown[BODY_LINES - 1], CARD_COLUMNS - 1)}…"]
    card = Panel(Group(head, *lines, *map(Text, shown)), box=box.ROUNDED, width=CARD_COLUMNS + 4)
    clock = Align.center(Text(f"{moment:%H:%M}", style="bold"))
    day = Align.center(Text(f"{moment:%A, %-d %B}", style="dim"))
    bar = Align.center(Text("▁▁▁▁▁▁▁▁", style="dim"))
    return Panel(Group(Text(), clock, day, Text(), card, Text(), bar), box=box.HEAVY, width=CARD_COLUMNS + 8)


def letter(title: str, body: str, app: str) -> RenderableType:
    """A line of an inbox, opened: who wrote, the subject, the text."""
    subject = [Text(line, style="bold") for line in wrapped(visible(title), LETTER_COLUMNS)]
    text = map(Text, wrapped(visible(body), LETTER_COLUMNS))
    sender = Text(f"✉ {app}", style="dim")
    return Panel(Group(sender, *subject, Text(), *text), box=box.ROUNDED, width=LETTER_COLUMNS + 4)


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns. Breaks at spaces and between East Asian characters, but leaves no
    closing mark at the start of a line; a word longer than a line is cut.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for chunk in _CHUNK.findall(paragraph):
            if cell_len(line + chunk.rstrip()) > columns:
                lines.append(line.rstrip())
                line = ""
            if line or not chunk.isspace():
                line += chunk
            while cell_len(line.rstrip()) > columns:
                head = _fitting(line, columns)
                lines.append(head)
                line = line[len(head) :]
        lines.append(line.rstrip())
    return [line for line in lines if line]


def visible(text: str) -> str:
    """The text with what a terminal would obey (control characters, changes of direction) shown as a mark."""
    return "".join("\N{REPLACEMENT CHARACTER}" if char != "\n" and _obeyed(char) else char for char in text)


def _obeyed(char: str) -> bool:
    return unicodedata.category(char) == "Cc" or char in _DIRECTIONS


def _fitting(line: str, columns: int) -> str:
    end = len(line)
    while cell_len(line[:end]) > columns:
        end -= 1
    return line[: max(end, 1)]
