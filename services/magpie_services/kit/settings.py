"""Settings from the environment: frozen, read once in `__main__`, passed on as values."""

from typing import Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from magpie_services.kit.errors import CannotStart


class ServiceSettings(BaseSettings):
    """What every service process can be told. A subclass sets `env_prefix` and the defaults of its ports.

    `class ProfileSettings(ServiceSettings): model_config = SettingsConfigDict(env_prefix="MAGPIE_PROFILE_")`
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=False, extra="ignore")

    listen: str = Field(
        default="127.0.0.1:0", description="host:port of the gRPC server; port 0 picks a free one and logs it"
    )
    metrics_listen: str = Field(
        default="", description="host:port of the Prometheus endpoint; empty turns it off"
    )
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", description="where the state is")
    log_level: str = Field(
        default="info", pattern="^(?i:debug|info|warning|error)$", description="debug, info, warning, error"
    )
    sandbox: bool = Field(
        default=False,
        description="let callers set the time by the metadata `magpie-now`; never in production",
    )
    reflection: bool = Field(default=True, description="answer gRPC reflection")
    max_call_seconds: float = Field(default=30.0, gt=0, description="cap of a call that brings no deadline")
    max_concurrent_calls: int = Field(
        default=512, gt=0, description="calls in flight before RESOURCE_EXHAUSTED"
    )
    grace_seconds: float = Field(
        default=10.0, ge=0, description="how long calls in flight may take to finish at a stop"
    )
    wait_seconds: float = Field(default=60.0, ge=0, description="how long to wait for Redis at the start")

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises CannotStart with one line for each bad variable."""
        try:
            return cls()
        except ValidationError as error:
            raise CannotStart("\n".join(cls._complaints(error))) from None

    @classmethod
    def _complaints(cls, error: ValidationError) -> list[str]:
        prefix = cls.model_config.get("env_prefix", "")
        lines = []
        # The value itself stays out: it may be a secret.
        for problem in error.errors(include_input=False, include_url=False):
            name = f"{prefix}{problem['loc'][0]}".upper() if problem["loc"] else prefix.rstrip("_")
            text = "is required" if problem["type"] == "missing" else problem["msg"]
            lines.append(f"{name}: {text}")
        return lines
