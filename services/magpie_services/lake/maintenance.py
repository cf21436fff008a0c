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


def purge(folder: str, tables: Mapping[str, LakeTable]) -> int:
    """Deletes what the tables hold of users erased since the last time; how many there were. Blocking."""
    since = min(tables[name].purged for name in _OF_USERS)
    found = erased(folder, since - _OVERLAP)
    if not found.num_rows:
        return 0
    newest = max(found[POSITION].to_pylist())
    if newest <= since:
        return 0
    user_ids = set(found["user_id"].to_pylist())
    for name in _OF_USERS:
        tables[name].purge(user_ids, newest)
    log.info("lake.purged", users=len(user_ids))
    return len(user_ids)


def erased(folder: str, since: int) -> pa.Table:
    """Erasures (user_id, position) logged beyond the place `since`."""
    return readers.matching(folder, EVENTS, ["user_id", POSITION], {"kind": "erased"}, since)
