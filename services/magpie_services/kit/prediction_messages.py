"""TensorFlow Serving's message classes without TensorFlow: 0.3 s and 40 MB, not seconds and 550 MB.

The generated modules import `tensorflow.core…`, plain messages too, but importing them would first run the
whole of `tensorflow/__init__`. A bare module with the package's path stands in for it while they load.
Import this at the start of a process, before any other thread may import TensorFlow.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def _bare_tensorflow() -> Iterator[None]:
    if "tensorflow" in sys.modules:
        yield
        return
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(
            "tensorflow-serving-api needs the installed tensorflow package for its message definitions"
        )
    bare = ModuleType("tensorflow")
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules["tensorflow"] = bare
    try:
        yield
    finally:
        # All of it goes, so that a later `import tensorflow` finds a clean table. The classes stay with us.
        for name in [name for name in sys.modules if name == "tensorflow" or name.startswith("tensorflow.")]:
            del sys.modules[name]


def _load(name: str) -> Any:
    return importlib.import_module(name)


with _bare_tensorflow():
    tensor_pb2 = _load("tensorflow.core.framework.tensor_pb2")
    predict_pb2 = _load("tensorflow_serving.apis.predict_pb2")
    metadata_pb2 = _load("tensorflow_serving.apis.get_model_metadata_pb2")
    status_pb2 = _load("tensorflow_serving.apis.get_model_status_pb2")
    management_pb2 = _load("tensorflow_serving.apis.model_management_pb2")
    prediction_service_grpc = _load("tensorflow_serving.apis.prediction_service_pb2_grpc")
    model_service_grpc = _load("tensorflow_serving.apis.model_service_pb2_grpc")
