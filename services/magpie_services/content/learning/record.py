"""Decisions and outcomes from the lake: for what was trimmed from the streams before it was counted here.

Every call blocks. The lake's readers are imported by the first call: a process that never needs them is
spared the memory of Arrow.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from magpie_services.content.learning import tally
from magpie_services.content.learning.entries import Line, Reply, Words
from magpie_services.content.learning.tally import ANSWERS, Increments, Sent
from magpie_services.core.decisions import DecisionVerdict, Mode
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.kit.redis import stream_key

if TYPE_CHECKING:
    import pyarrow as pa

_LINE = ["decision_id", "mode", "verdict", "decided_ms", "send_ms", "copy_variant_id", "copy_context"]
_REPLY = ["decision_id", "kind", "occurred_ms"]


class Gap(NamedTuple):
    """Entries of a stream after one id and before another; None where there is no end."""

    after: str
    before: str | None


Replies = dict[str, tuple[str, list[Reply]]]


class Lake:
    """The tables in a folder or at an address."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def sent(self, gaps: Mapping[str, Gap], since_ms: int) -> dict[str, tuple[str, Increments]]:
        """What the pushes in the gaps of streams of decisions add, with the id of the last entry, by stream.

        `since_ms` is as for `tally.increments`.
        """
        found: dict[str, tuple[str, Increments]] = {}
        for stream, last, rows in self._rows("decisions", _LINE, gaps):
            newest, sums = found.get(stream, (last, {}))
            lines = map(_line, rows.to_pylist())
            pushes = [push for line in lines if line is not None and (push := line.sent) is not None]
            tally.merge(sums, tally.increments(pushes, (), since_ms))
            found[stream] = (max(newest, last, key=_order), sums)
        return found

    def replies(self, gaps: Mapping[str, Gap]) -> Replies:
        """The replies in the gaps of streams of outcomes, with the id of the last entry, by stream."""
        found: Replies = {}
        for stream, last, rows in self._rows("outcomes", _REPLY, gaps):
            newest, replies = found.get(stream, (last, []))
            replies += [
                Reply(row["decision_id"], OutcomeKind(row["kind"]), row["occurred_ms"])
                for row in rows.to_pylist()
                if row["kind"] in ANSWERS
            ]
            found[stream] = (max(newest, last, key=_order), replies)
        return found

    def find(self, decision_ids: Collection[str], since_ms: int) -> dict[str, Sent]:
        """The pushes of decisions, as far as they are in the lake and were written there since a time."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from magpie_services.lake import places, readers
        from magpie_services.lake.schemas import DECISIONS

        wanted, found = pa.array(sorted(decision_ids), pa.string()), {}
        since = places.place_of(b"%d-0" % since_ms)
        for rows in readers.rows_after(self._folder, DECISIONS, _LINE, since):
            for row in rows.filter(pc.is_in(rows["decision_id"], wanted)).to_pylist():
                line = _line(row)
                if line is not None and line.push is not None:
                    found[row["decision_id"]] = line.push
        return found

    def _rows(
        self, table: str, columns: list[str], gaps: Mapping[str, Gap]
    ) -> Iterator[tuple[str, str, "pa.Table"]]:
        """Rows of the gaps, with their stream and the id of the last, in pieces."""
        import pyarrow.compute as pc

        from magpie_services.lake import places, readers
        from magpie_services.lake.schemas import POSITION, TABLES

        bounds = {
            stream: (places.place_of(gap.after.encode()), gap.before and places.place_of(gap.before.encode()))
            for stream, gap in gaps.items()
        }
        since = min(after for after, _ in bounds.values())
        for rows in readers.rows_after(self._folder, TABLES[table], [*columns, POSITION], since):
            parts = pc.utf8_slice_codeunits(rows["decision_id"], 0, 3)
            for part in pc.unique(parts).to_pylist():
                stream = stream_key(table, part)
                if stream not in bounds:
                    continue
                after, before = bounds[stream]
                chosen = pc.and_(pc.equal(parts, part), pc.greater(rows[POSITION], after))
                if before:
                    chosen = pc.and_(chosen, pc.less(rows[POSITION], before))
                mine = rows.filter(chosen)
                if mine.num_rows:
                    yield stream, places.entry_id(pc.max(mine[POSITION]).as_py()), mine


def _line(row: Mapping[str, Any]) -> Line | None:
    """None for what a newer release wrote in words that this one does not know."""
    try:
        mode, verdict = Mode(row["mode"]), DecisionVerdict(row["verdict"])
    except ValueError:
        return None
    return Line(
        decision_id=row["decision_id"],
        mode=mode,
        verdict=verdict,
        decided_ms=row["decided_ms"],
        send_ms=row["send_ms"] or 0,
        # Rows of older releases have no context.
        copy=Words(row["copy_variant_id"] or "", row["copy_context"] or ""),
    )


def _order(entry_id: str) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split("-")))
