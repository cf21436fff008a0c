"""One release of the retrieval model as candidate holds it: never changed, replaced whole by a newer one."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate.vector_index import Floats, VectorIndex
from magpie_services.core.columns import UNKNOWN, ItemColumns


@dataclass(frozen=True)
class Release:
    """One version: ids by vocabulary index (0 is padding), unit vectors float32 [n, d] and their index."""

    version: int
    ids: tuple[str, ...]
    vectors: Floats
    index: VectorIndex
    codes: dict[str, int]
    _rows: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = field(default_factory=dict, repr=False)

    def rows(self, columns: ItemColumns) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Catalogue row of every vector int32 [n], and vector of every catalogue row int32 [len(columns)].

        -1 where one does not know the other.
        """
        size = len(columns)
        if size not in self._rows:
            rows = columns.rows(self.ids)
            inverse = np.full(size, UNKNOWN, dtype=np.int32)
            inverse[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
            self._rows.clear()
            self._rows[size] = rows, inverse
        return self._rows[size]


@dataclass(frozen=True)
class UserVectors:
    """Unit vectors float32 [B, d] of users by a release; zeros where `known` bool [B] is False."""

    release: Release
    vectors: Floats
    known: NDArray[np.bool_]

    def part(self, start: int, end: int) -> "UserVectors":
        """Those of users `start` to `end` of the batch."""
        return UserVectors(self.release, self.vectors[start:end], self.known[start:end])
