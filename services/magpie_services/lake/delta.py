"""One table of the lake in Delta: appended to exactly once, tidied, rid of the erased. Every call blocks."""

from collections.abc import Collection, Mapping

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

from magpie_services.lake.schemas import DAY, TableSpec

# Says up to where the erased were removed, beside the places of the streams.
_ERASURE = "erasure"
# Commits come every few seconds: old ones are dropped from the log after a day, not after thirty.
_CONFIGURATION: dict[str, str | None] = {"delta.logRetentionDuration": "interval 1 days"}


class Stale(Exception):
    """Somebody else wrote to the table since it was read: read it again, then decide anew."""


class LakeTable:
    """A table as it was read last. Made where it is missing; new columns are added to an older one."""

    def __init__(self, folder: str, spec: TableSpec) -> None:
        self.spec = spec
        self._address = f"{folder.rstrip('/')}/{spec.name}"
        self._table = DeltaTable.create(
            self._address, spec.schema, mode="ignore", partition_by=[DAY], configuration=_CONFIGURATION
        )
        self._commits = 0

    def refresh(self) -> None:
        """Reads the newest version."""
        self._table = DeltaTable(self._address)

    def place(self, stream: str) -> int:
        """The place in a stream up to which its entries are in the table; 0 where none is."""
        return self._table.transaction_version(stream) or 0

    def append(self, rows: pa.RecordBatch, moved: Mapping[str, tuple[int, int]], fence: int) -> None:
        """Adds rows in one commit that also moves each stream from a place to the next (from, to).

        Raises Stale, and adds nothing, when a stream is not where it should be or another wrote since. Delta
        itself would take the same transaction again: it is the check against the version read, and the commit
        being allowed on top of no other version, that make this exactly once.
        """
        if any(self.place(stream) != start for stream, (start, _) in moved.items()):
            raise Stale(self.spec.name)
        properties = CommitProperties(
            custom_metadata={"fence": str(fence)},
            max_commit_retries=0,
            app_transactions=[Transaction(stream, end) for stream, (_, end) in moved.items()],
        )
        try:
            write_deltalake(
                self._table, rows, mode="append", schema_mode="merge", commit_properties=properties
            )
        except CommitFailedError as error:
            raise Stale(self.spec.name) from error
        self._commits += 1

    def tidy(self, after_commits: int, vacuum_hours: int) -> bool:
        """Joins small files and drops replaced ones, when there were enough commits since the last time.

        Raises Stale when another wrote meanwhile.
        """
        if self._commits < after_commits:
            return False
        try:
            self._table.optimize.compact()
        except CommitFailedError as error:
            raise Stale(self.spec.name) from error
        self._table.vacuum(retention_hours=vacuum_hours, dry_run=False)
        self._table.cleanup_metadata()
        self._commits = 0
        return True

    @property
    def purged(self) -> int:
        """The place up to which erased users were looked for."""
        return self.place(_ERASURE)

    def purge(self, user_ids: Collection[str], up_to: int) -> None:
        """Deletes all rows of these users but the fact of their erasure; notes the place `up_to`.

        Raises Stale when another wrote meanwhile.
        """
        quoted = ", ".join("'" + user_id.replace("'", "''") + "'" for user_id in sorted(user_ids))
        kept = " AND kind != 'erased'" if self.spec.name == "events" else ""
        try:
            self._table.delete(f"user_id IN ({quoted}){kept}")
            # Noted by a commit of its own: a deletion that meets no row makes none.
            write_deltalake(
                self._table,
                self.spec.batch([], []),
                mode="append",
                commit_properties=CommitProperties(app_transactions=[Transaction(_ERASURE, up_to)]),
            )
        except CommitFailedError as error:
            raise Stale(self.spec.name) from error

    def count(self) -> int:
        """Rows in the table."""
        return self._table.count()
