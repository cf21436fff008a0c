"""What a call brings along and hands on: its id, its deadline, and in a sandbox its time.

Each call runs in a task of its own, so a value set for one call is never seen by another.
"""

from contextvars import ContextVar

REQUEST_ID_HEADER = "magpie-request-id"
NOW_HEADER = "magpie-now"

#: Ties together the log lines of one call chain.
#: Not the `request_id` field of messages, which makes a write idempotent.
request_id: ContextVar[str] = ContextVar("request_id", default="")

#: When the caller stops waiting, in seconds of `time.monotonic()`; None outside a call.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

#: The time the caller set by `magpie-now`, in ms since the epoch; None when the clock on the wall holds.
request_time_ms: ContextVar[int | None] = ContextVar("request_time_ms", default=None)
