"""Writes the SavedModels of the conformance suite: `python saved_models.py FOLDER`. A process of its own,
so that the tests themselves need no TensorFlow."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2


class Line(tf.Module):
    """y = slope · x + offset, with a signature that names its version in words."""

    def __init__(self, slope: float, offset: float) -> None:
        super().__init__()
        self.slope = tf.Variable(slope)
        self.offset = tf.Variable(offset)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def serving_default(self, x: Any) -> dict[str, Any]:
        y = tf.debugging.check_numerics(self.slope * x + self.offset, "y")
        return {"y": y, "rows": tf.shape(x)[:1]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def shout(self, words: Any) -> dict[str, Any]:
        return {"loud": tf.strings.upper(words)}


def write(folder: Path, model: Line, *, warmup: bool = True) -> None:
    signatures = {"serving_default": model.serving_default, "shout": model.shout}
    tf.saved_model.save(model, str(folder), signatures=signatures)
    if warmup:
        request = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(name="line"))
        request.inputs["x"].CopyFrom(tf.make_tensor_proto([[1.0, 2.0]], dtype=tf.float32))
        log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
        extra = folder / "assets.extra"
        extra.mkdir()
        with tf.io.TFRecordWriter(str(extra / "tf_serving_warmup_requests")) as writer:
            writer.write(log.SerializeToString())


def main(root: Path) -> None:
    write(root / "line" / "1", Line(0.5, 2.0))
    # Kept aside: tests move them into place to see a version arrive.
    write(root / "aside" / "2", Line(0.5, 3.0))
    write(root / "aside" / "poisoned", Line(float("nan"), 0.0))
    shutil.copytree(root / "aside" / "2", root / "aside" / "truncated")
    variables = root / "aside" / "truncated" / "variables" / "variables.data-00000-of-00001"
    variables.write_bytes(variables.read_bytes()[:3])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
