"""A model server of numpy models on a real socket: what candidate and ranking are tested against.

It remembers what it was asked, and can be told to be slow, to fail, to load and to forget versions.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from magpie_services.candidate import description, fetching
from magpie_services.core import item_codes
from magpie_services.core.features import HEADS, SCHEMA_HASH
from magpie_services.core.items import Item, pictured
from magpie_services.kit import tensors
from magpie_services.kit.prediction_messages import (
    metadata_pb2,
    model_service_grpc,
    predict_pb2,
    prediction_service_grpc,
    status_pb2,
)
from magpie_services.ranking import tf_serving as ranking

SIGNATURES = {
    "retriever": fetching.WANTED | fetching.FOLLOWS | description.DESCRIBES,
    "ranker": ranking.WANTED,
}
Arrays = Mapping[str, NDArray[Any]]
Signatures = Mapping[str, Callable[[Arrays], Arrays]]


class Models(prediction_service_grpc.PredictionServiceServicer, model_service_grpc.ModelServiceServicer):  # type: ignore[misc]
    """`served` maps a model to its versions; `asked` has (model, signature, version, size of dimension 0)."""

    def __init__(self) -> None:
        self.served: dict[str, dict[int, Signatures]] = {}
        self.asked: list[tuple[str, str, int, int]] = []
        self.lacking: set[str] = set()  # signatures that its metadata leave out
        self.delay_seconds = 0.0
        self.failing = False

    async def Predict(self, request: Any, context: Any) -> Any:
        model, signature = request.model_spec.name, request.model_spec.signature_name
        versions = self.served.get(model, {})
        version = request.model_spec.version.value or max(versions, default=0)
        inputs = {name: tensors.from_proto(value) for name, value in request.inputs.items()}
        self.asked.append((model, signature, version, len(next(iter(inputs.values())))))
        await asyncio.sleep(self.delay_seconds)
        if self.failing:
            await context.abort(grpc.StatusCode.INTERNAL, "a secret of the model server")
        if version not in versions:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found: {model} {version}")
        response = predict_pb2.PredictResponse()
        response.model_spec.version.value = version
        for name, array in versions[version][signature](inputs).items():
            response.outputs[name].CopyFrom(tensors.to_proto(array))
        return response

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:
        """The signatures that the services call, as a real export declares them."""
        model, version = request.model_spec.name, request.model_spec.version.value
        if version not in self.served.get(model, {}):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found: {model} {version}")
        found = metadata_pb2.SignatureDefMap()
        for name, signature in SIGNATURES[model].items():
            if name in self.lacking or name not in self.served[model][version]:
                continue
            for told, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
                for tensor, spec in specs.items():
                    info = getattr(found.signature_def[name], told)[tensor]
                    info.dtype = tensors.dtype_number(spec.dtype)
                    for size in spec.shape:
                        info.tensor_shape.dim.add(size=size)
        response = metadata_pb2.GetModelMetadataResponse()
        response.model_spec.version.value = version
        response.metadata["signature_def"].Pack(found)
        return response

    async def GetModelStatus(self, request: Any, context: Any) -> Any:
        versions = self.served.get(request.model_spec.name)
        if versions is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        response = status_pb2.GetModelStatusResponse()
        for version in versions or ():
            response.model_version_status.add(version=version, state=30)  # AVAILABLE
        return response


def retriever(
    ids: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    follows: Mapping[str, tuple[str, float]] = MappingProxyType({}),
    weight: float = 1.0,
) -> Signatures:
    """A retriever whose user is the mean of what they met; vocabulary index 0 is padding. `follows` names the
    one item that follows another, and how strongly; the last three of a history are asked.
    """
    table = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), vectors]).astype(np.float32)
    names = np.array(["", *ids], dtype=object)

    def retrieve(inputs: Arrays) -> Arrays:
        total = table[inputs["items"]].sum(axis=1)
        return {"vector": total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)}

    def item_vectors(inputs: Arrays) -> Arrays:
        rows = np.where(inputs["rows"] < len(table), inputs["rows"], 0)
        return {
            "ids": names[rows],
            "vectors": table[rows],
            "total": np.full(len(rows), len(table), dtype=np.int32),
        }

    def describe(inputs: Arrays) -> Arrays:
        """The vector of the first item of the same narrowest category: tests name those `taste0` …; in no
        such category, that of the item which its picture is of: theirs are their vectors.
        """
        tastes = [item_codes.bucket(f"taste{taste}", item_codes.TAG_BUCKETS) for taste in range(10)]
        found = [tastes.index(tag) + 1 if tag in tastes else 0 for tag in inputs["tags"][:, 0]]
        shown = [Item(item_id="", picture_vector=pictured(row)) for row in table]
        alike = inputs["pictures"] @ np.stack([item_codes.picture(item) for item in shown]).T
        return {"vectors": table[np.where(found, found, np.argmax(alike, axis=1))]}

    def transitions(inputs: Arrays) -> Arrays:
        code = {item_id: at for at, item_id in enumerate(names.tolist())}
        read = inputs["items"][:, ::-1][:, :3]
        found = [[follows.get(names[one], ("", 0.0)) for one in row] for row in read]
        return {
            "rows": np.array([[code[item_id] for item_id, _ in row] for row in found], np.int32),
            "scores": np.array([[score for _, score in row] for row in found], np.float32),
            "weight": np.full(len(read), weight, np.float32),
            "steps": np.full(len(read), 3, np.int32),
        }

    return {
        "retrieve": retrieve,
        "item_vectors": item_vectors,
        "describe": describe,
        "transitions": transitions,
    }


def ranker(
    weights: NDArray[np.float32], bias: NDArray[np.float32], *, schema: str = SCHEMA_HASH
) -> Signatures:
    """A logistic regression, weights [H, U + I + C]; a push doubles the odds of a purchase."""

    def rank(inputs: Arrays) -> Arrays:
        items, cross = inputs["items"], inputs["cross"]
        user = np.broadcast_to(inputs["user"][:, None, :], (*items.shape[:2], inputs["user"].shape[-1]))
        log_odds = np.concatenate([user, items, cross], axis=-1) @ weights.T + bias
        log_odds[..., HEADS.index("purchase")] = log_odds[..., HEADS.index("organic_purchase")] + np.log(2.0)
        return {"probabilities": (1.0 / (1.0 + np.exp(-log_odds))).astype(np.float32)}

    return {
        "rank": rank,
        "light": lambda _: {"weights": weights[None], "bias": bias[None]},
        "schema": lambda _: {"hash": np.array([schema], dtype=object)},
    }


@asynccontextmanager
async def serving(models: Models, port: int = 0) -> AsyncIterator[str]:
    """Serve them inside the running loop; gives "dns:///127.0.0.1:port"."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    prediction_service_grpc.add_PredictionServiceServicer_to_server(models, server)
    model_service_grpc.add_ModelServiceServicer_to_server(models, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"dns:///127.0.0.1:{bound}"
    finally:
        await server.stop(0)
