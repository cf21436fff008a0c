"""Waits until the lake has taken in everything that was acknowledged."""

import asyncio
import re
import urllib.request

from magpie_cli.failures import CommandFailed

ROWS = re.compile(r"^magpie_lake_rows_total\{[^}]*\} (\S+)$", re.MULTILINE)
POLL_SECONDS = 0.7
QUIET_POLLS = 5  # longer than the writer lets a batch wait
LONGEST_SECONDS = 180.0


async def caught_up(metrics_url: str) -> int:
    """Returns the rows written when the writer has had nothing to write for a while.

    Raises CommandFailed where it never comes to rest.
    """
    rows, quiet = -1.0, 0
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while quiet < QUIET_POLLS:
                await asyncio.sleep(POLL_SECONDS)
                now = await asyncio.to_thread(_rows, metrics_url)
                quiet = quiet + 1 if now == rows else 0
                rows = now
    except TimeoutError:
        raise CommandFailed("the lake does not catch up; see lake.log in the state folder") from None
    return int(rows)


def _rows(url: str) -> float:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (an address of our own)
            return sum(float(value) for value in ROWS.findall(answer.read().decode()))
    except OSError:  # being restarted
        return -1.0
