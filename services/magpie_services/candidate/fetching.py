"""Takes over a version of the retrieval model: its vocabulary, its vectors page by page, what else it can.

Nothing is taken on trust: what would harm an index or an order is found here, and the version refused.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate.description import DESCRIBES, inputs, of_length_1
from magpie_services.candidate.release import Release
from magpie_services.candidate.vector_index import Floats, Kind, build
from magpie_services.core import features
from magpie_services.core.buckets import READERS, padded
from magpie_services.core.items import Item
from magpie_services.kit.prediction import Prediction, Signature, TensorSpec, unfit

MODEL = "retriever"
PAGE = 512  # rows; a server that batches takes no more in a call (deploy/tf_serving/batching.txt)
PAGE_SECONDS = 10.0
_HISTORY = (-1, features.SEQUENCE_LENGTH)
# What a release must answer to be taken, and what it may answer besides.
WANTED = {
    "retrieve": Signature(
        {
            "items": TensorSpec("int32", _HISTORY),
            "kinds": TensorSpec("int32", _HISTORY),
            "gaps": TensorSpec("float32", _HISTORY),
        },
        {"vector": TensorSpec("float32", ())},
    ),
    "item_vectors": Signature(
        {"rows": TensorSpec("int32", (-1,))},
        {"ids": TensorSpec("string", ()), "vectors": TensorSpec("float32", ())},
    ),
}
FOLLOWS = {
    "transitions": Signature(
        {"items": TensorSpec("int32", _HISTORY)},
        {
            "rows": TensorSpec("int32", ()),
            "scores": TensorSpec("float32", ()),
            "weight": TensorSpec("float32", ()),
            "steps": TensorSpec("int32", ()),
        },
    )
}
# Descriptions that a release is tried on before it is taken.
_STRANGERS = (
    Item(item_id="a", title="a stranger"),
    Item(item_id="b", title="some other stranger", categories=["a", "b"], brand="c"),
)


_NAMED_BADLY = "its vocabulary names an item twice, or not at all"


class Unfit(Exception):
    """A version that must not be taken; the text says why."""


def first(outputs: Mapping[str, NDArray[Any]], name: str, size: int) -> NDArray[Any]:
    """The first `size` rows of an output; none of one that is not there, at most one of a single number."""
    return np.atleast_1d(outputs.get(name, np.empty(0)))[:size]


async def fetch(prediction: Prediction, version: int, kind: Kind, lift: float) -> Release:
    """The version as a release that lifts newcomers by so much.

    Raises Unfit, Unavailable, DeadlineExceeded, NotFound.
    """
    signatures, _ = await prediction.metadata(MODEL, version=version)
    if reason := unfit(signatures, WANTED):
        raise Unfit(reason)
    ids, vectors = await _table(prediction, version)
    if reason := _wrong(ids, vectors):
        raise Unfit(reason)
    describes = not unfit(signatures, DESCRIBES)
    if describes:
        await _try_describing(prediction, version, vectors.shape[1])
    index = await asyncio.to_thread(build, vectors, kind)
    follows = await _follows(prediction, version, signatures)
    return Release(version, ids, index, describes=describes, follows=follows, lift=lift)


async def _table(prediction: Prediction, version: int) -> tuple[list[str], Floats]:
    ids: list[str] = []
    pages: list[Floats] = []
    total = 1
    while len(ids) < total:
        outputs, _ = await prediction.predict(
            MODEL,
            "item_vectors",
            {"rows": np.arange(len(ids), len(ids) + PAGE, dtype=np.int32)},
            version=version,
            timeout_seconds=PAGE_SECONDS,
        )
        try:
            page, names, total = outputs["vectors"], outputs["ids"], int(outputs["total"][0])
        except (KeyError, IndexError, TypeError) as error:
            raise Unfit("it lacks its item vectors") from error
        width = pages[0].shape[1:] if pages else page.shape[1:2]
        if names.shape != (PAGE,) or page.shape != (PAGE, *width) or page.ndim != 2 or total < 1:
            raise Unfit("its item vectors end early")
        left = total - len(ids)  # rows beyond the table come as padding
        named = [name.decode() if isinstance(name, bytes) else str(name) for name in names[:left]]
        if not all(named[0 if ids else 1 :]):
            raise Unfit(_NAMED_BADLY)  # now: padding would go on for as long as it says that there is more
        ids += named
        pages.append(page[:left].astype(np.float32))
    return ids, np.concatenate(pages)


def _wrong(ids: Sequence[str], vectors: Floats) -> str:
    """Why these cannot be a vocabulary and its vectors float32 [n, d]; "" where they can."""
    if ids[0] or len(set(ids)) != len(ids):
        return _NAMED_BADLY
    if not np.isfinite(vectors).all():
        return "its item vectors are not finite"
    if not of_length_1(vectors[1:]).all():
        return "its item vectors are not of length 1"
    return ""


async def _try_describing(prediction: Prediction, version: int, width: int) -> None:
    """Raises Unfit where descriptions of invented items cannot stand beside the item vectors."""
    nobody = [Item(item_id="")] * (padded(len(_STRANGERS), READERS) - len(_STRANGERS))
    outputs, _ = await prediction.predict(
        MODEL,
        "describe",
        inputs([*_STRANGERS, *nobody]),
        version=version,
        timeout_seconds=PAGE_SECONDS,
    )
    vectors = first(outputs, "vectors", len(_STRANGERS))
    if vectors.shape != (len(_STRANGERS), width):
        raise Unfit("it describes items by no vectors like those it has")
    # None at all is honest: it learnt nothing of the kind.
    if not (of_length_1(vectors) | ~vectors.any(axis=1)).all():
        raise Unfit("it describes items by vectors that are not finite or not of length 1")


async def _follows(prediction: Prediction, version: int, signatures: Mapping[str, Signature]) -> bool:
    """Whether its transitions are worth asking for. Raises Unfit where what they weigh is no weight."""
    if unfit(signatures, FOLLOWS):
        return False
    outputs, _ = await prediction.predict(
        MODEL,
        "transitions",
        {"items": np.zeros((1, features.SEQUENCE_LENGTH), dtype=np.int32)},
        version=version,
        timeout_seconds=PAGE_SECONDS,
    )
    weight = first(outputs, "weight", 2)
    if weight.shape != (1,) or not np.isfinite(weight).all() or weight[0] < 0:
        raise Unfit("its transitions have no weight")
    return bool(weight[0] > 0)
