"""A model with its optimiser: epochs over windows, with averaged weights where the plan asks for them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from magpie_services.training import checkpoint as checkpoints
from magpie_services.training import parallel
from magpie_services.training.checkpoint import Checkpoint
from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.progress import Report
from magpie_services.training.retrieval import augmentation
from magpie_services.training.retrieval.lessons import Lessons, share_of
from magpie_services.training.retrieval.negatives import Sampler
from magpie_services.training.retrieval.retriever import Lesson, Retriever
from magpie_services.training.retrieval.windows import Windows

Weights = list[NDArray[Any]]


class Exam(Protocol):
    """What decides when to stop."""

    @property
    def asked(self) -> int:
        """How many are asked; with 0 the last epoch is as good as any."""
        ...

    def score(self, model: Retriever) -> float:
        """Higher is better."""
        ...


@dataclass(frozen=True)
class Learnt:
    """How a fit went: epochs done, the best of them, and its score."""

    epochs: int
    best_epoch: int
    best: float


class Learner:
    """Teaches one model; the optimiser goes on where it was from call to call."""

    def __init__(self, model: Retriever, sampler: Sampler, plan: RetrieverPlan) -> None:
        self.model, self.plan = model, plan
        self._lessons = Lessons(sampler, model.tower.size)
        self._optimizer = keras.optimizers.Adam(plan.learning_rate, beta_2=plan.beta_2, clipnorm=1.0)
        self._optimizer.build(model.trainable_variables)
        averaged = model.trainable_variables if plan.ema else []
        self._averages = [keras.Variable(weight.numpy(), trainable=False) for weight in averaged]
        self._feed: Any = iter
        self._step: Any = None

    def learn(
        self,
        windows: Windows,
        exam: Exam,
        seed: int,
        report: Report,
        checkpoint: Checkpoint = checkpoints.NONE,
    ) -> Learnt:
        """Epochs until the exam gets no better, the plan's most, or its time is over; leaves the best weights
        in the model.
        """
        plan = self.plan
        done, best, best_epoch, spent = 0, -1.0, 0, 0.0
        kept = self._weights()
        saved = checkpoint.load()
        if saved is not None and self.resumed(saved):
            kept = saved.parts["best"]
            done, best_epoch = int(saved.numbers["epoch"]), int(saved.numbers["best_epoch"])
            best, spent = saved.numbers["best"], saved.numbers["spent"]
        # One that had come to its end stays as it was then.
        most = done if done and done - best_epoch >= plan.patience else plan.epochs
        for epoch, loss, so_far in self.epochs(windows, most, plan.seconds, seed, done, spent):
            done, spent = epoch, so_far
            with self.averaged():
                score = exam.score(self.model)
                if score > best or not exam.asked:
                    best, best_epoch, kept = score, epoch, self._weights()
            share = max(epoch / plan.epochs, spent / max(plan.seconds, 1e-3))
            report(f"retriever: epoch {epoch}", min(1.0, share), step=epoch, loss=loss, metric=score)
            checkpoint.save(
                {"epoch": epoch, "best": best, "best_epoch": best_epoch, "spent": spent},
                best=kept,
                **self.state,
            )
            if parallel.group().any(epoch - best_epoch >= plan.patience):
                break
        _assign(self.model.trainable_variables, kept)
        if self._averages:
            _assign(self._averages, kept)
        return Learnt(done, best_epoch, max(best, 0.0))

    def epochs(
        self, windows: Windows, most: int, seconds: float, seed: int, done: int = 0, spent: float = 0.0
    ) -> Iterator[tuple[int, float, float]]:
        """Yields number, mean loss and seconds spent of each epoch; the last may be cut short by the time
        box.
        """
        group = parallel.group()
        for epoch in range(done + 1, most + 1):
            if group.any(spent > seconds):
                return
            # Made anew, so that an epoch is the same after an interruption.
            rng = np.random.default_rng((seed, epoch))
            losses = weights = 0.0
            lessons = self._drawn(windows, rng)
            first = next(lessons, None)
            if first is None:  # nothing to learn from
                return
            if self._step is None:  # compiling is not training
                self._feed, self._step = self._compiled(first)
            begun = time.monotonic()
            for lesson in self._feed(chain([first], lessons)):
                loss, weight = self._step(lesson)
                losses, weights = losses + float(loss), weights + float(weight)
                if group.any(spent + time.monotonic() - begun > seconds):
                    break
            if not weights:
                return
            spent += time.monotonic() - begun
            yield epoch, losses / weights, spent

    def _drawn(self, windows: Windows, rng: np.random.Generator) -> Iterator[Lesson]:
        """The lessons of an epoch, of each the share of this process."""
        plan, group = self.plan, parallel.group()
        for batch in windows.epoch(plan.batch, plan.tokens, rng):
            lesson = self._lessons.lesson(augmentation.augmented(batch, plan, rng), rng)
            yield share_of(lesson, group.member, group.members) if group.members > 1 else lesson

    def widen(self, counts: NDArray[np.int64]) -> None:
        """Lets all items be learnt that `counts` [n] has seen."""
        self.model.tower.seen.assign((counts > 0).astype(np.float32))
        self._lessons = Lessons(Sampler(self.plan, counts, self.model.full), self.model.tower.size)

    def settle(self) -> None:
        """Leaves the averaged weights in the model, where they are kept."""
        if self._averages:
            _assign(self.model.trainable_variables, [average.numpy() for average in self._averages])

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with its averaged weights for a while; as it is where none are kept."""
        if not self._averages:
            yield
            return
        own = self._weights()
        self.settle()
        try:
            yield
        finally:
            _assign(self.model.trainable_variables, own)

    def _weights(self) -> Weights:
        return [np.array(weight.numpy()) for weight in self.model.trainable_variables]

    @property
    def state(self) -> dict[str, list[Any]]:
        """All variables, by what they belong to."""
        found = {"model": self.model.variables, "optimizer": self._optimizer.variables}
        return {**found, "averages": self._averages}

    def resumed(self, saved: checkpoints.Saved) -> bool:
        """Takes the variables back; False where they are of another make."""
        if not all(saved.fits(name, variables) for name, variables in self.state.items()):
            return False
        for name, variables in self.state.items():
            saved.into(name, variables)
        return True

    def _compiled(self, lesson: Lesson) -> tuple[Any, Any]:
        """What lessons are taken from, and the step that learns from one."""
        told = self.model, self._optimizer, self._averages, self.plan.ema, lesson
        if keras.backend.backend() == "jax":
            from magpie_services.training.retrieval import jax_step

            return iter, jax_step.compiled(*told)
        from magpie_services.training.retrieval import tf_step
        from magpie_services.training.tf_feed import Feed

        return Feed(lesson), tf_step.compiled(*told)


def _assign(variables: list[Any], values: Weights) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
