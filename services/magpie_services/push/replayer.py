"""Compares a policy with the log, in a process of its own."""

import asyncio
import sys

import structlog

from magpie_services.core import codec
from magpie_services.kit.errors import Unavailable
from magpie_services.push import replay_process
from magpie_services.push.history import History
from magpie_services.push.policy import Policy
from magpie_services.push.replay import Comparison, Span

log = structlog.get_logger()


class Replayer:
    """Compares a policy with the log. `folder` is the lake's, "" where only the streams can be read."""

    def __init__(self, history: History, folder: str) -> None:
        self._history, self._folder = history, folder
        self._one = asyncio.Semaphore(1)

    async def compare(self, span: Span, policy: Policy) -> Comparison:
        """One at a time. Raises Unavailable when the store is gone or the process does not finish."""
        async with self._one:
            job = replay_process.Job(
                span=span,
                policy=policy,
                recent=await self._history.decisions(span),
                outcomes=await self._history.outcomes(),
                folder=self._folder,
            )
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", replay_process.__name__),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                answer, _ = await process.communicate(codec.encode(job))
            finally:
                if process.returncode is None:  # the caller has hung up
                    process.kill()
                    await process.wait()
            if process.returncode:
                log.error("replay.failed", code=process.returncode)
                raise Unavailable("the replay did not finish: fewer decisions may")
            return codec.decode(Comparison, answer)
