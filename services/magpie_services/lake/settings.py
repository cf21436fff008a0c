"""What the lake's writer can be told."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings


class LakeSettings(ServiceSettings):
    """MAGPIE_LAKE_*"""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_LAKE_")

    metrics_listen: str = Field("127.0.0.1:8008", description="host:port of the Prometheus endpoint")
    folder: str = Field(
        ".magpie/lake", description="folder or s3:// address of the tables; S3 keys by AWS_* variables"
    )
    batch_entries: int = Field(20_000, gt=0, description="entries after which a batch is committed")
    batch_seconds: float = Field(2.0, gt=0, description="time after which a batch is committed")
    lease_seconds: float = Field(
        15.0, ge=1, description="how long a writer that fell silent keeps others out"
    )
    compact_after: int = Field(64, gt=1, description="commits to a table after which small files are joined")
    vacuum_hours: int = Field(168, ge=168, description="how long replaced files stay for readers under way")
