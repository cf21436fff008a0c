"""Compares a policy with the log, in a process of its own."""

import asyncio

from magpie_services.push import child, replay_process
from magpie_services.push.history import History
from magpie_services.push.policy import Policy
from magpie_services.push.replay import Comparison, Span


class Replayer:
    """`folder` is the lake's, "" where only the streams can be read."""

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
            return await child.run(replay_process.__name__, job, Comparison)
