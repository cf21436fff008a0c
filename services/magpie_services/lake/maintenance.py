"""What the tables need now and then: small files joined, old ones dropped, erased users removed."""

from collections.abc import Mapping

import pyarrow as pa
import structlog

from magpie_services.lake import readers
from magpie_services.lake.delta import LakeTable
from magpie_services.lake.schemas import EVENTS, POSITION

log = structlog.get_logger()

# Streams are read one after the other: an erasure may come into the table a little after a later one.
_OVERLAP = (3_600_000) << 20
_OF_USERS = ("events", "decisions", "outcomes")


def purge(folder: str, tables: Mapping[str, LakeTable]) -> set[str]:
    """Deletes what the tables hold of users erased since the last time; who they were. Blocking."""
    since = min(tables[name].purged for name in _OF_USERS)
    found = erased(folder, since - _OVERLAP)
    newest = max(found[POSITION].to_pylist(), default=since)
    if newest <= since:
        return set()
    user_ids = set(found["user_id"].to_pylist())
    for name in _OF_USERS:
        tables[name].purge(user_ids, newest)
    log.info("lake.purged", users=len(user_ids))
    return user_ids


def erased(folder: str, since: int = -1) -> pa.Table:
    """Erasures (user_id, position) logged beyond the place `since`, all without one."""
    return readers.matching(folder, EVENTS, ["user_id", POSITION], {"kind": "erased"}, since)
