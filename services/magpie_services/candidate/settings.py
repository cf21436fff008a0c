"""What candidate can be told by the environment: MAGPIE_CANDIDATE_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings


class CandidateSettings(ServiceSettings):
    """Settings of candidate; every one works on a laptop as it is."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_CANDIDATE_")

    listen: str = Field(default="127.0.0.1:7002", description="host:port of the gRPC server")
    metrics_listen: str = Field(
        default="127.0.0.1:8002", description="host:port of the Prometheus endpoint; empty turns it off"
    )
    model_server_address: str = Field(
        default="dns:///127.0.0.1:8500", description="PredictionService of the retrieval model"
    )
    retrieve_timeout_seconds: float = Field(
        default=0.2, gt=0, description="time for user vectors of one user; 3 ms more for each further one"
    )
    exact_items: int = Field(
        default=50_000, ge=0, description="items up to which every vector is compared; beyond it HNSW"
    )
    index_recall: float = Field(
        default=0.98, ge=0, le=1, description="recall@100 below which an approximate index is not used"
    )
    newcomer_lift: float = Field(
        default=0.02,
        ge=0,
        le=2,
        description="added to the cosine of items newer than the model (benchmarks/cold_items.py chose it)",
    )
    index_int8: bool = Field(default=False, description="HNSW over vectors of one byte a number: less memory")
    poll_seconds: float = Field(default=2.0, gt=0, description="how often to look for a newer model")
    breaker_failures: int = Field(
        default=5, gt=0, description="failures in a row after which the model rests"
    )
    breaker_seconds: float = Field(default=5.0, gt=0, description="how long it rests before the next try")
    save_seconds: float = Field(
        default=60.0, gt=0, description="how often popularity and co-visitation are stored in Redis"
    )
