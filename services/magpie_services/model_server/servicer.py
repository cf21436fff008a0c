"""PredictionService and ModelService: requests in, the registry's answers out."""

import asyncio
from concurrent.futures import Executor
from typing import Any

import structlog
from tensorflow_serving.apis import get_model_metadata_pb2 as metadata_pb
from tensorflow_serving.apis import get_model_status_pb2 as status_pb
from tensorflow_serving.apis import model_management_pb2 as management_pb
from tensorflow_serving.apis import model_pb2 as model_pb
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2 as predict_pb

from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import DeadlineExceeded, Invalid, NotFound, Unimplemented
from magpie_services.model_server.config import from_proto
from magpie_services.model_server.registry import Registry, State
from magpie_services.model_server.servable import DEFAULT_SIGNATURE, Servable

log = structlog.get_logger()

SIGNATURE_DEF = "signature_def"
# google.rpc.Code, as the status inside a version's state.
UNKNOWN = 2


class PredictionServicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the example-based calls are not served."""

    def __init__(self, registry: Registry, threads: Executor, inline_bytes: int = 0) -> None:
        """Requests of up to `inline_bytes` are answered in the event loop itself where a signature is
        compiled for them, others in `threads`: a few bytes may ask for much of what is not compiled.
        """
        self._registry = registry
        self._threads = threads
        self._inline_bytes = inline_bytes

    async def Predict(self, request: predict_pb.PredictRequest, context: Any) -> predict_pb.PredictResponse:
        """Runs one signature of one version on the tensors of the request."""
        version, servable = _find(self._registry, request.model_spec)
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        asked = signature, request.inputs, tuple(request.output_filter)
        small = request.ByteSize() <= self._inline_bytes
        outputs = servable.predict_compiled(*asked) if small else None
        if outputs is None:
            loop = asyncio.get_running_loop()
            outputs = await loop.run_in_executor(self._threads, servable.predict, *asked)
        return predict_pb.PredictResponse(
            model_spec=_spec(request.model_spec.name, version, signature), outputs=outputs
        )

    async def GetModelMetadata(
        self, request: metadata_pb.GetModelMetadataRequest, context: Any
    ) -> metadata_pb.GetModelMetadataResponse:
        """The signatures of one version."""
        if not request.metadata_field:
            raise Invalid("metadata_field", "at least one is required")
        for index, field in enumerate(request.metadata_field):
            if field != SIGNATURE_DEF:
                raise Invalid(f"metadata_field[{index}]", f"{field} is not supported")
        version, servable = _find(self._registry, request.model_spec)
        signatures = metadata_pb.SignatureDefMap(signature_def=servable.signature_defs)
        response = metadata_pb.GetModelMetadataResponse(model_spec=_spec(request.model_spec.name, version))
        response.metadata[SIGNATURE_DEF].Pack(signatures)
        return response

    async def Classify(self, request: Any, context: Any) -> Any:
        """Not served: the suite sends tensors, not tf.Example."""
        raise Unimplemented("Classify is not served here: use Predict")

    async def Regress(self, request: Any, context: Any) -> Any:
        """Not served: the suite sends tensors, not tf.Example."""
        raise Unimplemented("Regress is not served here: use Predict")

    async def MultiInference(self, request: Any, context: Any) -> Any:
        """Not served: the suite sends tensors, not tf.Example."""
        raise Unimplemented("MultiInference is not served here: use Predict")


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, registry: Registry, reload_seconds: float) -> None:
        self._registry = registry
        self._reload_seconds = reload_seconds
        self._reloading: set[asyncio.Task[None]] = set()  # the event loop alone would not keep them alive

    async def GetModelStatus(
        self, request: status_pb.GetModelStatusRequest, context: Any
    ) -> status_pb.GetModelStatusResponse:
        """Where every version of a model stands, or the one asked for; newest first."""
        spec = request.model_spec
        if not spec.name:
            raise Invalid("model_spec.name", "is required")
        model = self._registry.model(spec.name)
        versions = sorted(model.versions.items(), reverse=True)
        wanted = model.asked(_version(spec), spec.version_label)
        if wanted is not None:
            versions = [(number, version) for number, version in versions if number == wanted]
        if not versions:
            which = "any versions" if wanted is None else f"version {wanted}"
            raise NotFound(f"Could not find {which} of model {spec.name}")
        response = status_pb.GetModelStatusResponse()
        for number, version in versions:
            entry = response.model_version_status.add(version=number, state=int(version.state))
            if version.error and version.state == State.END:
                entry.status.error_code = UNKNOWN
                entry.status.error_message = version.error
        return response

    async def HandleReloadConfigRequest(
        self, request: management_pb.ReloadConfigRequest, context: Any
    ) -> management_pb.ReloadConfigResponse:
        """Replaces the whole configuration; answers when its models are loaded."""
        configs = from_proto(request.config)
        patience = remaining(self._reload_seconds)
        reloading = asyncio.create_task(self._registry.configure(configs))
        self._reloading.add(reloading)
        reloading.add_done_callback(self._note)
        # It goes on by itself: a caller who gives up must not leave a version half loaded.
        done, _ = await asyncio.wait([reloading], timeout=patience)
        if not done:
            raise DeadlineExceeded("the models are still loading")
        reloading.result()
        return management_pb.ReloadConfigResponse()

    def _note(self, reloading: asyncio.Task[None]) -> None:
        self._reloading.discard(reloading)
        if not reloading.cancelled() and (error := reloading.exception()):
            log.error("config.refused", error=str(error))


def _find(registry: Registry, spec: model_pb.ModelSpec) -> tuple[int, Servable]:
    return registry.find(spec.name, _version(spec), spec.version_label)


def _version(spec: model_pb.ModelSpec) -> int | None:
    return spec.version.value if spec.HasField("version") else None


def _spec(name: str, version: int, signature: str = "") -> model_pb.ModelSpec:
    spec = model_pb.ModelSpec(name=name, signature_name=signature)
    spec.version.value = version
    return spec
