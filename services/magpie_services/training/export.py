"""Writes SavedModels with the signatures that candidate and ranking call, and the records that warm them
up.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import prediction_log_pb2

from magpie_services.core.buckets import CANDIDATES, READERS, USERS, VARIANTS
from magpie_services.core.feature_schema import SCHEMA_HASH
from magpie_services.core.item_codes import PICTURE, TAGS, WORDS
from magpie_services.training.plan import HISTORY, RECENT
from magpie_services.training.ranking.explanation import Explainer
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import WIDTHS
from magpie_services.training.retrieval import transitions
from magpie_services.training.retrieval.retriever import Retriever
from magpie_services.training.retrieval.transitions import Transitions

USER, ITEM, CROSS = WIDTHS

Inputs = Mapping[str, NDArray[np.generic]]


class RetrieverModule(tf.Module):
    """`retrieve` and `item_vectors` over a table of item vectors that is fixed at export, `describe` for
    items that came after, and `transitions`, which know the last steps.
    """

    def __init__(self, model: Retriever, ids: tuple[str, ...], table: Transitions, weight: float) -> None:
        super().__init__()
        followers, strengths = table.padded()
        self._followers = tf.Variable(followers, trainable=False, name="followers")
        self._strengths = tf.Variable(strengths, trainable=False, name="strengths")
        self._fading = tf.constant(table.settings.fading ** np.arange(table.settings.steps), tf.float32)
        self._weight = tf.Variable(weight, trainable=False, dtype=tf.float32, name="weight")
        self._reader = _Untracked(model.reader)
        # Keras objects stay out of the SavedModel: only their values go in.
        self._tower = _Untracked(model)
        self._values = [weight.value for weight in (*model.reader.weights, *model.tower.weights)]
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

    @tf.function(input_signature=[tf.TensorSpec([None, HISTORY], tf.int32, name="items")], autograph=False)
    def transitions(self, items: Any) -> dict[str, Any]:
        """What follows the newest items of each user: `rows` int32 [B, K] of the table and `scores` float32
        [B, K], 0 where there is none; a row that comes several times counts as the sum. `weight` [B] is what
        the sum is worth beside the cosine of `retrieve`. Of the K the first K / `steps` [B] follow the newest
        item, the next the one before it, and so on.
        """
        steps = self._fading.shape[0]
        newest = tf.reverse(items, [1])[:, :steps]
        newest = tf.where((newest > 0) & (newest < tf.shape(self._table)[0]), newest, 0)
        rows = tf.gather(self._followers, newest)
        scores = tf.gather(self._strengths, newest) * self._fading[:, None]
        shape = [tf.shape(items)[0], steps * self._followers.shape[1]]
        return {
            "rows": tf.reshape(rows, shape),
            "scores": tf.debugging.check_numerics(tf.reshape(scores, shape), "scores"),
            "weight": tf.fill([tf.shape(items)[0]], self._weight),
            "steps": tf.fill([tf.shape(items)[0]], steps),
        }

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

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, TAGS], tf.int32, name="tags"),
            tf.TensorSpec([None], tf.int32, name="brands"),
            tf.TensorSpec([None], tf.int32, name="bands"),
            tf.TensorSpec([None, WORDS], tf.int32, name="words"),
            tf.TensorSpec([None, PICTURE], tf.float32, name="pictures"),
        ],
        autograph=False,
    )
    def describe(self, tags: Any, brands: Any, bands: Any, words: Any, pictures: Any) -> dict[str, Any]:
        """Vectors of items that the table lacks, by what `core.item_codes` says of them."""
        model = self._tower.layer
        vectors = model.served(model.tower.describe(tags, brands, bands, words, pictures))
        return {"vectors": tf.debugging.check_numerics(vectors, "vectors")}


class RankerModule(tf.Module):
    """`rank` and its reasons (`explain`), the weights of the `light` model, and the `schema` of them all."""

    def __init__(self, model: Ranker, baseline: NDArray[np.float32]) -> None:
        super().__init__()
        self._model = _Untracked(model)
        self._explainer = _Untracked(Explainer(model, baseline))
        self._values = [weight.value for weight in model.weights]
        weights, bias = model.light()
        slope, offset = np.asarray(model.light_calibration)
        self._light = tf.Variable(weights * slope[:, None], trainable=False, name="light_weights")
        self._light_bias = tf.Variable(bias * slope + offset, trainable=False, name="light_bias")

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, USER], tf.float32, name="user"),
            tf.TensorSpec([None, None, ITEM], tf.float32, name="items"),
            tf.TensorSpec([None, None, CROSS], tf.float32, name="cross"),
            tf.TensorSpec([None, None, 3], tf.int32, name="hashes"),
            tf.TensorSpec([None, RECENT], tf.int32, name="recent"),
            tf.TensorSpec([None, None], tf.float32, name="mask"),
        ],
        autograph=False,
    )
    def rank(self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, mask: Any) -> dict[str, Any]:
        """Calibrated probabilities of the heads, 0 where masked."""
        found = self._model.layer.probabilities(user, items, cross, hashes, recent)
        return {"probabilities": tf.debugging.check_numerics(found, "probabilities") * mask[..., None]}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, USER], tf.float32, name="user"),
            tf.TensorSpec([None, None, None, ITEM], tf.float32, name="items"),
            tf.TensorSpec([None, None, None, CROSS], tf.float32, name="cross"),
            tf.TensorSpec([None, None, 3], tf.int32, name="hashes"),
            tf.TensorSpec([None, None, RECENT], tf.int32, name="recent"),
        ],
        autograph=False,
    )
    def explain(self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any) -> dict[str, Any]:
        """What each variant of a question lacks, and each feature, adds to its log-odds; see `Explainer`."""
        found = self._explainer.layer.explain(user, items, cross, hashes, recent)
        return {name: tf.debugging.check_numerics(value, name) for name, value in found.items()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="unit")], autograph=False)
    def light(self, unit: Any) -> dict[str, Any]:
        """Weights [n, H, F] and bias [n, H] of the light model, calibrated by itself."""
        return {"weights": _for_each(unit, self._light), "bias": _for_each(unit, self._light_bias)}

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


def save_retriever(
    model: Retriever,
    ids: tuple[str, ...],
    folder: Path,
    table: Transitions | None = None,
    weight: float = 0.0,
) -> None:
    """Writes the SavedModel of a retriever into a new folder; without a `table` nothing follows anything."""
    module = RetrieverModule(model, ids, table or transitions.nothing(len(ids)), weight)
    signatures = {
        "retrieve": module.retrieve,
        "item_vectors": module.item_vectors,
        "describe": module.describe,
        "transitions": module.transitions,
    }
    zeros = np.zeros((max(READERS), HISTORY), np.int32)
    calls: list[tuple[str, Inputs]] = [
        ("retrieve", {"items": zeros[:n], "kinds": zeros[:n], "gaps": zeros[:n].astype(np.float32)})
        for n in READERS
    ]
    calls += [("transitions", {"items": zeros[:n]}) for n in READERS]
    calls += [
        (
            "describe",
            {
                "tags": zeros[:n, :TAGS],
                "brands": zeros[:n, 0],
                "bands": zeros[:n, 0],
                "words": zeros[:n, :WORDS],
                "pictures": np.zeros((n, PICTURE), np.float32),
            },
        )
        for n in READERS
    ]
    calls.append(("item_vectors", {"rows": np.arange(512, dtype=np.int32)}))
    _save(module, signatures, "retriever", calls, folder)


def save_ranker(model: Ranker, folder: Path, baseline: NDArray[np.float32] | None = None) -> None:
    """Writes the SavedModel of a ranker into a new folder. `baseline` float32 [F] has the features of the
    average case that explanations start from; zeros where it is not given.
    """
    module = RankerModule(model, np.zeros(sum(WIDTHS), np.float32) if baseline is None else baseline)
    unit = {"unit": np.zeros(1, np.int32)}
    calls: list[tuple[str, Inputs]] = [("light", unit), ("schema", unit)]
    for users, count in itertools.product(USERS, CANDIDATES):
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
                },
            )
        )
    count = CANDIDATES[0]
    reasons = {
        "user": np.zeros((1, VARIANTS, USER), np.float32),
        "items": np.zeros((1, VARIANTS, count, ITEM), np.float32),
        "cross": np.zeros((1, VARIANTS, count, CROSS), np.float32),
        "hashes": np.zeros((1, count, 3), np.int32),
        "recent": np.zeros((1, VARIANTS, RECENT), np.int32),
    }
    calls.append(("explain", reasons))
    signatures = {
        "rank": module.rank,
        "explain": module.explain,
        "light": module.light,
        "schema": module.schema,
    }
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
