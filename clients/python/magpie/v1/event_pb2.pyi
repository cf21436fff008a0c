import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_VIEW_ITEM: _ClassVar[EventKind]
    EVENT_KIND_VIEW_CATEGORY: _ClassVar[EventKind]
    EVENT_KIND_SEARCH: _ClassVar[EventKind]
    EVENT_KIND_ADD_TO_CART: _ClassVar[EventKind]
    EVENT_KIND_REMOVE_FROM_CART: _ClassVar[EventKind]
    EVENT_KIND_ADD_TO_WISHLIST: _ClassVar[EventKind]
    EVENT_KIND_PURCHASE: _ClassVar[EventKind]
    EVENT_KIND_RETURN_ITEM: _ClassVar[EventKind]
    EVENT_KIND_REVIEW: _ClassVar[EventKind]
    EVENT_KIND_SESSION_START: _ClassVar[EventKind]
    EVENT_KIND_PUSH_SENT: _ClassVar[EventKind]
    EVENT_KIND_PUSH_DELIVERED: _ClassVar[EventKind]
    EVENT_KIND_PUSH_OPENED: _ClassVar[EventKind]
    EVENT_KIND_PUSH_CLICKED: _ClassVar[EventKind]
    EVENT_KIND_PUSH_DISMISSED: _ClassVar[EventKind]
    EVENT_KIND_PUSH_UNSUBSCRIBED: _ClassVar[EventKind]
    EVENT_KIND_CONSENT_CHANGED: _ClassVar[EventKind]
    EVENT_KIND_DEVICE_REGISTERED: _ClassVar[EventKind]
    EVENT_KIND_DEVICE_REMOVED: _ClassVar[EventKind]
    EVENT_KIND_IDENTITY_LINKED: _ClassVar[EventKind]
    EVENT_KIND_ERASED: _ClassVar[EventKind]
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_VIEW_ITEM: EventKind
EVENT_KIND_VIEW_CATEGORY: EventKind
EVENT_KIND_SEARCH: EventKind
EVENT_KIND_ADD_TO_CART: EventKind
EVENT_KIND_REMOVE_FROM_CART: EventKind
EVENT_KIND_ADD_TO_WISHLIST: EventKind
EVENT_KIND_PURCHASE: EventKind
EVENT_KIND_RETURN_ITEM: EventKind
EVENT_KIND_REVIEW: EventKind
EVENT_KIND_SESSION_START: EventKind
EVENT_KIND_PUSH_SENT: EventKind
EVENT_KIND_PUSH_DELIVERED: EventKind
EVENT_KIND_PUSH_OPENED: EventKind
EVENT_KIND_PUSH_CLICKED: EventKind
EVENT_KIND_PUSH_DISMISSED: EventKind
EVENT_KIND_PUSH_UNSUBSCRIBED: EventKind
EVENT_KIND_CONSENT_CHANGED: EventKind
EVENT_KIND_DEVICE_REGISTERED: EventKind
EVENT_KIND_DEVICE_REMOVED: EventKind
EVENT_KIND_IDENTITY_LINKED: EventKind
EVENT_KIND_ERASED: EventKind

class Event(_message.Message):
    __slots__ = ("event_id", "user_id", "kind", "occur_time", "item_id", "category", "query", "dwell", "quantity", "unit_price", "rating", "text", "platform", "decision_id", "campaign_id", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OCCUR_TIME_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    DWELL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    kind: EventKind
    occur_time: _timestamp_pb2.Timestamp
    item_id: str
    category: str
    query: str
    dwell: _duration_pb2.Duration
    quantity: int
    unit_price: _money_pb2.Money
    rating: float
    text: str
    platform: str
    decision_id: str
    campaign_id: str
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., kind: _Optional[_Union[EventKind, str]] = ..., occur_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., item_id: _Optional[str] = ..., category: _Optional[str] = ..., query: _Optional[str] = ..., dwell: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., quantity: _Optional[int] = ..., unit_price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., rating: _Optional[float] = ..., text: _Optional[str] = ..., platform: _Optional[str] = ..., decision_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...
