"""Sequence encoders of three families behind one shape: [B, L, d] to [B, L, d], each position reading only
its past; and the published SASRec to compare with.

Left padding changes nothing: a window gives the same states however much of it is in front. Layers are made
with the dtype policy of the plan and answer in its compute type.
"""

from typing import Any

import keras
from keras import ops

from magpie_services.training.plan import RetrieverPlan


class GatedBlock(keras.layers.Layer):
    """Pre-norm Transformer block whose two branches are gated: steadier than plain residuals at small
    depth.
    """

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__(dtype=plan.precision)
        self._norms = [keras.layers.LayerNormalization(epsilon=1e-6, dtype=plan.precision) for _ in range(2)]
        self._gates = [
            keras.layers.Dense(width, activation="sigmoid", dtype=plan.precision) for _ in range(2)
        ]
        self._attention = _Attention(plan, width)
        self._wide = keras.layers.Dense(4 * width, dtype=plan.precision)
        self._narrow = keras.layers.Dense(width, dtype=plan.precision)
        self._drops = [keras.layers.Dropout(plan.dropout, dtype=plan.precision) for _ in range(2)]

    def call(self, x: Any, allowed: Any, training: bool = False) -> Any:
        """x [B, L, d], allowed bool [B, 1, L, L] → [B, L, d]."""
        normed = self._norms[0](x)
        mixed = self._attention(normed, normed, allowed)
        x = x + self._gates[0](normed) * self._drops[0](mixed, training=training)
        normed = self._norms[1](x)
        wide, gate = ops.split(self._wide(normed), 2, axis=-1)
        narrow = self._narrow(ops.silu(gate) * wide)
        return x + self._gates[1](normed) * self._drops[1](narrow, training=training)


class _Attention(keras.layers.Layer):
    """Attention of several heads with a mask; it has no biases."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__(dtype=plan.precision)
        self._heads, self._size = plan.heads, width // plan.heads
        self._query = keras.layers.Dense(width, use_bias=False, dtype=plan.precision)
        self._key_value = keras.layers.Dense(2 * width, use_bias=False, dtype=plan.precision)
        self._mix = keras.layers.Dense(width, use_bias=False, dtype=plan.precision)

    def call(self, asking: Any, told: Any, allowed: Any) -> Any:
        """asking, told [B, L, d], allowed bool [B, 1, L, L] → [B, L, d]."""
        shape = ops.shape(asking)
        key, value = ops.split(self._key_value(told), 2, axis=-1)
        query, key, value = (
            ops.transpose(ops.reshape(part, (shape[0], shape[1], self._heads, self._size)), (0, 2, 1, 3))
            for part in (self._query(asking), key, value)
        )
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / self._size**0.5
        weights = ops.softmax(ops.where(allowed, scores, ops.cast(-1e9, scores.dtype)), axis=-1)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return self._mix(ops.reshape(mixed, (shape[0], shape[1], self._heads * self._size)))


def _causal(real: Any) -> Any:
    """What each position may read, bool [B, 1, L, L]: what is real and not later; itself in any case."""
    steps = ops.arange(ops.shape(real)[1])
    past = (steps[None, :] <= steps[:, None])[None, None]
    itself = (steps[None, :] == steps[:, None])[None, None]
    return ops.logical_or(ops.logical_and(past, real[:, None, None, :]), itself)


class Transformer(keras.layers.Layer):
    """Gated blocks over causal attention that sees no padding."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__(dtype=plan.precision)
        self._blocks = [GatedBlock(plan, width) for _ in range(plan.blocks)]

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]."""
        allowed = _causal(real)
        for block in self._blocks:
            x = block(x, allowed, training=training)
        return x


class Recurrent(keras.layers.Layer):
    """Gated recurrent units with residuals, `blocks` of them; padding leaves the state as it is."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__(dtype=plan.precision)
        self._units = [
            keras.layers.GRU(width, return_sequences=True, dtype=plan.precision) for _ in range(plan.blocks)
        ]
        self._drops = [keras.layers.Dropout(plan.dropout, dtype=plan.precision) for _ in range(plan.blocks)]

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]."""
        for unit, drop in zip(self._units, self._drops, strict=True):
            x = x + drop(unit(x, mask=real, training=training), training=training)
        return x


class Convolutional(keras.layers.Layer):
    """Dilated causal convolutions with gated residuals, two a block; four of width 3 see 30 steps back."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__(dtype=plan.precision)
        depths = range(2 * plan.blocks)
        self._convolutions = [
            keras.layers.Conv1D(
                2 * width, 3, padding="causal", dilation_rate=2 ** (depth % 5), dtype=plan.precision
            )
            for depth in depths
        ]
        self._norms = [keras.layers.LayerNormalization(epsilon=1e-6, dtype=plan.precision) for _ in depths]
        self._drops = [keras.layers.Dropout(plan.dropout, dtype=plan.precision) for _ in depths]

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]."""
        silent = ops.cast(real, x.dtype)[..., None]
        for norm, convolution, drop in zip(self._norms, self._convolutions, self._drops, strict=True):
            value, gate = ops.split(convolution(norm(x) * silent), 2, axis=-1)
            x = x + drop(ops.sigmoid(gate) * value, training=training)
        return x


class SasRec(keras.layers.Layer):
    """The published SASRec: only the query is normalised before attention, no gates, a narrow ReLU layer."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__(dtype=plan.precision)
        self._norms = [
            keras.layers.LayerNormalization(epsilon=1e-8, dtype=plan.precision)
            for _ in range(2 * plan.blocks)
        ]
        self._attentions = [_Attention(plan, width) for _ in range(plan.blocks)]
        self._dense = [
            keras.layers.Dense(width, activation=activation, dtype=plan.precision)
            for _ in range(plan.blocks)
            for activation in ("relu", None)
        ]
        self._drops = [
            keras.layers.Dropout(plan.dropout, dtype=plan.precision) for _ in range(2 * plan.blocks)
        ]

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]."""
        allowed = _causal(real)
        for block, attention in enumerate(self._attentions):
            before, after = self._norms[2 * block], self._norms[2 * block + 1]
            inner, outer = self._dense[2 * block], self._dense[2 * block + 1]
            first, second = self._drops[2 * block], self._drops[2 * block + 1]
            query = before(x)
            x = after(query + attention(query, x, allowed))
            x = x + second(outer(first(inner(x), training=training)), training=training)
        return x


FAMILIES: dict[str, Any] = {
    "transformer": Transformer,
    "recurrent": Recurrent,
    "convolutional": Convolutional,
    "sasrec": SasRec,
}
