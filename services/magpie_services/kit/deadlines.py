"""How long an outgoing call may take: never longer than the caller of this one still waits."""

import time

from magpie_services.kit import context
from magpie_services.kit.errors import DeadlineExceeded

#: What a hop costs: kept back so that this service can still answer after its dependency timed out.
MARGIN_SECONDS = 0.005
#: Below this a call cannot succeed; it would only add load.
WORTHWHILE_SECONDS = 0.002


def remaining(default_seconds: float) -> float:
    """The `timeout=` for an outgoing call, in seconds.

    The smaller of `default_seconds` and what is left of the caller's deadline less the margin.
    Raises DeadlineExceeded when less than 2 ms would be left.
    """
    deadline = context.deadline.get()
    if deadline is None:
        return default_seconds
    left = deadline - time.monotonic() - MARGIN_SECONDS
    if left < WORTHWHILE_SECONDS:
        raise DeadlineExceeded
    return min(default_seconds, left)
