"""Sequence encoders of three families behind one shape: [B, L, d] to [B, L, d], each position reading only
its past.
"""

from typing import Any

import keras
from keras import ops

from magpie_services.training.plan import RetrieverPlan


class GatedBlock(keras.layers.Layer):
    """Pre-norm Transformer block whose two branches are gated: steadier than plain residuals at small
    depth.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self._heads, self._size = heads, width // heads
        self._norms = [keras.layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
        self._gates = [keras.layers.Dense(width, activation="sigmoid") for _ in range(2)]
        self._qkv = keras.layers.Dense(3 * width, use_bias=False)
        self._mix = keras.layers.Dense(width, use_bias=False)
        self._wide = keras.layers.Dense(4 * width)
        self._narrow = keras.layers.Dense(width)
        self._drop = keras.layers.Dropout(dropout)

    def call(self, x: Any, allowed: Any, training: bool = False) -> Any:
        """x [B, L, d], allowed bool [B, 1, L, L] → [B, L, d]."""
        normed = self._norms[0](x)
        x = x + self._gates[0](normed) * self._drop(self._attend(normed, allowed), training=training)
        normed = self._norms[1](x)
        wide, gate = ops.split(self._wide(normed), 2, axis=-1)
        return x + self._gates[1](normed) * self._drop(self._narrow(ops.silu(gate) * wide), training=training)

    def _attend(self, x: Any, allowed: Any) -> Any:
        shape = ops.shape(x)
        split = ops.reshape(self._qkv(x), (shape[0], shape[1], 3, self._heads, self._size))
        query, key, value = (ops.transpose(split[:, :, part], (0, 2, 1, 3)) for part in range(3))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / self._size**0.5
        weights = ops.softmax(ops.where(allowed, scores, -1e9), axis=-1)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return self._mix(ops.reshape(mixed, (shape[0], shape[1], self._heads * self._size)))


class Transformer(keras.layers.Layer):
    """Gated blocks over causal attention that sees no padding."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__()
        self._blocks = [GatedBlock(width, plan.heads, plan.dropout) for _ in range(plan.blocks)]

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]."""
        steps = ops.arange(ops.shape(x)[1])
        allowed = (steps[None, :] <= steps[:, None])[None, None] & real[:, None, None, :]
        for block in self._blocks:
            x = block(x, allowed, training=training)
        return x


class Recurrent(keras.layers.Layer):
    """Gated recurrent units with residuals."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__()
        self._layers_ = [keras.layers.GRU(width, return_sequences=True) for _ in range(plan.blocks)]
        self._drop = keras.layers.Dropout(plan.dropout)

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]; padding is silent, so the state starts near zero."""
        x = x * ops.cast(real, x.dtype)[..., None]
        for layer in self._layers_:
            x = x + self._drop(layer(x, training=training), training=training)
        return x


class Convolutional(keras.layers.Layer):
    """Dilated causal convolutions with gated residuals; four of width 3 see 31 steps back."""

    def __init__(self, plan: RetrieverPlan, width: int) -> None:
        super().__init__()
        self._convolutions = [
            keras.layers.Conv1D(2 * width, 3, padding="causal", dilation_rate=2**depth)
            for depth in range(2 * plan.blocks)
        ]
        self._norms = [keras.layers.LayerNormalization(epsilon=1e-6) for _ in self._convolutions]
        self._drop = keras.layers.Dropout(plan.dropout)

    def call(self, x: Any, real: Any, training: bool = False) -> Any:
        """x [B, L, d], real bool [B, L] → [B, L, d]."""
        for norm, convolution in zip(self._norms, self._convolutions, strict=True):
            silent = norm(x) * ops.cast(real, x.dtype)[..., None]
            value, gate = ops.split(convolution(silent), 2, axis=-1)
            x = x + self._drop(ops.sigmoid(gate) * value, training=training)
        return x


FAMILIES: dict[str, Any] = {
    "transformer": Transformer,
    "recurrent": Recurrent,
    "convolutional": Convolutional,
}
