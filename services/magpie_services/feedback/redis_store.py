"""Decisions read, outcomes kept and counted, in the decision's partition: one script keeps and counts.

magpie:{pNN}:decision:<id>   hash written by push, field `v`: a packed msgpack core Decision without features
magpie:{pNN}:outcome:<id>    hash: kind of outcome -> when it occurred (ms)
magpie:{pNN}:outcomes        stream, field `v`: a msgpack core Outcome
magpie:{pNN}:counts:<hour>   hash of counts at the decision's time, see kit.ledger_keys
"""

from collections.abc import Sequence

from magpie_services.core import codec
from magpie_services.core.decisions import Decision, Mode
from magpie_services.feedback.domain import Entry, Known
from magpie_services.kit import ledger_keys
from magpie_services.kit.redis import Redis, Script, ScriptCall, partitions, store_errors, stream_key

# A push is answered within days; a receipt that comes after the marks are gone is caught by the lake.
_MARK_SECONDS = 2 * ledger_keys.DECISION_SECONDS
_HOURS_A_ROUND = 64

_KEEP = Script("""
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('XADD', KEYS[2], '*', 'v', ARGV[3])
if #ARGV > 5 then
  for i = 6, #ARGV do redis.call('HINCRBY', KEYS[3], ARGV[i], 1) end
  redis.call('EXPIRE', KEYS[3], ARGV[5])
end
return 1
""")


class RedisOutcomeStore:
    """See `domain.OutcomeStore` and `metrics.CountStore`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def known(self, decision_ids: Sequence[str]) -> list[Known]:
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for decision_id in decision_ids:
                    pipe.hget(ledger_keys.decision_key(decision_id) or "", ledger_keys.DECISION_FIELD)
                    pipe.hkeys(_outcome_key(decision_id))
                answers = await pipe.execute()
        return [
            Known(_decision(blob) if blob else None, frozenset(kind.decode() for kind in kinds))
            for blob, kinds in zip(answers[::2], answers[1::2], strict=True)
        ]

    async def keep(self, entries: Sequence[Entry]) -> list[bool]:
        if not entries:
            return []
        with store_errors():
            answers = await _KEEP.many(self._redis, [_keep_call(entry) for entry in entries])
        return [bool(answer) for answer in answers]

    async def counts(self, hours: Sequence[int]) -> list[dict[str, int]]:
        """Counts of the decisions made in each hour (since the epoch) by field, over all partitions."""
        parts, sums = partitions(), []
        for start in range(0, len(hours), _HOURS_A_ROUND):
            some = hours[start : start + _HOURS_A_ROUND]
            with store_errors():
                async with self._redis.pipeline(transaction=False) as pipe:
                    for hour in some:
                        for part in parts:
                            pipe.hgetall(ledger_keys.counts_key(part, hour * ledger_keys.HOUR_MS))
                    answers = await pipe.execute()
            for n in range(len(some)):
                total: dict[str, int] = {}
                for answer in answers[n * len(parts) : (n + 1) * len(parts)]:
                    for field, count in answer.items():
                        name = field.decode()
                        total[name] = total.get(name, 0) + int(count)
                sums.append(total)
        return sums


def _decision(blob: bytes) -> Decision:
    return codec.decode(Decision, ledger_keys.unpacked(blob))


def _outcome_key(decision_id: str) -> str:
    return f"magpie:{{{decision_id[:3]}}}:outcome:{decision_id}"


def _keep_call(entry: Entry) -> ScriptCall:
    outcome, decision, part = entry.outcome, entry.decision, entry.outcome.decision_id[:3]
    keys = [
        _outcome_key(outcome.decision_id),
        stream_key("outcomes", part),
        ledger_keys.counts_key(part, entry.receipt.decided_ms),
    ]
    fields: list[str] = []
    if decision is None or decision.mode is Mode.LIVE:  # a decision whose record has expired was a live one
        fields = ledger_keys.count_fields(
            outcome.kind.value,
            campaign_id=outcome.campaign_id,
            ranker_version=decision.ranker_version if decision else 0,
            strategy=decision.copy.strategy if decision and decision.copy else "",
        )
    seconds = [_MARK_SECONDS, ledger_keys.COUNTS_SECONDS]
    return keys, [outcome.kind.value, outcome.occurred_ms, codec.encode(outcome), *seconds, *fields]
