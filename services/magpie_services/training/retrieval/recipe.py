"""How a data set of sequences is learnt: settings that follow from its size, the few choices that are left to
validation, and the fit itself.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from magpie_services.training.plan import HISTORY, VECTOR, Encoder, RetrieverPlan
from magpie_services.training.retrieval import blend, fit, transitions
from magpie_services.training.retrieval.blend import Blend, Popularity
from magpie_services.training.retrieval.learner import Learner
from magpie_services.training.retrieval.leave_one_out import Data, Examination, Served
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.transitions import Pairs, Transitions
from magpie_services.training.retrieval.windows import NextItem, Windows

#: Told of every try on validation: what was tried, its settings, NDCG@10.
Log = Callable[[str, dict[str, float | str], float], None]

# What differs most from one data set to the next: how much must be held back, and whether people go on from
# what they took last (loud, the answer close to the items) or keep to what everybody takes.
CHOICES: tuple[dict[str, Any], ...] = (
    {"dropout": 0.5, "input_dropout": 0.5},
    {"dropout": 0.2, "input_dropout": 0.2},
    {"dropout": 0.5, "input_dropout": 0.5, "loudness": 2.0, "projected": True},
)
STEPS_AN_EPOCH = 80
# Users that tables and weights are tuned on; the encoder's epochs are judged by the same.
VALIDATION_USERS = 6_000


def settings(history: History, encoder: Encoder = "transformer", seconds: float = 1_500.0) -> RetrieverPlan:
    """The plan for a history: small ones are learnt in small batches, so that an epoch has enough steps."""
    batch = int(np.clip(2 ** round(np.log2(max(len(history.users), 1) / STEPS_AN_EPOCH)), 32, 256))
    return RetrieverPlan(
        encoder=encoder,
        blocks=2,
        scale=14.0,
        negatives=1_024,
        dropout=0.5,
        input_dropout=0.5,
        learning_rate=1e-3,
        beta_2=0.98,
        batch=batch,
        tokens=batch * HISTORY,
        epochs=200,
        patience=5,
        seconds=seconds,
        id_dropout=0.0,
    )


def sasrec(history: History, seconds: float = 1_500.0) -> RetrieverPlan:
    """SASRec as published: inner product, binary loss, one negative a position, ids only."""
    return replace(
        settings(history, "sasrec", seconds),
        heads=1,
        scoring="dot",
        loudness=VECTOR**0.5,
        content=False,
        projected=False,
        objective="bce",
        negatives=1,
        shared=False,
        patience=20,  # this loss gets better slowly
        epochs=1_000,
    )


def choices(plan: RetrieverPlan) -> tuple[RetrieverPlan, ...]:
    """The plans among which validation chooses."""
    shapes = CHOICES[:2] if plan.encoder == "sasrec" else CHOICES
    return tuple(replace(plan, **choice) for choice in shapes)


@dataclass(frozen=True)
class Trained:
    """A fitted encoder with its validation score and what it took; `seconds` is the fit's wall time."""

    plan: RetrieverPlan
    learner: Learner
    validation: float
    epochs: int
    seconds: float

    @property
    def scorer(self) -> Served:
        return Served(self.learner.model)


def encoder(
    data: Data, known: History, exam: Examination, plan: RetrieverPlan, seed: int, log: Log
) -> Trained:
    """Fits one encoder on `known`; `exam` decides when it stops."""

    def report(
        activity: str,
        share: float,
        *,
        step: int | None = None,
        loss: float | None = None,
        metric: float | None = None,
    ) -> None:
        if step is not None and metric is not None:
            log(
                plan.encoder,
                {
                    "seed": seed,
                    "dropout": plan.dropout,
                    "loudness": plan.loudness,
                    "epoch": step,
                    "loss": loss or 0.0,
                },
                metric,
            )

    begun = time.monotonic()
    learner = fit.begin(plan, data.vocabulary, known, seed)
    learnt = learner.learn(Windows(known, NextItem(known)), exam, seed, report)
    return Trained(plan, learner, learnt.best, learnt.epochs, time.monotonic() - begun)


def best_encoder(
    data: Data, known: History, exam: Examination, plans: Iterable[RetrieverPlan], seed: int, log: Log
) -> Trained:
    """The best of several plans on validation."""
    return max(
        (encoder(data, known, exam, plan, seed, log) for plan in plans), key=lambda one: one.validation
    )


def tuned_transitions(data: Data, known: History, exam: Examination, log: Log) -> Transitions:
    """The table of transitions, tuned on validation."""
    return transitions.tuned(
        Pairs(known, len(data.vocabulary)),
        lambda made: exam.mark(made).ndcg,
        log=lambda tried, found: log("transitions", _plain(tried), found),
    )


def blended(
    data: Data, known: History, exam: Examination, first: Served, second: Transitions, seed: int, log: Log
) -> Blend:
    """Encoder, transitions and popularity with the weights that are best on validation."""
    counts = np.bincount(known.items, minlength=len(data.vocabulary))
    scorers = (first, second, Popularity(counts))
    return blend.blended(
        scorers,
        exam.history,
        lambda weights: [marks.ndcg for marks in exam.marks(scorers, weights)],
        lambda weights, found: log(
            "blend", {"seed": seed, "transitions": weights[1], "popularity": weights[2]}, found
        ),
    )


def _plain(tried: transitions.Settings) -> dict[str, float | str]:
    return {name: getattr(tried, name) for name in tried.__struct_fields__}
