"""Copies that are kept fresh: one refresh for many calls, and never longer than a call may take."""

import asyncio
import time

import pytest

from magpie_services.kit import context
from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import DeadlineExceeded, Unavailable
from magpie_services.kit.refreshing import Refresher


class Copy:
    def __init__(self, seconds: float = 0.0, failures: int = 0) -> None:
        self.refreshed, self._seconds, self._failures = 0, seconds, failures

    async def refresh(self) -> None:
        await asyncio.sleep(self._seconds)
        remaining(1.0)  # as the calls do that fetch a copy
        self.refreshed += 1
        if self.refreshed <= self._failures:
            raise Unavailable("not yet")


async def test_calls_that_find_it_stale_together_share_a_refresh() -> None:
    copy = Copy(seconds=0.02)
    refresher = Refresher("copy", copy.refresh, poll_seconds=1)
    await asyncio.gather(*(refresher.soon() for _ in range(10)))
    assert copy.refreshed == 2, "the one under way when most of them came may have looked too early"


async def test_a_call_waits_no_longer_than_it_may_and_the_refresh_goes_on() -> None:
    copy = Copy(seconds=0.1)
    refresher = Refresher("copy", copy.refresh, poll_seconds=1)
    context.deadline.set(time.monotonic() + 0.03)
    with pytest.raises(DeadlineExceeded):
        await refresher.soon()
    await asyncio.sleep(0.15)
    assert copy.refreshed == 1


async def test_polling_survives_failures() -> None:
    copy = Copy(failures=2)
    polling = asyncio.create_task(Refresher("copy", copy.refresh, poll_seconds=0.01).run())
    await asyncio.sleep(0.2)
    polling.cancel()
    assert copy.refreshed > 3


async def test_a_failure_reaches_the_call_that_asked() -> None:
    with pytest.raises(Unavailable):
        await Refresher("copy", Copy(failures=1).refresh, poll_seconds=1).soon()
