"""The newest week as an exam: who wanted what, and which logged arms were bought; the same for every
bundle.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.dataset import Dataset
from magpie_services.training.ranking import rows as ranker_rows
from magpie_services.training.ranking.rows import Rows
from magpie_services.training.retrieval import sequences
from magpie_services.training.retrieval.sequences import History

MAX_USERS = 2_000
MAX_ROWS = 60_000
POPULAR = 100


@dataclass(frozen=True)
class Exam:
    """`history` has what the asked users did up to `cut_ms`; `wanted` their items of the week that followed.

    Items are positions in `ids`. `popular` are the 100 items wanted most in the week before, best first.
    """

    ids: tuple[str, ...]
    cut_ms: int
    history: History
    wanted: list[set[int]]
    popular: NDArray[np.int64]
    rows: Rows

    def save(self, path: Path) -> None:
        """Writes it all into one .npz file."""
        lengths = np.array([len(items) for items in self.wanted], np.int64)
        flat = np.array([item for items in self.wanted for item in sorted(items)], np.int64)
        columns: dict[str, Any] = {f"rows_{name}": column for name, column in self.rows.columns().items()}
        np.savez(
            path,
            ids=np.array(self.ids),
            cut_ms=np.int64(self.cut_ms),
            users=np.array(self.history.users),
            offsets=self.history.offsets,
            items=self.history.items,
            kinds=self.history.kinds,
            at_ms=self.history.at_ms,
            wanted=flat,
            lengths=lengths,
            popular=self.popular,
            **columns,
        )


def load(path: Path) -> Exam:
    """What `Exam.save` wrote."""
    with np.load(path) as held:
        users, ids = (tuple(str(text) for text in held[name]) for name in ("users", "ids"))
        ends = np.cumsum(held["lengths"])[:-1]
        wanted = [set(part.tolist()) for part in np.split(held["wanted"], ends)] if len(users) else []
        columns = {name[5:]: held[name] for name in held.files if name.startswith("rows_")}
        history = History(users, held["offsets"], held["items"], held["kinds"], held["at_ms"])
        return Exam(ids, int(held["cut_ms"]), history, wanted, held["popular"], Rows(**columns))


def build(data: Dataset, seed: int) -> Exam:
    """The exam of a data set: at most 2,000 users who have a past and wanted something, and about 60,000
    rows.
    """
    rng = np.random.default_rng(seed)
    past = data.history.until(data.cut_ms)
    wanted = sequences.wanted(data.history, data.cut_ms, data.end_ms)
    users = np.array([user for user in wanted if past.offsets[user + 1] > past.offsets[user]], np.int64)
    if len(users) > MAX_USERS:
        users = np.sort(rng.choice(users, MAX_USERS, replace=False))
    newest = data.rows.take(data.rows.decided_ms > data.cut_ms)
    return Exam(
        ids=data.vocabulary.ids,
        cut_ms=data.cut_ms,
        history=past.of(users),
        wanted=[wanted[user] for user in users.tolist()],
        popular=_popular(past, data.cut_ms, len(data.vocabulary)),
        rows=ranker_rows.sample(newest, MAX_ROWS, rng),
    )


def _popular(past: History, cut_ms: int, size: int) -> NDArray[np.int64]:
    counts = np.zeros(size)
    for items in sequences.wanted(past, cut_ms - sequences.WEEK_MS, cut_ms).values():
        counts[list(items)] += 1
    return np.argsort(-counts, kind="stable")[:POPULAR]
