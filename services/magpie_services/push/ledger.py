"""The ledger: every decision once in the stream and by its id, and what is still to be handed over.

A push is first written down as open (slot reserved, claimed), then given to the provider, then closed. Who
crashes between leaves a claim that runs out; the due queue takes it up again under the same decision id, so
a provider that honours its idempotency key sends once, any other at most once more for each crash.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from magpie_services.core import codec
from magpie_services.core.decisions import Decision, DecisionVerdict, Mode
from magpie_services.kit import ledger_keys
from magpie_services.kit.errors import Invalid
from magpie_services.kit.redis import Redis, Script, store_errors, stream_key
from magpie_services.push import caps
from magpie_services.push.caps import Caps, Reservation

_FUNCTIONS = caps.FUNCTIONS + Path(__file__).with_name("ledger.lua").read_text("utf-8")
_NUMBERS = "local n = {} for i = %d, %d do n[#n + 1] = tonumber(ARGV[i]) end "
_REST = "local rest = {} for i = %d, #ARGV do rest[#rest + 1] = ARGV[i] end "
_BEGIN = Script(
    _FUNCTIONS
    + _NUMBERS % (2, 7)
    + _REST % 10
    + "return begin(ARGV[1], n[1], n[2], n[3], n[4], n[5], n[6], ARGV[8], ARGV[9], rest)"
)
_FINISH = Script(
    _FUNCTIONS
    + _NUMBERS % (3, 6)
    + _REST % 9
    + "return finish(ARGV[1], ARGV[2], n[1], n[2], n[3], n[4], ARGV[7], ARGV[8], rest)"
)
_RENEW = Script(
    _FUNCTIONS + _NUMBERS % (2, 4) + _REST % 6 + "return renew(ARGV[1], n[1], n[2], n[3], ARGV[5], rest)"
)
_NOTE = Script(_FUNCTIONS + "return note(ARGV[1], ARGV[2])")
_POSTPONE = Script(
    _FUNCTIONS + _NUMBERS % (3, 5) + "return postpone(ARGV[1], ARGV[2], n[1], n[2], n[3], ARGV[6], ARGV[7])"
)
_CLAIM = Script(_FUNCTIONS + _NUMBERS % (1, 4) + "return claim(n[1], n[2], n[3], n[4])")

_REQUEST_SECONDS = 86_400

Args = list[str | bytes | int | float]


class Slot(StrEnum):
    """What becomes of the cap's slot when a decision is closed."""

    NONE = ""
    COMMIT = "commit"
    RELEASE = "release"


