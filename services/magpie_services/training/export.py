"""Writes SavedModels with the signatures that candidate and ranking call, and the records that warm them
up.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import prediction_log_pb2

from magpie_services.core.feature_schema import SCHEMA_HASH
from magpie_services.training.plan import HISTORY, RECENT
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import WIDTHS
from magpie_services.training.retrieval.retriever import Retriever

USER, ITEM, CROSS = WIDTHS
RETRIEVE_BATCHES = (1, 8, 32)
# (users, candidates) padded as ranking pads them; the largest are left to the first real call.
RANK_SHAPES = ((1, 16), (1, 64), (1, 128), (1, 512), (8, 64), (32, 16), (32, 128))

Inputs = Mapping[str, NDArray[np.generic]]


class RetrieverModule(tf.Module):
    """`retrieve` and `item_vectors` over a table of item vectors that is fixed at export."""

    def __init__(self, model: Retriever, ids: tuple[str, ...]) -> None:
        super().__init__()
        self._reader = _Untracked(model.reader)
        # Keras objects stay out of the SavedModel: only their values go in.
        self._values = [weight.value for weight in model.reader.weights]
        self._table = tf.Variable(model.vectors(), trainable=False, name="item_vectors")
        self._ids = tf.Variable(
            np.array(ids, dtype=object), trainable=False, dtype=tf.string, name="item_ids"
        )

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, HISTORY], tf.int32, name="items"),
            tf.TensorSpec([None, HISTORY], tf.int32, name="kinds"),
            tf.TensorSpec([None, HISTORY], tf.float32, name="gaps"),
        ],
        autograph=False,
    )
    def retrieve(self, items: Any, kinds: Any, gaps: Any) -> dict[str, Any]:
        """User vectors, see the serving contract; an index beyond the vocabulary reads as padding."""
        items = tf.where((items > 0) & (items < tf.shape(self._table)[0]), items, 0)
        vector = self._reader.layer(tf.gather(self._table, items), kinds, gaps, items > 0)
        return {"vector": tf.debugging.check_numerics(vector, "vector")}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="rows")], autograph=False)
    def item_vectors(self, rows: Any) -> dict[str, Any]:
        """Ids and vectors of rows of the table, and for each the table's length; a row beyond it is padding.

        One answer a row asked for: TensorFlow Serving joins calls into batches only then.
        """
        total = tf.shape(self._table)[0]
        known = tf.where((rows > 0) & (rows < total), rows, 0)
        vectors = tf.debugging.check_numerics(tf.gather(self._table, known), "vectors")
        return {
            "ids": tf.gather(self._ids, known),
            "vectors": vectors,
            "total": tf.fill(tf.shape(rows), total),
        }


class RankerModule(tf.Module):
    """`rank`, the weights of the `light` model, and the `schema` that both were trained on."""

    def __init__(self, model: Ranker) -> None:
        super().__init__()
        self._model = _Untracked(model)
        self._values = [weight.value for weight in model.weights]
        self._light = [model.light_weights, model.light_bias, model.slope, model.offset]

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, USER], tf.float32, name="user"),
            tf.TensorSpec([None, None, ITEM], tf.float32, name="items"),
            tf.TensorSpec([None, None, CROSS], tf.float32, name="cross"),
            tf.TensorSpec([None, None, 3], tf.int32, name="hashes"),
            tf.TensorSpec([None, RECENT], tf.int32, name="recent"),
            tf.TensorSpec([None, None], tf.float32, name="mask"),
            tf.TensorSpec([None, None], tf.float32, name="sent"),
        ],
        autograph=False,
    )
    def rank(
        self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, mask: Any, sent: Any
    ) -> dict[str, Any]:
        """Calibrated probabilities of the heads, 0 where masked."""
        found = self._model.layer.probabilities(user, items, cross, hashes, recent, sent)
        return {"probabilities": tf.debugging.check_numerics(found, "probabilities") * mask[..., None]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="unit")], autograph=False)
    def light(self, unit: Any) -> dict[str, Any]:
        """Weights [n, 4, F] and bias [n, 4] of the light model, calibrated like the deep one."""
        weights, bias, slope, offset = self._light
        return {
            "weights": _for_each(unit, weights * slope[:, None]),
            "bias": _for_each(unit, bias * slope + offset),
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="unit")], autograph=False)
    def schema(self, unit: Any) -> dict[str, Any]:
        """The hash of the feature schema, for each unit."""
        return {"hash": tf.fill(tf.shape(unit), SCHEMA_HASH)}


def _for_each(unit: Any, value: Any) -> Any:
    """The same value once a unit, so that TensorFlow Serving may join the call with others."""
    return tf.repeat(value[None], tf.shape(unit)[0], axis=0)


class _Untracked:
    """Holds a layer where a tf.Module does not look for things to save."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer


def save_retriever(model: Retriever, ids: tuple[str, ...], folder: Path) -> None:
    """Writes the SavedModel of a retriever into a new folder."""
    module = RetrieverModule(model, ids)
    signatures = {"retrieve": module.retrieve, "item_vectors": module.item_vectors}
    zeros = np.zeros((max(RETRIEVE_BATCHES), HISTORY), np.int32)
    calls: list[tuple[str, Inputs]] = [
        ("retrieve", {"items": zeros[:n], "kinds": zeros[:n], "gaps": zeros[:n].astype(np.float32)})
        for n in RETRIEVE_BATCHES
    ]
    calls.append(("item_vectors", {"rows": np.arange(512, dtype=np.int32)}))
    _save(module, signatures, "retriever", calls, folder)


def save_ranker(model: Ranker, folder: Path) -> None:
    """Writes the SavedModel of a ranker into a new folder."""
    module = RankerModule(model)
    unit = {"unit": np.zeros(1, np.int32)}
    calls: list[tuple[str, Inputs]] = [("light", unit), ("schema", unit)]
    for users, count in RANK_SHAPES:
        calls.append(
            (
                "rank",
                {
                    "user": np.zeros((users, USER), np.float32),
                    "items": np.zeros((users, count, ITEM), np.float32),
                    "cross": np.zeros((users, count, CROSS), np.float32),
                    "hashes": np.zeros((users, count, 3), np.int32),
                    "recent": np.zeros((users, RECENT), np.int32),
                    "mask": np.ones((users, count), np.float32),
                    "sent": np.zeros((users, count), np.float32),
                },
            )
        )
    signatures = {"rank": module.rank, "light": module.light, "schema": module.schema}
    _save(module, signatures, "ranker", calls, folder)


def _save(
    module: Any, signatures: dict[str, Any], model: str, calls: list[tuple[str, Inputs]], folder: Path
) -> None:
    tf.saved_model.save(module, str(folder), signatures=signatures)
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(extra / "tf_serving_warmup_requests")) as writer:
        for signature, inputs in calls:
            record = prediction_log_pb2.PredictionLog()
            request = record.predict_log.request
            request.model_spec.name, request.model_spec.signature_name = model, signature
            for name, array in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            writer.write(record.SerializeToString())
