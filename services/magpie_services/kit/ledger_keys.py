"""Where the ledger of decisions lives in Redis, shared by its writer (push) and its readers (feedback, lake).

A decision lies in its user's partition, which its id names first: "p07-" and 32 hexadecimal digits.

`magpie:{p07}:decisions`              stream; field `v`: msgpack core Decision with features
`magpie:{p07}:decision:<id>`          hash, 30 days; field `v`: the same without features, `packed`
`magpie:{p07}:counts:<hour>`          hash, 90 days; what became of the decisions made in that hour
"""

import hashlib
import re
import zlib

from magpie_services.kit.redis import partition

HOUR_MS = 3_600_000
DECISION_SECONDS = 30 * 86_400
COUNTS_SECONDS = 90 * 86_400
DECISION_FIELD = "v"
#: Names of counts written by push; feedback adds the kinds of outcomes ("delivered", "clicked" ...).
DECISION_COUNTS = ("sent", "no_send", "blocked", "failed", "expired")

_DECISION_ID = re.compile(r"p(0[0-9]|1[0-5])-[0-9a-f]{32}")


def decision_id(request_id: str, user_id: str) -> str:
    """The id of the decision about a user in a request: a repeated request meets the same decision."""
    digest = hashlib.sha256(f"{request_id}\0{user_id}".encode()).hexdigest()
    return f"{partition(user_id)}-{digest[:32]}"


def decision_key(identity: str) -> str | None:
    """Key of a decision's hash; None when the text cannot be a decision's id."""
    if not _DECISION_ID.fullmatch(identity):
        return None
    return f"magpie:{{{identity[:3]}}}:decision:{identity}"


def packed(record: bytes, *, level: int = 1) -> bytes:
    """A record as a decision's hash keeps it: millions of them lie in memory for a month.

    Level 0, of no effect but on the size, is for what is replaced at once.
    """
    return zlib.compress(record, level=level)


def unpacked(blob: bytes) -> bytes:
    """The record that `packed` was given. Raises zlib.error."""
    return zlib.decompress(blob)


def counts_key(part: str, decided_ms: int) -> str:
    """Key of the counts of a partition for the hour in which a decision was made."""
    return f"magpie:{{{part}}}:counts:{decided_ms // HOUR_MS}"


def count_fields(name: str, *, campaign_id: str, ranker_version: int, strategy: str) -> list[str]:
    """The fields to increment for one thing that became of a decision: "<group kind>:<group>:<name>".

    To read one, split at the first and at the last colon. Kinds: all (no group), campaign, ranker, strategy.
    """
    fields = [f"all::{name}", f"ranker:{ranker_version}:{name}"]
    if campaign_id:
        fields.append(f"campaign:{campaign_id}:{name}")
    if strategy:
        fields.append(f"strategy:{strategy}:{name}")
    return fields
