"""One release of the retrieval model as candidate holds it: replaced by a newer one; new items join it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate.vector_index import Floats, VectorIndex
from magpie_services.core.columns import UNKNOWN, ItemColumns


class Release:
    """One version: its ids by code (0 is padding), and an index of their unit vectors float32 [n, d].

    The first codes are the model's vocabulary; items that joined later have a vector, but the model cannot
    read them in a history.
    """

    def __init__(
        self,
        version: int,
        ids: Sequence[str],
        index: VectorIndex,
        *,
        describes: bool = False,
        follows: bool = False,
        lift: float = 0.0,
    ) -> None:
        self.version = version
        self.describes = describes  # the model can tell the vector of an item that it has not seen
        self.follows = follows  # the model can tell what follows the newest items of a user
        # What is added to the cosine of an item that joined later. Its vector is made of what it is alone,
        # nearer to the middle than one that was learnt: the right users are hardly nearer to it than others.
        self.lift = lift
        self.index = index
        self.ids = list(ids)
        self.codes = {item_id: code for code, item_id in enumerate(ids) if item_id}
        self.vocabulary = len(self.ids)
        self._rows: tuple[tuple[int, int], NDArray[np.int32], NDArray[np.int32]] | None = None

    @property
    def vectors(self) -> Floats:
        return self.index.vectors

    def join(self, ids: Sequence[str], vectors: Floats) -> None:
        """Items that the release did not know, with unit vectors float32 [m, d]; found from now on."""
        self.codes |= {item_id: len(self.ids) + at for at, item_id in enumerate(ids)}
        self.ids += ids
        self.index.add(vectors)

    def reads(self, item_id: str) -> int:
        """The code of an item in a history, 0 where the model does not know it."""
        code = self.codes.get(item_id, 0)
        return code if code < self.vocabulary else 0

    def rows(self, columns: ItemColumns) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Catalogue row of every vector int32 [n], and vector of every catalogue row int32 [len(columns)].

        -1 where one does not know the other.
        """
        sizes = len(columns), len(self.ids)
        if self._rows is None or self._rows[0] != sizes:
            rows = columns.rows(self.ids)
            inverse = np.full(len(columns), UNKNOWN, dtype=np.int32)
            inverse[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
            self._rows = sizes, rows, inverse
        return self._rows[1:]


@dataclass(frozen=True)
class Followers:
    """What follows the newest items of users: codes int32 [B, K], 0 for none, and what each adds to the
    cosine, float32 [B, K]; one that comes several times adds all of it.

    `after` int32 [B, S] are the items that they follow, the newest first: the first K / S of a user follow
    the first of these, and so on.
    """

    codes: NDArray[np.int32]
    scores: Floats
    after: NDArray[np.int32]

    def part(self, start: int, end: int) -> "Followers":
        """Those of users `start` to `end` of the batch."""
        return Followers(self.codes[start:end], self.scores[start:end], self.after[start:end])


@dataclass(frozen=True)
class UserVectors:
    """Unit vectors float32 [B, d] of users by a release; zeros where `known` bool [B] is False.

    `followers` is None where the release has none, or could not tell.
    """

    release: Release
    vectors: Floats
    known: NDArray[np.bool_]
    followers: Followers | None = None

    def part(self, start: int, end: int) -> "UserVectors":
        """Those of users `start` to `end` of the batch."""
        followers = self.followers.part(start, end) if self.followers is not None else None
        return UserVectors(self.release, self.vectors[start:end], self.known[start:end], followers)
