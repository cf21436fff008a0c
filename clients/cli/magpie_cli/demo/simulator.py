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
    try:
        async with asyncio.TaskGroup() as group:
            report = group.create_task(_follow(process.stdout, told))
            complaint = group.create_task(_last_line(process.stderr))
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise CommandFailed(
            f"the marketplace ended with exit code {code}: {complaint.result() or 'no reason'}"
        )
    return report.result()


async def _follow(stream: asyncio.StreamReader | None, told: Told) -> dict[str, Any]:
    report: dict[str, Any] = {}
    while stream and (line := await stream.readline()):
        message: Mapping[str, Any] = json.loads(line)
        if "progress" in message:
            told(float(message["progress"]), str(message.get("activity", "")))
        report = dict(message.get("report", report))
    return report


async def _last_line(stream: asyncio.StreamReader | None) -> str:
    last = ""
    while stream and (line := await stream.readline()):
        last = line.decode(errors="replace").strip() or last
    return last
