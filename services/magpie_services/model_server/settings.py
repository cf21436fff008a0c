"""What the model server can be told: MAGPIE_MODEL_SERVER_*."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings


class ModelServerSettings(ServiceSettings):
    """Settings of the model server. Its models come from a file in TensorFlow Serving's own format."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_MODEL_SERVER_", frozen=True, extra="ignore")

    listen: str = Field(default="127.0.0.1:8500", description="host:port of the gRPC server")
    model_config_file: str = Field(
        default=".magpie/models/models.config",
        description="ModelServerConfig in text format; read again whenever it changes; may appear later",
    )
    poll_seconds: float = Field(default=1.0, gt=0, description="how often folders and the file are looked at")
    load_attempts: int = Field(
        default=3, ge=1, description="how often a version is tried before it is given up"
    )
    load_retry_seconds: float = Field(default=2.0, ge=0, description="pause between these attempts")
    reload_seconds: float = Field(
        default=60.0, gt=0, description="how long a reload request may wait for its models to load"
    )
    inline_bytes: int = Field(
        default=64 << 10,
        ge=0,
        description="requests up to this size to what is compiled are answered without a thread of their own,"
        " which would cost as much as they do; 0: none",
    )
    predict_threads: int = Field(default=2, ge=1, description="predictions that run at the same time")
    intra_op_threads: int = Field(
        default=1,
        ge=0,
        description="TensorFlow threads inside one operation; 0: all",
    )
    compiled: str = Field(
        default="retrieve rank",
        description="signatures compiled (XLA) for the shapes of their warm-up records; empty: none",
    )
