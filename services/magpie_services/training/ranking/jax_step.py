"""The training step on the JAX backend: compiled for each size of a batch, of which there are two."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from magpie_services.training.ranking.loss import log_loss


def compiled(model: Any, optimizer: Any) -> Callable[..., tuple[Any, Any]]:
    """A step that takes (inputs, labels, weights, shares) and leaves the new state in the variables."""
    learnt, fixed = model.trainable_variables, model.non_trainable_variables

    def mean_loss(own: Any, others: Any, columns: Any, labels: Any, weights: Any, shares: Any) -> Any:
        logits, others = model.stateless_call(own, others, columns, training=True)
        total, weight = log_loss(logits[:, 0], labels, weights, shares)
        return total / jnp.maximum(weight, 1e-6), (total, weight, others)

    @jax.jit
    def step(state: Any, batch: Any) -> Any:
        own, others, moments = state
        gradients, (total, weight, others) = jax.grad(mean_loss, has_aux=True)(own, others, *batch)
        own, moments = optimizer.stateless_apply(moments, gradients, own)
        return (own, others, moments), total, weight

    def run(*batch: Any) -> tuple[Any, Any]:
        groups = (learnt, fixed, optimizer.variables)
        state = tuple([variable.value for variable in group] for group in groups)
        state, total, weight = step(state, batch)
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return total, weight

    return run
