import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutcomeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_KIND_UNSPECIFIED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_DELIVERED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_OPENED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_CLICKED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_PURCHASED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_DISMISSED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_UNSUBSCRIBED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_TOKEN_GONE: _ClassVar[OutcomeKind]
    OUTCOME_KIND_FAILED: _ClassVar[OutcomeKind]

class MetricGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METRIC_GROUP_UNSPECIFIED: _ClassVar[MetricGroup]
    METRIC_GROUP_CAMPAIGN: _ClassVar[MetricGroup]
    METRIC_GROUP_RANKER_VERSION: _ClassVar[MetricGroup]
    METRIC_GROUP_STRATEGY: _ClassVar[MetricGroup]
OUTCOME_KIND_UNSPECIFIED: OutcomeKind
OUTCOME_KIND_DELIVERED: OutcomeKind
OUTCOME_KIND_OPENED: OutcomeKind
OUTCOME_KIND_CLICKED: OutcomeKind
OUTCOME_KIND_PURCHASED: OutcomeKind
OUTCOME_KIND_DISMISSED: OutcomeKind
OUTCOME_KIND_UNSUBSCRIBED: OutcomeKind
OUTCOME_KIND_TOKEN_GONE: OutcomeKind
OUTCOME_KIND_FAILED: OutcomeKind
METRIC_GROUP_UNSPECIFIED: MetricGroup
METRIC_GROUP_CAMPAIGN: MetricGroup
METRIC_GROUP_RANKER_VERSION: MetricGroup
METRIC_GROUP_STRATEGY: MetricGroup

class Outcome(_message.Message):
    __slots__ = ("attribution_token", "kind", "occur_time", "outcome_id", "value", "device_id")
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    attribution_token: str
    kind: OutcomeKind
    occur_time: _timestamp_pb2.Timestamp
    outcome_id: str
    value: _money_pb2.Money
    device_id: str
    def __init__(self, attribution_token: _Optional[str] = ..., kind: _Optional[_Union[OutcomeKind, str]] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome_id: _Optional[str] = ..., value: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., device_id: _Optional[str] = ...) -> None: ...

class RecordOutcomesRequest(_message.Message):
    __slots__ = ("outcomes", "request_id")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    request_id: str
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class OutcomeRefusal(_message.Message):
    __slots__ = ("index", "field", "reason")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    index: int
    field: str
    reason: str
    def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RecordOutcomesResponse(_message.Message):
    __slots__ = ("accepted_count", "duplicate_count", "refusals")
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    accepted_count: int
    duplicate_count: int
    refusals: _containers.RepeatedCompositeFieldContainer[OutcomeRefusal]
    def __init__(self, accepted_count: _Optional[int] = ..., duplicate_count: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[OutcomeRefusal, _Mapping]]] = ...) -> None: ...

class GetMetricsRequest(_message.Message):
    __slots__ = ("start_time", "end_time", "group", "step")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    group: MetricGroup
    step: _duration_pb2.Duration
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., group: _Optional[_Union[MetricGroup, str]] = ..., step: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class MetricRow(_message.Message):
    __slots__ = ("group", "start_time", "sent_count", "delivered_count", "opened_count", "clicked_count", "purchased_count", "dismissed_count", "unsubscribed_count", "no_send_count", "blocked_count")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    SENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_COUNT_FIELD_NUMBER: _ClassVar[int]
    OPENED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CLICKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PURCHASED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISMISSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NO_SEND_COUNT_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    group: str
    start_time: _timestamp_pb2.Timestamp
    sent_count: int
    delivered_count: int
    opened_count: int
    clicked_count: int
    purchased_count: int
    dismissed_count: int
    unsubscribed_count: int
    no_send_count: int
    blocked_count: int
    def __init__(self, group: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sent_count: _Optional[int] = ..., delivered_count: _Optional[int] = ..., opened_count: _Optional[int] = ..., clicked_count: _Optional[int] = ..., purchased_count: _Optional[int] = ..., dismissed_count: _Optional[int] = ..., unsubscribed_count: _Optional[int] = ..., no_send_count: _Optional[int] = ..., blocked_count: _Optional[int] = ...) -> None: ...

class GetMetricsResponse(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[MetricRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[MetricRow, _Mapping]]] = ...) -> None: ...
