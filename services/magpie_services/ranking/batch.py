"""What a batch of users and their candidates look like to the ranking model: features as padded tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core import features
from magpie_services.core.buckets import CANDIDATES, USERS, padded
from magpie_services.core.columns import ItemColumns
from magpie_services.core.portraits import Portrait

Floats = NDArray[np.float32]

MAX_USERS = USERS[-1]  # of one call; larger batches are several
_SOURCE_BITS = np.arange(len(features.SOURCES))


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """The n candidates of one user: similarity and covisit float32 [n], sources int64 [n].

    Bit k of `sources` says that the k-th of `features.SOURCES` named the candidate.
    """

    item_ids: list[str]
    similarity: Floats
    covisit: Floats
    sources: NDArray[np.int64]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Features of B users and N candidates each: B is the real number of users, N is padded.

    user float32 [B, U], items float32 [B, N, I], cross float32 [B, N, C], hashes int32 [B, N, 3],
    recent int32 [B, 20], mask float32 [B, N] with 1 for a candidate and 0 for padding.
    """

    user: Floats
    items: Floats
    cross: Floats
    hashes: NDArray[np.int32]
    recent: NDArray[np.int32]
    mask: Floats

    def inputs(self) -> Mapping[str, NDArray[Any]]:
        """Tensors of signature `rank`, users padded too."""
        arrays = {name: getattr(self, name) for name in self.__struct_fields__}
        extra = padded(len(self.mask), USERS) - len(self.mask)
        if not extra:
            return arrays
        return {
            name: np.pad(array, ((0, extra), *((0, 0),) * (array.ndim - 1))) for name, array in arrays.items()
        }

    def flat(self) -> Floats:
        """User, item and cross features of every pair side by side: float32 [B, N, U + I + C]."""
        user = np.broadcast_to(self.user[:, None, :], (*self.mask.shape, self.user.shape[-1]))
        return np.concatenate([user, self.items, self.cross], axis=-1)

    def features(self, user: int, candidates: Sequence[int]) -> list[bytes]:
        """The same of a user with some of the candidates, each pair as little-endian float32."""
        chosen = list(candidates)
        of_user = np.broadcast_to(self.user[user], (len(chosen), self.user.shape[-1]))
        rows = np.concatenate([of_user, self.items[user, chosen], self.cross[user, chosen]], axis=1)
        return [row.tobytes() for row in rows.astype("<f4")]


def build(portraits: Sequence[Portrait], lists: Sequence[Listed], columns: ItemColumns, now_ms: int) -> Batch:
    """The batch of at most 32 users; an item that the catalogue does not know has zeros for features."""
    width = padded(max((len(listed.item_ids) for listed in lists), default=0), CANDIDATES)
    shape = (len(portraits), width)
    rows = np.full(shape, -1, dtype=np.int32)
    mask, similarity, covisit = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    sources = np.zeros(shape, dtype=np.int64)
    for at, listed in enumerate(lists):
        count = len(listed.item_ids)
        rows[at, :count] = columns.rows(listed.item_ids)
        mask[at, :count] = 1.0
        similarity[at, :count] = listed.similarity
        covisit[at, :count] = listed.covisit
        sources[at, :count] = listed.sources
    flags = sources[..., None] >> _SOURCE_BITS & 1
    cross = features.cross_features(
        portraits, columns, rows, now_ms, similarity=similarity, covisitation=covisit, sources=flags
    )
    return Batch(
        user=features.user_features(portraits, now_ms),
        items=features.item_features(columns, rows, now_ms),
        cross=cross,
        hashes=features.hash_buckets(columns, rows),
        recent=np.array([features.recent_buckets(portrait) for portrait in portraits], dtype=np.int32),
        mask=mask,
    )
