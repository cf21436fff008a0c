"""What the exam says beyond the gate's figures: how well probabilities hold, and for whom the models work."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import metrics
from magpie_services.training.evaluation import Exam

FINDINGS = "findings.json"
BINS = 10
MIN_POSITIVES = 20
# Interactions that a user had: what is known of somebody decides most of how well one can do.
_HISTORY = (("none", 0, 0), ("1 to 4", 1, 4), ("5 to 19", 5, 19), ("20 or more", 20, 1 << 30))
_Z = 1.645  # 90 %

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of about the same probability: its mean, the share of positives and a 90 % interval of that."""

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How the probabilities of one head hold on the newest week. `error` is the expected calibration error
    over the base rate; None where positives are too few to say.
    """

    head: str
    rows: int
    positives: int
    error: float | None
    bins: list[Bin]


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A head for some of the rows: the share of positives, the mean probability, and how good these are."""

    head: str
    by: str
    name: str
    rows: int
    positives: int
    observed: float
    predicted: float
    logloss: float
    auc: float | None


class Readers(msgspec.Struct, frozen=True, kw_only=True):
    """Retrieval for users with as many interactions: means over them, None without anybody."""

    name: str
    users: int
    ndcg: float | None
    recall: float | None
    popular: float | None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; nothing about heads where the ranker could not be asked."""

    heads: list[Head] = []
    slices: list[Slice] = []
    readers: list[Readers] = []


def find(exam: Exam, probabilities: Floats | None, ndcg: Floats, recall: Floats, popular: Floats) -> Findings:
    """`probabilities` [R, H] of the exam's rows; the others by asked user [A]."""
    heads: list[Head] = []
    slices: list[Slice] = []
    if probabilities is not None and len(exam.rows) and np.isfinite(probabilities).all():
        for place, head in enumerate(HEADS):
            known = exam.rows.known[:, place] > 0
            expected = probabilities[:, place] * exam.rows.shares[:, place]
            label = exam.rows.labels[:, place]
            heads.append(_head(head, label[known], expected[known]))
            slices += [
                _slice(head, by, name, label[part & known], expected[part & known])
                for by, name, part in _parts(exam)
                if (part & known).any()
            ]
    return Findings(heads=heads, slices=slices, readers=_readers(exam, ndcg, recall, popular))


def _head(head: str, label: Floats, expected: Floats) -> Head:
    positives = int(label.sum())
    return Head(
        head=head,
        rows=len(label),
        positives=positives,
        error=metrics.calibration_error(label, expected) if positives >= MIN_POSITIVES else None,
        bins=list(_bins(label, expected)),
    )


def _bins(label: Floats, expected: Floats) -> Iterator[Bin]:
    """Bins of equally many rows, from the least likely to the most."""
    order = np.argsort(expected, kind="stable")
    for part in np.array_split(order, min(BINS, len(order)) or 1):
        if not len(part):
            continue
        share, count = float(label[part].mean()), len(part)
        centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
        half = _Z * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
        yield Bin(
            predicted=float(expected[part].mean()),
            observed=share,
            low=max(0.0, float(centre - half)),
            high=min(1.0, float(centre + half)),
            rows=count,
        )


def _parts(exam: Exam) -> Iterator[tuple[str, str, Mask]]:
    """(by what, name, which rows) of every slice."""
    yield "arm", "pushed", exam.rows.sent > 0
    yield "arm", "not pushed", exam.rows.sent <= 0
    known = (exam.rows.recent > 0).sum(1)
    for name, low, high in _HISTORY:
        yield "history", name, (known >= low) & (known <= high)


def _slice(head: str, by: str, name: str, label: Floats, expected: Floats) -> Slice:
    positives = int(label.sum())
    return Slice(
        head=head,
        by=by,
        name=name,
        rows=len(label),
        positives=positives,
        observed=float(label.mean()),
        predicted=float(expected.mean()),
        logloss=float(metrics.logloss(label, expected, np.ones(len(label))).mean()),
        auc=metrics.auc(label, expected) if 0 < positives < len(label) else None,
    )


def _readers(exam: Exam, ndcg: Floats, recall: Floats, popular: Floats) -> list[Readers]:
    lengths = np.diff(exam.history.offsets)
    found = []
    for name, low, high in _HISTORY[1:]:
        part = (lengths >= low) & (lengths <= high)
        some = bool(part.any())
        found.append(
            Readers(
                name=name,
                users=int(part.sum()),
                ndcg=float(ndcg[part].mean()) if some else None,
                recall=float(recall[part].mean()) if some else None,
                popular=float(popular[part].mean()) if some else None,
            )
        )
    return found
