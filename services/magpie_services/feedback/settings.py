"""What the feedback process can be told."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.attribution import MIN_SECRET_BYTES
from magpie_services.kit.settings import ServiceSettings


class FeedbackSettings(ServiceSettings):
    """MAGPIE_FEEDBACK_*"""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_FEEDBACK_")

    listen: str = Field("127.0.0.1:7006", description="host:port of the gRPC server; port 0 picks a free one")
    metrics_listen: str = Field("127.0.0.1:8006", description="host:port of the Prometheus endpoint")
    profile_address: str = Field("dns:///127.0.0.1:7001", description="ProfileService")
    profile_timeout_seconds: float = Field(5.0, gt=0, description="of one call")
    attribution_secret: SecretStr = Field(
        description="what push signs its tokens with; at least 16 bytes; the same as in push"
    )
    previous_attribution_secret: SecretStr = Field(
        SecretStr(""), description="the secret before the last change: accepted while its pushes are out"
    )

    @field_validator("attribution_secret", "previous_attribution_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"must be at least {MIN_SECRET_BYTES} bytes")
        return value

    def secrets(self) -> list[bytes]:
        """The secrets that tokens may be signed with, the current one first."""
        both = (self.attribution_secret, self.previous_attribution_secret)
        return [text.encode() for secret in both if (text := secret.get_secret_value())]
