"""The retriever: an item tower and a sequence encoder whose vectors meet by cosine; no user has
parameters.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from magpie_services.core.events import KIND_CODES
from magpie_services.training.plan import HISTORY, VECTOR, RetrieverPlan
from magpie_services.training.retrieval.encoders import FAMILIES
from magpie_services.training.retrieval.vocabulary import (
    BRAND_BUCKETS,
    CATEGORY_BUCKETS,
    PRICE_BANDS,
    WORD_BUCKETS,
    Vocabulary,
)

GAP_BUCKETS = 32
# log1p of hours in steps of 0.35: 31 buckets reach five years.
GAP_STEP = 0.35
KINDS = max(KIND_CODES.values()) + 32  # room for kinds that are appended later


class ItemTower(keras.layers.Layer):
    """Vectors of items by index: an id part for items that were seen, category, brand, price band and title
    for all.
    """

    def __init__(self, vocabulary: Vocabulary, seen: Any, id_dropout: float) -> None:
        super().__init__()
        self.size = len(vocabulary)
        self._id_dropout = id_dropout
        self._side = [
            tf.constant(column) for column in (vocabulary.categories, vocabulary.brands, vocabulary.bands)
        ]
        self._words = tf.constant(vocabulary.words)
        self.seen = tf.Variable(seen.astype(np.float32), trainable=False, name="seen")
        self._ids = _table(self.size, "ids")
        self._tables = [
            _table(size, name)
            for size, name in (
                (CATEGORY_BUCKETS, "categories"),
                (BRAND_BUCKETS, "brands"),
                (PRICE_BANDS, "bands"),
            )
        ]
        self._word_table = _table(WORD_BUCKETS, "words")
        self._norm = keras.layers.LayerNormalization(epsilon=1e-6)

    def call(self, items: Any, training: bool = False) -> Any:
        """items int32 [n] → unit vectors [n, 64]; padding (0) has the zero vector."""
        known = tf.gather(self.seen, items)[:, None]
        if training:  # an item must be found without its id too: new ones have none
            known *= tf.cast(tf.random.uniform(tf.shape(known)) >= self._id_dropout, tf.float32)
        vector = known * self._ids(items)
        for column, table in zip(self._side, self._tables, strict=True):
            codes = tf.gather(column, items)
            vector += table(codes) * tf.cast(codes > 0, tf.float32)[:, None]
        words = tf.gather(self._words, items)
        present = tf.cast(words > 0, tf.float32)[..., None]
        vector += tf.reduce_sum(self._word_table(words) * present, 1) / tf.maximum(
            tf.reduce_sum(present, 1), 1.0
        )
        real = tf.cast(items > 0, tf.float32)[:, None]
        return tf.math.l2_normalize(self._norm(vector), axis=-1) * real


class Retriever(keras.Model):
    """Both towers, with the temperature of the softmax that trains them."""

    def __init__(self, plan: RetrieverPlan, vocabulary: Vocabulary, seen: Any) -> None:
        super().__init__()
        self.tower = ItemTower(vocabulary, seen, plan.id_dropout)
        self.reader = Reader(plan)
        vectors = tf.TensorSpec([None, HISTORY, VECTOR], tf.float32)
        kinds, gaps, real = (tf.TensorSpec([None, HISTORY], kind) for kind in (tf.int32, tf.float32, tf.bool))
        self.read = tf.function(
            self.reader.call, input_signature=[vectors, kinds, gaps, real], autograph=False
        )
        self.log_scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(2.5), name="log_scale"
        )

    def vectors(self) -> Any:
        """Vectors of the whole vocabulary, float32 [n, 64], as a numpy array."""
        rows = np.arange(self.tower.size, dtype=np.int32)
        return np.concatenate([self.tower(tf.constant(part)).numpy() for part in _chunks(rows, 8_192)])


class Reader(keras.layers.Layer):
    """Reads item vectors, kinds and gaps; writes what the user wants next."""

    def __init__(self, plan: RetrieverPlan) -> None:
        super().__init__()
        self._kinds = _table(KINDS, "kinds")
        self._between = _table(GAP_BUCKETS, "between")
        self._since = _table(GAP_BUCKETS, "since")
        self._places = _table(HISTORY, "places")
        self._drop = keras.layers.Dropout(plan.dropout)
        self._body: Any = FAMILIES[plan.encoder](plan, VECTOR)
        self._norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self._out = keras.layers.Dense(VECTOR)

    def states(self, vectors: Any, kinds: Any, gaps: Any, real: Any, training: bool = False) -> Any:
        """vectors [B, 50, 64], kinds int32, gaps float32, real bool [B, 50] → [B, 50, 64].

        Of the gaps (log1p hours before now) only the time between neighbours is read here: it does not
        depend on when one asks, so that one pass answers for every position.
        """
        hours = tf.math.expm1(gaps)
        between = tf.pad(tf.maximum(hours[:, :-1] - hours[:, 1:], 0.0), [[0, 0], [1, 0]])
        x = vectors * VECTOR**0.5 * 0.25 + self._kinds(tf.clip_by_value(kinds, 0, KINDS - 1))
        x += self._between(_gap_bucket(tf.math.log1p(between))) + self._places(tf.range(HISTORY))[None]
        return self._body(self._drop(x, training=training), real, training=training)

    def answer(self, states: Any, since: Any) -> Any:
        """States [..., 64] and log1p hours since the newest event [...] → unit vectors [..., 64]."""
        asked = self._norm(states + self._since(_gap_bucket(since)))
        return tf.math.l2_normalize(self._out(asked), axis=-1)

    def call(self, vectors: Any, kinds: Any, gaps: Any, real: Any) -> Any:
        """User vectors [B, 64] as of now; the zero vector for somebody without history."""
        last = self.states(vectors, kinds, gaps, real)[:, -1]
        someone = tf.cast(tf.reduce_any(real, -1), tf.float32)[:, None]
        return self.answer(last, gaps[:, -1]) * someone


def loss(model: Retriever, batch: tuple[Any, ...], negatives: Any) -> Any:
    """Sampled softmax over uniform negatives shared by the batch; with all items as negatives it is the full
    one.
    """
    items, kinds, gaps, since, targets, weights = batch
    unique, place = tf.unique(tf.concat([tf.reshape(items, [-1]), tf.reshape(targets, [-1]), negatives], 0))
    vectors = model.tower(unique, training=True)
    count = tf.size(items)
    history = tf.reshape(tf.gather(vectors, place[:count]), [-1, HISTORY, VECTOR])
    asked = model.reader.answer(model.reader.states(history, kinds, gaps, items > 0, training=True), since)
    used = tf.where(weights > 0)
    asked, weight = tf.gather_nd(asked, used), tf.gather_nd(weights, used)
    target = tf.gather_nd(targets, used)
    positive = tf.gather_nd(
        tf.reshape(tf.gather(vectors, place[count : 2 * count]), [-1, HISTORY, VECTOR]), used
    )
    scale = tf.exp(tf.minimum(model.log_scale, 3.7))
    right = scale * tf.reduce_sum(asked * positive, -1, keepdims=True)
    wrong = scale * tf.matmul(asked, tf.gather(vectors, place[2 * count :]), transpose_b=True)
    wrong = tf.where(negatives[None, :] == target[:, None], -1e9, wrong)
    losses = tf.reduce_logsumexp(tf.concat([right, wrong], -1), -1) - right[:, 0]
    return tf.reduce_sum(losses * weight) / tf.maximum(tf.reduce_sum(weight), 1e-6)


def _table(size: int, name: str) -> Any:
    return keras.layers.Embedding(
        size, VECTOR, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.05), name=name
    )


def _gap_bucket(log_hours: Any) -> Any:
    return tf.cast(ops.clip(log_hours / GAP_STEP, 0, GAP_BUCKETS - 1), tf.int32)


def _chunks(rows: Any, size: int) -> list[Any]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]
