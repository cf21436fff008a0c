"""A client of TensorFlow Serving (or `model_server`), in numpy: PredictionService and ModelService."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import grpc
import structlog

from magpie_services.kit import tensors
from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import DeadlineExceeded, MagpieError, NotFound, Unavailable
from magpie_services.kit.prediction_messages import (
    management_pb2,
    metadata_pb2,
    model_service_grpc,
    predict_pb2,
    prediction_service_grpc,
    status_pb2,
)
from magpie_services.kit.tensors import Array

log = structlog.get_logger()


Stubbed = Callable[..., Awaitable[Any]]


class TensorSpec(NamedTuple):
    """`dtype` as numpy names it ("string" for text); -1 in `shape` is any size."""

    dtype: str
    shape: tuple[int, ...]


class Signature(NamedTuple):
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


def unfit(found: Mapping[str, Signature], wanted: Mapping[str, Signature]) -> str:
    """Why a model of signatures `found` cannot be called as `wanted`; "" where it can.

    Inputs must be the same, with -1 standing for any size on either side; outputs must be there.
    """
    for name, needs in wanted.items():
        has = found.get(name)
        if has is None:
            return f"it lacks the signature {name}"
        if has.inputs.keys() != needs.inputs.keys():
            return f"{name} reads {sorted(has.inputs)}, not {sorted(needs.inputs)}"
        for tensor, spec in needs.inputs.items():
            if not _like(has.inputs[tensor], spec):
                return f"{name} reads {tensor} as {has.inputs[tensor]}, not {spec}"
        for tensor, spec in needs.outputs.items():
            if tensor not in has.outputs or has.outputs[tensor].dtype != spec.dtype:
                return f"{name} does not answer {tensor} as {spec.dtype}"
    return ""


class ModelConfig(NamedTuple):
    """A model to serve: exactly `versions` (all new ones when empty), `labels` name some of them."""

    name: str
    base_path: str
    versions: Sequence[int] = ()
    labels: Mapping[str, int] = {}


class Prediction:
    """Calls over a channel of `kit.channels`; the channel stays its opener's to close.

    Every `timeout_seconds` is cut to what is left of the caller's deadline. Errors of all methods: NotFound
    (no such model, version or label), DeadlineExceeded, Unavailable (all else; its words are logged).
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._prediction = prediction_service_grpc.PredictionServiceStub(channel)
        self._models = model_service_grpc.ModelServiceStub(channel)

    async def predict(
        self,
        model: str,
        signature: str,
        inputs: Mapping[str, Array],
        *,
        outputs: Sequence[str] = (),
        version: int | None = None,
        label: str | None = None,
        timeout_seconds: float,
    ) -> tuple[dict[str, Array], int]:
        """The named outputs (all when empty) and the version that computed them."""
        request = predict_pb2.PredictRequest(output_filter=outputs)
        _set_model(request.model_spec, model, version, label)
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            tensors.fill(request.inputs[name], array)
        response = await _call(self._prediction.Predict, request, model, timeout_seconds)
        try:
            arrays = {name: tensors.from_proto(proto) for name, proto in response.outputs.items()}
        except ValueError as error:
            raise Unavailable(f"model {model}: the answer cannot be read") from error
        return arrays, int(response.model_spec.version.value)

    async def status(self, model: str, *, timeout_seconds: float = 5.0) -> list[tuple[int, str]]:
        """(version, state) of every version the server knows; states are "AVAILABLE", "LOADING", "END" …"""
        request = status_pb2.GetModelStatusRequest()
        request.model_spec.name = model
        response = await _call(self._models.GetModelStatus, request, model, timeout_seconds)
        names = status_pb2.ModelVersionStatus.State
        return [(int(s.version), str(names.Name(s.state))) for s in response.model_version_status]

    async def metadata(
        self,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> tuple[dict[str, Signature], int]:
        """The model's signatures by name, and the version they are of."""
        request = metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        _set_model(request.model_spec, model, version, label)
        response = await _call(self._prediction.GetModelMetadata, request, model, timeout_seconds)
        found = metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(found)
        try:
            signatures = {
                name: Signature(_specs(definition.inputs), _specs(definition.outputs))
                for name, definition in found.signature_def.items()
                if not name.startswith("__")  # what TensorFlow keeps beside them for itself
            }
        except ValueError as error:
            raise Unavailable(f"model {model}: the signatures cannot be read") from error
        return signatures, int(response.model_spec.version.value)

    async def reload(self, models: Sequence[ModelConfig], *, timeout_seconds: float = 60.0) -> None:
        """Make the server serve exactly these models, unloading any other. Returns when all are loaded."""
        request = management_pb2.ReloadConfigRequest()
        for model in models:
            config = request.config.model_config_list.config.add(
                name=model.name, base_path=model.base_path, model_platform="tensorflow"
            )
            if model.versions:
                config.model_version_policy.specific.versions.extend(model.versions)
            for label, version in model.labels.items():
                config.version_labels[label] = version
        names = ",".join(model.name for model in models)
        response = await _call(self._models.HandleReloadConfigRequest, request, names, timeout_seconds)
        if response.status.error_code:
            log.warning("models.reload_refused", models=names, text=response.status.error_message)
            raise Unavailable("the model server refused the new configuration")


def _like(one: TensorSpec, other: TensorSpec) -> bool:
    sizes = zip(one.shape, other.shape, strict=False)
    alike = all(a == b or -1 in (a, b) for a, b in sizes)
    return one.dtype == other.dtype and len(one.shape) == len(other.shape) and alike


def _set_model(spec: Any, model: str, version: int | None, label: str | None) -> None:
    spec.name = model
    if version is not None:
        spec.version.value = version
    elif label is not None:
        spec.version_label = label


async def _call(method: Stubbed, request: Any, model: str, timeout_seconds: float) -> Any:
    try:
        return await method(request, timeout=remaining(timeout_seconds))
    except grpc.aio.AioRpcError as error:
        # A model that is not there yet is looked for every few seconds: no news.
        tell = log.debug if error.code() == grpc.StatusCode.NOT_FOUND else log.warning
        tell("prediction.failed", model=model, code=error.code().name, details=error.details())
        raise _translated(error, model) from error


def _translated(error: grpc.aio.AioRpcError, model: str) -> MagpieError:
    """Even "invalid argument" is Unavailable: the tensors are ours, the caller could not do better."""
    match error.code():
        case grpc.StatusCode.NOT_FOUND:
            return NotFound(f"model {model} is not served")
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded(f"model {model} did not answer in time")
        case _:
            return Unavailable(f"model {model} is unavailable")


def _specs(definitions: Any) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(
            tensors.dtype_name(info.dtype), tuple(int(dim.size) for dim in info.tensor_shape.dim)
        )
        for name, info in definitions.items()
    }
