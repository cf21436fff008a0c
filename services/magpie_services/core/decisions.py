"""One decision of the ledger: what was considered and chosen, why, by which models, with what chance."""

from enum import StrEnum

import msgspec

from magpie_services.core.experiments import Assignment


class Mode(StrEnum):
    """`live` sends; `dry_run` only answers; `shadow` decides and logs but never sends."""

    LIVE = "live"
    DRY_RUN = "dry_run"
    SHADOW = "shadow"


class DecisionVerdict(StrEnum):
    """How a decision ended."""

    SENT = "sent"
    QUEUED = "queued"
    NO_SEND = "no_send"
    BLOCKED = "blocked"
    FAILED = "failed"
    EXPIRED = "expired"


class Stage(StrEnum):
    """Where in the flow a predicate stands."""

    TARGET = "target"
    CANDIDATES = "candidates"
    RANK = "rank"
    COMPOSE = "compose"
    TAKE = "take"
    SEND = "send"


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The word of one predicate; `item_id` is empty where it is about the user."""

    predicate: str
    passed: bool
    stage: Stage
    reason: str = ""
    item_id: str = ""


class Arm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alternative; an empty `item_id` is the no-send arm.

    `probabilities` follow `features.HEADS`; `propensity` is the chance that the policy chose this arm;
    `features` is float32 user | item | cross concatenated, little-endian, or empty where not sampled;
    `inclusion` is the chance that this arm's features were logged (1 / its weight in training); `price` is
    the item's at that moment, in major units, 0 where it was not known.
    """

    item_id: str = ""
    sources: list[str] = []
    probabilities: list[float] = []
    value: float = 0.0
    propensity: float = 0.0
    features: bytes = b""
    inclusion: float = 1.0
    similarity: float = 0.0
    because_item_id: str = ""
    price: float = 0.0


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Characters [start, end) of `part` (title, body or description) and the fact they come from.

    `source` is an item id or "portrait", `version` that of the item or portrait.
    """

    part: str
    start: int
    end: int
    field: str
    value: str = ""
    source: str = ""
    version: int = 0


class Copy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The words of a push and where each claim comes from; `propensity` is the chance of this variant.

    `context` names the circumstances in which the variant was chosen; `writer` is "grammar" or "model".
    """

    strategy: str = ""
    tone: str = ""
    locale: str = ""
    title: str = ""
    body: str = ""
    description: str = ""
    image_uri: str = ""
    link: str = ""
    variant_id: str = ""
    propensity: float = 1.0
    safe_template: bool = False
    context: str = ""
    writer: str = ""
    spans: list[Span] = []


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger. `chosen` is an index into `arms`, -1 where no arm was scored.

    `propensity` is the chance of that choice, given the state it was made in. A rule that is asked after the
    choice (stock, words, the cap's slot) may stop it; the verdict then says so, and the propensity is still
    that of the choice, not of nothing being sent.
    """

    decision_id: str
    user_id: str
    mode: Mode
    verdict: DecisionVerdict
    decided_ms: int
    request_id: str = ""
    campaign_id: str = ""
    reasons: list[Verdict] = []
    arms: list[Arm] = []
    chosen: int = -1
    propensity: float = 1.0
    explored: bool = False
    holdout: bool = False
    policy_version: str = ""
    ranker_version: int = 0
    retriever_version: int = 0
    # Steps that answered by their fallback: "retrieval", "ranking", "content".
    fallbacks: list[str] = []
    copy: Copy | None = None
    channel: str = ""
    device_id: str = ""
    provider: str = ""
    provider_message_id: str = ""
    send_ms: int = 0
    attribution_token: str = ""
    schema_hash: str = ""
    seed: int = 0
    portrait_version: int = 0
    item_version: int = 0
    # The arms of experiments that the policy was of.
    assignments: list[Assignment] = []

    @property
    def arm(self) -> Arm | None:
        """The chosen arm, None where no arm was scored."""
        return self.arms[self.chosen] if 0 <= self.chosen < len(self.arms) else None

    @property
    def item_id(self) -> str:
        """The chosen item, "" for no-send."""
        return self.arm.item_id if self.arm else ""
