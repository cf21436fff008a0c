"""The frequency cap: reserve, commit, release. Never over the cap, whoever decides at the same time.

A slot is held under a lease (by the wall's clock), so that a crash frees it; once committed it counts for the
longest window. A decision id holds one slot however often it asks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from magpie_services.kit.redis import Redis, Script, store_errors, user_key

FUNCTIONS = Path(__file__).with_name("caps.lua").read_text("utf-8")

_RESERVE = Script(
    FUNCTIONS
    + """
local caps = {}
for i = 5, #ARGV do caps[#caps + 1] = ARGV[i] end
return cap_reserve(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), caps)
"""
)
_COMMIT = Script(
    FUNCTIONS + "cap_commit(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])) return 1"
)
_RELEASE = Script(FUNCTIONS + "cap_release(KEYS[2], ARGV[1]) return 1")
_USAGE = Script(
    FUNCTIONS
    + """
local windows = {}
for i = 2, #ARGV do windows[#windows + 1] = ARGV[i] end
return cap_usage(KEYS[1], tonumber(ARGV[1]), windows)
"""
)


class Reservation(NamedTuple):
    """Whether the slot is held; if not, how many pushes fill which window (index into the caps)."""

    granted: bool
    filled: int = 0
    window: int = -1


class Usage(NamedTuple):
    """Pushes sent in the window of each cap, and when the last went out (0: none is remembered)."""

    counts: tuple[int, ...]
    last_sent_ms: int


class Caps:
    """Caps of all users. `caps` pairs a window in ms with the most pushes in it."""

    def __init__(self, redis: Redis, caps: Sequence[tuple[int, int]], *, lease_seconds: float) -> None:
        self._redis = redis
        self.caps = tuple(caps)
        self.lease_ms = int(lease_seconds * 1000)
        #: How long a sent push must be remembered.
        self.keep_ms = max((window for window, _ in caps), default=1)

    async def usage(self, user_ids: Sequence[str], now_ms: int) -> list[Usage]:
        """What each user was sent. To decide early; only `reserve` makes sure. Raises Unavailable."""
        args = [now_ms, *(window for window, _ in self.caps)]
        with store_errors():
            answers = await _USAGE.many(self._redis, [(keys(user_id)[:1], args) for user_id in user_ids])
        return [Usage(tuple(counts), int(float(last))) for last, *counts in answers]

    async def reserve(self, user_id: str, decision_id: str, now_ms: int, wall_ms: int) -> Reservation:
        """Holds a slot until `wall_ms` + lease. Asking again renews the lease. Raises Unavailable."""
        flat = [figure for cap in self.caps for figure in cap]
        with store_errors():
            answer = await _RESERVE(
                self._redis, keys=keys(user_id), args=[decision_id, now_ms, wall_ms, self.lease_ms, *flat]
            )
        return reservation(answer)

    async def commit(self, user_id: str, decision_id: str, sent_ms: int) -> None:
        """The push went out at `sent_ms`. Counts even when the lease has run out. Raises Unavailable."""
        with store_errors():
            await _COMMIT(self._redis, keys=keys(user_id), args=[decision_id, sent_ms, self.keep_ms])

    async def release(self, user_id: str, decision_id: str) -> None:
        """The push did not go out: the slot is free. Raises Unavailable."""
        with store_errors():
            await _RELEASE(self._redis, keys=keys(user_id), args=[decision_id])


def keys(user_id: str) -> list[str]:
    """The two keys of a user: sent and held."""
    return [user_key("cap_sent", user_id), user_key("cap_held", user_id)]


def reservation(answer: list[int]) -> Reservation:
    """A script's answer in words."""
    granted, filled, window = (int(figure) for figure in answer)
    return Reservation(bool(granted), filled, window - 1)
