"""Columns of Arrow tables as numpy arrays."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def mapped(column: pa.ChunkedArray | pa.Array, codes: dict[str, int], missing: int = 0) -> NDArray[np.int64]:
    """Codes of texts, `missing` where there is none."""
    encoded = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).dictionary_encode()
    table = np.array(
        [codes.get(text, missing) for text in encoded.dictionary.to_pylist()] + [missing], np.int64
    )
    return table[ints(encoded.indices.fill_null(-1))]


def ints(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """Whole numbers; there must be no null."""
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.int64)


def equal(column: pa.ChunkedArray | pa.Array, text: str) -> NDArray[np.bool_]:
    """Where a column has this text."""
    return np.asarray(pc.fill_null(pc.equal(column, text), False))
