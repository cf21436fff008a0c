"""What the content service can be told by MAGPIE_CONTENT_* variables."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings


class ContentSettings(ServiceSettings):
    """Every field works on a laptop as it is."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_CONTENT_")

    listen: str = "127.0.0.1:7004"
    metrics_listen: str = "127.0.0.1:8004"
    default_locale: str = Field(
        default="zh-CN", description="language of texts for users whose language nobody knows"
    )
    cached_items: int = Field(default=20_000, gt=0, description="items whose facts are kept at hand")
