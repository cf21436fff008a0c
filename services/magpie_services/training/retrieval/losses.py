"""What a retriever minimises: scores of the wanted item against scores of others, a value a position."""

from typing import Any

from keras import ops

# Added to the score of a drawn item that happens to be the wanted one.
EXCLUDED = -1e9


def full_softmax(logits: Any, wanted: Any) -> Any:
    """Cross entropy over all items: logits [T, n], wanted int32 [T] → [T]."""
    return ops.sparse_categorical_crossentropy(wanted, logits, from_logits=True)


def sampled_softmax(right: Any, wrong: Any, log_counts: Any) -> Any:
    """Cross entropy against drawn items: right [T], wrong [T, N], log_counts [N] or [T, N] → [T].

    logQ lowers a drawn item by the logarithm of how often it was expected; the wanted one, which is always
    there, is not drawn and stays.
    """
    wrong = wrong - log_counts
    top = ops.stop_gradient(ops.maximum(right, ops.max(wrong, axis=-1)))
    others = ops.sum(ops.exp(wrong - top[:, None]), axis=-1)
    return ops.log(ops.exp(right - top) + others) + top - right


def binary(right: Any, wrong: Any, power: float = 1.0) -> Any:
    """Binary cross entropy of the wanted item and the drawn ones, a mean over all: [T], [T, N] → [T].

    `power` is gBCE's exponent of the wanted item's probability; 1 is the plain loss.
    """
    against = ops.sum(ops.softplus(wrong), axis=-1)
    count = 1 + ops.shape(wrong)[-1]  # known only while it runs, where the step is traced for all sizes
    return (power * ops.softplus(-right) + against) / ops.cast(count, right.dtype)


def generalised_power(negatives: int, items: int, t: float) -> float:
    """gBCE's exponent for `negatives` drawn out of `items`: t 0 is plain, 1 undoes all overconfidence."""
    share = min(1.0, negatives / max(1, items - 1))
    return share * (t * (1 - 1 / share) + 1 / share)
