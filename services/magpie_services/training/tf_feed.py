"""Batches through `tf.data`: while a step runs, the next batches are made in another thread."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

AHEAD = 2


class Feed:
    """Turns batches of arrays into batches of tensors, in the same order; a few ahead of who takes them.

    Whatever draws them must use a generator of this pass alone: one that is left early has drawn too many.
    """

    def __init__(self, like: Any) -> None:
        """`like` shows the structure, types and ranks of a batch."""
        self._batches: Iterator[Any] = iter(())
        shapes = tf.nest.map_structure(lambda one: tf.TensorSpec([None] * one.ndim, one.dtype), like)
        # Made once, for every data set is traced anew; each pass over it begins with what is there then.
        made = tf.data.Dataset.from_generator(lambda: self._batches, output_signature=shapes)
        options = tf.data.Options()
        options.autotune.enabled = False
        self._dataset = made.prefetch(AHEAD).with_options(options)

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """One pass."""
        self._batches = batches
        return iter(self._dataset)