class Open(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A push under way: the decision with its features, and what the last check before sending needs.

    `given` says that the words are the caller's own, which nobody else may rewrite.
    `tried` says that a hand-over was begun whose answer is not known: it may have been sent, so it counts
    against the cap until told otherwise. `delivered` is set when the provider has it already and only the
    closing is left.
    """

    decision: Decision
    expires_ms: int
    transactional: bool = False
    drop_in_quiet_hours: bool = False
    given: bool = False
    attempts: int = 0
    tried: bool = False
    delivered: bool = False


class Begun(NamedTuple):
    """How `begin` went: open now, or `known` from before, or refused by the cap."""

    known: Decision | None = None
    refused: Reservation | None = None


class Ledger:
    """Decisions of all users. `wall_ms` arguments are times of the wall's clock: leases are about crashes."""

    def __init__(self, redis: Redis, slots: Caps, *, claim_seconds: float) -> None:
        """A claim must outlast a hand-over and be shorter than the slot's lease: else ValueError."""
        self._redis = redis
        self._slots = slots
        self._claim_ms = int(claim_seconds * 1000)
        if self._claim_ms >= slots.lease_ms:
            raise ValueError("a claim must end before the lease of its slot")

    async def admit(self, request_id: str, fingerprint: bytes) -> None:
        """Notes what a request id stands for, for a day. Raises Invalid when it stood for something else."""
        # Hashed: the id is the caller's text and must not choose the slot or break the key.
        key = f"magpie:push:request:{hashlib.sha256(request_id.encode()).hexdigest()}"
        with store_errors():
            fresh = await self._redis.set(key, fingerprint, nx=True, ex=_REQUEST_SECONDS)
            known = fingerprint if fresh else await self._redis.get(key)
        if known is not None and known != fingerprint:
            raise Invalid("request_id", "was used for another request in the last day")

    async def recall(self, decision_ids: Sequence[str]) -> list[Decision | None]:
        """The records of these decisions, None where there is none. Raises Unavailable."""
        pipeline = self._redis.pipeline(transaction=False)
        for decision_id in decision_ids:
            pipeline.hget(ledger_keys.decision_key(decision_id) or "", ledger_keys.DECISION_FIELD)
        with store_errors():
            blobs = await pipeline.execute()
        return [_unpack(blob) if blob else None for blob in blobs]

    async def begin(
        self, opens: Sequence[Open], now_ms: int, wall_ms: int, *, due: bool = False
    ) -> list[Begun]:
        """Writes pushes down before they are handed over: now, under a slot and a claim, or when due.

        With `due`, a decision's `send_ms` says when. A decision known already is answered, not begun again.
        """
        flat = [figure for cap in self._slots.caps for figure in cap]
        calls: list[tuple[list[str], Args]] = []
        for push in opens:
            decision = push.decision
            times = [now_ms, wall_ms, self._slots.lease_ms, self._claim_ms, decision.send_ms if due else 0]
            # Whoever asks before it is closed learns that it is under way.
            waiting = msgspec.structs.replace(_record(decision), verdict=DecisionVerdict.QUEUED)
            level = 1 if due else 0  # what goes out now is closed in a moment
            blobs = [_pack(waiting, level), _pack(msgspec.structs.replace(push, tried=not due), level)]
            args: Args = [decision.decision_id, *times, ledger_keys.DECISION_SECONDS, *blobs, *flat]
            calls.append((_keys(decision), args))
        with store_errors():
            answers = await _BEGIN.many(self._redis, calls)
        return [_begun(answer) for answer in answers]

    async def renew(self, push: Open, now_ms: int, wall_ms: int) -> Reservation | None:
        """A slot for a push that was queued or left behind; the one it holds already counts as its own.

        None when another has closed it meanwhile. Raises Unavailable.
        """
        decision = msgspec.structs.replace(push.decision, send_ms=now_ms)
        going = msgspec.structs.replace(push, decision=decision, tried=True)
        flat = [figure for cap in self._slots.caps for figure in cap]
        times = [now_ms, wall_ms, self._slots.lease_ms]
        args: Args = [decision.decision_id, *times, _pack(going), *flat]
        with store_errors():
            answer = await _RENEW(self._redis, keys=_keys(decision), args=args)
        return None if answer[0] < 0 else caps.reservation(answer)

    async def finish(self, closings: Sequence[tuple[Decision, Slot]]) -> list[Decision]:
        """Closes decisions; gives the records that stand. Safe to repeat. Raises Unavailable."""
        calls: list[tuple[list[str], Args]] = []
        for decision, slot in closings:
            times = [decision.send_ms, self._slots.keep_ms]
            seconds = [ledger_keys.DECISION_SECONDS, ledger_keys.COUNTS_SECONDS]
            blobs = [_pack(_record(decision)), codec.encode(decision)]
            args: Args = [decision.decision_id, slot.value, *times, *seconds, *blobs, *_counts(decision)]
            calls.append((_keys(decision), args))
        with store_errors():
            answers = await _FINISH.many(self._redis, calls)
        return [
            _unpack(answer) if answer else decision
            for answer, (decision, _) in zip(answers, closings, strict=True)
        ]

    async def postpone(self, push: Open, due_ms: int) -> None:
        """Puts an open push back into the queue; frees its slot unless it was tried. Raises Unavailable."""
        decision = push.decision
        times = [decision.send_ms, self._slots.keep_ms, due_ms]
        blobs = [_pack(_record(decision)), _pack(push)]
        args: Args = [decision.decision_id, slot_of(push).value, *times, *blobs]
        with store_errors():
            await _POSTPONE(self._redis, keys=_keys(decision), args=args)

    async def keep_open(self, push: Open) -> None:
        """Notes how far an open push is; its claim stays. Raises Unavailable."""
        decision = push.decision
        args: Args = [_pack(_record(decision)), _pack(push)]
        with store_errors():
            await _NOTE(self._redis, keys=_keys(decision), args=args)

    async def claim(self, parts: Sequence[str], now_ms: int, wall_ms: int, limit: int) -> list[Open]:
        """Pushes that are due or were left behind, at most `limit` of each partition, claimed."""
        args: Args = [now_ms, wall_ms, self._claim_ms, limit]
        calls = [([stream_key("due", part), stream_key("claimed", part)], args) for part in parts]
        with store_errors():
            answers = await _CLAIM.many(self._redis, calls)
            ids = [decision_id.decode() for answer in answers for decision_id in answer]
            if not ids:
                return []
            pipeline = self._redis.pipeline(transaction=False)
            for decision_id in ids:
                pipeline.hget(ledger_keys.decision_key(decision_id) or "", "o")
            blobs = await pipeline.execute()
            gone = [decision_id for decision_id, blob in zip(ids, blobs, strict=True) if blob is None]
            for decision_id in gone:  # closed by another, or its record has expired
                await self._redis.zrem(stream_key("claimed", decision_id[:3]), decision_id)
        # What a newer release wrote must not stop the rest: its claim runs out, and one that reads it comes.
        return codec.readable(Open, [ledger_keys.unpacked(blob) for blob in blobs if blob])

    async def find(self, decision_id: str) -> Decision | None:
        """One decision without features; None when it is not, or no longer, in the ledger."""
        if ledger_keys.decision_key(decision_id) is None:
            return None
        return (await self.recall([decision_id]))[0]


def slot_of(push: Open) -> Slot:
    """What becomes of the slot of a push that is not handed over: one that may have been sent counts."""
    return Slot.COMMIT if push.tried else Slot.RELEASE


def _pack(value: msgspec.Struct, level: int = 1) -> bytes:
    return ledger_keys.packed(codec.encode(value), level=level)


def _unpack(blob: bytes) -> Decision:
    return codec.decode(Decision, ledger_keys.unpacked(blob))


def _record(decision: Decision) -> Decision:
    """The decision as it is kept by its id: without features, and a shadow's with the chosen arm only."""
    arms = [msgspec.structs.replace(arm, features=b"") if arm.features else arm for arm in decision.arms]
    if decision.mode is Mode.SHADOW and decision.arm is not None:
        return msgspec.structs.replace(decision, arms=[arms[decision.chosen]], chosen=0)
    return msgspec.structs.replace(decision, arms=arms)


def _keys(decision: Decision) -> list[str]:
    part = decision.decision_id[:3]
    return [
        *caps.keys(decision.user_id),
        f"magpie:{{{part}}}:decision:{decision.decision_id}",
        stream_key("due", part),
        stream_key("claimed", part),
        stream_key("decisions", part),
        ledger_keys.counts_key(part, decision.decided_ms),
    ]


def _counts(decision: Decision) -> list[str]:
    if decision.mode is not Mode.LIVE or decision.verdict is DecisionVerdict.QUEUED:
        return []
    return ledger_keys.count_fields(
        decision.verdict.value,
        campaign_id=decision.campaign_id,
        ranker_version=decision.ranker_version,
        strategy=decision.copy.strategy if decision.copy else "",
    )


def _begun(answer: list[bytes | int]) -> Begun:
    match answer:
        case [2, bytes() as known]:
            return Begun(known=_unpack(known))
        case [1]:
            return Begun()
        case refused:
            return Begun(refused=caps.reservation([int(figure) for figure in refused]))
