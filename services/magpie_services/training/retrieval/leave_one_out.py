"""Public data sets of sequences, and the protocol of their tables: each user's last item is the test, the one
before it validation, the rest is learnt from; all items are ranked but those of the user's history.

Of items with the same score the wanted one counts as the last, so that a model gains nothing by ties.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.kit.errors import Invalid
from magpie_services.training.plan import HISTORY
from magpie_services.training.retrieval import sequences, vocabulary
from magpie_services.training.retrieval.baselines import Scorer
from magpie_services.training.retrieval.blend import weighted
from magpie_services.training.retrieval.retriever import Retriever
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.vocabulary import Vocabulary

SEQUENCES, ATTRIBUTES = "sequences.txt", "item_attributes.json"
MAX_ID_CHARS = 128
ASKED_ITEMS = 3  # a user with fewer has nothing left to be learnt from
_CHUNK = 512


@dataclass(frozen=True)
class Data:
    """A data set: all that every user did, oldest first; times are unknown and 0."""

    name: str
    vocabulary: Vocabulary
    history: History

    def split(self, last: int) -> "tuple[History, Examination]":
        """Without everybody's `last` newest items, and the exam that asks for the first of those.

        1 asks for the test items, 2 for those of validation. Users with fewer than 3 items are not asked.
        """
        starts, ends = self.history.offsets[:-1], self.history.offsets[1:]
        asked = np.flatnonzero(ends - starts >= ASKED_ITEMS)
        cuts = ends.copy()
        cuts[asked] -= last
        past = _until(self.history, cuts)
        return past, Examination(past.of(asked), self.history.items[cuts[asked]])

    def training(self) -> History:
        """What may be learnt from: neither validation nor test items."""
        return self.split(2)[0]

    def without_content(self) -> "Data":
        """The same items, of which nothing but the ids is known."""
        return replace(self, vocabulary=vocabulary.plain(self.vocabulary.ids, {}))


@dataclass(frozen=True)
class Marks:
    """Ranks int64 [users], 1 the best."""

    ranks: NDArray[np.int64]

    @property
    def ndcg(self) -> float:
        """Mean NDCG@10 with one wanted item: 1 / log2(rank + 1) within the first ten."""
        return float(np.mean(np.where(self.ranks <= 10, 1 / np.log2(self.ranks + 1), 0.0)))

    @property
    def recall(self) -> float:
        """Share of users whose item is among the first ten."""
        return float(np.mean(self.ranks <= 10))


@dataclass(frozen=True)
class Examination:
    """Users of `history`, and the one item each wants after it: int32 [users]."""

    history: History
    wanted: NDArray[np.int32]

    @property
    def asked(self) -> int:
        return len(self.wanted)

    def take(self, users: NDArray[np.int64]) -> "Examination":
        """Only the users at these positions."""
        return Examination(self.history.of(users), self.wanted[users])

    def mark(self, scorer: Scorer) -> Marks:
        """Ranks of the wanted items among all but the user's own."""
        parts = [_ranks(scorer.scores(part), part, wanted) for part, wanted in self._parts()]
        return Marks(np.concatenate([np.zeros(0, np.int64), *parts]))

    def marks(self, scorers: Sequence[Scorer], weights: Sequence[Sequence[float]]) -> list[Marks]:
        """Marks of weighted sums of the scorers' scores, one for each list of weights."""
        parts: list[list[NDArray[np.int64]]] = [[np.zeros(0, np.int64)] for _ in weights]
        for part, wanted in self._parts():
            scores = [scorer.scores(part) for scorer in scorers]
            for found, some in zip(parts, weights, strict=True):
                found.append(_ranks(weighted(scores, some), part, wanted))
        return [Marks(np.concatenate(found)) for found in parts]

    def sample(self, most: int, seed: int) -> "Examination":
        """At most so many users, drawn at random."""
        if self.asked <= most:
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(self.asked, most, replace=False)))

    def _parts(self) -> Iterator[tuple[History, NDArray[np.int32]]]:
        for at in range(0, self.asked, _CHUNK):
            users = np.arange(at, min(at + _CHUNK, self.asked))
            yield self.history.of(users), self.wanted[users]

    def score(self, model: Retriever) -> float:
        """NDCG@10 of a retriever."""
        return self.mark(Served(model)).ndcg


def _ranks(scores: NDArray[np.float32], asked: History, wanted: NDArray[np.int32]) -> NDArray[np.int64]:
    """Ranks of the wanted items [users]; the scores are used up."""
    scores = np.require(scores, requirements="W")  # the same for everybody may come as a view
    rows = np.arange(len(wanted))
    own = scores[rows, wanted].copy()
    scores[:, 0] = -np.inf
    scores[np.repeat(rows, np.diff(asked.offsets)), asked.items] = -np.inf
    scores[rows, wanted] = -np.inf
    ranks: NDArray[np.int64] = 1 + (scores >= own[:, None]).sum(axis=1)
    return ranks


