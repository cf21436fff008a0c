"""What the model server answers where, and what becomes of a reload whose caller has left."""

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.integration.model_server.test_bundles import write

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from magpie_services.kit import tensors
from magpie_services.kit.errors import DeadlineExceeded
from magpie_services.kit.prediction_messages import management_pb2, predict_pb2
from magpie_services.model_server.config import ModelConfig
from magpie_services.model_server.registry import CannotLoad, Registry
from magpie_services.model_server.settings import ModelServerSettings

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(120)]


class Threads(ThreadPoolExecutor):
    """Counts what it is handed."""

    handed = 0

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.handed += 1
        return super().submit(work, *args, **kwargs)


def asked(x: Any) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "half", "halve"
    request.inputs["x"].CopyFrom(tensors.to_proto(x))
    return request


async def test_only_what_is_small_and_compiled_is_answered_in_the_event_loop(tmp_path: Path) -> None:
    from magpie_services.model_server.servable import Servable
    from magpie_services.model_server.servicer import PredictionServicer

    write(tmp_path / "1", 0.5)
    registry = Registry(ModelServerSettings(), lambda folder: Servable(folder, compiled=["halve"]))
    await registry.configure([ModelConfig("half", tmp_path)])
    huge = asked(np.zeros((0, 4, 4), np.float32))
    huge.inputs["x"].tensor_shape.dim[0].size = 1_000
    huge.inputs["x"].float_val.append(3.0)
    with Threads(1) as threads:
        servicer = PredictionServicer(registry, threads, inline_bytes=1_000)
        for request, handed in (
            (asked(np.full((1, 4, 4), 3.0, np.float32)), 0),  # a form that it was warmed up for
            (asked(np.full((1, 5, 4), 3.0, np.float32)), 1),  # another
            (asked(np.full((2, 8, 4), 3.0, np.float32)), 0),
            (asked(np.full((9, 8, 4), 3.0, np.float32)), 1),  # larger than 1,000 bytes
            (huge, 1),
        ):
            before = threads.handed
            answer = await servicer.Predict(request, None)
            assert np.all(tensors.from_proto(answer.outputs["y"]) == 1.5)
            assert threads.handed - before == handed
    registry.close()


async def test_a_reload_that_fails_after_its_caller_has_left_is_told(tmp_path: Path) -> None:
    from magpie_services.model_server.servicer import ModelServicer

    left = threading.Event()

    def load(folder: Path) -> Any:
        left.wait(20)
        raise CannotLoad("it is broken")

    (tmp_path / "1").mkdir()
    registry = Registry(ModelServerSettings(load_attempts=1), load)
    request = management_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(name="half", base_path=str(tmp_path))
    unheard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    with capture_logs() as logs:
        with pytest.raises(DeadlineExceeded):
            await ModelServicer(registry, 0.05).HandleReloadConfigRequest(request, None)
        left.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    (line,) = [line for line in logs if line["event"] == "config.refused"]
    assert "did not become available: half" in line["error"]
    gc.collect()
    assert not unheard
    registry.close()
