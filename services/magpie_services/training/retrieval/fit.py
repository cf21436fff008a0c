"""Trains a retriever within a time box, keeping the weights that did best on users it did not learn from."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from magpie_services.training.metrics import ndcg, top
from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.retrieval import retriever, sequences
from magpie_services.training.retrieval.sequences import History, Inputs, Windows
from magpie_services.training.retrieval.vocabulary import Vocabulary

MAX_VALIDATION_USERS = 400
VALIDATION_SHARE = 0.1

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Fitted:
    """A trained model and how it got there."""

    model: retriever.Retriever
    epochs: int
    validation_ndcg: float
    learner: "_Learner"


def train(
    plan: RetrieverPlan, vocabulary: Vocabulary, history: History, until_ms: int, seed: int, report: Report
) -> Fitted:
    """Fits on `history` up to `until_ms`; a tenth of the users is held out to know when to stop."""
    keras.utils.set_random_seed(seed % 2**32)
    rng = np.random.default_rng(seed)
    known = history.until(until_ms)
    model = retriever.Retriever(plan, vocabulary, _seen(vocabulary, known))
    order = rng.permutation(len(known.users))
    held = np.sort(order[: min(MAX_VALIDATION_USERS, int(len(order) * VALIDATION_SHARE))])
    rest = known.of(np.setdiff1d(np.arange(len(order)), held))
    exam = _Exam(known.of(held), until_ms)
    best, best_epoch, best_weights = -1.0, 0, model.get_weights()
    epoch = 0
    learner = _Learner(model, plan)
    for epoch in learner.epochs(rest, plan.epochs, plan.seconds, rng, report):
        score = exam.score(model)
        if score > best or not exam.asked:
            best, best_epoch, best_weights = score, epoch, model.get_weights()
        if epoch - best_epoch >= plan.patience:
            break
    if best_weights:
        model.set_weights(best_weights)
    return Fitted(model, epoch, max(best, 0.0), learner)


def refit(fitted: Fitted, vocabulary: Vocabulary, history: History, seed: int, report: Report) -> None:
    """Goes on, in place, over all users and the newest events for a third of the epochs it took."""
    fitted.model.tower.seen.assign(_seen(vocabulary, history).astype(np.float32))
    epochs = max(1, round(fitted.epochs / 3))
    seconds = fitted.learner.plan.seconds / 2
    for _ in fitted.learner.epochs(history, epochs, seconds, np.random.default_rng(seed + 1), report):
        pass


def user_vectors(
    model: retriever.Retriever, inputs: Inputs, table: NDArray[np.float32]
) -> NDArray[np.float32]:
    """User vectors float32 [B, 64]; `table` has the vectors of the vocabulary."""
    parts = []
    for at in range(0, len(inputs.items), 256):
        items = inputs.items[at : at + 256]
        parts.append(
            model.read(
                tf.constant(table[items]),
                tf.constant(inputs.kinds[at : at + 256]),
                tf.constant(inputs.gaps[at : at + 256]),
                tf.constant(items > 0),
            ).numpy()
        )
    return np.concatenate(parts) if parts else np.zeros((0, table.shape[1]), dtype=np.float32)


class _Exam:
    """What held-out users wanted in the last week, ranked among all items."""

    def __init__(self, history: History, until_ms: int) -> None:
        cut_ms = until_ms - sequences.WEEK_MS
        wanted = sequences.wanted(history, cut_ms, until_ms)
        before = history.until(cut_ms)
        users = [user for user in wanted if before.offsets[user + 1] > before.offsets[user]]
        self.asked = len(users)
        self._wanted = [wanted[user] for user in users]
        ends = before.offsets[1:][np.array(users, dtype=np.int64)]
        self._inputs = sequences.inputs_at(before, ends, np.full(len(users), cut_ms))

    def score(self, model: retriever.Retriever) -> float:
        """Mean NDCG@10; 0 where there is nobody to ask."""
        if not self.asked:
            return 0.0
        table = model.vectors()
        scores = user_vectors(model, self._inputs, table) @ table.T
        scores[:, 0] = -np.inf
        ranked = top(scores, 10)
        return float(
            np.mean(
                [ndcg(row.tolist(), wanted, 10) for row, wanted in zip(ranked, self._wanted, strict=True)]
            )
        )


def _seen(vocabulary: Vocabulary, history: History) -> NDArray[np.bool_]:
    return np.bincount(history.items, minlength=len(vocabulary)) > 0


class _Learner:
    """A model with its optimiser and its compiled step."""

    def __init__(self, model: retriever.Retriever, plan: RetrieverPlan) -> None:
        self.plan = plan
        self._model = model
        self._optimizer = keras.optimizers.Adam(plan.learning_rate, clipnorm=1.0)
        self._step: Any = None

    def epochs(
        self, history: History, epochs: int, seconds: float, rng: np.random.Generator, report: Report
    ) -> Iterator[int]:
        """Yields the number of each finished epoch; the last may be cut short by the time box."""
        size = self._model.tower.size - 1
        if len(history) < 2 or size < 1:
            return
        windows, negatives = Windows(history), self.plan.negatives
        end = time.monotonic() + seconds
        for epoch in range(1, epochs + 1):
            for batch in windows.epoch(self.plan.batch, rng):
                # A small catalogue is its own sample: the softmax is then the full one.
                drawn = np.arange(1, size + 1) if size <= negatives else rng.integers(1, size + 1, negatives)
                inputs = (_tensors(batch), tf.constant(drawn.astype(np.int32)))
                if self._step is None:
                    self._step = _compiled(self._model, self._optimizer, *inputs)
                    self._step(*inputs)
                    end = time.monotonic() + seconds  # compiling is not training
                self._step(*inputs)
                if time.monotonic() > end:
                    break
            spent = 1 - (end - time.monotonic()) / max(seconds, 1e-3)
            report(f"retriever: epoch {epoch}", min(1.0, max(epoch / epochs, spent)))
            yield epoch
            if time.monotonic() > end:
                return


def _compiled(model: retriever.Retriever, optimizer: Any, batch: tuple[Any, ...], negatives: Any) -> Any:
    """The step, traced once for all sizes: all variables are there before, and no shape is fixed."""
    retriever.loss(model, tuple(column[:1] for column in batch), negatives)
    optimizer.build(model.trainable_weights)
    shapes = tuple(tf.TensorSpec([None, *column.shape[1:]], column.dtype) for column in (*batch, negatives))

    @tf.function(input_signature=[shapes[:-1], shapes[-1]], autograph=False)
    def step(batch: tuple[Any, ...], negatives: Any) -> Any:
        with tf.GradientTape() as tape:
            value = retriever.loss(model, batch, negatives)
        weights = model.trainable_weights
        gradients = tape.gradient(value, [weight.value for weight in weights])
        optimizer.apply([_dense(gradient) for gradient in gradients], weights)
        return value

    return step


def _dense(gradient: Any) -> Any:
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def _tensors(batch: sequences.Batch) -> tuple[Any, ...]:
    inputs = batch.inputs
    columns = (inputs.items, inputs.kinds, inputs.gaps, batch.since, batch.targets, batch.weights)
    return tuple(tf.constant(column) for column in columns)
