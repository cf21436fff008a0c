"""What the push process can be told, as MAGPIE_PUSH_…"""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from magpie_services.core.memory import DAY_MS
from magpie_services.kit.attribution import MIN_SECRET_BYTES
from magpie_services.kit.settings import ServiceSettings
from magpie_services.push import quiet_hours
from magpie_services.push.clients import Timeouts
from magpie_services.push.policy import Objective, Policy
from magpie_services.push.predicates import Rules
from magpie_services.push.providers import webhook


class PushSettings(ServiceSettings):
    """Units are in the names; money and worth are in the units of your own objective."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_PUSH_")

    listen: str = Field(
        default="127.0.0.1:7005",
        description="host:port of PushService, CampaignService and ExperimentService",
    )
    metrics_listen: str = Field(default="127.0.0.1:8005", description="host:port for Prometheus; empty: off")

    profile_address: str = Field(default="dns:///127.0.0.1:7001", description="ProfileService")
    candidate_address: str = Field(
        default="dns:///127.0.0.1:7002", description="CandidateService and CatalogService"
    )
    ranking_address: str = Field(default="dns:///127.0.0.1:7003", description="RankingService")
    content_address: str = Field(default="dns:///127.0.0.1:7004", description="ContentService")
    feedback_address: str = Field(default="dns:///127.0.0.1:7006", description="FeedbackService")
    profile_timeout_seconds: float = Field(default=2.0, gt=0, description="of one call")
    candidate_timeout_seconds: float = Field(default=2.0, gt=0, description="of one call")
    ranking_timeout_seconds: float = Field(default=3.0, gt=0, description="of one call")
    content_timeout_seconds: float = Field(default=2.0, gt=0, description="of one call")
    feedback_timeout_seconds: float = Field(default=2.0, gt=0, description="of one call")

    lake_folder: str = Field(
        default="",
        description="where the lake's tables are, for replays of older decisions; empty: recent only",
    )
    attribution_secret: SecretStr = Field(
        description="signs the tokens that come back with outcomes; at least 16 bytes; the same in feedback"
    )

    click_value: float = Field(default=1.0, description="worth of a click")
    purchase_value: float = Field(default=20.0, description="worth of a purchase that the push brings about")
    margin: float = Field(
        default=0.0, ge=0, le=1, description="share of the item's price that such a purchase is worth besides"
    )
    dismiss_cost: float = Field(default=0.1, ge=0, description="cost of a dismissal")
    unsubscribe_cost: float = Field(default=30.0, ge=0, description="cost of an opt-out")
    min_value: float = Field(default=0.0, description="a push is sent only when it is worth more than this")
    exploration: float = Field(default=0.05, ge=0, le=1, description="share drawn evenly over all arms")
    no_send_share: float = Field(default=0.02, ge=0, le=1, description="share not sent, to learn")
    arms: int = Field(default=20, ge=1, le=100, description="the best items that exploration draws from")
    logged_best: int = Field(default=10, ge=0, le=100, description="arms whose features are always logged")
    logged_rest: int = Field(default=5, ge=0, le=100, description="further candidates logged at random")
    expiry_seconds: float = Field(default=86_400.0, gt=0, description="how long a push may wait")

    quiet_start: str = Field(default="21:30", description="local time from which nobody is disturbed")
    quiet_end: str = Field(default="08:00", description="local time until which nobody is disturbed")
    default_timezone: str = Field(default="UTC", description="IANA zone of users whose own is not known")
    minimum_gap_seconds: float = Field(default=14_400.0, ge=0, description="between two pushes to a user")
    daily_cap: int = Field(default=3, ge=0, description="pushes to a user in any 24 hours")
    weekly_cap: int = Field(default=10, ge=0, description="pushes to a user in any 7 days")
    repeat_days: float = Field(default=7.0, ge=0, description="before the same item is pushed again")
    holdout_share: float = Field(default=0.0, ge=0, le=1, description="users who never get a push")
    holdout_salt: str = Field(default="holdout", description="change it to draw the holdout afresh")

    shadow_words: bool = Field(default=False, description="write words for shadow decisions too")
    chunk_users: int = Field(default=64, ge=1, le=256, description="users decided in one round of calls")

    console: bool = Field(default=True, description="serve devices of channel console, on standard output")
    webhook_url: str = Field(
        default="", description="serve devices of channel webhook by POST to this https address; empty: off"
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="signs each POST; at least 16 bytes; needed with webhook_url"
    )
    webhook_timeout_seconds: float = Field(default=3.0, gt=0, description="of one POST")
    webhook_attempts: int = Field(default=3, ge=1, le=10, description="POSTs of one batch")

    experiments_file: str = Field(
        default="", description="a TOML file of experiments on policies; read at the start; empty: none"
    )
    experiments_poll_seconds: float = Field(
        default=5.0, gt=0, description="how soon every process knows that an experiment was stopped"
    )
    experiments_watch_seconds: float = Field(
        default=900.0, ge=0, description="how often guardrails are looked at, from the lake; 0: never"
    )

    claim_seconds: float = Field(
        default=30.0, gt=0, description="a push that was begun is taken up by another process after this"
    )
    reservation_seconds: float = Field(
        default=90.0, gt=0, description="a slot of the cap that was reserved is free again after this"
    )
    due_poll_seconds: float = Field(default=0.5, gt=0, description="how often the queue is looked at")
    max_attempts: int = Field(default=5, ge=1, description="hand-overs of one push to the provider")

    campaign_page_users: int = Field(default=128, ge=1, le=256, description="users between two savings")
    campaign_lease_seconds: float = Field(
        default=10.0, gt=1, description="a campaign whose process died goes on elsewhere after this"
    )
    campaign_poll_seconds: float = Field(default=0.5, gt=0, description="how often campaigns are looked at")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        quiet_hours.parse(self.quiet_start, self.quiet_end, self.default_timezone)
        if len(self.attribution_secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"attribution_secret must have at least {MIN_SECRET_BYTES} bytes")
        if self.exploration + self.no_send_share > 1:
            raise ValueError("exploration and no_send_share together exceed 1")
        if self.reservation_seconds < 2 * self.claim_seconds:
            raise ValueError("reservation_seconds must be at least twice claim_seconds")
        if self.webhook_attempts * self.webhook_timeout_seconds * 2 > self.claim_seconds:
            raise ValueError(
                "claim_seconds must be at least twice webhook_attempts x webhook_timeout_seconds"
            )
        if self.webhook_url:
            webhook.check_url(self.webhook_url)
            secret = self.webhook_secret.get_secret_value() if self.webhook_secret else ""
            if len(secret.encode()) < webhook.MIN_SECRET_BYTES:
                raise ValueError(f"webhook_secret must have at least {webhook.MIN_SECRET_BYTES} bytes")
        return self

    def policy(self) -> Policy:
        """The policy of a request that says nothing about it."""
        return Policy(
            objective=Objective(
                click=self.click_value,
                purchase=self.purchase_value,
                dismiss=self.dismiss_cost,
                unsubscribe=self.unsubscribe_cost,
                min_value=self.min_value,
                margin=self.margin,
            ),
            exploration=self.exploration,
            no_send_share=self.no_send_share,
            arms=self.arms,
            expiry_seconds=self.expiry_seconds,
            logged_best=self.logged_best,
            logged_rest=self.logged_rest,
        )

    def rules(self) -> Rules:
        """The rules that hold for every push."""
        return Rules(
            quiet=quiet_hours.parse(self.quiet_start, self.quiet_end, self.default_timezone),
            minimum_gap_ms=int(self.minimum_gap_seconds * 1000),
            caps=((DAY_MS, self.daily_cap), (7 * DAY_MS, self.weekly_cap)),
            repeat_ms=int(self.repeat_days * DAY_MS),
            holdout_share=self.holdout_share,
            holdout_salt=self.holdout_salt,
        )

    def timeouts(self) -> Timeouts:
        """Seconds for calls of other services."""
        return Timeouts(
            profile=self.profile_timeout_seconds,
            candidate=self.candidate_timeout_seconds,
            ranking=self.ranking_timeout_seconds,
            content=self.content_timeout_seconds,
            feedback=self.feedback_timeout_seconds,
        )
