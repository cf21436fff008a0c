"""The training step on the TensorFlow backend: traced once for all sizes."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from magpie_services.training import parallel
from magpie_services.training.retrieval.retriever import Lesson, Retriever


def compiled(
    model: Retriever, optimizer: Any, averages: list[Any], decay: float, lesson: Lesson
) -> Callable[[Lesson], tuple[Any, Any]]:
    """A step that answers the sum of losses and of weights; `lesson` shows the types and ranks."""
    columns = [tf.convert_to_tensor(column) for column in lesson]
    shapes = [tf.TensorSpec([None] * len(column.shape), column.dtype) for column in columns]
    weights, group = model.trainable_variables, parallel.group()

    @tf.function(input_signature=shapes, autograph=False)
    def step(*columns: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            total, weight = model(Lesson(*columns), training=True)
        gradients = tape.gradient(
            total,
            [variable.value for variable in weights],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        *gradients, total, weight = group.total([*map(_dense, gradients), total, weight])
        optimizer.apply([gradient / weight for gradient in gradients], weights)
        if averages:
            done = tf.cast(optimizer.iterations, tf.float32)
            pull = 1 - tf.minimum(decay, (1 + done) / (10 + done))
            for average, variable in zip(averages, weights, strict=True):
                average.assign_add(pull * (variable - average))
        return total, weight

    step.get_concrete_function()  # traced here: who measures the time of training begins after this
    return lambda lesson: step(*(tf.convert_to_tensor(column) for column in lesson))


def _dense(gradient: Any) -> Any:
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient
