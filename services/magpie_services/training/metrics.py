"""Measures of rankings and probabilities, and what those are of log-odds, in numpy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def top(scores: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Columns of the `count` highest scores of each row, best first: [B, n] → [B, min(count, n)]."""
    count = min(count, scores.shape[1])
    found = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, found, 1), axis=1, kind="stable")
    return np.take_along_axis(found, order, 1)


def ndcg(ranked: Sequence[int], wanted: set[int], count: int) -> float:
    """Normalised discounted gain of the first `count`, in [0, 1]; 0 where nothing was wanted."""
    gains = [1 / np.log2(place + 2) for place in range(count)]
    ideal = sum(gains[: min(len(wanted), count)])
    return (
        sum(gain for gain, item in zip(gains, ranked, strict=False) if item in wanted) / ideal
        if ideal
        else 0.0
    )


def recall(ranked: Sequence[int], wanted: set[int], count: int) -> float:
    """Share of what was wanted among the first `count`, against the most that fits."""
    return len(wanted.intersection(ranked[:count])) / min(len(wanted), count) if wanted else 0.0


def sigmoid(log_odds: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities of log-odds, in double precision and never quite 0 or 1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(np.asarray(log_odds, np.float64), -30, 30))))


def logloss(
    labels: NDArray[np.floating], probabilities: NDArray[np.floating], maturity: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Loss of each row [R]; a label that had only part of its time is expected at that share of the
    probability.
    """
    expected = np.clip(np.asarray(probabilities, dtype=np.float64) * maturity, 1e-7, 1 - 1e-7)
    loss: NDArray[np.float64] = -(labels * np.log(expected) + (1 - labels) * np.log1p(-expected))
    return loss


def calibration_error(
    labels: NDArray[np.floating],
    probabilities: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
    *,
    bins: int = 20,
) -> float:
    """Expected calibration error over the base rate: how far, on average over bins of equally many rows from
    the least to the most likely, the share of positives is from the mean probability. Infinite without
    positives.
    """
    weight = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(probabilities, kind="stable")
    place = (np.arange(len(order)) * bins) // max(len(order), 1)
    of = weight[order]
    apart = np.bincount(place, of * (np.asarray(labels, np.float64) - probabilities)[order], bins)
    positives = float(weight @ labels)
    return float(np.abs(apart).sum() / positives) if positives else float("inf")


def auc(labels: NDArray[np.floating], scores: NDArray[np.floating]) -> float:
    """Chance that a positive is above a negative, ties halved; 0.5 where one class is missing."""
    positives = int(np.sum(labels > 0))
    negatives = len(labels) - positives
    if not positives or not negatives:
        return 0.5
    order = np.argsort(scores, kind="stable")
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[labels[order] > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))
