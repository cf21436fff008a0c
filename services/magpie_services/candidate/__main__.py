"""Wires candidate: the catalogue and its copies, the retrieval model, both services.

Starts without Redis and without the model server, and says what it waits for.
"""

import os

# Read while numpy is imported. The matrices are small: threads of BLAS would mostly wait, and busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import grpc

from magpie.v1 import candidate_service_pb2_grpc as candidate_grpc
from magpie.v1 import catalog_service_pb2_grpc as catalog_grpc
from magpie_services.candidate.catalogue import Catalogue
from magpie_services.candidate.charts import Charts
from magpie_services.candidate.covisit import Covisits
from magpie_services.candidate.feed import Feed
from magpie_services.candidate.newcomers import Newcomers
from magpie_services.candidate.redis_store import RedisStore
from magpie_services.candidate.retriever import Retriever
from magpie_services.candidate.servicer import CandidateServicer, CatalogServicer
from magpie_services.candidate.settings import CandidateSettings
from magpie_services.candidate.shelf import Shelf
from magpie_services.candidate.vector_index import Kind
from magpie_services.core.mirror import Mirror
from magpie_services.kit import serving
from magpie_services.kit.breaker import CircuitBreaker
from magpie_services.kit.channels import open_channel
from magpie_services.kit.clock import clock_for
from magpie_services.kit.idempotency import Answers
from magpie_services.kit.prediction import Prediction
from magpie_services.kit.redis import connect
from magpie_services.kit.serving import Loop


class Candidate:
    """All parts of one candidate process; tests run it inside their own loop."""

    def __init__(self, settings: CandidateSettings) -> None:
        self._settings = settings
        self.clock = clock_for(settings.sandbox)
        self._redis = connect(settings.redis_url)
        self._channel = open_channel(settings.model_server_address)
        mirror, covisits = Mirror(), Covisits()
        shelf = Shelf(mirror.columns)
        self.feed = Feed(self._redis, mirror, shelf, covisits, save_seconds=settings.save_seconds)
        self.retriever = Retriever(
            Prediction(self._channel),
            lambda: CircuitBreaker(
                failures=settings.breaker_failures, cool_down_seconds=settings.breaker_seconds
            ),
            Kind(exact_items=settings.exact_items, recall=settings.index_recall, int8=settings.index_int8),
            lift=settings.newcomer_lift,
            timeout_seconds=settings.retrieve_timeout_seconds,
            poll_seconds=settings.poll_seconds,
        )
        store = RedisStore(self._redis)
        self._newcomers = Newcomers(self.retriever, mirror.columns, store)
        self._catalog = CatalogServicer(Catalogue(store, self.clock), store, shelf, Answers(self._redis).once)
        self._candidate = CandidateServicer(
            mirror,
            shelf,
            covisits,
            Charts(mirror.columns, shelf),
            self.retriever.user_vectors,
            self.clock,
            ready=lambda: self.feed.caught_up,
            missing=lambda: self.retriever.missing,
        )

    def register(self, server: grpc.aio.Server) -> None:
        catalog_grpc.add_CatalogServiceServicer_to_server(self._catalog, server)
        candidate_grpc.add_CandidateServiceServicer_to_server(self._candidate, server)

    @property
    def loops(self) -> list[Loop]:
        return [self.feed.run, self.feed.save_regularly, self.retriever.run, self._newcomers.run]

    async def ready(self) -> bool:
        return self.feed.caught_up

    async def close(self) -> None:
        await self._channel.close()
        await self._redis.aclose()


async def main(settings: CandidateSettings) -> None:
    """Serve until told to stop."""
    candidate = Candidate(settings)
    await serving.serve(
        settings,
        candidate.register,
        clock=candidate.clock,
        ready=candidate.ready,
        background=candidate.loops,
        closers=[candidate.close],
    )


if __name__ == "__main__":
    serving.run("candidate", CandidateSettings, main)
