import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import candidate_service_pb2 as _candidate_service_pb2
from magpie.v1 import content_service_pb2 as _content_service_pb2
from magpie.v1 import device_pb2 as _device_pb2
from magpie.v1 import ranking_service_pb2 as _ranking_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecisionVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_VERDICT_UNSPECIFIED: _ClassVar[DecisionVerdict]
    DECISION_VERDICT_SENT: _ClassVar[DecisionVerdict]
    DECISION_VERDICT_QUEUED: _ClassVar[DecisionVerdict]
    DECISION_VERDICT_NO_SEND: _ClassVar[DecisionVerdict]
    DECISION_VERDICT_BLOCKED: _ClassVar[DecisionVerdict]
    DECISION_VERDICT_FAILED: _ClassVar[DecisionVerdict]
    DECISION_VERDICT_EXPIRED: _ClassVar[DecisionVerdict]

class Stage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_UNSPECIFIED: _ClassVar[Stage]
    STAGE_TARGET: _ClassVar[Stage]
    STAGE_CANDIDATES: _ClassVar[Stage]
    STAGE_RANK: _ClassVar[Stage]
    STAGE_COMPOSE: _ClassVar[Stage]
    STAGE_TAKE: _ClassVar[Stage]
    STAGE_SEND: _ClassVar[Stage]

class DecisionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_MODE_UNSPECIFIED: _ClassVar[DecisionMode]
    DECISION_MODE_LIVE: _ClassVar[DecisionMode]
    DECISION_MODE_DRY_RUN: _ClassVar[DecisionMode]
    DECISION_MODE_SHADOW: _ClassVar[DecisionMode]
DECISION_VERDICT_UNSPECIFIED: DecisionVerdict
DECISION_VERDICT_SENT: DecisionVerdict
DECISION_VERDICT_QUEUED: DecisionVerdict
DECISION_VERDICT_NO_SEND: DecisionVerdict
DECISION_VERDICT_BLOCKED: DecisionVerdict
DECISION_VERDICT_FAILED: DecisionVerdict
DECISION_VERDICT_EXPIRED: DecisionVerdict
STAGE_UNSPECIFIED: Stage
STAGE_TARGET: Stage
STAGE_CANDIDATES: Stage
STAGE_RANK: Stage
STAGE_COMPOSE: Stage
STAGE_TAKE: Stage
STAGE_SEND: Stage
DECISION_MODE_UNSPECIFIED: DecisionMode
DECISION_MODE_LIVE: DecisionMode
DECISION_MODE_DRY_RUN: DecisionMode
DECISION_MODE_SHADOW: DecisionMode

class PredicateVerdict(_message.Message):
    __slots__ = ("stage", "predicate", "passed", "reason", "item_id")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PREDICATE_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    stage: Stage
    predicate: str
    passed: bool
    reason: str
    item_id: str
    def __init__(self, stage: _Optional[_Union[Stage, str]] = ..., predicate: _Optional[str] = ..., passed: bool = ..., reason: _Optional[str] = ..., item_id: _Optional[str] = ...) -> None: ...

class Arm(_message.Message):
    __slots__ = ("item_id", "sources", "probabilities", "value", "propensity", "features", "feature_inclusion", "similarity", "because_item_id")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    FEATURE_INCLUSION_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    sources: _containers.RepeatedScalarFieldContainer[_candidate_service_pb2.CandidateSource]
    probabilities: _ranking_service_pb2.Probabilities
    value: float
    propensity: float
    features: bytes
    feature_inclusion: float
    similarity: float
    because_item_id: str
    def __init__(self, item_id: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[_candidate_service_pb2.CandidateSource, str]]] = ..., probabilities: _Optional[_Union[_ranking_service_pb2.Probabilities, _Mapping]] = ..., value: _Optional[float] = ..., propensity: _Optional[float] = ..., features: _Optional[bytes] = ..., feature_inclusion: _Optional[float] = ..., similarity: _Optional[float] = ..., because_item_id: _Optional[str] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("decision_id", "user_id", "verdict", "predicates", "arms", "chosen_arm", "explored", "message", "channel", "device_id", "attribution_token", "decide_time", "send_time", "provider_message_id", "campaign_id", "policy_version", "ranker_version", "retriever_version", "schema_hash", "degraded", "seed", "mode")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PREDICATES_FIELD_NUMBER: _ClassVar[int]
    ARMS_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_ARM_FIELD_NUMBER: _ClassVar[int]
    EXPLORED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    RETRIEVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_HASH_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    user_id: str
    verdict: DecisionVerdict
    predicates: _containers.RepeatedCompositeFieldContainer[PredicateVerdict]
    arms: _containers.RepeatedCompositeFieldContainer[Arm]
    chosen_arm: int
    explored: bool
    message: _content_service_pb2.Message
    channel: _device_pb2.Channel
    device_id: str
    attribution_token: str
    decide_time: _timestamp_pb2.Timestamp
    send_time: _timestamp_pb2.Timestamp
    provider_message_id: str
    campaign_id: str
    policy_version: str
    ranker_version: int
    retriever_version: int
    schema_hash: str
    degraded: _containers.RepeatedScalarFieldContainer[str]
    seed: int
    mode: DecisionMode
    def __init__(self, decision_id: _Optional[str] = ..., user_id: _Optional[str] = ..., verdict: _Optional[_Union[DecisionVerdict, str]] = ..., predicates: _Optional[_Iterable[_Union[PredicateVerdict, _Mapping]]] = ..., arms: _Optional[_Iterable[_Union[Arm, _Mapping]]] = ..., chosen_arm: _Optional[int] = ..., explored: bool = ..., message: _Optional[_Union[_content_service_pb2.Message, _Mapping]] = ..., channel: _Optional[_Union[_device_pb2.Channel, str]] = ..., device_id: _Optional[str] = ..., attribution_token: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., send_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., provider_message_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., policy_version: _Optional[str] = ..., ranker_version: _Optional[int] = ..., retriever_version: _Optional[int] = ..., schema_hash: _Optional[str] = ..., degraded: _Optional[_Iterable[str]] = ..., seed: _Optional[int] = ..., mode: _Optional[_Union[DecisionMode, str]] = ...) -> None: ...
