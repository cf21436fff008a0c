"""The training step on the JAX backend: compiled for each of the few shapes that lessons are padded to."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from magpie_services.training.retrieval.lessons import padded
from magpie_services.training.retrieval.retriever import Lesson, Retriever


def compiled(
    model: Retriever, optimizer: Any, averages: list[Any], decay: float, lesson: Lesson
) -> Callable[[Lesson], tuple[Any, Any]]:
    """A step that answers the sum of losses and of weights, and leaves the new state in the variables."""
    del lesson  # shapes are seen as they come
    learnt, fixed = model.trainable_variables, model.non_trainable_variables

    def mean_loss(weights: Any, others: Any, lesson: Lesson) -> Any:
        (total, weight), others = model.stateless_call(weights, others, lesson, training=True)
        return total / weight, (total, weight, others)

    @jax.jit
    def step(state: Any, lesson: Lesson) -> Any:
        weights, others, moments, means = state
        grown = jax.grad(mean_loss, has_aux=True)
        gradients, (total, weight, others) = grown(weights, others, lesson)
        weights, moments = optimizer.stateless_apply(moments, gradients, weights)
        if means:
            done = jnp.asarray(moments[0], jnp.float32)
            pull = 1 - jnp.minimum(decay, (1 + done) / (10 + done))
            means = [mean + pull * (value - mean) for mean, value in zip(means, weights, strict=True)]
        return (weights, others, moments, means), total, weight

    def run(lesson: Lesson) -> tuple[Any, Any]:
        groups = (learnt, fixed, optimizer.variables, averages)
        state = tuple([variable.value for variable in group] for group in groups)
        state, total, weight = step(state, padded(lesson))
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return total, weight

    return run
