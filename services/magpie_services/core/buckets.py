"""Sizes that batches are padded to before a model sees them: it is compiled and warmed up for these alone."""

from collections.abc import Sequence

USERS = (1, 8, 32)  # of one call to the ranking model
CANDIDATES = (16, 100, 500)  # 100 is what is asked for where nobody says otherwise, 500 the most
# Users of one call to the retrieval model; what joined calls are padded to by a server that batches.
READERS = (1, 8, 32, 128, 512)
VARIANTS = 50  # of one question to be explained: itself, without 8 groups, 20 items, 20 events


def padded(size: int, sizes: Sequence[int]) -> int:
    """The smallest of the sizes that holds `size`; `size` itself beyond the largest."""
    return next((one for one in sizes if one >= size), size)
