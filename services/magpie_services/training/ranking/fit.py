"""Trains a ranker: the light model first, then its deep correction as far as held-out users profit; then
calibrates.
"""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.plan import RankerPlan
from magpie_services.training.ranking import calibration, light
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import PURCHASE, WIDTHS, Rows

MIN_ROWS = 500
HELD_SHARE = 0.1

Report = Callable[[str, float], None]


def train(
    plan: RankerPlan, rows: Rows, seed: int, report: Report, epochs: int | None = None
) -> tuple[Ranker, int]:
    """A ranker and the number of deep epochs that helped; 0 where only the light model is worth its weights.

    With `epochs` given it runs just these over all rows: how a second fit repeats what a first found out.
    """
    keras.utils.set_random_seed(seed % 2**32)
    rng = np.random.default_rng(seed)
    held = held_out(rows, seed)
    rest = rows if epochs is not None else rows.take(~held)
    exam = rows.take(held)
    model = Ranker(light.fit(rest, seed))
    limit = plan.epochs if epochs is None else epochs
    if len(rest) < MIN_ROWS or (epochs is None and len(exam) < MIN_ROWS // 10):
        return model, 0
    best, best_epoch, kept = _loss(model, exam), 0, model.get_weights()
    step = _compiled(model, plan, _tensors(rest.take(np.arange(1))))
    end: float | None = None
    for epoch in range(1, limit + 1):
        order = rng.permutation(len(rest))
        for at in range(0, len(order), plan.batch):
            step(*_tensors(rest.take(order[at : at + plan.batch])))
            end = end or time.monotonic() + plan.seconds  # from here on: compiling is not training
            if time.monotonic() > end:
                break
        report(f"ranker: epoch {epoch}", epoch / limit)
        if epochs is None and (loss := _loss(model, exam)) < best:
            best, best_epoch, kept = loss, epoch, model.get_weights()
        elif epochs is None and epoch - best_epoch >= 2:
            break
        if end is not None and time.monotonic() > end:
            break
    if epochs is None:
        model.set_weights(kept)
    return model, best_epoch


def held_out(rows: Rows, seed: int) -> NDArray[np.bool_]:
    """The rows [R] of the tenth of users that `train` does not learn from."""
    chances = np.random.default_rng(seed).random(int(rows.groups.max()) + 2 if len(rows) else 1)
    return np.asarray(chances[rows.groups] < HELD_SHARE)


def calibrate(model: Ranker, rows: Rows) -> None:
    """Fits slope and offset of each head, in place, on rows that the model has not learnt from."""
    slope, offset = calibration.fit(logits(model, rows), rows)
    model.slope.assign(slope)
    model.offset.assign(offset)


def logits(model: Ranker, rows: Rows) -> NDArray[np.float32]:
    """Uncalibrated logits [R, 4]."""
    found = [np.zeros((0, len(HEADS)), np.float32)]
    for at in range(0, len(rows), 4_096):
        part = rows.take(slice(at, at + 4_096))  # type: ignore[arg-type]
        found.append(model.logits(*inputs(part)).numpy()[:, 0])
    return np.concatenate(found)


def inputs(rows: Rows) -> tuple[Any, ...]:
    """Rows as users with one candidate each: user, items, cross, hashes, recent, sent."""
    user, items, cross = np.split(rows.features, np.cumsum(WIDTHS[:2]), axis=1)
    columns = (user, items[:, None], cross[:, None], rows.hashes[:, None], rows.recent, rows.sent[:, None])
    return tuple(tf.constant(column) for column in columns)


def _tensors(rows: Rows) -> tuple[Any, ...]:
    share = np.ones_like(rows.labels)
    share[:, PURCHASE] = rows.maturity
    return inputs(rows), *(tf.constant(x) for x in (rows.labels, rows.known * rows.weights[:, None], share))


def _losses(logit: Any, labels: Any, weights: Any, share: Any) -> Any:
    """Mean over heads of the weighted log loss; of a label that had part of its time, that part is
    expected.
    """
    seen = tf.clip_by_value(tf.sigmoid(logit) * share, 1e-7, 1 - 1e-6)
    losses = -(labels * tf.math.log(seen) + (1 - labels) * tf.math.log1p(-seen))
    return tf.reduce_sum(losses * weights) / tf.maximum(tf.reduce_sum(weights), 1e-6)


def _loss(model: Ranker, rows: Rows) -> float:
    if not len(rows):
        return float("inf")
    _, labels, weights, share = _tensors(rows)
    return float(_losses(tf.constant(logits(model, rows)), labels, weights, share))


def _compiled(model: Ranker, plan: RankerPlan, example: tuple[Any, ...]) -> Any:
    """The step, traced once for all sizes of a batch."""
    optimizer = keras.optimizers.AdamW(plan.learning_rate, weight_decay=plan.ridge, clipnorm=1.0)
    optimizer.build(model.trainable_weights)
    shapes = tf.nest.map_structure(lambda one: tf.TensorSpec([None, *one.shape[1:]], one.dtype), example)

    @tf.function(input_signature=shapes, autograph=False)
    def step(columns: tuple[Any, ...], labels: Any, weights: Any, share: Any) -> Any:
        user, items, cross, hashes, recent, sent = columns
        with tf.GradientTape() as tape:
            value = _losses(
                model.logits(user, items, cross, hashes, recent, sent, training=True)[:, 0],
                labels,
                weights,
                share,
            )
        trained = model.trainable_weights
        gradients = tape.gradient(value, [weight.value for weight in trained])
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], trained)
        return value

    return step
