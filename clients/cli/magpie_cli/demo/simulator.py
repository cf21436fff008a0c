"""The marketplace's process: started with arguments, followed by its JSON lines, never imported."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from magpie_cli.failures import CommandFailed

LINE_BYTES = 8 << 20  # a report comes in one line
Told = Callable[[float, str], None]


async def simulate(
    *arguments: str, secret: str = "", told: Told = lambda share, what: None
) -> dict[str, Any]:
    """Runs `python -m magpie_simulator …`; gives its report, {} where the command makes none.

    Raises CommandFailed with the simulator's last words where it ends badly; cancelling stops it.
    """
    environment = {**os.environ, "MAGPIE_SIMULATOR_WEBHOOK_SECRET": secret, "OPENBLAS_NUM_THREADS": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "magpie_cli.child", str(os.getpid())),
        *(sys.executable, "-m", "magpie_simulator", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        limit=LINE_BYTES,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stderr is not None  # noqa: S101 (asked for above)
    try:
        report, complaint, code = await asyncio.gather(
            _follow(process.stdout, told), _last_line(process.stderr), process.wait()
        )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise CommandFailed(f"the marketplace ended with exit code {code}: {complaint or 'it said nothing'}")
    return report


async def _follow(stream: asyncio.StreamReader, told: Told) -> dict[str, Any]:
    report: dict[str, Any] = {}
    async for line in stream:
        message: Mapping[str, Any] = json.loads(line)
        if "progress" in message:
            told(float(message["progress"]), str(message.get("activity", "")))
        report = dict(message.get("report", report))
    return report


async def _last_line(stream: asyncio.StreamReader) -> str:
    last = ""
    async for line in stream:
        last = line.decode(errors="replace").strip() or last
    return last
