"""The prediction client against a small PredictionService of our own, and its messages without TensorFlow."""

import subprocess
import sys
from typing import Any

import grpc
import numpy as np
import pytest
from tests.integration.kit.echo import Settings

from magpie_services.kit import tensors
from magpie_services.kit.channels import open_channel
from magpie_services.kit.errors import NotFound, Unavailable
from magpie_services.kit.prediction import ModelConfig, Prediction, TensorSpec
from magpie_services.kit.prediction_messages import (
    management_pb2,
    metadata_pb2,
    model_service_grpc,
    predict_pb2,
    prediction_service_grpc,
    status_pb2,
)
from magpie_services.kit.serving import running


class Doubler(prediction_service_grpc.PredictionServiceServicer, model_service_grpc.ModelServiceServicer):  # type: ignore[misc]
    """Model "double" at version 3: doubles `x`. Model "broken" answers a tensor that cannot be read."""

    def __init__(self) -> None:
        self.config: Any = None

    async def Predict(self, request: Any, context: Any) -> Any:
        response = predict_pb2.PredictResponse()
        response.model_spec.version.value = 3
        match request.model_spec.name:
            case "double":
                x = tensors.from_proto(request.inputs["x"])
                response.outputs["y"].CopyFrom(tensors.to_proto(x * 2))
            case "broken":
                response.outputs["y"].dtype = 99
            case "crashing":
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "node secret/MatMul: shapes differ")
            case _:
                await context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
        return response

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        found = metadata_pb2.SignatureDefMap()
        # Every SavedModel has it: an output without type or shape.
        found.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"].name = "NoOp"
        info = found.signature_def["double"].inputs["x"]
        info.dtype = 1
        for size in (-1, 4):
            info.tensor_shape.dim.add(size=size)
        response = metadata_pb2.GetModelMetadataResponse()
        response.model_spec.version.value = 3
        response.metadata["signature_def"].Pack(found)
        return response

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        response = status_pb2.GetModelStatusResponse()
        response.model_version_status.add(version=3, state=30)
        return response

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:
        self.config = request.config.model_config_list.config
        response = management_pb2.ReloadConfigResponse()
        response.status.error_code = 0 if self.config else 3
        return response

    def register(self, server: grpc.aio.Server) -> None:
        prediction_service_grpc.add_PredictionServiceServicer_to_server(self, server)
        model_service_grpc.add_ModelServiceServicer_to_server(self, server)


async def test_arrays_go_and_come_back_with_the_version() -> None:
    async with running(Settings(), Doubler().register) as address, open_channel(address) as channel:
        x = np.arange(6, dtype=np.float32).reshape(2, 3)
        outputs, version = await Prediction(channel).predict("double", "double", {"x": x}, timeout_seconds=2)
    assert version == 3
    np.testing.assert_array_equal(x * 2, outputs["y"])


@pytest.mark.parametrize(
    ("model", "error"), [("absent", NotFound), ("crashing", Unavailable), ("broken", Unavailable)]
)
async def test_what_goes_wrong_is_ours_to_bear(model: str, error: type[Exception]) -> None:
    async with running(Settings(), Doubler().register) as address, open_channel(address) as channel:
        with pytest.raises(error) as caught:
            await Prediction(channel).predict(model, "double", {"x": np.zeros(1)}, timeout_seconds=2)
    assert "secret" not in str(caught.value)


async def test_status_metadata_and_reload() -> None:
    doubler = Doubler()
    async with running(Settings(), doubler.register) as address, open_channel(address) as channel:
        prediction = Prediction(channel)
        assert await prediction.status("double") == [(3, "AVAILABLE")]
        signatures, version = await prediction.metadata("double")
        assert (signatures["double"].inputs, version) == ({"x": TensorSpec("float32", (-1, 4))}, 3)
        await prediction.reload([ModelConfig("double", "/models/double", [2, 3], {"stable": 2})])
        assert list(doubler.config[0].model_version_policy.specific.versions) == [2, 3]
        assert dict(doubler.config[0].version_labels) == {"stable": 2}
        with pytest.raises(Unavailable):
            await prediction.reload([])


def python(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_the_messages_load_without_tensorflow() -> None:
    seen = python(
        "import sys; from magpie_services.kit import prediction; "
        "print([name for name in sys.modules if name.partition('.')[0] in ('tensorflow', 'keras')])"
    )
    assert seen == "[]"


@pytest.mark.tensorflow
@pytest.mark.parametrize("first", ["from magpie_services.kit import tensors", "import tensorflow"])
def test_the_real_tensorflow_lives_beside_them(first: str) -> None:
    seen = python(
        f"{first}\n"
        "import tensorflow as tf, numpy as np\n"
        "from magpie_services.kit import tensors\n"
        "from tensorflow_serving.apis import predict_pb2\n"
        "request = predict_pb2.PredictRequest()\n"
        "request.inputs['x'].CopyFrom(tf.make_tensor_proto([1.0, 2.0]))\n"
        "request.inputs['y'].CopyFrom(tensors.to_proto(np.ones(2, 'float32')))\n"
        "theirs = tensors.from_proto(request.inputs['x'])\n"
        "print(theirs.tolist(), tf.make_ndarray(request.inputs['y']).tolist())"
    )
    assert seen == "[1.0, 2.0] [1.0, 1.0]"
