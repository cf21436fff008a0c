"""The retriever: an item tower and a sequence encoder whose vectors meet; no user has parameters."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from magpie_services.training.plan import HISTORY, VECTOR, RetrieverPlan
from magpie_services.training.retrieval import losses
from magpie_services.training.retrieval.reader import Reader
from magpie_services.training.retrieval.tower import ItemTower
from magpie_services.training.retrieval.vocabulary import Vocabulary

_CHUNK = 8_192
_USERS = 256


class Lesson(NamedTuple):
    """A batch as the model learns from it: `rows` int32 [U] are the items it needs, 0 first; `items`,
    `targets` and `negatives` are places in `rows`; the rest as in Batch and Negatives. With the full softmax
    `rows` is 0 and all known items, and `negatives` is empty.
    """

    rows: Any
    items: Any
    kinds: Any
    gaps: Any
    at: Any
    targets: Any
    since: Any
    weights: Any
    negatives: Any
    log_counts: Any


class Retriever(keras.Model):
    """Both towers, with the temperature of the loss that trains them. Calling it answers the loss."""

    def __init__(
        self, plan: RetrieverPlan, vocabulary: Vocabulary, seen: NDArray[np.bool_], full: bool = False
    ) -> None:
        """`seen` bool [n] tells the items whose ids may be learnt; `full` asks for the softmax over all of
        them.
        """
        super().__init__()
        self._plan, self.full = plan, full
        self.tower = ItemTower(plan, vocabulary, seen)
        self.reader = Reader(plan)
        self._power = 1.0
        if plan.objective == "gbce":
            self._power = losses.generalised_power(plan.negatives, int(seen.sum()), plan.gbce_t)
        self.log_scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(float(np.log(plan.scale))), name="log_scale"
        )
        self._read = compiled(self.reader)
        self._describe = compiled(self.tower)
        nothing = np.zeros((1, HISTORY), np.int32)
        self.reader(ops.zeros((1, HISTORY, VECTOR)), nothing, ops.zeros((1, HISTORY)), nothing > 0)
        self.built = True

    def call(self, lesson: Lesson, training: bool = False) -> Any:
        """The weighted sum of the positions' losses, and the sum of the weights."""
        plan = self._plan
        vectors = self.tower(lesson.rows, training=training)
        history = ops.take(vectors, lesson.items, axis=0)
        states = self.reader.states(history, lesson.kinds, lesson.gaps, lesson.items > 0, training=training)
        asked = self.reader.answer(
            ops.take(ops.reshape(states, (-1, VECTOR)), lesson.at, axis=0), lesson.since
        )
        if plan.scoring == "cosine":
            asked = asked * ops.exp(ops.minimum(self.log_scale, 3.7))
        if self.full:
            found = losses.full_softmax(ops.matmul(asked, ops.transpose(vectors[1:])), lesson.targets - 1)
        else:
            found = self._against_drawn(lesson, vectors, asked)
        total = ops.sum(found * lesson.weights)
        weight = ops.maximum(ops.sum(lesson.weights), 1e-6)
        if plan.l1 or plan.l2:
            total = total + self._penalty() * weight
        return total, weight

    def _against_drawn(self, lesson: Lesson, vectors: Any, asked: Any) -> Any:
        """Losses [T] against the drawn negatives."""
        right = ops.sum(asked * ops.take(vectors, lesson.targets, axis=0), axis=-1)
        drawn = ops.take(vectors, lesson.negatives, axis=0)
        if self._plan.shared:
            wrong = ops.matmul(asked, ops.transpose(drawn))
        else:
            wrong = ops.einsum("td,tkd->tk", asked, drawn)
        same = lesson.negatives == lesson.targets[:, None]
        wrong = ops.where(same, losses.EXCLUDED, wrong)
        if self._plan.objective == "softmax":
            return losses.sampled_softmax(right, wrong, lesson.log_counts)
        return losses.binary(right, wrong, self._power)

    def _penalty(self) -> Any:
        """L1 and L2 of the encoder's kernels: tables and what only shifts or scales are left alone."""
        kernels = [w for w in self.reader.trainable_weights if w.path.endswith("kernel")]
        absolute = sum(ops.sum(ops.absolute(kernel)) for kernel in kernels)
        square = sum(ops.sum(ops.square(kernel)) for kernel in kernels)
        return self._plan.l1 * absolute + self._plan.l2 * square

    def vectors(self) -> NDArray[np.float32]:
        """Vectors of the whole vocabulary as they serve, unit ones: float32 [n, 64]; the first is zero.

        Learnt by inner product, they are scaled into the unit ball and lifted onto its surface by their last
        component, which keeps the order of scores.
        """
        rows = np.arange(self.tower.size, dtype=np.int32)
        parts = [self._describe(rows[at : at + _CHUNK]) for at in range(0, len(rows), _CHUNK)]
        found = np.concatenate([ops.convert_to_numpy(part) for part in parts])
        if self._plan.scoring == "cosine":
            return found
        lengths = np.linalg.norm(found, axis=1)
        reach = max(float(lengths.max()), 1e-6)
        self.reader.reach.assign(reach)
        found /= reach
        found[1:, -1] = np.sqrt(np.maximum(1 - (lengths[1:] / reach) ** 2, 0))
        return found

    def served(self, vectors: Any) -> Any:
        """Vectors [n, 64] of the tower as `vectors` serves them, after it was called: unit ones."""
        if self._plan.scoring == "cosine":
            return vectors
        inside = vectors / self.reader.reach
        lengths = ops.sqrt(ops.sum(ops.square(inside), axis=-1, keepdims=True))
        inside = inside / ops.maximum(lengths, 1.0)
        lift = ops.sqrt(ops.maximum(1.0 - ops.square(lengths), 0.0))
        return inside + lift * ops.one_hot(VECTOR - 1, VECTOR)

    def read(
        self, table: NDArray[np.float32], items: NDArray[np.int32], kinds: Any, gaps: Any
    ) -> NDArray[np.float32]:
        """User vectors float32 [B, 64]; `table` has the vectors of the vocabulary; items, kinds, gaps
        [B, L].
        """
        parts = [np.zeros((0, VECTOR), np.float32)]
        for at in range(0, len(items), _USERS):
            part = slice(at, at + _USERS)
            found = self._read(table[items[part]], kinds[part], gaps[part], items[part] > 0)
            parts.append(ops.convert_to_numpy(found))
        return np.concatenate(parts)


def compiled(layer: Any) -> Any:
    """The layer as one call of the backend, without training."""
    if keras.backend.backend() == "jax":
        import jax

        run = jax.jit(lambda weights, fixed, *inputs: layer.stateless_call(weights, fixed, *inputs)[0])
        return lambda *inputs: run(
            [weight.value for weight in layer.trainable_variables],
            [weight.value for weight in layer.non_trainable_variables],
            *inputs,
        )
    import tensorflow as tf

    return tf.function(layer.call, reduce_retracing=True, autograph=False)
