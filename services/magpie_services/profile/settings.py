"""What the profile process can be told."""

import base64
import binascii

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings
from magpie_services.profile.vault import KEY_BYTES


class ProfileSettings(ServiceSettings):
    """MAGPIE_PROFILE_*"""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_PROFILE_")

    listen: str = Field("127.0.0.1:7001", description="host:port of the gRPC server; port 0 picks a free one")
    metrics_listen: str = Field("127.0.0.1:8001", description="host:port of the Prometheus endpoint")
    key: SecretStr = Field(
        description="base64 of the 32 bytes that wrap users' data keys; lost means all lost"
    )

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        try:
            size = len(base64.b64decode(value.get_secret_value(), validate=True))
        except binascii.Error:
            raise ValueError("is not base64") from None
        if size != KEY_BYTES:
            raise ValueError(f"must be {KEY_BYTES} bytes, not {size}")
        return value

    @property
    def key_bytes(self) -> bytes:
        """The key itself."""
        return base64.b64decode(self.key.get_secret_value())
