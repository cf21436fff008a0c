"""Ways to show a batch of windows a little differently each time; what the positions foretell stays."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.retrieval.windows import Batch


def augmented(batch: Batch, plan: RetrieverPlan, rng: np.random.Generator) -> Batch:
    """Crops windows at their old end, swaps events within a short stretch, hides events, as the plan says."""
    if not (plan.crop or plan.reorder or plan.mask):
        return batch
    items, learns = batch.items.copy(), np.ones(len(batch.at), bool)
    if plan.crop:
        gone = _cropped(items, plan.crop, rng)
        items[gone] = 0
        learns = ~gone.ravel()[batch.at]
    if plan.reorder:
        order = _reordered(items, plan.reorder, rng)
        items = np.take_along_axis(items, order, 1)
    if plan.mask:
        hidden = rng.random(items.shape) < plan.mask
        items[hidden & (items > 0)] = 0
    if not learns.any():  # a batch must teach something
        return batch
    return replace(
        batch,
        items=items,
        at=batch.at[learns],
        targets=batch.targets[learns],
        since=batch.since[learns],
        weights=batch.weights[learns],
    )


def _cropped(items: NDArray[np.int32], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """True [B, L] where a chosen window loses its oldest events: up to half of them."""
    length = (items > 0).sum(1)
    cut = np.where(rng.random(len(items)) < share, (rng.random(len(items)) * 0.5 * length), 0).astype(int)
    first = items.shape[1] - length + cut
    gone: NDArray[np.bool_] = np.arange(items.shape[1])[None] < first[:, None]
    return gone


def _reordered(items: NDArray[np.int32], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """A permutation of each window [B, L] that shuffles, in chosen ones, a stretch of a fifth of its length.

    The target of a position inside the stretch may then be among its inputs, as in the published method.
    """
    count, longest = items.shape
    length = (items > 0).sum(1)
    span = np.where(rng.random(count) < share, np.maximum(length // 5, 2), 0)
    first = longest - length + (rng.random(count) * np.maximum(length - span + 1, 1)).astype(int)
    places = np.arange(longest)[None]
    inside = (places >= first[:, None]) & (places < (first + span)[:, None]) & (items > 0)
    key = np.where(inside, first[:, None] + rng.random(items.shape) * np.maximum(span, 1)[:, None], places)
    order: NDArray[np.int64] = np.argsort(key, axis=1, kind="stable")
    return order