class Served:
    """A retriever as a scorer: its vectors as they are now."""

    def __init__(self, model: Retriever) -> None:
        self._model = model
        self._table = model.vectors()

    def scores(self, asked: History) -> NDArray[np.float32]:
        """See Scorer."""
        lengths = np.diff(asked.offsets)
        found = np.zeros((len(lengths), len(self._table)), np.float32)
        # Of like length together, each in a window no longer than it needs.
        for steps in (8, 16, 32, HISTORY):
            shorter = {8: 0, 16: 8, 32: 16, HISTORY: 32}[steps]
            some = np.flatnonzero((lengths > shorter) & ((lengths <= steps) | (steps == HISTORY)))
            ends = asked.offsets[1:][some]
            inputs = sequences.inputs_at(asked, ends, asked.at_ms[ends - 1], steps)
            vectors = self._model.read(self._table, inputs.items, inputs.kinds, inputs.gaps)
            found[some] = vectors @ self._table.T
        return found


def read(folder: Path) -> Data:
    """Reads `sequences.txt` (a line a user: the user, then items, oldest first) and, where it is there,
    `item_attributes.json` (item to a list of attribute numbers).

    Raises Invalid naming the file and line at fault.
    """
    path = folder / SEQUENCES
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").split("\n")]
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(SEQUENCES, f"cannot be read as text in {folder}") from error
    for number, line in enumerate(rows, start=1):
        if len(line) == 1:
            raise Invalid(f"{SEQUENCES}:{number}", "has a user without items")
        if any(len(name) > MAX_ID_CHARS or not name.isprintable() for name in line):
            raise Invalid(f"{SEQUENCES}:{number}", f"has an id beyond {MAX_ID_CHARS} printable characters")
    lines = [line for line in rows if line]
    if not any(len(line) > ASKED_ITEMS for line in lines):
        raise Invalid(SEQUENCES, f"has no user with {ASKED_ITEMS} items: nobody can be asked")
    known = vocabulary.plain((item for line in lines for item in line[1:]), _attributes(folder))
    if len(known) < 3:
        raise Invalid(SEQUENCES, "has fewer than 2 items")
    items = known.codes(item for line in lines for item in line[1:])
    offsets = np.concatenate([[0], np.cumsum([len(line) - 1 for line in lines])]).astype(np.int64)
    history = History(
        tuple(line[0] for line in lines), offsets, items, np.zeros_like(items), np.zeros(len(items), np.int64)
    )
    return Data(folder.resolve().name, known, history)


def _attributes(folder: Path) -> dict[str, list[int]]:
    path = folder / ATTRIBUTES
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, list[int]], strict=False)
    except (OSError, ValueError) as error:
        raise Invalid(ATTRIBUTES, f"is not an object of items with lists of numbers: {error}") from error


def _until(history: History, ends: NDArray[np.int64]) -> History:
    """Each user's rows before `ends[u]`."""
    lengths = ends - history.offsets[:-1]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = np.repeat(history.offsets[:-1] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return History(history.users, offsets, history.items[rows], history.kinds[rows], history.at_ms[rows])


@dataclass(frozen=True)
class ColdSplit:
    """What is left to learn from where a share of the items has no past; an exam to stop by that asks for
    none of these `items`, nor of their `matches`, which had been as popular; and one that asks for all.
    """

    known: History
    validation: Examination
    asked: Examination
    items: NDArray[np.int64]
    matches: NDArray[np.int64]


def cold_split(data: Data, share: float, seed: int, last: int = 1) -> ColdSplit:
    """Withholds a share of the items: all their events leave training. Of items sorted by popularity one of
    each stratum is cold and another is its warm match. Asked are the test's items (`last` 1) or validation's
    (2), never to be seen by a choice that is then measured on the test's.
    """
    rng = np.random.default_rng(seed)
    known, validation = data.split(2)
    counts = np.bincount(known.items, minlength=len(data.vocabulary))
    # Those of the same popularity in any order.
    order = np.lexsort((rng.random(len(counts)), counts))
    order = order[counts[order] > 0]
    stratum = max(2, round(1 / share))
    strata = order[: len(order) // stratum * stratum].reshape(-1, stratum)
    pick = rng.permuted(np.tile(np.arange(stratum), (len(strata), 1)), axis=1)[:, :2]
    cold, warm = np.take_along_axis(strata, pick, 1).T
    asked = data.split(last)[1]
    return ColdSplit(
        _rows(known, ~np.isin(known.items, cold)),
        validation.take(np.flatnonzero(~np.isin(validation.wanted, np.concatenate([cold, warm])))),
        asked,
        cold,
        warm,
    )


def _rows(history: History, kept: NDArray[np.bool_]) -> History:
    """The same users with only some rows."""
    before = np.concatenate([[0], np.cumsum(kept)])
    return History(
        history.users,
        before[history.offsets],
        history.items[kept],
        history.kinds[kept],
        history.at_ms[kept],
    )
