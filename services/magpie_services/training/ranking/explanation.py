"""Why the ranker answers what it answers, as a graph: occlusion of whatever the caller takes away, and
integrated gradients of every feature from an average case.

Both speak of calibrated log-odds. Occlusion is exact: the question is asked again without the cause.
Integrated gradients walk from the baseline to the question in 32 steps, ids and past as they are; what they
share out must add up to the gap between both ends, and `error` says how far it does not. They are taken of
the log-odds before calibration, whose knots no 32 steps see, and then stretched by what it makes of them.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import WIDTH, WIDTHS

STEPS = 32


class Explainer:
    """`baseline` float32 [F]: the features of an average case, in the order user, item, cross."""

    def __init__(self, model: Ranker, baseline: NDArray[np.float32]) -> None:
        self._model = model
        self._baseline = baseline.astype(np.float32).reshape(WIDTH)
        self._points = np.linspace(0, 1, STEPS + 1, dtype=np.float32)

    def explain(self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any) -> dict[str, Any]:
        """B questions of N candidates each, in V variants, of which the first is the question itself.

        user [B, V, U], items [B, V, N, I], cross [B, V, N, C], recent int32 [B, V, 20], hashes int32
        [B, N, 3] → log_odds [B, N, H]; effects [B, V, N, H], what each variant lacks adds to them;
        attributions [B, N, F, H]; gap and error [B, N, H]: log-odds above the baseline's, and how much of
        that the attributions miss.
        """
        variants = tf.shape(user)[1]
        every = self._log_odds(
            _joined(user), _joined(items), _joined(cross), tf.repeat(hashes, variants, 0), _joined(recent)
        )
        every = tf.reshape(every, [-1, variants, tf.shape(items)[2], len(HEADS)])
        own = every[:, 0]
        shared, gap = self._attributed(user[:, 0], items[:, 0], cross[:, 0], hashes, recent[:, 0], own)
        return {
            "log_odds": own,
            "effects": own[:, None] - every,
            "attributions": shared,
            "gap": gap,
            "error": tf.abs(tf.reduce_sum(shared, 2) - gap),
        }

    def _attributed(
        self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, own: Any
    ) -> tuple[Any, Any]:
        """Attributions [B, N, F, H] and the gap [B, N, H]. Every candidate is a question of its own here."""
        count = tf.shape(items)[1]
        asked = tf.concat([tf.repeat(user[:, None], count, 1), items, cross], -1)
        asked = tf.reshape(asked, [-1, WIDTH])
        ids = tf.reshape(hashes, [-1, 1, 3]), tf.repeat(recent, count, 0)
        start = tf.zeros_like(asked) + self._baseline
        away = asked - start
        path = tf.reshape(start + self._points[:, None, None] * away, [-1, WIDTH])
        along = [tf.tile(one, [STEPS + 1] + [1] * (one.shape.rank - 1)) for one in ids]
        values, slopes = self._slopes(path, *along)
        shared = away[..., None] * _mixed(values, slopes, away)
        gap = tf.reshape(own, [-1, len(HEADS)]) - self._log_odds(*_split(start), *ids)[:, 0]
        # Calibration bends all features alike: what is shared out is stretched to where it leads.
        shared *= tf.math.divide_no_nan(gap, values[-1] - values[0])[:, None]
        shape = [-1, count, WIDTH, len(HEADS)]
        return tf.reshape(shared, shape), tf.reshape(gap, [-1, count, len(HEADS)])

    def _slopes(self, features: Any, hashes: Any, recent: Any) -> tuple[Any, Any]:
        """At every point of the path, log-odds before calibration [P, R, H] and their slopes [P, R, F, H]."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(features)
            values = self._model.logits(*_split(features), hashes, recent)[:, 0]
            heads = tf.unstack(values, axis=-1)
        slopes = tf.stack([tape.gradient(head, features) for head in heads], -1)
        points = STEPS + 1
        return (
            tf.reshape(values, [points, -1, len(HEADS)]),
            tf.reshape(slopes, [points, -1, WIDTH, len(HEADS)]),
        )

    def _log_odds(self, *question: Any) -> Any:
        """Calibrated log-odds, not by way of probabilities: those near 1 would all look alike."""
        return self._model.straightened(self._model.logits(*question))


def _mixed(values: Any, slopes: Any, away: Any) -> Any:
    """The mean slope along the path [R, F, H].

    Of each step both ends count by as much as explains what the value did on the way: a corner (of a ReLU)
    between them is found where it is, and not half-way. Of several corners that is only an average.
    """
    rise = tf.einsum("prfh,rf->prh", slopes, away)
    wanted = STEPS * (values[1:] - values[:-1])
    first = tf.math.divide_no_nan(wanted - rise[1:], rise[:-1] - rise[1:])
    first = tf.where(tf.abs(rise[:-1] - rise[1:]) > 1e-6, tf.clip_by_value(first, -1.0, 2.0), 0.5)
    nothing = tf.zeros_like(first[:1])
    weights = tf.concat([first, nothing], 0) + tf.concat([nothing, 1.0 - first], 0)
    return tf.einsum("prh,prfh->rfh", weights / STEPS, slopes)


def _split(features: Any) -> tuple[Any, Any, Any]:
    """Rows [R, F] as users [R, U] with one candidate each: [R, 1, I] and [R, 1, C]."""
    user, items, cross = tf.split(features, WIDTHS, axis=1)
    return user, items[:, None], cross[:, None]


def _joined(values: Any) -> Any:
    """[B, V, ...] → [B * V, ...]."""
    return tf.reshape(values, tf.concat([[-1], tf.shape(values)[2:]], 0))
