"""Wires ranking: the copy of the catalogue, the model and its light scorer, the service.

Starts without Redis and without the model server, and says what it waits for.
"""

import os

# Read while numpy is imported. The matrices are small: threads of BLAS would mostly wait, and busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import grpc

from magpie.v1 import ranking_service_pb2_grpc as ranking_grpc
from magpie_services.core.mirror import Mirror
from magpie_services.kit import serving
from magpie_services.kit.breaker import CircuitBreaker
from magpie_services.kit.channels import open_channel
from magpie_services.kit.clock import clock_for
from magpie_services.kit.prediction import Prediction
from magpie_services.kit.redis import connect
from magpie_services.ranking import light
from magpie_services.ranking.feed import Feed
from magpie_services.ranking.light_store import LightStore
from magpie_services.ranking.servicer import RankingServicer
from magpie_services.ranking.settings import RankingSettings
from magpie_services.ranking.tf_serving import Ranker


class Ranking:
    """All parts of one ranking process; tests run it inside their own loop."""

    def __init__(self, settings: RankingSettings) -> None:
        self.clock = clock_for(settings.sandbox)
        self._redis = connect(settings.redis_url)
        self._channel = open_channel(settings.model_server_address)
        mirror = Mirror()
        self.feed = Feed(self._redis, mirror)
        breaker = CircuitBreaker(
            failures=settings.breaker_failures,
            slow_seconds=settings.slow_seconds,
            cool_down_seconds=settings.breaker_seconds,
        )
        self.ranker = Ranker(
            Prediction(self._channel),
            breaker,
            LightStore(self._redis),
            light.prior(),
            timeout_seconds=settings.rank_timeout_seconds,
            poll_seconds=settings.poll_seconds,
        )
        self._servicer = RankingServicer(
            mirror,
            self.ranker,
            self.clock,
            ready=lambda: self.feed.caught_up,
        )

    def register(self, server: grpc.aio.Server) -> None:
        ranking_grpc.add_RankingServiceServicer_to_server(self._servicer, server)

    async def ready(self) -> bool:
        return self.feed.caught_up

    async def close(self) -> None:
        await self._channel.close()
        await self._redis.aclose()


async def main(settings: RankingSettings) -> None:
    """Serve until told to stop."""
    ranking = Ranking(settings)
    await serving.serve(
        settings,
        ranking.register,
        clock=ranking.clock,
        ready=ranking.ready,
        background=[ranking.feed.run, ranking.ranker.run],
        closers=[ranking.close],
    )


if __name__ == "__main__":
    serving.run("ranking", RankingSettings, main)
