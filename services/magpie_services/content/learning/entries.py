"""What the learning of words reads of decisions and outcomes, whether from a stream or from the lake."""

import zlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from magpie_services.content.learning.tally import ANSWERS, Sent
from magpie_services.core import codec
from magpie_services.core.decisions import DecisionVerdict, Mode
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.kit import ledger_keys


class Words(msgspec.Struct, frozen=True):
    """Of the words of a push, their form and where it was chosen."""

    variant_id: str = ""
    context: str = ""


class Line(msgspec.Struct, frozen=True):
    """Of a decision, whether it was sent, when, and with which words."""

    decision_id: str
    mode: Mode
    verdict: DecisionVerdict
    decided_ms: int
    send_ms: int = 0
    copy: Words | None = None

    @property
    def push(self) -> Sent | None:
        """The push that it is about, None for words that nobody chose by learning, and where nothing is
        sent.
        """
        if self.mode is not Mode.LIVE or self.copy is None or not self.copy.variant_id:
            return None
        return Sent(self.copy.variant_id, self.copy.context, self.send_ms or self.decided_ms)

    @property
    def sent(self) -> Sent | None:
        """The push, if it was handed over."""
        return self.push if self.verdict is DecisionVerdict.SENT else None


class Reply(NamedTuple):
    """An outcome that may say something of the words of its decision."""

    decision_id: str
    kind: OutcomeKind
    at_ms: int


def sent(blobs: Iterable[bytes]) -> list[Sent]:
    """The pushes sent by entries of a stream of decisions."""
    return [push for line in codec.readable(Line, blobs) if (push := line.sent) is not None]


def kept(blob: bytes) -> Line | None:
    """The decision that its hash in the ledger holds, None for one that this release cannot read."""
    try:
        return next(iter(codec.readable(Line, [ledger_keys.unpacked(blob)])), None)
    except zlib.error:
        return None


def replies(blobs: Iterable[bytes]) -> list[Reply]:
    """The replies in entries of a stream of outcomes."""
    return [
        Reply(one.decision_id, one.kind, one.occurred_ms)
        for one in codec.readable(Outcome, blobs)
        if one.kind in ANSWERS
    ]
