import asyncio

from tests.fakes import FixedClock

from magpie_services.kit import context
from magpie_services.kit.clock import RequestClock, SystemClock, clock_for


def test_the_fallback_holds_until_a_request_brings_a_time() -> None:
    assert RequestClock(FixedClock(7)).now_ms() == 7


async def test_inside_a_request_the_time_is_the_one_it_brought() -> None:
    clock = RequestClock(FixedClock(7))

    async def request(now_ms: int) -> int:
        context.request_time_ms.set(now_ms)
        clock.observe(now_ms)
        await asyncio.sleep(0)
        return clock.now_ms()

    seen = await asyncio.gather(*(asyncio.create_task(request(ms)) for ms in (300, 100, 200)))
    assert seen == [300, 100, 200]
    assert clock.now_ms() == 300  # a loop sees the latest


def test_only_a_sandbox_lets_requests_set_the_time() -> None:
    assert isinstance(clock_for(sandbox=True), RequestClock)
    assert isinstance(clock_for(sandbox=False), SystemClock)
