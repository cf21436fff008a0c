"""What a prediction server must do, asked of whatever server stands at an address.

By default that is our own model_server, started as a process. To put a real TensorFlow Serving to the same
test, start it on the folder that `saved_models.py` writes and set MAGPIE_TEST_PREDICTION_ADDRESS and
MAGPIE_TEST_PREDICTION_FOLDER (that folder, at the same path on both sides).
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from magpie_services.kit import tensors
from magpie_services.kit.prediction_messages import (
    management_pb2,
    metadata_pb2,
    model_service_grpc,
    predict_pb2,
    prediction_service_grpc,
    status_pb2,
)

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("prediction"), pytest.mark.timeout(120)]

AVAILABLE, END = 30, 50
CONFIG = 'model_config_list {{ config {{ name: "line" base_path: "{path}" model_platform: "tensorflow" }} }}'


class Server:
    """The server under test, and the folder it serves from."""

    def __init__(self, address: str, folder: Path) -> None:
        self.folder = folder
        self.channel = grpc.insecure_channel(address)
        self.predictions: Any = prediction_service_grpc.PredictionServiceStub(self.channel)
        self.models: Any = model_service_grpc.ModelServiceStub(self.channel)

    def predict(self, x: Any = ((2.0, 4.0),), *, dtype: str = "float32", **spec: Any) -> Any:
        request = predict_pb2.PredictRequest(output_filter=spec.pop("outputs", ()))
        request.model_spec.name = spec.pop("name", "line")
        request.model_spec.signature_name = spec.pop("signature", "")
        if "version" in spec:
            request.model_spec.version.value = spec.pop("version")
        if "label" in spec:
            request.model_spec.version_label = spec.pop("label")
        for name, value in (spec.pop("inputs", None) or {"x": np.asarray(x, dtype=dtype)}).items():
            request.inputs[name].CopyFrom(tensors.to_proto(value))
        return self.predictions.Predict(request, timeout=10)

    def y(self, **spec: Any) -> Any:
        return tensors.from_proto(self.predict(**spec).outputs["y"]).tolist()

    def states(self) -> dict[int, int]:
        request = status_pb2.GetModelStatusRequest()
        request.model_spec.name = "line"
        response = self.models.GetModelStatus(request, timeout=10)
        return {entry.version: entry.state for entry in response.model_version_status}

    def reload(self, *, specific: tuple[int, ...] = (), labels: dict[str, int] | None = None) -> Any:
        request = management_pb2.ReloadConfigRequest()
        config = request.config.model_config_list.config.add()
        config.name, config.base_path, config.model_platform = "line", str(self.folder / "line"), "tensorflow"
        config.model_version_policy.specific.versions.extend(specific)
        if not specific:
            config.model_version_policy.latest.num_versions = 1
        for label, version in (labels or {}).items():
            config.version_labels[label] = version
        return self.models.HandleReloadConfigRequest(request, timeout=60)

    def until(self, version: int, state: int) -> None:
        deadline = time.monotonic() + 60
        while self.states().get(version) != state:
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    address = os.environ.get("MAGPIE_TEST_PREDICTION_ADDRESS")
    if address:
        yield Server(address, Path(os.environ["MAGPIE_TEST_PREDICTION_FOLDER"]))
        return
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([sys.executable, Path(__file__).with_name("saved_models.py"), folder], check=True)
    (folder / "models.config").write_text(CONFIG.format(path=folder / "line"))
    # A folder that is still being written, and one that is no version: both must be left alone.
    (folder / "line" / ".staging-3").mkdir()
    (folder / "line" / "4.tmp").mkdir()
    environment = os.environ | {
        "MAGPIE_MODEL_SERVER_LISTEN": "127.0.0.1:0",
        "MAGPIE_MODEL_SERVER_MODEL_CONFIG_FILE": str(folder / "models.config"),
        "MAGPIE_MODEL_SERVER_POLL_SECONDS": "0.1",
        "MAGPIE_MODEL_SERVER_LOAD_ATTEMPTS": "2",
        "MAGPIE_MODEL_SERVER_LOAD_RETRY_SECONDS": "0.1",
    }
    log = folder / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "magpie_services.model_server"], env=environment, stderr=stderr
        )
    try:
        while not (found := re.search(r'"address": "([^"]+)", "services"', log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        address = found[1]
        under_test = Server(address, folder)
        grpc.channel_ready_future(under_test.channel).result(timeout=30)
        wait = time.monotonic() + 60
        while time.monotonic() < wait:
            try:
                if under_test.states().get(1) == AVAILABLE:
                    break
            except grpc.RpcError:
                pass
            time.sleep(0.05)
        yield under_test
        under_test.channel.close()
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def code(error: pytest.ExceptionInfo[grpc.RpcError]) -> grpc.StatusCode:
    return error.value.code()


def test_predicts_with_the_newest_version_and_says_which(server: Server) -> None:
    response = server.predict()
    assert tensors.from_proto(response.outputs["y"]).tolist() == [[3.0, 4.0]]
    assert (response.model_spec.name, response.model_spec.version.value) == ("line", 1)
    assert response.model_spec.signature_name == "serving_default"
    assert set(response.outputs) == {"y", "rows"}


def test_answers_only_the_outputs_asked_for(server: Server) -> None:
    assert set(server.predict(outputs=["rows"]).outputs) == {"rows"}


def test_strings_go_both_ways(server: Server) -> None:
    words = np.array(["ok", "née"], dtype=object)
    response = server.predict(signature="shout", inputs={"words": words})
    assert tensors.from_proto(response.outputs["loud"]).tolist() == [b"OK", "NéE".encode()]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"name": "nobody"}, grpc.StatusCode.NOT_FOUND),
        ({"name": ""}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"version": 99}, grpc.StatusCode.NOT_FOUND),
        ({"label": "nobody"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"signature": "nobody"}, grpc.StatusCode.FAILED_PRECONDITION),
        ({"outputs": ["nobody"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"outputs": ["y", "y"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"dtype": "float64"}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"x": [[1.0, 2.0, 3.0]]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"inputs": {"z": np.zeros((1, 2), np.float32)}}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"x": [[float("nan"), 0.0]]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_refuses_with_the_same_statuses(
    server: Server, spec: dict[str, Any], expected: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        server.predict(**spec)
    assert expected == code(error)


def test_tensor_whose_content_and_shape_disagree_is_refused(server: Server) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "line"
    tensor = tensors.to_proto(np.zeros((1, 2), np.float32))
    tensor.tensor_content = tensor.tensor_content[:5]
    request.inputs["x"].CopyFrom(tensor)
    with pytest.raises(grpc.RpcError) as error:
        server.predictions.Predict(request, timeout=10)
    assert code(error) == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.skipif(
    "MAGPIE_TEST_PREDICTION_ADDRESS" in os.environ, reason="TensorFlow Serving allocates what is asked for"
)
def test_few_bytes_that_stand_for_a_huge_tensor_are_refused(server: Server) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "line"
    tensor = tensors.to_proto(np.zeros((0, 2), np.float32))
    tensor.tensor_shape.dim[0].size = 1 << 40
    tensor.float_val.append(1.0)
    request.inputs["x"].CopyFrom(tensor)
    with pytest.raises(grpc.RpcError) as error:
        server.predictions.Predict(request, timeout=10)
    assert code(error) == grpc.StatusCode.INVALID_ARGUMENT
    assert "tensor_shape" in str(error.value.details())


def test_status_of_a_version_that_is_not_there_is_not_found(server: Server) -> None:
    request = status_pb2.GetModelStatusRequest()
    request.model_spec.name = "line"
    request.model_spec.version.value = 99
    with pytest.raises(grpc.RpcError) as error:
        server.models.GetModelStatus(request, timeout=10)
    assert code(error) == grpc.StatusCode.NOT_FOUND


def test_metadata_names_the_signatures(server: Server) -> None:
    request = metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "line"
    response = server.predictions.GetModelMetadata(request, timeout=10)
    signatures = metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert {"serving_default", "shout"} <= set(signatures.signature_def)
    assert [dim.size for dim in signatures.signature_def["serving_default"].inputs["x"].tensor_shape.dim] == [
        -1,
        2,
    ]


@pytest.mark.parametrize("fields", [[], ["weights"]])
def test_metadata_fields_other_than_signatures_are_refused(server: Server, fields: list[str]) -> None:
    request = metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "line"
    with pytest.raises(grpc.RpcError) as error:
        server.predictions.GetModelMetadata(request, timeout=10)
    assert code(error) == grpc.StatusCode.INVALID_ARGUMENT


def test_status_of_an_unknown_model_is_not_found(server: Server) -> None:
    request = status_pb2.GetModelStatusRequest()
    request.model_spec.name = "nobody"
    with pytest.raises(grpc.RpcError) as error:
        server.models.GetModelStatus(request, timeout=10)
    assert code(error) == grpc.StatusCode.NOT_FOUND


def test_life_of_versions(server: Server) -> None:
    """One story, because each step stands on the one before: arrival, labels, rollback, bad versions."""
    line, aside = server.folder / "line", server.folder / "aside"

    # A new version is loaded, answers, and only then does the old one go.
    shutil.copytree(aside / "2", line / ".staging-2")
    (line / ".staging-2").rename(line / "2")
    seen = set()
    while (states := server.states()).get(2) != AVAILABLE:
        assert states[1] == AVAILABLE
        seen.add(server.y()[0][0])
        time.sleep(0.02)
    assert seen <= {3.0, 4.0}
    assert server.y() == [[4.0, 5.0]]
    server.until(1, END)
    with pytest.raises(grpc.RpcError) as error:
        server.y(version=1)
    assert code(error) == grpc.StatusCode.NOT_FOUND

    # Specific versions with labels.
    server.reload(specific=(1, 2), labels={"stable": 1, "canary": 2})
    assert server.y(label="stable") == [[3.0, 4.0]]
    assert server.y(label="canary") == [[4.0, 5.0]]
    assert server.y(version=1) == [[3.0, 4.0]]
    assert server.y() == [[4.0, 5.0]]

    # A label cannot name a version that does not answer; the others stay as they were.
    with pytest.raises(grpc.RpcError) as error:
        server.reload(specific=(1, 2), labels={"stable": 9, "canary": 2})
    assert code(error) == grpc.StatusCode.FAILED_PRECONDITION
    assert server.y(label="stable") == [[3.0, 4.0]]

    # Rollback: only the old one.
    server.reload(specific=(1,))
    assert server.y() == [[3.0, 4.0]]

    # Poisoned and truncated versions are given up with a reason, and the good one goes on.
    server.reload()
    for number, name in ((5, "poisoned"), (6, "truncated")):
        shutil.copytree(aside / name, line / f".staging-{number}")
        (line / f".staging-{number}").rename(line / str(number))
        server.until(number, END)
        assert server.y() == [[4.0, 5.0]]
    request = status_pb2.GetModelStatusRequest()
    request.model_spec.name = "line"
    request.model_spec.version.value = 5
    (entry,) = server.models.GetModelStatus(request, timeout=10).model_version_status
    assert entry.status.error_code != 0
    assert entry.status.error_message

    # A configuration without a model list is refused, and changes nothing.
    with pytest.raises(grpc.RpcError) as error:
        server.models.HandleReloadConfigRequest(management_pb2.ReloadConfigRequest(), timeout=10)
    assert code(error) == grpc.StatusCode.INVALID_ARGUMENT
    assert server.y() == [[4.0, 5.0]]
