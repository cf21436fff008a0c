"""Output shared by commands: JSON on stdout, a progress line on stderr."""

import json
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

WIDTH = 120


def print_json(value: Any) -> None:
    """One JSON value in one line, text as it is."""
    print(json.dumps(value, ensure_ascii=False))


def wide_console() -> Console:
    """A console on stdout that does not squeeze tables where nobody watches."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def progress_bar(as_json: bool) -> Progress:
    """A bar on a terminal's stderr; nothing elsewhere. Tasks need the field `detail`."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=console,
        disable=as_json or not console.is_terminal,
        transient=True,
    )


def when(moment: Timestamp) -> str:
    """A time to the minute in UTC; empty for none."""
    return f"{moment.ToDatetime():%Y-%m-%d %H:%M}" if moment.seconds else ""
