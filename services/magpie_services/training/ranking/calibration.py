"""Platt scaling of each head, pulled towards leaving the model as it is."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from magpie_services.core.feature_schema import HEADS
from magpie_services.training.ranking.rows import PURCHASE, Rows

MIN_POSITIVES = 20
# How many rows the belief "slope 1, offset 0" is worth.
_STRENGTH = 10.0


def fit(logits: NDArray[np.float32], rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and offset float32 [4] for logits [R, 4]; 1 and 0 for heads with fewer than 20 positives."""
    slope, offset = np.ones(len(HEADS), np.float32), np.zeros(len(HEADS), np.float32)
    for head in range(len(HEADS)):
        used = rows.known[:, head] > 0
        label = rows.labels[used, head].astype(np.float64)
        if label.sum() < MIN_POSITIVES or label.all():
            continue
        share = rows.maturity[used] if head == PURCHASE else np.ones(len(label))
        slope[head], offset[head] = _platt(
            logits[used, head].astype(np.float64), label, rows.weights[used], share
        )
    return slope, offset


def _platt(
    logit: NDArray[np.float64],
    label: NDArray[np.float64],
    weight: NDArray[np.floating],
    share: NDArray[np.floating],
) -> tuple[float, float]:
    weight = weight / weight.mean()

    def objective(theta: NDArray[np.float64]) -> float:
        chance = 1 / (1 + np.exp(-np.clip(theta[0] * logit + theta[1], -30, 30)))
        seen = np.clip(chance * share, 1e-9, 1 - 1e-9)
        loss = -weight @ (label * np.log(seen) + (1 - label) * np.log1p(-seen))
        return float(loss + _STRENGTH * ((theta[0] - 1) ** 2 + 0.1 * theta[1] ** 2))

    found = minimize(objective, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.3, 3.0), (-5.0, 5.0)]).x
    return float(found[0]), float(found[1])
