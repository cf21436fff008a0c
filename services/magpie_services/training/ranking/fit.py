"""Trains a ranker: the light model first, then its deep correction as far as held-out users profit; then
calibrates.
"""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import checkpoint as checkpoints
from magpie_services.training import metrics, parallel
from magpie_services.training.checkpoint import Checkpoint
from magpie_services.training.plan import RankerPlan
from magpie_services.training.progress import Report
from magpie_services.training.ranking import calibration, light
from magpie_services.training.ranking.loss import log_loss
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import PUSHED, UNPUSHED, WIDTHS, Rows

MIN_ROWS = 500
HELD_SHARE = 0.1
#: In a log of fewer days the deep part does not look at the day of the week: it would learn what chance did
#: on the few Mondays that it has seen.
CALENDAR_DAYS = 56
PATIENCE = 2


def train(
    plan: RankerPlan,
    rows: Rows,
    seed: int,
    report: Report,
    epochs: int | None = None,
    *,
    belief: light.Belief | None = None,
    checkpoint: Checkpoint = checkpoints.NONE,
) -> tuple[Ranker, int]:
    """A ranker and the number of deep epochs that helped; 0 where only the light model is worth its weights.

    With `epochs` given it runs just these over all rows: how a second fit repeats what a first found out.
    Rows with features other than those of `core` need a `belief` about them.
    """
    belief = belief or light.shipped()
    keras.utils.set_random_seed(seed % 2**32)
    held = held_out(rows, seed)
    rest = rows if epochs is not None else rows.take(~held)
    model = Ranker(light.fit(rest, seed, plan, belief), plan, belief.widths)
    if light.days(rest) < CALENDAR_DAYS:
        seen = np.ones(belief.widths[0], np.float32)
        seen[list(belief.calendar)] = 0
        model.seen.assign(seen)
    exam = None if epochs is not None else rows.take(held)
    limit = plan.epochs if epochs is None else epochs
    if len(rest) < MIN_ROWS or (exam is not None and len(exam) < MIN_ROWS // 10) or not limit:
        return model, 0
    best = learn(model, replace(plan, epochs=limit), rest, exam, seed, report, checkpoint=checkpoint)
    if exam is not None:
        model.trust.assign(_trust(model, exam))
    return model, best


def learn(
    model: Any,
    plan: RankerPlan,
    rest: Rows,
    exam: Rows | None,
    seed: int,
    report: Report,
    *,
    checkpoint: Checkpoint = checkpoints.NONE,
) -> int:
    """Teaches anything with the `logits` and `widths` of a Ranker, in place; answers the epochs that helped.

    With an `exam` it stops where the loss on that grows, and goes back to its best.
    """
    optimizer = optimizer_of(model, plan)
    example = batch(rest.take(np.arange(1)), plan, model.widths)
    feed, step = fed(example), compiled(model, optimizer, example)
    best, best_epoch, kept = float("inf"), 0, model.get_weights()
    if exam is not None:
        best = _loss(model, exam, plan)
    begin, spent, done = 1, 0.0, False
    saved = checkpoint.load()
    state = {"model": model.variables, "optimizer": optimizer.variables}
    if saved is not None and all(saved.fits(name, variables) for name, variables in state.items()):
        for name, variables in state.items():
            saved.into(name, variables)
        kept, told = saved.parts["best"], saved.numbers
        best, best_epoch, begin = told["best"], int(told["best_epoch"]), int(told["epoch"]) + 1
        spent, done = told["spent"], told["done"] > 0
    epoch = begin
    while not done:
        loss, seconds = _epoch(feed, step, rest, plan, model.widths, seed, epoch, plan.seconds - spent)
        spent += seconds
        metric = None if exam is None else _loss(model, exam, plan)
        if metric is None or metric < best:
            best, best_epoch, kept = metric or 0.0, epoch, model.get_weights()
        report(f"ranker: epoch {epoch}", epoch / plan.epochs, step=epoch, loss=loss, metric=metric)
        over = epoch >= plan.epochs or spent >= plan.seconds or epoch - best_epoch >= PATIENCE
        done = parallel.group().any(over)
        told = {"epoch": epoch, "best": best, "best_epoch": best_epoch, "spent": spent, "done": float(done)}
        checkpoint.save(told, best=kept, **state)
        epoch += 1
    model.set_weights(kept)
    return best_epoch


def held_out(rows: Rows, seed: int) -> NDArray[np.bool_]:
    """The rows [R] of the tenth of users that `train` does not learn from."""
    chances = np.random.default_rng(seed).random(int(rows.groups.max()) + 2 if len(rows) else 1)
    return np.asarray(chances[rows.groups] < HELD_SHARE)


def calibrate(model: Ranker, rows: Rows) -> None:
    """Fits the curve of each head, in place, on rows that the model has not learnt from; the light part, that
    also serves alone, gets its own.
    """
    curves = calibration.fit(logits(model, rows), rows)
    model.calibrate(curves.knots, curves.values)
    model.light_calibration.assign(np.stack(calibration.platt(_alone(model, rows), rows)))


def copy_calibration(source: Ranker, target: Ranker) -> None:
    """What one model was calibrated to holds for another that learnt the same and more."""
    for mine, theirs in zip(source.calibration, target.calibration, strict=True):
        theirs.assign(mine)


def logits(model: Any, rows: Rows) -> NDArray[np.float32]:
    """Uncalibrated logits [R, H]."""
    found = [np.zeros((0, len(HEADS)), np.float32)]
    for at in range(0, len(rows), 4_096):
        part = rows.take(slice(at, at + 4_096))  # type: ignore[arg-type]
        found.append(keras.ops.convert_to_numpy(model.logits(*inputs(part, model.widths)))[:, 0])
    return np.concatenate(found)


def inputs(rows: Rows, widths: Sequence[int] = WIDTHS) -> tuple[NDArray[Any], ...]:
    """Rows as users with one candidate each: user, items, cross, hashes, recent."""
    user, items, cross = np.split(rows.features, np.cumsum(widths[:2]), axis=1)
    return user, items[:, None], cross[:, None], rows.hashes[:, None], rows.recent


def batch(rows: Rows, plan: RankerPlan, widths: Sequence[int] = WIDTHS) -> tuple[Any, ...]:
    """What a step is given: inputs, labels, weights and shares, each of the last three [R, H].

    What the old policy seldom did counts for more, within bounds: what will be asked of the model is every
    candidate, not only those that were liked before.
    """
    rarity = np.minimum(1.0 / np.maximum(rows.exposure, 1e-6), plan.max_rarity)
    weights = rows.known * (rows.weights * rarity)[:, None]
    return inputs(rows, widths), *(x.astype(np.float32) for x in (rows.labels, weights, rows.shares))


def _epoch(
    feed: Any,
    step: Any,
    rows: Rows,
    plan: RankerPlan,
    widths: Sequence[int],
    seed: int,
    epoch: int,
    seconds: float,
) -> tuple[float, float]:
    """One pass, cut short after `seconds`: its mean loss and how long it took, compiling left out."""
    order = np.random.default_rng((seed, epoch)).permutation(len(rows))
    begun, loss, weight, group = None, 0.0, 0.0, parallel.group()
    shares = (
        order[at : at + plan.batch][group.member :: group.members] for at in range(0, len(order), plan.batch)
    )
    for made in feed(batch(rows.take(share), plan, widths) for share in shares):
        one, of = step(*made)
        loss, weight = loss + float(one), weight + float(of)
        begun = begun or time.monotonic()
        if group.any(time.monotonic() - begun > seconds):
            break
    return loss / max(weight, 1e-6), time.monotonic() - (begun or time.monotonic())


def _trust(model: Ranker, exam: Rows) -> NDArray[np.float32]:
    """For each head the share of the deep part [H], 0 to 1, with which held-out users are foretold best.

    A purchase after a push, where too few are known, is trusted as one without.
    """
    plain = _alone(model, exam)
    deep, found = logits(model, exam) - plain, np.ones(len(HEADS), np.float32)
    grid, alike = np.linspace(0, 1, 11), dict(zip(PUSHED, UNPUSHED, strict=True))
    for head in sorted(range(len(HEADS)), key=lambda head: head in alike):
        found[head] = found[alike.get(head, head)]
        used = (exam.known[:, head] > 0) & (deep[:, head] != 0)
        if exam.labels[used, head].sum() < calibration.MIN_POSITIVES:
            continue
        label, share, weight = exam.labels[used, head], exam.shares[used, head], exam.weights[used]
        for_all = plain[used, head] + grid[:, None] * deep[used, head]
        losses = [weight @ metrics.logloss(label, metrics.sigmoid(one), share) for one in for_all]
        found[head] = grid[int(np.argmin(losses))]
    return found


def _alone(model: Ranker, rows: Rows) -> NDArray[np.float32]:
    """Log-odds [R, H] of the light part."""
    weights, bias = model.light()
    return np.asarray(rows.features @ weights.T + bias)


def _loss(model: Any, rows: Rows, plan: RankerPlan) -> float:
    if not len(rows):
        return float("inf")
    _, labels, weights, shares = batch(rows, plan, model.widths)
    total, weight = log_loss(logits(model, rows), labels, weights, shares)
    return float(total / weight)


def optimizer_of(model: Any, plan: RankerPlan) -> Any:
    """AdamW that pulls to the light model, but for the table of ids."""
    optimizer = keras.optimizers.AdamW(plan.learning_rate, weight_decay=plan.ridge, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["table"])
    optimizer.build(model.trainable_weights)
    return optimizer


def fed(example: tuple[Any, ...]) -> Any:
    """What batches like `example` are taken from."""
    if keras.backend.backend() == "jax":
        return iter
    from magpie_services.training.tf_feed import Feed

    return Feed(example)


def compiled(model: Any, optimizer: Any, example: tuple[Any, ...]) -> Any:
    """The step of the backend: of a batch like `example` it answers the sum of losses and of weights."""
    if keras.backend.backend() == "jax":
        from magpie_services.training.ranking import jax_step

        return jax_step.compiled(model, optimizer)
    from magpie_services.training.ranking import tf_step

    return tf_step.compiled(model, optimizer, example)
