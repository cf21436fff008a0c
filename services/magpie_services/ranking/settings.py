"""What ranking can be told by the environment: MAGPIE_RANKING_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings


class RankingSettings(ServiceSettings):
    """Settings of ranking; every one works on a laptop as it is."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_RANKING_")

    listen: str = Field(default="127.0.0.1:7003", description="host:port of the gRPC server")
    metrics_listen: str = Field(
        default="127.0.0.1:8003", description="host:port of the Prometheus endpoint; empty turns it off"
    )
    model_server_address: str = Field(
        default="dns:///127.0.0.1:8500", description="PredictionService of the ranking model"
    )
    rank_timeout_seconds: float = Field(
        default=0.3, gt=0, description="time for the scores of one user; 5 ms more for each further one"
    )
    slow_seconds: float = Field(
        default=0.4, gt=0, description="a call slower than this counts as failed for the breaker"
    )
    poll_seconds: float = Field(default=2.0, gt=0, description="how often to look for a newer model")
    breaker_failures: int = Field(
        default=5, gt=0, description="failures in a row after which the model rests"
    )
    breaker_seconds: float = Field(default=5.0, gt=0, description="how long it rests before the next try")
