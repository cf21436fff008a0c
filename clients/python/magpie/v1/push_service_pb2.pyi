import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import candidate_service_pb2 as _candidate_service_pb2
from magpie.v1 import content_service_pb2 as _content_service_pb2
from magpie.v1 import decision_pb2 as _decision_pb2
from magpie.v1 import ranking_service_pb2 as _ranking_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MessageClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_CLASS_UNSPECIFIED: _ClassVar[MessageClass]
    MESSAGE_CLASS_MARKETING: _ClassVar[MessageClass]
    MESSAGE_CLASS_TRANSACTIONAL: _ClassVar[MessageClass]
MESSAGE_CLASS_UNSPECIFIED: MessageClass
MESSAGE_CLASS_MARKETING: MessageClass
MESSAGE_CLASS_TRANSACTIONAL: MessageClass

class Objective(_message.Message):
    __slots__ = ("click", "purchase", "dismiss", "unsubscribe", "min_value")
    CLICK_FIELD_NUMBER: _ClassVar[int]
    PURCHASE_FIELD_NUMBER: _ClassVar[int]
    DISMISS_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    click: float
    purchase: float
    dismiss: float
    unsubscribe: float
    min_value: float
    def __init__(self, click: _Optional[float] = ..., purchase: _Optional[float] = ..., dismiss: _Optional[float] = ..., unsubscribe: _Optional[float] = ..., min_value: _Optional[float] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("objective", "exploration", "no_send_share", "candidate_limit", "filter", "message_class", "drop_in_quiet_hours", "expiry", "strategy", "logged_best", "logged_rest")
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    EXPLORATION_FIELD_NUMBER: _ClassVar[int]
    NO_SEND_SHARE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_CLASS_FIELD_NUMBER: _ClassVar[int]
    DROP_IN_QUIET_HOURS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    LOGGED_BEST_FIELD_NUMBER: _ClassVar[int]
    LOGGED_REST_FIELD_NUMBER: _ClassVar[int]
    objective: Objective
    exploration: float
    no_send_share: float
    candidate_limit: int
    filter: _candidate_service_pb2.CatalogFilter
    message_class: MessageClass
    drop_in_quiet_hours: bool
    expiry: _duration_pb2.Duration
    strategy: _content_service_pb2.Strategy
    logged_best: int
    logged_rest: int
    def __init__(self, objective: _Optional[_Union[Objective, _Mapping]] = ..., exploration: _Optional[float] = ..., no_send_share: _Optional[float] = ..., candidate_limit: _Optional[int] = ..., filter: _Optional[_Union[_candidate_service_pb2.CatalogFilter, _Mapping]] = ..., message_class: _Optional[_Union[MessageClass, str]] = ..., drop_in_quiet_hours: bool = ..., expiry: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., strategy: _Optional[_Union[_content_service_pb2.Strategy, str]] = ..., logged_best: _Optional[int] = ..., logged_rest: _Optional[int] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ("user_id", "item_id", "message")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_id: str
    message: _content_service_pb2.Message
    def __init__(self, user_id: _Optional[str] = ..., item_id: _Optional[str] = ..., message: _Optional[_Union[_content_service_pb2.Message, _Mapping]] = ...) -> None: ...

class DecidePushesRequest(_message.Message):
    __slots__ = ("targets", "policy", "request_id")
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    policy: Policy
    request_id: str
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DecidePushesResponse(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ...) -> None: ...

class SendPushesRequest(_message.Message):
    __slots__ = ("targets", "policy", "request_id", "campaign_id", "shadow")
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    policy: Policy
    request_id: str
    campaign_id: str
    shadow: bool
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., request_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., shadow: bool = ...) -> None: ...

class SendPushesResponse(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ...) -> None: ...

class ExplainDecisionRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class Counterfactual(_message.Message):
    __slots__ = ("change", "verdict")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    change: str
    verdict: _decision_pb2.DecisionVerdict
    def __init__(self, change: _Optional[str] = ..., verdict: _Optional[_Union[_decision_pb2.DecisionVerdict, str]] = ...) -> None: ...

class ExplainDecisionResponse(_message.Message):
    __slots__ = ("decision", "summary", "why", "item", "counterfactuals")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    COUNTERFACTUALS_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    summary: str
    why: _containers.RepeatedScalarFieldContainer[str]
    item: _ranking_service_pb2.Explanation
    counterfactuals: _containers.RepeatedCompositeFieldContainer[Counterfactual]
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., summary: _Optional[str] = ..., why: _Optional[_Iterable[str]] = ..., item: _Optional[_Union[_ranking_service_pb2.Explanation, _Mapping]] = ..., counterfactuals: _Optional[_Iterable[_Union[Counterfactual, _Mapping]]] = ...) -> None: ...

class ReplayDecisionsRequest(_message.Message):
    __slots__ = ("start_time", "end_time", "policy", "ranker_version", "limit")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    policy: Policy
    ranker_version: int
    limit: int
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., ranker_version: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ReplaySummary(_message.Message):
    __slots__ = ("decided_count", "sent_count", "value", "clicks", "purchases", "unsubscribes", "estimated_reward", "estimated_reward_error", "effective_sample_size")
    DECIDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    PURCHASES_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBES_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_REWARD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_REWARD_ERROR_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_SAMPLE_SIZE_FIELD_NUMBER: _ClassVar[int]
    decided_count: int
    sent_count: int
    value: float
    clicks: float
    purchases: float
    unsubscribes: float
    estimated_reward: float
    estimated_reward_error: float
    effective_sample_size: float
    def __init__(self, decided_count: _Optional[int] = ..., sent_count: _Optional[int] = ..., value: _Optional[float] = ..., clicks: _Optional[float] = ..., purchases: _Optional[float] = ..., unsubscribes: _Optional[float] = ..., estimated_reward: _Optional[float] = ..., estimated_reward_error: _Optional[float] = ..., effective_sample_size: _Optional[float] = ...) -> None: ...

class ReplayDecisionsResponse(_message.Message):
    __slots__ = ("logged", "replayed", "agreed_count", "differing_decision_ids")
    LOGGED_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    AGREED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_DECISION_IDS_FIELD_NUMBER: _ClassVar[int]
    logged: ReplaySummary
    replayed: ReplaySummary
    agreed_count: int
    differing_decision_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, logged: _Optional[_Union[ReplaySummary, _Mapping]] = ..., replayed: _Optional[_Union[ReplaySummary, _Mapping]] = ..., agreed_count: _Optional[int] = ..., differing_decision_ids: _Optional[_Iterable[str]] = ...) -> None: ...
