"""The ranker: the light model plus a deep correction that starts at zero, calibrated, a probability a head.

Deep means: cross layers of low rank over user, candidate and what of the past speaks for the candidate (one
look of attention), then experts whose mixture each head chooses. Pure `keras.ops`: it learns on any backend.
"""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.plan import RECENT, RankerPlan
from magpie_services.training.ranking.calibration import KNOTS
from magpie_services.training.ranking.light import Light
from magpie_services.training.ranking.rows import (
    ORGANIC,
    ORGANIC_DAY,
    PURCHASE,
    PURCHASE_DAY,
    PUSHED,
    UNPUSHED,
    WIDTHS,
)

# Each id is looked up in two tables (two primes): of those who share a row in one, few share it in both.
_FIRST, _SECOND = 8_191, 8_179
_HEADS = len(HEADS)
# What is bought in a day is bought in the week.
_CEILING = np.arange(_HEADS, dtype=np.int32)
_CEILING[PURCHASE_DAY], _CEILING[ORGANIC_DAY] = PURCHASE, ORGANIC
_PLACES = np.arange(_HEADS, dtype=np.int32) * (KNOTS + 1)
# The deep part answers for a push what it answers without one, and what the push adds: zero at first.
_ADDED = np.eye(_HEADS, dtype=np.float32)
_ADDED[UNPUSHED, PUSHED] = 1.0


