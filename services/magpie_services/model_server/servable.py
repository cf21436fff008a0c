"""One loaded version of a model: its signatures, checked and warmed up before anybody may call them."""

import itertools
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.saved_model import loader_impl
from tensorflow_serving.apis import prediction_log_pb2 as log_pb

from magpie_services.kit.errors import MagpieError, NotAllowed
from magpie_services.model_server.bundle import check_files
from magpie_services.model_server.registry import CannotLoad
from magpie_services.model_server.signature import Protos, Signature

DEFAULT_SIGNATURE = "serving_default"
WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_WARMUP_RECORDS = 1_000


class Servable:
    """A SavedModel in memory. `predict` may be called from several threads at once."""

    def __init__(self, folder: Path, compiled: Collection[str] = ()) -> None:
        """Loads and warms up the SavedModel in `folder`; signatures named in `compiled` are compiled for the
        shapes of their warm-up records. Raises CannotLoad.
        """
        check_files(folder)
        try:
            self._graph = loader_impl.parse_saved_model(str(folder)).meta_graphs[0]
            _check_producer(self._graph.meta_info_def.tensorflow_version)
            # The module owns the variables: signatures alone would not keep them alive.
            self._module = tf.saved_model.load(str(folder), tags=["serve"])
            self._signatures = {
                name: Signature(name, function) for name, function in self._module.signatures.items()
            }
            for signature in self._signatures.values():
                signature.check_weights()
            self._warm_up(folder / WARMUP_FILE, compiled)
        except CannotLoad:
            raise
        except MagpieError as error:
            raise CannotLoad(f"does not work: {error.message}") from error
        except Exception as error:
            # Whatever a damaged model makes TensorFlow raise, it must not end the server.
            raise CannotLoad(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}") from error

    @property
    def signature_defs(self) -> Mapping[str, meta_graph_pb2.SignatureDef]:
        """The signatures as the SavedModel declares them."""
        signatures: Mapping[str, meta_graph_pb2.SignatureDef] = self._graph.signature_def
        return signatures

    def predict(
        self, signature: str, inputs: Protos, outputs: Iterable[str] = ()
    ) -> dict[str, tensor_pb2.TensorProto]:
        """Runs a signature ("" means the default one); answers the outputs asked for, all when none is.

        Raises NotAllowed for a signature that is not there and Invalid for inputs that do not fit it, as
        TensorFlow Serving does (FAILED_PRECONDITION and INVALID_ARGUMENT).
        """
        return self._signature(signature).run(inputs, tuple(outputs))

    def predict_compiled(
        self, signature: str, inputs: Protos, outputs: Iterable[str] = ()
    ) -> dict[str, tensor_pb2.TensorProto] | None:
        """The same where the signature is compiled for such inputs, None where it is not or has no answer."""
        return self._signature(signature).run_compiled(inputs, tuple(outputs))

    def _signature(self, name: str) -> Signature:
        name = name or DEFAULT_SIGNATURE
        if name not in self._signatures:
            raise NotAllowed(f'Serving signature key "{name}" not found.', reason="SIGNATURE_NOT_FOUND")
        return self._signatures[name]

    def _warm_up(self, file: Path, compiled: Collection[str]) -> None:
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
            signature = self._signature(request.model_spec.signature_name)
            signature.run(request.inputs, request.output_filter)
            if request.model_spec.signature_name in compiled:
                signature.compile(request.inputs)


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
