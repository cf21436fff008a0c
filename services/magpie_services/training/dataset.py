"""From the lake to what models learn from: the catalogue, users' histories and labelled rows, bounded in
memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from magpie_services.core.events import ITEM_KINDS, KIND_CODES
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.lake import readers
from magpie_services.training.arrow import ints, mapped
from magpie_services.training.plan import Plan
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.arms import Arms
from magpie_services.training.ranking.rows import Rows
from magpie_services.training.retrieval import sequences, vocabulary
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.vocabulary import Vocabulary


@dataclass(frozen=True)
class Dataset:
    """What one run learns from. `cut_ms` is where the newest week begins: the first fit learns up to it.
    `unknown_outcomes` are those of kinds that this release does not know, which were left out.
    """

    vocabulary: Vocabulary
    history: History
    rows: Rows
    start_ms: int
    end_ms: int
    unknown_outcomes: int = 0

    @property
    def cut_ms(self) -> int:
        """A week before the end, or half-way through a log shorter than two weeks."""
        return max(self.end_ms - sequences.WEEK_MS, (self.start_ms + self.end_ms) // 2)


def load(plan: Plan) -> Dataset:
    """Reads the lake up to `plan.as_of_ms` (all where 0)."""
    until_ms = plan.as_of_ms + 1 if plan.as_of_ms else None
    events = _events(plan, until_ms)
    known = vocabulary.build(
        _items(plan.lake_folder), _listed(plan.lake_folder, until_ms) | set(_texts(events["item_id"]))
    )
    user_codes = events["user_id"].combine_chunks().dictionary_encode()
    users = tuple(user_codes.dictionary.to_pylist())
    kinds = mapped(events["kind"], {kind.value: code for kind, code in KIND_CODES.items()})
    history = sequences.clean(
        users,
        ints(user_codes.indices),
        mapped(events["item_id"], known.index).astype(np.int32),
        kinds.astype(np.int32),
        ints(events["occurred_ms"]),
        ints(events["quantity"].fill_null(0)),
    )
    end_ms = plan.as_of_ms or (int(history.at_ms.max()) if len(history) else 0)
    start_ms = int(history.at_ms.min()) if len(history) else end_ms
    # Of a log that was cut short nobody knows what was bought before it begins.
    since_ms = start_ms if len(events) >= plan.retriever.max_events else 0
    arms = Arms(plan, known, history)
    rows = ranker_rows.as_of(arms.rows(since_ms, until_ms), end_ms)
    return Dataset(known, history, rows, start_ms, end_ms, arms.unknown_outcomes)


def _events(plan: Plan, until_ms: int | None) -> pa.Table:
    """Item interactions, the newest `max_events`."""
    names = ["user_id", "item_id", "kind", "occurred_ms", "quantity"]
    wanted = pa.array([kind.value for kind in ITEM_KINDS])
    days = []
    for day in readers.scan_events(plan.lake_folder, names, 0, until_ms):
        days.append(day.filter(pc.is_in(day["kind"], value_set=wanted)))
        while sum(part.num_rows for part in days[1:]) >= plan.retriever.max_events:
            days.pop(0)
    if not days:
        days = [readers.read_events(plan.lake_folder, names, 0, 0)]
    return pa.concat_tables(days).slice(max(0, sum(d.num_rows for d in days) - plan.retriever.max_events))


def _items(folder: str) -> Iterator[Item]:
    """The newest version of every item, later than the end of learning or not: of words and prices only the
    newest is read, whichever items are in the vocabulary."""
    names = ["item_id", "title", "categories", "brand", "attributes", "picture_vector"]
    names += ["price_currency", "price_minor"]
    for row in readers.read_items(folder, names).to_pylist():
        minor = row["price_minor"]
        yield Item(
            item_id=row["item_id"],
            title=row["title"] or "",
            categories=row["categories"] or [],
            brand=row["brand"] or "",
            price=Money(currency=row["price_currency"], minor=minor) if minor is not None else None,
            attributes=dict(row["attributes"] or ()),
            picture_vector=row["picture_vector"] or "",
        )


def _listed(folder: str, until_ms: int | None) -> set[str]:
    """Items in the catalogue at the end and not withdrawn."""
    rows = readers.read_items(folder, ["item_id", "withdrawn"], until_ms)
    return set(_texts(rows.filter(pc.invert(rows["withdrawn"].fill_null(False)))["item_id"]))


def _texts(column: pa.ChunkedArray) -> list[str]:
    return [text for text in pc.unique(column).to_pylist() if text]