class Ranker(keras.Model):  # type: ignore[misc, unused-ignore]
    """`logits` and `probabilities` of H heads for N candidates of B users each.

    `widths` say how many features a user, an item and a pair have; those of `core` where not given.

    All that depends on the user alone is computed once a user, not once a candidate. Every weight is made
    with the model, so that one without a row to learn from can be exported too.
    """

    def __init__(self, light: Light, plan: RankerPlan, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__(name="ranker")
        self._plan = plan
        self.widths = widths
        user, item, cross = widths
        size, width = plan.embedding, plan.width
        self.light_user = self._fixed("light_user", light.weights[:, :user].T)
        self.light_pair = self._fixed("light_pair", light.weights[:, user:].T)
        self.light_bias = self._fixed("light_bias", light.bias)
        # How far each head follows the deep part: as far as people whom it did not learn from bear it out.
        self.trust = self._fixed("trust", np.ones(_HEADS, np.float32))
        # The user features that the deep part looks at, 1 or 0.
        self.seen = self._fixed("seen", np.ones(user, np.float32))
        # Piecewise linear calibration of log-odds: where the knots lie, and a line for each piece.
        self.knots = self._fixed("knots", np.tile([[-10.0], [10.0]], _HEADS).astype(np.float32))
        self.levels = self._fixed("levels", np.zeros((_HEADS, KNOTS + 1), np.float32))
        self.slopes = self._fixed("slopes", np.ones((_HEADS, KNOTS + 1), np.float32))
        self.light_calibration = self._fixed(
            "light_calibration", np.stack([np.ones(_HEADS), np.zeros(_HEADS)]).astype(np.float32)
        )
        # Zero too: an item that nobody met says nothing about itself.
        self._table = self._learnt("table", (_FIRST + _SECOND, size), "zeros")
        self._keys = self._learnt("keys", (size, size))
        self._age = self._learnt("age", (RECENT,), "zeros")
        self._user = self._learnt("user", (user + size, width)), self._learnt("user_bias", (width,), "zeros")
        self._from_user = self._learnt("from_user", (width, width))
        self._from_pair = self._learnt("from_pair", (item + cross + 5 * size, width))
        self._cross = [
            (
                self._learnt(f"cross_down_{layer}", (width, plan.rank)),
                self._learnt(f"cross_up_{layer}", (plan.rank, width)),
                self._learnt(f"cross_bias_{layer}", (width,), "ones"),
            )
            for layer in range(plan.cross_layers)
        ]
        experts = plan.experts * plan.expert_width
        self._experts = (
            self._learnt("experts", (width, experts)),
            self._learnt("experts_b", (experts,), "zeros"),
        )
        self._gates = self._learnt("gates", (width, plan.experts * _HEADS), "zeros")
        self._heads = self._learnt("heads", (plan.expert_width, _HEADS), "zeros")
        self._bias = self._learnt("bias", (_HEADS,), "zeros")
        self._drop = keras.layers.Dropout(plan.dropout)
        self.built = True

    def call(self, inputs: tuple[Any, ...], training: bool = False) -> Any:
        """As `logits`, of (user, items, cross, hashes, recent)."""
        user, items, cross, hashes, recent = inputs
        return self.logits(user, items, cross, hashes, recent, training=training)

    def logits(
        self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, training: bool = False
    ) -> Any:
        """user [B, U], items [B, N, I], cross [B, N, C], hashes int32 [B, N, 3], recent int32 [B, 20] →
        uncalibrated log-odds [B, N, H]. Hashes are not negative; 0 means none.
        """
        count = ops.shape(items)[1]
        history, own = self._embedded(hashes, recent)
        pair = ops.concatenate([items, cross], -1)
        met = self._attend(own[:, :, 0], history, recent > 0)
        ids = ops.reshape(own, (-1, count, 3 * self._plan.embedding))
        whole = ops.concatenate([pair, ids, met, met * own[:, :, 0]], -1)
        shared, plain = self._of_user(user, history, recent > 0)
        # From here on a row a candidate: one large product in place of one for each user.
        first = _rows(_dot(whole, self._from_pair) + shared[:, None])
        deep = ops.reshape(self._deep(first, training), (-1, count, _HEADS))
        return deep + _dot(pair, self.light_pair) + plain[:, None]

    def calibrated(self, logits: Any) -> Any:
        """Probabilities [..., H] of log-odds [..., H]."""
        return ops.sigmoid(self.straightened(logits))

    def straightened(self, logits: Any) -> Any:
        """Calibrated log-odds [..., H] of log-odds [..., H]."""
        low, high = self.knots[0], self.knots[1]
        piece = (logits - low) * ((KNOTS - 1) / (high - low)) + 1.0
        place = ops.cast(ops.clip(piece, 0.0, float(KNOTS)), "int32") + _PLACES
        level, slope = (ops.take(ops.reshape(one, (-1,)), place) for one in (self.levels, self.slopes))
        found = level + slope * logits
        return ops.minimum(found, ops.take(found, _CEILING, axis=-1))

    def probabilities(self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any) -> Any:
        """As `logits`, calibrated: [B, N, H]."""
        return self.calibrated(self.logits(user, items, cross, hashes, recent))

    def calibrate(self, knots: NDArray[np.float32], values: NDArray[np.float32]) -> None:
        """Sets the calibration: evenly spaced log-odds [H, 64] and what they become [H, 64], both rising.

        Beyond the last knot the distance to it stays what it was.
        """
        knots, values = knots.astype(np.float64), values.astype(np.float64)
        slopes = np.ones((_HEADS, KNOTS + 1))
        slopes[:, 1:-1] = np.diff(values) / np.diff(knots)
        starts = np.concatenate([knots[:, :1], knots], 1)
        levels = np.concatenate([values[:, :1], values], 1) - slopes * starts
        self.knots.assign(np.stack([knots[:, 0], knots[:, -1]]).astype(np.float32))
        self.levels.assign(levels.astype(np.float32))
        self.slopes.assign(slopes.astype(np.float32))

    @property
    def calibration(self) -> tuple[Any, ...]:
        """All that was found out from rows which the model has not learnt from."""
        return self.trust, self.knots, self.levels, self.slopes, self.light_calibration

    def light(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The light part: weights [H, F] and bias [H], not calibrated."""
        kernel = np.concatenate([np.asarray(self.light_user), np.asarray(self.light_pair)])
        return kernel.T, np.asarray(self.light_bias)

    def _embedded(self, hashes: Any, recent: Any) -> tuple[Any, Any]:
        """Vectors of the past [B, 20, E] and of item, category and brand of the candidates [B, N, 3, E]."""
        count = ops.shape(hashes)[1]
        ids = ops.concatenate([recent, ops.reshape(hashes, (-1, 3 * count))], 1)
        rows = ops.stack([ids % _FIRST, _FIRST + (ids // _FIRST) % _SECOND], -1)
        found = ops.sum(ops.take(self._table, rows, axis=0), -2) * _marked(ids > 0)[..., None]
        past = ops.shape(recent)[1]
        return found[:, :past], ops.reshape(found[:, past:], (-1, count, 3, self._plan.embedding))

    def _attend(self, asked: Any, history: Any, real: Any) -> Any:
        """One look of each candidate [B, N, E] at the past [B, 20, E]; zero for somebody without one."""
        keys = ops.transpose(_dot(history, self._keys), (0, 2, 1))
        unreal = (1.0 - _marked(real)) * -1e9
        scores = ops.matmul(asked, keys) + (self._age + unreal)[:, None]
        values = history * _marked(real)[..., None]
        return ops.matmul(ops.softmax(scores, -1), values)

    def _of_user(self, user: Any, history: Any, real: Any) -> tuple[Any, Any]:
        """What the user gives to every candidate: [B, W] to the deep part, [B, H] to the light one."""
        met = ops.maximum(ops.sum(_marked(real), 1, keepdims=True), 1.0)
        kernel, bias = self._user
        known = ops.concatenate([ops.multiply(user, self.seen), ops.sum(history, 1) / met], -1)
        hidden = ops.relu(ops.matmul(known, kernel) + bias)
        return ops.matmul(hidden, self._from_user), ops.matmul(user, self.light_user) + self.light_bias

    def _deep(self, first: Any, training: bool) -> Any:
        """Rows [R, W] → log-odds [R, H] to add."""
        x = first
        for down, up, bias in self._cross:
            x = first * (ops.matmul(ops.matmul(x, down), up) + bias) + x
        kernel, bias = self._experts
        hidden = self._drop(ops.relu(ops.matmul(x, kernel) + bias), training=training)
        experts = self._plan.experts
        gates = ops.softmax(ops.reshape(ops.matmul(x, self._gates), (-1, experts, _HEADS)), 1)
        says = ops.matmul(ops.reshape(hidden, (-1, self._plan.expert_width)), self._heads)
        mixed = ops.sum(gates * ops.reshape(says, (-1, experts, _HEADS)), 1) + self._bias
        return ops.matmul(mixed, self.trust * _ADDED)

    def _fixed(self, name: str, value: NDArray[np.float32]) -> Any:
        weight = self.add_weight(shape=value.shape, initializer="zeros", trainable=False, name=name)
        weight.assign(value)
        return weight

    def _learnt(self, name: str, shape: tuple[int, ...], start: str = "glorot_uniform") -> Any:
        return self.add_weight(shape=shape, initializer=start, name=name)


def _dot(values: Any, kernel: Any) -> Any:
    """[B, N, F] times [F, G]: one product of B * N rows."""
    product = ops.matmul(_rows(values), kernel)
    return ops.reshape(product, (-1, ops.shape(values)[1], kernel.shape[-1]))


def _rows(values: Any) -> Any:
    return ops.reshape(values, (-1, values.shape[-1]))


def _marked(flags: Any) -> Any:
    return ops.cast(flags, "float32")
