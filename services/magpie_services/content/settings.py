"""What the content service can be told by MAGPIE_CONTENT_* variables."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings

COLOUR = "^#[0-9a-fA-F]{6}$"
HOSTS = r"^(\s*\.?[A-Za-z0-9._-]+(:[0-9]{1,5})?\s*(,|$))*$"


class ContentSettings(ServiceSettings):
    """Every field works on a laptop as it is."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_CONTENT_")

    listen: str = "127.0.0.1:7004"
    metrics_listen: str = "127.0.0.1:8004"
    default_locale: str = Field(
        default="zh-CN", description="language of texts for users whose language nobody knows"
    )
    pack: Literal["shop", "social", "education", "health"] = Field(
        default="shop", description="the kind of app, which decides reasons and words"
    )
    cached_items: int = Field(default=20_000, gt=0, description="items whose facts are kept at hand")
    card_folder: str = Field(
        default="", description="folder of pictures that items name by a path; empty: there are none"
    )
    card_hosts: str = Field(
        default="",
        pattern=HOSTS,
        description="hosts that pictures may be fetched from by https, with commas between them:"
        " `cdn.example.com`, `.example.com` for all below it, `host:8443` for another port",
    )
    card_picture_bytes: int = Field(
        default=5_000_000, gt=0, description="of the largest picture that is read"
    )
    card_fetch_seconds: float = Field(default=3.0, gt=0, description="to fetch a picture, redirects included")
    card_brand_colour: str = Field(
        default="#1F5F5B", pattern=COLOUR, description="the shop's colour, on cards"
    )
    card_accent_colour: str = Field(default="#C8372D", pattern=COLOUR, description="of the price on cards")
    card_cache_bytes: int = Field(
        default=32_000_000, ge=0, description="of cards kept, and of pictures kept beside them"
    )
    card_url: str = Field(
        default="",
        pattern="^(https://.+)?$",
        description="address under which phones reach `card_listen`: pushes then show cards;"
        " empty: they show the item's own picture",
    )
    card_listen: str = Field(
        default="",
        description="host:port that serves cards over HTTP, for a proxy with TLS; empty: none does",
    )
    card_secret: SecretStr = Field(
        default=SecretStr(""),
        description="signs the addresses of cards, at least 16 bytes, the same everywhere;"
        " needed with `card_url` and `card_listen`",
    )
    candidate_address: str = Field(
        default="dns:///127.0.0.1:7002",
        description="CatalogService, whose items teach which words name which attributes; empty: none does",
    )
    candidate_timeout_seconds: float = Field(default=5.0, gt=0, description="of one page of items")
    lexicon_items: int = Field(default=20_000, gt=0, description="items that are learnt from, at most")
    lexicon_seconds: float = Field(default=1_800.0, gt=0, description="between learning and learning anew")
