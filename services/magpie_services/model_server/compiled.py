"""A signature compiled (XLA) for inputs of fixed shapes, which it reads side by side from one buffer.

Making a tensor of each input and binding it to its name costs as much as a small model's own work.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import tensor_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

# Type and sizes of each input.
Form = tuple[tuple[int, ...], ...]

# Above this variables are read at every call. Each form's program holds its constants, and TensorFlow keeps
# programs for as long as the process lives, those of dropped models too.
MAX_CONSTANT_BYTES = 4 << 20
WORD_BYTES = 4


def form_of(inputs: Sequence[tensor_pb2.TensorProto]) -> Form:
    """Type and sizes of inputs as they come off the wire."""
    return tuple((proto.dtype, *(dim.size for dim in proto.tensor_shape.dim)) for proto in inputs)


def with_constants(function: Any) -> Any:
    """The function with its variables as constants, where they are small: a compiler then folds them."""
    size = sum(math.prod(variable.shape) * variable.dtype.size for variable in function.variables)
    return convert_variables_to_constants_v2(function) if 0 < size <= MAX_CONSTANT_BYTES else function


class Compiled:
    """`run` may be called from several threads at once."""

    def __init__(self, function: Any, specs: Mapping[str, tf.TensorSpec], outputs: Sequence[str], form: Form):
        """Compiles `function` for inputs of one form, given in the order of `specs`; `outputs` are its
        outputs by name. Raises ValueError for types that are not of four bytes.
        """
        if any(spec.dtype.size != WORD_BYTES for spec in specs.values()):
            raise ValueError("only inputs of four bytes a value are compiled")
        self._outputs = outputs
        sizes = [math.prod(shape) for _, *shape in form]
        self._bytes = [WORD_BYTES * size for size in sizes]

        def by_place(words: Any) -> Any:
            pieces = zip(specs.items(), tf.split(words, sizes), form, strict=True)
            found = function(
                **{
                    name: tf.bitcast(tf.reshape(piece, shape), spec.dtype)
                    for (name, spec), piece, (_, *shape) in pieces
                }
            )
            return [found[name] for name in outputs] if isinstance(found, dict) else found

        self._function = tf.function(by_place, jit_compile=True, autograph=False).get_concrete_function(
            tf.TensorSpec([sum(sizes)], tf.int32)
        )

    def run(self, inputs: Sequence[tensor_pb2.TensorProto]) -> dict[str, NDArray[Any]] | None:
        """The outputs; None where the inputs do not hold their values as bytes. Raises tf.errors."""
        contents = [proto.tensor_content for proto in inputs]
        if [len(content) for content in contents] != self._bytes:
            return None
        words = np.frombuffer(b"".join(contents), dtype="<i4")
        found = self._function(tf.constant(words))
        return {name: value.numpy() for name, value in zip(self._outputs, found, strict=True)}
