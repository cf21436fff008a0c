"""One loaded version of a model: its signatures, run on tensors as they come off the wire."""

import itertools
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.saved_model import loader_impl
from tensorflow_serving.apis import prediction_log_pb2 as log_pb

from magpie_services.kit.channels import MAX_MESSAGE_BYTES
from magpie_services.kit.errors import Invalid, MagpieError, NotAllowed, Unavailable
from magpie_services.model_server.registry import CannotLoad

DEFAULT_SIGNATURE = "serving_default"
WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_WARMUP_RECORDS = 1_000


class Servable:
    """A SavedModel in memory. `predict` may be called from several threads at once."""

    def __init__(self, folder: Path) -> None:
        """Loads and warms up the SavedModel in `folder`. Raises CannotLoad."""
        try:
            self._graph = loader_impl.parse_saved_model(str(folder)).meta_graphs[0]
            _check_producer(self._graph.meta_info_def.tensorflow_version)
            # The module owns the variables: signatures alone would not keep them alive.
            self._module = tf.saved_model.load(str(folder), tags=["serve"])
            self._functions = dict(self._module.signatures)
            self._warm_up(folder / WARMUP_FILE)
        except CannotLoad:
            raise
        except MagpieError as error:
            raise CannotLoad(f"warm-up failed: {error.message}") from error
        except Exception as error:
            # Whatever a damaged model makes TensorFlow raise, it must not end the server.
            raise CannotLoad(f"{type(error).__name__}: {_first_line(error)}") from error

    @property
    def signature_defs(self) -> Mapping[str, meta_graph_pb2.SignatureDef]:
        """The signatures as the SavedModel declares them."""
        signatures: Mapping[str, meta_graph_pb2.SignatureDef] = self._graph.signature_def
        return signatures

    def predict(
        self, signature: str, inputs: Mapping[str, tensor_pb2.TensorProto], outputs: Iterable[str] = ()
    ) -> dict[str, tensor_pb2.TensorProto]:
        """Runs a signature ("" means the default one); answers the outputs asked for, all when none is.

        Raises NotAllowed for a signature that is not there and Invalid for inputs that do not fit it, as
        TensorFlow Serving does (FAILED_PRECONDITION and INVALID_ARGUMENT).
        """
        name = signature or DEFAULT_SIGNATURE
        function = self._functions.get(name)
        if function is None:
            raise NotAllowed(f'Serving signature key "{name}" not found.', reason="SIGNATURE_NOT_FOUND")
        tensors = _tensors(function.structured_input_signature[1], inputs)
        wanted = list(outputs) or sorted(function.structured_outputs)
        for index, alias in enumerate(wanted):
            if alias not in function.structured_outputs:
                raise Invalid(f"output_filter[{index}]", f"{alias} is no output of signature {name}")
            if alias in wanted[:index]:
                raise Invalid(f"output_filter[{index}]", f"{alias} is there twice")
        try:
            results = function(**tensors)
            return {alias: tf.make_tensor_proto(results[alias].numpy()) for alias in wanted}
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
            raise Invalid("inputs", _first_line(error)) from error
        except (tf.errors.ResourceExhaustedError, tf.errors.UnavailableError) as error:
            raise Unavailable("the model server is out of resources") from error

    def _warm_up(self, file: Path) -> None:
        if not file.exists():
            return
        records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
        for record in itertools.islice(records, MAX_WARMUP_RECORDS):
            try:
                log = log_pb.PredictionLog.FromString(record)
            except DecodeError as error:
                raise CannotLoad("a warm-up record is damaged") from error
            if log.WhichOneof("log_type") != "predict_log":
                raise CannotLoad(f"warm-up records of type {log.WhichOneof('log_type')} are not served here")
            request = log.predict_log.request
            self.predict(request.model_spec.signature_name, request.inputs, request.output_filter)


def _tensors(
    specs: Mapping[str, tf.TensorSpec], inputs: Mapping[str, tensor_pb2.TensorProto]
) -> dict[str, tf.Tensor]:
    extra, missing = sorted(set(inputs) - set(specs)), sorted(set(specs) - set(inputs))
    if extra or missing:
        raise Invalid(
            "inputs", f"sent but not in the signature: {extra}; in the signature but not sent: {missing}"
        )
    tensors = {}
    for name, spec in specs.items():
        proto = inputs[name]
        if proto.dtype != spec.dtype.as_datatype_enum:
            sent = tf.as_dtype(proto.dtype).name if proto.dtype else "nothing"
            raise Invalid(f"inputs[{name}].dtype", f"is {sent}, must be {spec.dtype.name}")
        if math.prod(max(dim.size, 0) for dim in proto.tensor_shape.dim) > MAX_MESSAGE_BYTES:
            # One value may stand for all that are left out: a few bytes could ask for all memory.
            raise Invalid(f"inputs[{name}].tensor_shape", f"has more than {MAX_MESSAGE_BYTES} elements")
        try:
            tensor = tf.constant(tf.make_ndarray(proto), dtype=spec.dtype)
        except (TypeError, ValueError) as error:
            raise Invalid(f"inputs[{name}]", "content and shape do not agree") from error
        if not spec.shape.is_compatible_with(tensor.shape):
            raise Invalid(f"inputs[{name}].tensor_shape", f"is {tensor.shape}, must fit {spec.shape}")
        tensors[name] = tensor
    return tensors


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _check_producer(version: str) -> None:
    """Graphs of a newer TensorFlow may use operations that this one lacks or runs differently."""
    if _minor(version) > _minor(tf.__version__):
        raise CannotLoad(f"written by TensorFlow {version}, newer than this server's {tf.__version__}")


def _minor(version: str) -> tuple[int, int]:
    try:
        major, minor, *_ = version.split(".")
        return int(major), int(minor)
    except ValueError as error:
        raise CannotLoad(f"names no TensorFlow version: {version!r}") from error
