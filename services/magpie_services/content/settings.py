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
    model_url: str = Field(
        default="",
        description="OpenAI-compatible endpoint of a language model that writes texts for the pool, such as"
        " `https://api.example.com/v1`; empty: none does",
    )
    model_name: str = Field(default="", description="the model to ask for; needed with `model_url`")
    model_key: SecretStr = Field(
        default=SecretStr(""), description="sent as a bearer token, over https only; empty: none is sent"
    )
    model_seconds: float = Field(default=30.0, gt=0, description="for one answer, all of it")
    model_output_tokens: int = Field(default=2_000, gt=0, description="that an answer may have, at most")
    model_output_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="how the endpoint calls that limit"
    )
    model_daily_tokens: int = Field(
        default=1_000_000, ge=0, description="that may be used in a day of UTC, by all processes together"
    )
    model_daily_money: float = Field(
        default=0.0, ge=0, description="that may be spent in such a day, by the two prices; 0: no limit"
    )
    model_input_price: float = Field(default=0.0, ge=0, description="of a million tokens of a question")
    model_output_price: float = Field(default=0.0, ge=0, description="of a million tokens of an answer")
    model_pool_size: int = Field(
        default=20_000, gt=0, description="of the pool: sets of texts for an item, reason and group of users"
    )
    model_pool_days: float = Field(default=14.0, gt=0, description="that a text stays in the pool")
    model_pause_seconds: float = Field(
        default=5.0, gt=0, description="between rounds, each of at most 4 questions"
    )
    lake_folder: str = Field(
        default="",
        description="folder or s3:// address of the lake's tables, from which the choice of words is learnt"
        " anew when Redis has forgotten; empty: what the streams no longer hold is lost to it",
    )
    lesson_seconds: float = Field(
        default=10.0, gt=0, le=30, description="between two lessons of which words are followed"
    )
    lesson_lease_seconds: float = Field(
        default=15.0,
        ge=1,
        le=30,
        description="how long a process that counted and fell silent keeps others out",
    )
    exploration: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="share of messages chosen by handwritten weights, not by learning",
    )
    candidate_address: str = Field(
        default="dns:///127.0.0.1:7002",
        description="CatalogService, whose items teach which words name which attributes; empty: none does",
    )
    candidate_timeout_seconds: float = Field(default=5.0, gt=0, description="of one page of items")
    lexicon_items: int = Field(default=20_000, gt=0, description="items that are learnt from, at most")
    lexicon_seconds: float = Field(default=1_800.0, gt=0, description="between learning and learning anew")
