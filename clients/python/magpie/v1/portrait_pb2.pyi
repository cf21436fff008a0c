import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LifeStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIFE_STAGE_UNSPECIFIED: _ClassVar[LifeStage]
    LIFE_STAGE_NEW: _ClassVar[LifeStage]
    LIFE_STAGE_ACTIVE: _ClassVar[LifeStage]
    LIFE_STAGE_LOYAL: _ClassVar[LifeStage]
    LIFE_STAGE_LAPSING: _ClassVar[LifeStage]
    LIFE_STAGE_DORMANT: _ClassVar[LifeStage]
LIFE_STAGE_UNSPECIFIED: LifeStage
LIFE_STAGE_NEW: LifeStage
LIFE_STAGE_ACTIVE: LifeStage
LIFE_STAGE_LOYAL: LifeStage
LIFE_STAGE_LAPSING: LifeStage
LIFE_STAGE_DORMANT: LifeStage

class RecentActivity(_message.Message):
    __slots__ = ("item_id", "kind", "time", "category")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    kind: _event_pb2.EventKind
    time: _timestamp_pb2.Timestamp
    category: str
    def __init__(self, item_id: _Optional[str] = ..., kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., category: _Optional[str] = ...) -> None: ...

class ItemActivity(_message.Message):
    __slots__ = ("item_id", "views", "carts", "purchases", "returns", "rating", "dwell_seconds", "first_time", "last_time", "last_purchase_time")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    CARTS_FIELD_NUMBER: _ClassVar[int]
    PURCHASES_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    DWELL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_PURCHASE_TIME_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    views: int
    carts: int
    purchases: int
    returns: int
    rating: float
    dwell_seconds: float
    first_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    last_purchase_time: _timestamp_pb2.Timestamp
    def __init__(self, item_id: _Optional[str] = ..., views: _Optional[int] = ..., carts: _Optional[int] = ..., purchases: _Optional[int] = ..., returns: _Optional[int] = ..., rating: _Optional[float] = ..., dwell_seconds: _Optional[float] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_purchase_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RecentSearch(_message.Message):
    __slots__ = ("query", "time", "count")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    query: str
    time: _timestamp_pb2.Timestamp
    count: int
    def __init__(self, query: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class PushRecord(_message.Message):
    __slots__ = ("decision_id", "item_id", "send_time", "outcome")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    item_id: str
    send_time: _timestamp_pb2.Timestamp
    outcome: _event_pb2.EventKind
    def __init__(self, decision_id: _Optional[str] = ..., item_id: _Optional[str] = ..., send_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[_event_pb2.EventKind, str]] = ...) -> None: ...

class PushCounts(_message.Message):
    __slots__ = ("sent", "opened", "clicked", "dismissed")
    SENT_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CLICKED_FIELD_NUMBER: _ClassVar[int]
    DISMISSED_FIELD_NUMBER: _ClassVar[int]
    sent: float
    opened: float
    clicked: float
    dismissed: float
    def __init__(self, sent: _Optional[float] = ..., opened: _Optional[float] = ..., clicked: _Optional[float] = ..., dismissed: _Optional[float] = ...) -> None: ...

class PushHistory(_message.Message):
    __slots__ = ("day", "week", "month", "last_sent_time", "last_opened_time", "recent")
    DAY_FIELD_NUMBER: _ClassVar[int]
    WEEK_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    LAST_SENT_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_OPENED_TIME_FIELD_NUMBER: _ClassVar[int]
    RECENT_FIELD_NUMBER: _ClassVar[int]
    day: PushCounts
    week: PushCounts
    month: PushCounts
    last_sent_time: _timestamp_pb2.Timestamp
    last_opened_time: _timestamp_pb2.Timestamp
    recent: _containers.RepeatedCompositeFieldContainer[PushRecord]
    def __init__(self, day: _Optional[_Union[PushCounts, _Mapping]] = ..., week: _Optional[_Union[PushCounts, _Mapping]] = ..., month: _Optional[_Union[PushCounts, _Mapping]] = ..., last_sent_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_opened_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recent: _Optional[_Iterable[_Union[PushRecord, _Mapping]]] = ...) -> None: ...

class SpendHistory(_message.Message):
    __slots__ = ("orders", "units", "mean_log_price", "variance_log_price", "discount_share")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    MEAN_LOG_PRICE_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_LOG_PRICE_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_SHARE_FIELD_NUMBER: _ClassVar[int]
    orders: int
    units: int
    mean_log_price: float
    variance_log_price: float
    discount_share: float
    def __init__(self, orders: _Optional[int] = ..., units: _Optional[int] = ..., mean_log_price: _Optional[float] = ..., variance_log_price: _Optional[float] = ..., discount_share: _Optional[float] = ...) -> None: ...

class Portrait(_message.Message):
    __slots__ = ("user_id", "version", "locale", "timezone", "country", "platform", "first_seen_time", "last_seen_time", "recent", "items", "categories", "searches", "hours", "spend", "pushes", "traits", "stage", "price_sensitivity", "counted_time", "snapshot")
    class CategoriesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    RECENT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    SEARCHES_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    SPEND_FIELD_NUMBER: _ClassVar[int]
    PUSHES_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PRICE_SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    COUNTED_TIME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    version: int
    locale: str
    timezone: str
    country: str
    platform: str
    first_seen_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    recent: _containers.RepeatedCompositeFieldContainer[RecentActivity]
    items: _containers.RepeatedCompositeFieldContainer[ItemActivity]
    categories: _containers.ScalarMap[str, float]
    searches: _containers.RepeatedCompositeFieldContainer[RecentSearch]
    hours: _containers.RepeatedScalarFieldContainer[float]
    spend: SpendHistory
    pushes: PushHistory
    traits: _containers.RepeatedScalarFieldContainer[str]
    stage: LifeStage
    price_sensitivity: float
    counted_time: _timestamp_pb2.Timestamp
    snapshot: bytes
    def __init__(self, user_id: _Optional[str] = ..., version: _Optional[int] = ..., locale: _Optional[str] = ..., timezone: _Optional[str] = ..., country: _Optional[str] = ..., platform: _Optional[str] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recent: _Optional[_Iterable[_Union[RecentActivity, _Mapping]]] = ..., items: _Optional[_Iterable[_Union[ItemActivity, _Mapping]]] = ..., categories: _Optional[_Mapping[str, float]] = ..., searches: _Optional[_Iterable[_Union[RecentSearch, _Mapping]]] = ..., hours: _Optional[_Iterable[float]] = ..., spend: _Optional[_Union[SpendHistory, _Mapping]] = ..., pushes: _Optional[_Union[PushHistory, _Mapping]] = ..., traits: _Optional[_Iterable[str]] = ..., stage: _Optional[_Union[LifeStage, str]] = ..., price_sensitivity: _Optional[float] = ..., counted_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot: _Optional[bytes] = ...) -> None: ...
