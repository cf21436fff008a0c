"""The item tower: what an item is, as a vector; an item nobody has seen yet has one too."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from magpie_services.training.plan import VECTOR, RetrieverPlan
from magpie_services.training.retrieval.vocabulary import BRAND_BUCKETS, PRICE_BANDS, WORD_BUCKETS, Vocabulary


class ItemTower(keras.layers.Layer):
    """Vectors of items by index: an id part for items that were seen; tags, brand, price band, title and
    picture for all, as far as the vocabulary has them.
    """

    def __init__(self, plan: RetrieverPlan, vocabulary: Vocabulary, seen: NDArray[np.bool_]) -> None:
        super().__init__()
        self.size = len(vocabulary)
        self._plan = plan
        self._seed = keras.random.SeedGenerator()
        self.seen = self.add_weight(
            shape=(self.size,), initializer="zeros", trainable=False, name="seen", dtype="float32"
        )
        self.seen.assign(seen.astype(np.float32))
        self._ids = table(self.size, "ids")
        # Columns that nothing in this catalogue fills cost nothing.
        codes = _used(vocabulary) if plan.content else {}
        self._codes = {name: ops.convert_to_tensor(codes[name]) for name in codes}
        sizes = {
            "tags": vocabulary.tag_buckets,
            "brands": BRAND_BUCKETS,
            "bands": PRICE_BANDS,
            "words": WORD_BUCKETS,
        }
        self._tables = {name: table(size, name) for name, size in sizes.items() if plan.content}
        self._norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self._pictures = None
        if plan.content and vocabulary.pictures.any():
            self._pictures = ops.convert_to_tensor(vocabulary.pictures)
            # As quiet as the tables at first: a loud picture would drown what they have to learn.
            quiet = keras.initializers.RandomNormal(stddev=0.02)
            self._lens = keras.layers.Dense(VECTOR, use_bias=False, kernel_initializer=quiet, name="lens")
        for made in (self._ids, *self._tables.values()):
            made.build((None,))
        self._norm.build((None, VECTOR))
        if self._pictures is not None:
            self._lens.build((None, vocabulary.pictures.shape[1]))
        self.built = True  # every variable is there

    def call(self, items: Any, training: bool = False) -> Any:
        """items int32 [n] → vectors [n, 64]: unit ones for the cosine; padding (0) has the zero vector."""
        known = ops.take(self.seen, items, axis=0)[:, None]
        if training and self._plan.id_dropout:  # an item must be found without its id too: new ones have none
            drawn = keras.random.uniform(ops.shape(known), seed=self._seed)
            known = known * ops.cast(drawn >= self._plan.id_dropout, known.dtype)
        vector = known * self._ids(items)
        for name, codes in self._codes.items():
            vector = vector + _pooled(self._tables[name], ops.take(codes, items, axis=0))
        if self._pictures is not None:
            vector = vector + self._lens(ops.take(self._pictures, items, axis=0))
        return self._finished(vector) * ops.cast(items > 0, vector.dtype)[:, None]

    def describe(self, tags: Any, brands: Any, bands: Any, words: Any, pictures: Any) -> Any:
        """Vectors [n, 64] of items that the vocabulary lacks: tags int32 [n, 16], brands and bands int32 [n],
        words int32 [n, 12], pictures float32 [n, 128]; 0 for nothing.
        """
        codes = {"tags": tags, "brands": brands[:, None], "bands": bands[:, None], "words": words}
        vector = ops.zeros((ops.shape(brands)[0], VECTOR))
        for name in self._codes:  # of what no item had nothing was learnt
            vector = vector + _pooled(self._tables[name], codes[name])
        if self._pictures is not None:
            vector = vector + self._lens(pictures)
        return self._finished(vector)

    def _finished(self, vector: Any) -> Any:
        if self._plan.scoring == "cosine":
            return unit(self._norm(vector))
        # The last component is left to what turns inner products into cosines when it serves.
        return vector * ops.concatenate([ops.ones(VECTOR - 1), ops.zeros(1)])


def unit(vectors: Any) -> Any:
    """Vectors [..., 64] of length 1; a zero vector stays one, with a gradient of zero: that of
    `ops.normalize` is not a number there on JAX.
    """
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(squares, 1e-12))


def table(size: int, name: str) -> Any:
    """A table of vectors to learn."""
    return keras.layers.Embedding(
        size, VECTOR, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.02), name=name
    )


def _pooled(vectors: Any, codes: Any) -> Any:
    """The sum over codes int32 [n, k] that are not 0, over the root of their number: [n, 64]."""
    present = ops.cast(codes > 0, "float32")
    weight = present / ops.sqrt(ops.maximum(ops.sum(present, axis=-1, keepdims=True), 1.0))
    return ops.einsum("nk,nkd->nd", weight, vectors(codes))


def _used(vocabulary: Vocabulary) -> dict[str, NDArray[np.int32]]:
    """Codes int32 [n, k] by name, without columns and names that are all 0."""
    found = {
        "tags": vocabulary.tags,
        "brands": vocabulary.brands[:, None],
        "bands": vocabulary.bands[:, None],
        "words": vocabulary.words,
    }
    filled = {name: codes[:, codes.any(axis=0)] for name, codes in found.items()}
    return {name: codes for name, codes in filled.items() if codes.shape[1]}
