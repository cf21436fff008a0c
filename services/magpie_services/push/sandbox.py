"""Background work in a sandbox: it sees, and hands on, the latest time that a request brought."""

from magpie_services.kit import context
from magpie_services.kit.clock import Clock, RequestClock


def follow(clock: Clock) -> None:
    """Sets the time of the current task to the sandbox's latest; call it before each round of work.

    It changes nothing outside a sandbox, and before a request brought a time: the wall's would run ahead.
    """
    if isinstance(clock, RequestClock) and clock.latest_ms is not None:
        context.request_time_ms.set(clock.latest_ms)
