"""Reads the ledger back: decisions and outcomes that are still in their streams."""

from collections.abc import AsyncIterator
from typing import Any

from magpie_services.core import codec
from magpie_services.core.decisions import Decision
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.kit.redis import Redis, partitions, store_errors, stream_key
from magpie_services.push.replay import Span, weighed

_PAGE = 500


class History:
    """What the lake has not trimmed yet: older decisions are in its tables."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def decisions(self, span: Span) -> list[bytes]:
        """The newest decisions of a span, as many from each partition, the last word on each.

        As `core.codec` writes them, and as far as they are weighed: as objects they would take ten times the
        memory. Raises Unavailable.
        """
        share = -(-span.limit // len(partitions()))
        found: list[bytes] = []
        for part in partitions():
            full, known = len(found) + share, set[str]()
            async for blob in self._backwards(stream_key("decisions", part)):
                decision = codec.decode(Decision, blob)
                new = decision.decision_id not in known
                if new and span.start_ms <= decision.decided_ms < (span.end_ms or 1 << 62):
                    known.add(decision.decision_id)
                    found.append(codec.encode(weighed(decision)))
                if len(found) >= full:
                    break
        return found[: span.limit]

    async def outcomes(self) -> dict[str, set[OutcomeKind]]:
        """What has come of decisions, by their ids. Raises Unavailable."""
        found: dict[str, set[OutcomeKind]] = {}
        for part in partitions():
            async for blob in self._backwards(stream_key("outcomes", part)):
                outcome = codec.decode(Outcome, blob)
                found.setdefault(outcome.decision_id, set()).add(outcome.kind)
        return found

    async def _backwards(self, stream: str) -> AsyncIterator[bytes]:
        """The entries of a stream, newest first."""
        end = "+"
        while True:
            with store_errors():
                entries: Any = await self._redis.xrevrange(stream, max=end, count=_PAGE)
            for _entry, fields in entries:
                yield fields[b"v"]
            if len(entries) < _PAGE:
                return
            end = f"({entries[-1][0].decode()}"
