"""One signature of a loaded model: checks tensors off the wire and runs it, compiled where prepared."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import structlog
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import tensor_pb2

from magpie_services.kit import tensors
from magpie_services.kit.channels import MAX_MESSAGE_BYTES
from magpie_services.kit.errors import Invalid, Unavailable
from magpie_services.model_server.compiled import Compiled, Form, form_of, with_constants

log = structlog.get_logger()

Protos = Mapping[str, tensor_pb2.TensorProto]

# How far a compiled answer may be from the plain one: sums in another order, nothing more.
TOLERANCE = 1e-3


class Signature:
    """Runs one function of a SavedModel. `run` may be called from several threads at once."""

    def __init__(self, name: str, function: Any) -> None:
        self._name = name
        self._function = function
        self._specs: dict[str, tf.TensorSpec] = dict(function.structured_input_signature[1])
        self._outputs = sorted(function.structured_outputs)
        self._with_constants: Any = None
        self._compiled: Mapping[Form, Compiled] = {}

    def run(self, inputs: Protos, outputs: Sequence[str] = ()) -> dict[str, tensor_pb2.TensorProto]:
        """The outputs asked for, all when none is.

        Raises Invalid for inputs that do not fit and outputs that are not there, Unavailable.
        """
        wanted = self._wanted(outputs)
        self._check_names(inputs)
        results = self._quickly(inputs) or self._plainly(self._arrays(inputs))
        return {alias: tensors.to_proto(results[alias]) for alias in wanted}

    def run_compiled(
        self, inputs: Protos, outputs: Sequence[str] = ()
    ) -> dict[str, tensor_pb2.TensorProto] | None:
        """The same by what was compiled for such inputs; None where nothing was, or it has no answer."""
        wanted = self._wanted(outputs)
        self._check_names(inputs)
        results = self._quickly(inputs)
        return {alias: tensors.to_proto(results[alias]) for alias in wanted} if results else None

    def check_weights(self) -> None:
        """Raises Invalid naming a variable of the function that is not finite somewhere."""
        for variable in self._function.variables:
            if variable.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(variable)):
                raise Invalid(variable.name, "is not finite")

    def compile(self, inputs: Protos) -> None:
        """Compiles the function for inputs of this form, where it then gives the same answers.

        Other forms go on as before: no call ever waits for a compiler. Raises as `run` does.
        """
        self._check_names(inputs)
        arrays = self._arrays(inputs)
        plain = self._plainly(arrays)
        protos = [tensors.to_proto(array) for array in arrays.values()]
        form = form_of(protos)
        try:
            if self._with_constants is None:
                self._with_constants = with_constants(self._function)
            compiled = Compiled(self._with_constants, self._specs, self._outputs, form)
            answers = compiled.run(protos) or {}
        except (tf.errors.OpError, ValueError, TypeError) as error:
            log.warning("signature.not_compiled", signature=self._name, error=_said(error))
            return
        for alias, values in plain.items():
            if alias not in answers or not np.allclose(
                answers[alias], values, rtol=TOLERANCE, atol=TOLERANCE
            ):
                log.warning("signature.not_compiled", signature=self._name, error=f"another {alias}")
                return
        self._compiled = {**self._compiled, form: compiled}

    def _quickly(self, inputs: Protos) -> Mapping[str, NDArray[Any]] | None:
        """What was compiled for such inputs answers; None where nothing was, or it cannot."""
        protos = [inputs[name] for name in self._specs]
        compiled = self._compiled.get(form_of(protos))
        if compiled is None:
            return None
        with _told():
            results = compiled.run(protos)
        # Compilers drop the checks for NaN that stand in the graph: let the graph itself say so.
        if results is None or not all(np.isfinite(values).all() for values in results.values()):
            return None
        return results

    def _plainly(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with _told():
            results = self._function(**{name: tf.constant(array) for name, array in arrays.items()})
            return {alias: value.numpy() for alias, value in results.items()}

    def _wanted(self, outputs: Sequence[str]) -> Sequence[str]:
        for index, alias in enumerate(outputs):
            if alias not in self._outputs:
                raise Invalid(f"output_filter[{index}]", f"{alias} is no output of signature {self._name}")
            if alias in outputs[:index]:
                raise Invalid(f"output_filter[{index}]", f"{alias} is there twice")
        return outputs or self._outputs

    def _check_names(self, inputs: Protos) -> None:
        if len(inputs) != len(self._specs) or not all(name in inputs for name in self._specs):
            extra, missing = sorted(set(inputs) - set(self._specs)), sorted(set(self._specs) - set(inputs))
            raise Invalid(
                "inputs", f"sent but not in the signature: {extra}; in the signature but not sent: {missing}"
            )

    def _arrays(self, inputs: Protos) -> dict[str, NDArray[Any]]:
        """The inputs in the order of the signature."""
        return {name: _array(f"inputs[{name}]", inputs[name], spec) for name, spec in self._specs.items()}


@contextmanager
def _told() -> Iterator[None]:
    """TensorFlow's errors in our words."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
        raise Invalid("inputs", _said(error)) from error
    except (tf.errors.ResourceExhaustedError, tf.errors.UnavailableError) as error:
        raise Unavailable("the model server is out of resources") from error


def _array(field: str, proto: tensor_pb2.TensorProto, spec: tf.TensorSpec) -> NDArray[Any]:
    if proto.dtype != spec.dtype.as_datatype_enum:
        sent = tf.as_dtype(proto.dtype).name if proto.dtype else "nothing"
        raise Invalid(f"{field}.dtype", f"is {sent}, must be {spec.dtype.name}")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if math.prod(max(size, 0) for size in shape) > MAX_MESSAGE_BYTES:
        # One value may stand for all that are left out: a few bytes could ask for all memory.
        raise Invalid(f"{field}.tensor_shape", f"has more than {MAX_MESSAGE_BYTES} elements")
    if not spec.shape.is_compatible_with(shape):
        raise Invalid(f"{field}.tensor_shape", f"is {shape}, must fit {spec.shape}")
    try:
        return tensors.from_proto(proto)
    except ValueError as error:
        raise Invalid(field, "content and shape do not agree") from error


def _said(error: Exception) -> str:
    """What went wrong: TensorFlow says it last, after where, and before the name of the node."""
    text, _, node = str(error).partition("\n\t [[")
    return text.splitlines()[-1 if node else 0]
