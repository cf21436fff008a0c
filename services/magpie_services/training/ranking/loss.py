"""What the network is to make small: the log loss of what was seen so far. Pure `keras.ops`."""

from typing import Any

from keras import ops


def log_loss(logits: Any, labels: Any, weights: Any, shares: Any) -> tuple[Any, Any]:
    """Sum of the weighted log losses of logits [R, H], and the sum of the weights [R, H].

    A label that had part of its time is expected at that share of the probability. A weight of 0 masks: its
    label says nothing and moves nothing.
    """
    seen = ops.clip(ops.sigmoid(logits) * shares, 1e-7, 1.0 - 1e-6)
    losses = labels * ops.log(seen) + (1.0 - labels) * ops.log1p(-seen)
    return -ops.sum(losses * weights), ops.sum(weights)
