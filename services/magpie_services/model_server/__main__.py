"""The model server's process."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

# TensorFlow reads these while it is imported: its banners are not log lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import grpc
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from magpie_services.kit.serving import run, serve
from magpie_services.model_server.registry import Registry
from magpie_services.model_server.servable import Servable
from magpie_services.model_server.servicer import ModelServicer, PredictionServicer
from magpie_services.model_server.settings import ModelServerSettings


async def main(settings: ModelServerSettings) -> None:
    """Serves until told to stop."""
    tf.config.threading.set_intra_op_parallelism_threads(settings.intra_op_threads)
    tf.config.threading.set_inter_op_parallelism_threads(settings.predict_threads)
    # What is imported stays for ever: the collector need not look at it again after every dropped model.
    gc.freeze()
    registry = Registry(settings, partial(Servable, compiled=settings.compiled.split()))
    threads = ThreadPoolExecutor(settings.predict_threads, thread_name_prefix="predict")

    def register(server: grpc.aio.Server) -> None:
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionServicer(registry, threads, settings.inline_bytes), server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelServicer(registry, settings.reload_seconds), server
        )

    async def ready() -> bool:
        return registry.ready()

    async def close() -> None:
        registry.close()
        threads.shutdown(wait=False, cancel_futures=True)

    await serve(settings, register, ready=ready, background=[registry.follow], closers=[close])


if __name__ == "__main__":
    run("model_server", ModelServerSettings, main)
