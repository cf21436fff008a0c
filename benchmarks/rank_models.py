"""Writes a retriever and a ranker with the shipped sizes and random weights: `python rank_models.py FOLDER`.

How fast a model answers does not depend on what it has learnt. A process of its own, because it imports
TensorFlow. The items are those of the harness.
"""

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from magpie_services.core.items import Item
from magpie_services.training import export
from magpie_services.training.plan import RankerPlan, RetrieverPlan
from magpie_services.training.ranking import light
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.retrieval import vocabulary
from magpie_services.training.retrieval.retriever import Retriever

REPEATED = (100, 500)  # how often the user is repeated where it is not shared; compiled too, to be fair

PER_CANDIDATE = ("items", "cross", "hashes", "mask")  # of `rank`; of `retrieve` all is the user's


def main(models: Path, items: int) -> None:
    dice = np.random.default_rng(1)
    ranker = Ranker(light.prior(), RankerPlan())
    shaken(ranker, dice)
    export.save_ranker(ranker, models / "ranker" / "1")
    ids = [f"item-{number}" for number in range(items)]
    known = vocabulary.build([Item(item_id=one, title=one) for one in ids], ids)
    retriever = Retriever(RetrieverPlan(), known, np.ones(len(known), dtype=np.bool_))
    shaken(retriever, dice)
    export.save_retriever(retriever, known.ids, models / "retriever" / "1")
    for name, signature in (("ranker", "rank"), ("retriever", "retrieve")):
        repeat(models / name / "1" / "assets.extra" / "tf_serving_warmup_requests", signature)


def shaken(model: Any, dice: np.random.Generator) -> None:
    """Weights that start at zero would leave parts of the model silent."""
    for weight in model.trainable_variables:
        weight.assign(weight + 0.1 * dice.normal(size=weight.shape))


def repeat(file: Path, signature: str) -> None:
    """Adds warm-up records with the user repeated for every candidate."""
    records = list(tf.data.TFRecordDataset(str(file)).as_numpy_iterator())
    log = next(
        log
        for log in map(prediction_log_pb2.PredictionLog.FromString, records)
        if log.predict_log.request.model_spec.signature_name == signature
    )
    for count in REPEATED:
        for name, tensor in log.predict_log.request.inputs.items():
            array = tf.make_ndarray(tensor)
            one = array[:1, :1] if signature == "rank" and name in PER_CANDIDATE else array[:1]
            rows = np.repeat(one, count, axis=0)
            tensor.CopyFrom(tf.make_tensor_proto(rows))
        records.append(log.SerializeToString())
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
