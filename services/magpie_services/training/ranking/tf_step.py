"""The training step on the TensorFlow backend: traced once for all sizes of a batch."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from magpie_services.training import parallel
from magpie_services.training.ranking.loss import log_loss


def compiled(model: Any, optimizer: Any, example: tuple[Any, ...]) -> Callable[..., tuple[Any, Any]]:
    """A step that takes (inputs, labels, weights, shares), alike in types and ranks to `example`."""
    group, learnt = parallel.group(), model.trainable_weights
    shapes = tf.nest.map_structure(lambda one: tf.TensorSpec([None, *one.shape[1:]], one.dtype), example)

    @tf.function(input_signature=shapes, autograph=False)
    def step(columns: tuple[Any, ...], labels: Any, weights: Any, shares: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            total, weight = log_loss(model.logits(*columns, training=True)[:, 0], labels, weights, shares)
        found = map(tf.convert_to_tensor, tape.gradient(total, [one.value for one in learnt]))
        *gradients, total, weight = group.total([*found, total, weight])
        optimizer.apply([gradient / tf.maximum(weight, 1e-6) for gradient in gradients], learnt)
        return total, weight

    return lambda *columns: step(*tf.nest.map_structure(tf.convert_to_tensor, columns))
