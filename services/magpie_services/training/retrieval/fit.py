"""Trains a retriever on the lake within a time box, keeping what did best on users it did not learn from: the
encoder's weights, the settings of the transitions, and the weight of these in the sum.
"""

from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from magpie_services.training import checkpoint as checkpoints
from magpie_services.training.checkpoint import Checkpoint
from magpie_services.training.metrics import ndcg, top
from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.progress import Report
from magpie_services.training.retrieval import blend, sequences, transitions
from magpie_services.training.retrieval.learner import Learner
from magpie_services.training.retrieval.negatives import Sampler
from magpie_services.training.retrieval.retriever import Retriever
from magpie_services.training.retrieval.sequences import History, Inputs
from magpie_services.training.retrieval.transitions import Pairs, Settings, Transitions
from magpie_services.training.retrieval.vocabulary import Vocabulary
from magpie_services.training.retrieval.windows import FollowingWeek, Windows

MAX_VALIDATION_USERS = 400
VALIDATION_SHARE = 0.1
# What serves is bounded: ten items with fifty followers each.
TRANSITIONS = Settings(keep=50, steps=10)
# Settings of transitions are tried as long as they cost no more pairs than this in all.
_PAIRS = 40_000_000


@dataclass(frozen=True)
class Fitted:
    """A trained model and how it got there; `weight` is that of the transitions beside the cosine."""

    model: Retriever
    epochs: int
    validation_ndcg: float
    learner: Learner
    transitions: Transitions
    weight: float


def train(
    plan: RetrieverPlan,
    vocabulary: Vocabulary,
    history: History,
    until_ms: int,
    seed: int,
    report: Report,
    checkpoint: Checkpoint = checkpoints.NONE,
) -> Fitted:
    """Fits on `history` up to `until_ms`; a tenth of the users is held out to know when to stop."""
    rng = np.random.default_rng(seed)
    known = history.until(until_ms)
    order = rng.permutation(len(known.users))
    held = np.sort(order[: min(MAX_VALIDATION_USERS, int(len(order) * VALIDATION_SHARE))])
    rest = known.of(np.setdiff1d(np.arange(len(order)), held))
    learner = begin(plan, vocabulary, known, seed)
    windows = Windows(rest, FollowingWeek(rest))
    exam = _Exam(known.of(held), until_ms)
    learnt = learner.learn(windows, exam, seed, report, checkpoint)
    table, weight = _transitions(rest, len(vocabulary), exam, learner.model)
    return Fitted(learner.model, learnt.epochs, learnt.best, learner, table, weight)


def begin(plan: RetrieverPlan, vocabulary: Vocabulary, known: History, seed: int) -> Learner:
    """A new model that may learn ids of the items in `known`, with its learner."""
    keras.utils.set_random_seed(seed % 2**32)
    counts = np.bincount(known.items, minlength=len(vocabulary))
    sampler = Sampler(plan, counts)
    return Learner(Retriever(plan, vocabulary, counts > 0, sampler.full), sampler, plan)


def refit(
    fitted: Fitted,
    vocabulary: Vocabulary,
    history: History,
    seed: int,
    report: Report,
    checkpoint: Checkpoint = checkpoints.NONE,
) -> Fitted:
    """Goes on, in place, over all users and the newest events for a third of the epochs it took; counts the
    transitions anew.
    """
    learner = fitted.learner
    learner.widen(np.bincount(history.items, minlength=len(vocabulary)))
    epochs = max(1, round(fitted.epochs / 3))
    windows = Windows(history, FollowingWeek(history))
    done, spent, saved = 0, 0.0, checkpoint.load()
    if saved is not None and learner.resumed(saved):
        done, spent = int(saved.numbers["epoch"]), saved.numbers["spent"]
    going = learner.epochs(windows, epochs, learner.plan.seconds / 2, seed + 1, done, spent)
    for epoch, loss, so_far in going:
        report(f"retriever: epoch {epoch} over all", min(1.0, epoch / epochs), step=epoch, loss=loss)
        checkpoint.save({"epoch": epoch, "spent": so_far}, **learner.state)
    learner.settle()
    table = transitions.fit(Pairs(history, len(vocabulary)), fitted.transitions.settings)
    return replace(fitted, transitions=table)


def _transitions(known: History, size: int, exam: "_Exam", model: Retriever) -> tuple[Transitions, float]:
    """The table, and its weight in the sum with the cosine: 0 where it does not help."""
    pairs = Pairs(known, size)
    if not exam.asked:
        return transitions.fit(pairs, TRANSITIONS), 0.0
    most = max(1, _PAIRS // max(1, TRANSITIONS.window * len(known)))
    table = transitions.tuned(
        pairs,
        lambda made: exam.mark(made.scores(exam.past)),
        transitions.TIMED_GRID,
        first=TRANSITIONS,
        most=most,
    )
    cosine, sums = exam.cosines(model), table.scores(exam.past)
    spread = blend.spread(cosine) / max(blend.spread(sums), 1e-9)
    weights = [share * spread for share in blend.SHARES[0]]
    marks = [exam.mark(cosine + np.float32(weight) * sums) for weight in weights]
    return table, weights[int(np.argmax(marks))]


def user_vectors(model: Retriever, inputs: Inputs, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """User vectors float32 [B, 64]; `table` has the vectors of the vocabulary."""
    return model.read(table, inputs.items, inputs.kinds, inputs.gaps)


class _Exam:
    """What held-out users wanted in the last week, ranked among all items."""

    def __init__(self, history: History, until_ms: int) -> None:
        cut_ms = until_ms - sequences.WEEK_MS
        wanted = sequences.wanted(history, cut_ms, until_ms)
        before = history.until(cut_ms)
        users = [user for user in wanted if before.offsets[user + 1] > before.offsets[user]]
        self.asked = len(users)
        self.past = before.of(np.array(users, dtype=np.int64))
        self._wanted = [wanted[user] for user in users]
        self._inputs = sequences.inputs_at(self.past, self.past.offsets[1:], np.full(len(users), cut_ms))

    def cosines(self, model: Retriever) -> NDArray[np.float32]:
        """Scores of all items [asked, size]."""
        table = model.vectors()
        scores: NDArray[np.float32] = user_vectors(model, self._inputs, table) @ table.T
        return scores

    def mark(self, scores: NDArray[np.float32]) -> float:
        """Mean NDCG@10 of scores [asked, size]."""
        ranked = top(scores[:, 1:], 10) + 1
        found = [ndcg(row.tolist(), wanted, 10) for row, wanted in zip(ranked, self._wanted, strict=True)]
        return float(np.mean(found))

    def score(self, model: Retriever) -> float:
        """Mean NDCG@10; 0 where there is nobody to ask."""
        return self.mark(self.cosines(model)) if self.asked else 0.0
