"""How the retrieval model is asked what the vector of an item is that it has never seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate.vector_index import Floats, Mask
from magpie_services.core import item_codes
from magpie_services.core.items import Item
from magpie_services.kit.prediction import Signature, TensorSpec

DESCRIBES = {
    "describe": Signature(
        {
            "tags": TensorSpec("int32", (-1, item_codes.TAGS)),
            "brands": TensorSpec("int32", (-1,)),
            "bands": TensorSpec("int32", (-1,)),
            "words": TensorSpec("int32", (-1, item_codes.WORDS)),
            "pictures": TensorSpec("float32", (-1, item_codes.PICTURE)),
        },
        {"vectors": TensorSpec("float32", ())},
    )
}
LENGTHS = (0.99, 1.01)  # of a unit vector


def inputs(items: Sequence[Item]) -> Mapping[str, NDArray[Any]]:
    """What the signature reads of items."""
    return {
        "tags": np.array([item_codes.tags(item) for item in items], dtype=np.int32),
        "brands": np.array([item_codes.brand(item) for item in items], dtype=np.int32),
        "bands": np.array([item_codes.band(item) for item in items], dtype=np.int32),
        "words": np.array([item_codes.words(item) for item in items], dtype=np.int32),
        "pictures": np.array([item_codes.picture(item) for item in items], dtype=np.float32),
    }


def of_length_1(vectors: Floats) -> Mask:
    """Which of the vectors float32 [n, d] are finite and of length 1: bool [n]."""
    lengths = np.linalg.norm(vectors, axis=1)  # not a number where one of them is not
    return np.asarray((lengths >= LENGTHS[0]) & (lengths <= LENGTHS[1]))
