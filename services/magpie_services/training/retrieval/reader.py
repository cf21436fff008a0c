"""The reader of histories: what somebody did, as the vector of what they may want next."""

from typing import Any

import keras
from keras import ops

from magpie_services.core.events import KIND_CODES
from magpie_services.training.plan import HISTORY, VECTOR, RetrieverPlan
from magpie_services.training.retrieval.encoders import FAMILIES
from magpie_services.training.retrieval.tower import table, unit

GAP_BUCKETS = 32
# log1p of hours in steps of 0.35: 31 buckets reach five years.
GAP_STEP = 0.35
KINDS = max(KIND_CODES.values()) + 32  # room for kinds that are appended later


class Reader(keras.layers.Layer):
    """Reads item vectors, kinds and gaps; writes what the user wants next."""

    def __init__(self, plan: RetrieverPlan) -> None:
        super().__init__()
        self._plan = plan
        self._kinds = table(KINDS, "kinds")
        self._between = table(GAP_BUCKETS, "between")
        self._since = table(GAP_BUCKETS, "since")
        self._places = table(HISTORY, "places")
        self._drop = keras.layers.Dropout(plan.input_dropout)
        self._body: Any = FAMILIES[plan.encoder](plan, VECTOR)
        self._norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self._out = keras.layers.Dense(VECTOR) if plan.projected else None
        # By how much served item vectors are shorter than the learnt ones; see Retriever.vectors.
        self.reach = self.add_weight(shape=(), initializer="ones", trainable=False, name="reach")

    def states(self, vectors: Any, kinds: Any, gaps: Any, real: Any, training: bool = False) -> Any:
        """vectors [B, L, 64], kinds int32, gaps float32, real bool [B, L], L at most 50 → [B, L, 64].

        Of the gaps (log1p hours before now) only the time between neighbours is read here: it does not
        depend on when one asks, so that one pass answers for every position.
        """
        hours = ops.expm1(gaps)
        between = ops.pad(ops.maximum(hours[:, :-1] - hours[:, 1:], 0.0), [[0, 0], [1, 0]])
        steps = ops.shape(gaps)[1]
        x = vectors * self._plan.loudness + self._kinds(ops.clip(kinds, 0, KINDS - 1))
        x = x + self._between(_gap_bucket(ops.log1p(between)))
        x = x + self._places(ops.arange(steps) + (HISTORY - steps))[None]
        return ops.cast(self._body(self._drop(x, training=training), real, training=training), "float32")

    def answer(self, states: Any, since: Any) -> Any:
        """States [..., 64] and log1p hours since the newest event [...] → vectors [..., 64], of unit length
        for the cosine.
        """
        asked = self._norm(states + self._since(_gap_bucket(since)))
        if self._out is not None:
            asked = self._out(asked)
        return unit(asked) if self._plan.scoring == "cosine" else asked

    def call(self, vectors: Any, kinds: Any, gaps: Any, real: Any) -> Any:
        """User vectors [B, 64] as of now from served item vectors; the zero vector for somebody without
        history.
        """
        if self._plan.scoring == "dot":
            vectors = vectors * self.reach * _flat()
        last = self.states(vectors, kinds, gaps, real)[:, -1]
        someone = ops.cast(ops.any(real, axis=-1), "float32")[:, None]
        asked = self.answer(last, gaps[:, -1])
        if self._plan.scoring == "dot":
            asked = unit(asked * _flat())
        return asked * someone


def _flat() -> Any:
    """1 for all components but the last."""
    return ops.cast(ops.arange(VECTOR) < VECTOR - 1, "float32")


def _gap_bucket(log_hours: Any) -> Any:
    return ops.cast(ops.clip(log_hours / GAP_STEP, 0, GAP_BUCKETS - 1), "int32")
