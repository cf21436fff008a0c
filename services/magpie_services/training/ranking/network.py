"""The ranker: the light model plus a deep correction that starts at zero, with four calibrated heads."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from magpie_services.core.columns import HASH_BUCKETS
from magpie_services.core.feature_schema import HEADS
from magpie_services.training.plan import RECENT
from magpie_services.training.ranking.light import Light
from magpie_services.training.ranking.rows import PURCHASE, WIDTHS

WIDTH = 32
EMBEDDING = 12
RANK = 16
CROSS_LAYERS = 2
DROPOUT = 0.1


class Ranker(keras.Model):
    """`logits` of the heads for candidates; the user's part is computed once for all of a user's
    candidates.
    """

    def __init__(self, light: Light) -> None:
        super().__init__()
        self.light_weights = tf.Variable(light.weights, trainable=False, name="light_weights")
        self.light_bias = tf.Variable(light.bias, trainable=False, name="light_bias")
        self.slope = tf.Variable(np.ones(len(HEADS), np.float32), trainable=False, name="slope")
        self.offset = tf.Variable(np.zeros(len(HEADS), np.float32), trainable=False, name="offset")
        self._table = keras.layers.Embedding(
            HASH_BUCKETS, EMBEDDING, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.05)
        )
        self._user = keras.layers.Dense(WIDTH, activation="relu")
        self._item = keras.layers.Dense(WIDTH, activation="relu")
        self._down = [keras.layers.Dense(RANK, use_bias=False) for _ in range(CROSS_LAYERS)]
        self._up = [keras.layers.Dense(2 * WIDTH + WIDTHS[2] + 2 * EMBEDDING) for _ in range(CROSS_LAYERS)]
        self._hidden = keras.layers.Dense(2 * WIDTH, activation="relu")
        self._drop = keras.layers.Dropout(DROPOUT)
        # Zero at first: without evidence the deep part and the lift of a push say nothing.
        self._heads = keras.layers.Dense(len(HEADS), kernel_initializer="zeros")
        self._lift = keras.layers.Dense(1, kernel_initializer="zeros")
        # Every layer gets its weights now, so that a ranker without a row to learn from can be exported too.
        wide_user, wide_item, wide_cross = WIDTHS
        self.logits(
            tf.zeros([1, wide_user]),
            tf.zeros([1, 1, wide_item]),
            tf.zeros([1, 1, wide_cross]),
            tf.zeros([1, 1, 3], tf.int32),
            tf.zeros([1, RECENT], tf.int32),
            tf.zeros([1, 1]),
        )

    def logits(
        self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, sent: Any, training: bool = False
    ) -> Any:
        """user [B, U], items [B, N, I], cross [B, N, C], hashes int32 [B, N, 3], recent int32 [B, 20], sent
        [B, N] → uncalibrated logits [B, N, 4]."""
        deep, lift = self._deep(user, items, cross, hashes, recent, training)
        head = tf.one_hot(PURCHASE, len(HEADS))
        return self._light(user, items, cross) + deep + (lift * sent[..., None]) * head

    def probabilities(self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, sent: Any) -> Any:
        """As `logits`, calibrated: [B, N, 4]."""
        return tf.sigmoid(self.slope * self.logits(user, items, cross, hashes, recent, sent) + self.offset)

    def _light(self, user: Any, items: Any, cross: Any) -> Any:
        of_user, of_item, of_cross = tf.split(self.light_weights, WIDTHS, axis=1)
        shared = tf.matmul(user, of_user, transpose_b=True)[:, None] + self.light_bias
        return shared + _matmul(items, of_item) + _matmul(cross, of_cross)

    def _deep(self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, training: bool) -> Any:
        history = self._table(recent)
        real = tf.cast(recent > 0, tf.float32)
        mean = tf.reduce_sum(history * real[..., None], 1) / tf.maximum(
            tf.reduce_sum(real, 1, keepdims=True), 1.0
        )
        shared = self._user(tf.concat([user, mean], -1))
        own = self._table(hashes) * tf.cast(hashes > 0, tf.float32)[..., None]
        item = self._item(tf.concat([items, tf.reduce_sum(own[:, :, 1:], 2)], -1))
        met = _attend(own[:, :, 0], history, real)
        count = tf.shape(items)[1]
        shared = tf.repeat(shared[:, None], count, axis=1)
        first = x = tf.concat([shared, item, cross, met, met * own[:, :, 0]], -1)
        for down, up in zip(self._down, self._up, strict=True):
            x = first * up(down(x)) + x
        hidden = self._drop(self._hidden(x), training=training)
        return self._heads(hidden), self._lift(hidden)


def _matmul(values: Any, weights: Any) -> Any:
    return tf.einsum("bnf,hf->bnh", values, weights)


def _attend(asked: Any, history: Any, real: Any) -> Any:
    """One look of each candidate [B, N, E] at the user's history [B, 20, E]; zero for somebody without
    one.
    """
    scores = tf.matmul(asked, history, transpose_b=True) * EMBEDDING**0.5
    weights = tf.nn.softmax(tf.where(real[:, None] > 0, scores, -1e9), -1) * real[:, None]
    return tf.matmul(weights, history)
