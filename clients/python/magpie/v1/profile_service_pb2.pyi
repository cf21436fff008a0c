import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import device_pb2 as _device_pb2
from magpie.v1 import event_pb2 as _event_pb2
from magpie.v1 import portrait_pb2 as _portrait_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PortraitView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PORTRAIT_VIEW_UNSPECIFIED: _ClassVar[PortraitView]
    PORTRAIT_VIEW_FULL: _ClassVar[PortraitView]
    PORTRAIT_VIEW_SNAPSHOT: _ClassVar[PortraitView]
PORTRAIT_VIEW_UNSPECIFIED: PortraitView
PORTRAIT_VIEW_FULL: PortraitView
PORTRAIT_VIEW_SNAPSHOT: PortraitView

class RecordEventsRequest(_message.Message):
    __slots__ = ("events", "request_id")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    request_id: str
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class EventRefusal(_message.Message):
    __slots__ = ("index", "event_id", "field", "reason")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    index: int
    event_id: str
    field: str
    reason: str
    def __init__(self, index: _Optional[int] = ..., event_id: _Optional[str] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RecordEventsResponse(_message.Message):
    __slots__ = ("accepted_count", "duplicate_count", "refusals")
    ACCEPTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    accepted_count: int
    duplicate_count: int
    refusals: _containers.RepeatedCompositeFieldContainer[EventRefusal]
    def __init__(self, accepted_count: _Optional[int] = ..., duplicate_count: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[EventRefusal, _Mapping]]] = ...) -> None: ...

class GetPortraitsRequest(_message.Message):
    __slots__ = ("user_ids", "view")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    view: PortraitView
    def __init__(self, user_ids: _Optional[_Iterable[str]] = ..., view: _Optional[_Union[PortraitView, str]] = ...) -> None: ...

class UserState(_message.Message):
    __slots__ = ("portrait", "consents", "devices")
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    portrait: _portrait_pb2.Portrait
    consents: _containers.RepeatedCompositeFieldContainer[_device_pb2.Consent]
    devices: _containers.RepeatedCompositeFieldContainer[_device_pb2.Device]
    def __init__(self, portrait: _Optional[_Union[_portrait_pb2.Portrait, _Mapping]] = ..., consents: _Optional[_Iterable[_Union[_device_pb2.Consent, _Mapping]]] = ..., devices: _Optional[_Iterable[_Union[_device_pb2.Device, _Mapping]]] = ...) -> None: ...

class GetPortraitsResponse(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[UserState]
    def __init__(self, users: _Optional[_Iterable[_Union[UserState, _Mapping]]] = ...) -> None: ...

class Audience(_message.Message):
    __slots__ = ("all", "any", "compare")
    class All(_message.Message):
        __slots__ = ("of",)
        OF_FIELD_NUMBER: _ClassVar[int]
        of: _containers.RepeatedCompositeFieldContainer[Audience]
        def __init__(self, of: _Optional[_Iterable[_Union[Audience, _Mapping]]] = ...) -> None: ...
    class Any(_message.Message):
        __slots__ = ("of",)
        OF_FIELD_NUMBER: _ClassVar[int]
        of: _containers.RepeatedCompositeFieldContainer[Audience]
        def __init__(self, of: _Optional[_Iterable[_Union[Audience, _Mapping]]] = ...) -> None: ...
    class Compare(_message.Message):
        __slots__ = ("field", "operator", "text", "number")
        class Operator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            OPERATOR_UNSPECIFIED: _ClassVar[Audience.Compare.Operator]
            OPERATOR_EQUAL: _ClassVar[Audience.Compare.Operator]
            OPERATOR_NOT_EQUAL: _ClassVar[Audience.Compare.Operator]
            OPERATOR_LESS: _ClassVar[Audience.Compare.Operator]
            OPERATOR_LESS_OR_EQUAL: _ClassVar[Audience.Compare.Operator]
            OPERATOR_GREATER: _ClassVar[Audience.Compare.Operator]
            OPERATOR_GREATER_OR_EQUAL: _ClassVar[Audience.Compare.Operator]
            OPERATOR_CONTAINS: _ClassVar[Audience.Compare.Operator]
        OPERATOR_UNSPECIFIED: Audience.Compare.Operator
        OPERATOR_EQUAL: Audience.Compare.Operator
        OPERATOR_NOT_EQUAL: Audience.Compare.Operator
        OPERATOR_LESS: Audience.Compare.Operator
        OPERATOR_LESS_OR_EQUAL: Audience.Compare.Operator
        OPERATOR_GREATER: Audience.Compare.Operator
        OPERATOR_GREATER_OR_EQUAL: Audience.Compare.Operator
        OPERATOR_CONTAINS: Audience.Compare.Operator
        FIELD_FIELD_NUMBER: _ClassVar[int]
        OPERATOR_FIELD_NUMBER: _ClassVar[int]
        TEXT_FIELD_NUMBER: _ClassVar[int]
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        field: str
        operator: Audience.Compare.Operator
        text: str
        number: float
        def __init__(self, field: _Optional[str] = ..., operator: _Optional[_Union[Audience.Compare.Operator, str]] = ..., text: _Optional[str] = ..., number: _Optional[float] = ...) -> None: ...
    ALL_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELD_NUMBER: _ClassVar[int]
    NOT_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    all: Audience.All
    any: Audience.Any
    compare: Audience.Compare
    def __init__(self, all: _Optional[_Union[Audience.All, _Mapping]] = ..., any: _Optional[_Union[Audience.Any, _Mapping]] = ..., compare: _Optional[_Union[Audience.Compare, _Mapping]] = ..., **kwargs) -> None: ...

class SelectAudienceRequest(_message.Message):
    __slots__ = ("audience", "page_size", "page_token", "reachable_only")
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REACHABLE_ONLY_FIELD_NUMBER: _ClassVar[int]
    audience: Audience
    page_size: int
    page_token: str
    reachable_only: bool
    def __init__(self, audience: _Optional[_Union[Audience, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., reachable_only: bool = ...) -> None: ...

class SelectAudienceResponse(_message.Message):
    __slots__ = ("user_ids", "next_page_token", "scanned_count")
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCANNED_COUNT_FIELD_NUMBER: _ClassVar[int]
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    next_page_token: str
    scanned_count: int
    def __init__(self, user_ids: _Optional[_Iterable[str]] = ..., next_page_token: _Optional[str] = ..., scanned_count: _Optional[int] = ...) -> None: ...

class LinkIdentitiesRequest(_message.Message):
    __slots__ = ("user_id", "alias_user_ids", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ALIAS_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    alias_user_ids: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., alias_user_ids: _Optional[_Iterable[str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class LinkIdentitiesResponse(_message.Message):
    __slots__ = ("portrait",)
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    portrait: _portrait_pb2.Portrait
    def __init__(self, portrait: _Optional[_Union[_portrait_pb2.Portrait, _Mapping]] = ...) -> None: ...

class SetConsentRequest(_message.Message):
    __slots__ = ("user_id", "consents", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    consents: _containers.RepeatedCompositeFieldContainer[_device_pb2.Consent]
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., consents: _Optional[_Iterable[_Union[_device_pb2.Consent, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetConsentResponse(_message.Message):
    __slots__ = ("consents",)
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    consents: _containers.RepeatedCompositeFieldContainer[_device_pb2.Consent]
    def __init__(self, consents: _Optional[_Iterable[_Union[_device_pb2.Consent, _Mapping]]] = ...) -> None: ...

class RegisterDeviceRequest(_message.Message):
    __slots__ = ("user_id", "device", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    device: _device_pb2.Device
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., device: _Optional[_Union[_device_pb2.Device, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RegisterDeviceResponse(_message.Message):
    __slots__ = ("devices",)
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    devices: _containers.RepeatedCompositeFieldContainer[_device_pb2.Device]
    def __init__(self, devices: _Optional[_Iterable[_Union[_device_pb2.Device, _Mapping]]] = ...) -> None: ...

class RemoveDeviceRequest(_message.Message):
    __slots__ = ("user_id", "device_id", "request_id", "unless_updated_since")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UNLESS_UPDATED_SINCE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    device_id: str
    request_id: str
    unless_updated_since: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., device_id: _Optional[str] = ..., request_id: _Optional[str] = ..., unless_updated_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RemoveDeviceResponse(_message.Message):
    __slots__ = ("devices",)
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    devices: _containers.RepeatedCompositeFieldContainer[_device_pb2.Device]
    def __init__(self, devices: _Optional[_Iterable[_Union[_device_pb2.Device, _Mapping]]] = ...) -> None: ...

class ExportUserRequest(_message.Message):
    __slots__ = ("user_id", "page_size", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page_size: int
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExportUserResponse(_message.Message):
    __slots__ = ("user", "events", "next_page_token")
    USER_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user: UserState
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    next_page_token: str
    def __init__(self, user: _Optional[_Union[UserState, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class EraseUserRequest(_message.Message):
    __slots__ = ("user_id", "request_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    request_id: str
    def __init__(self, user_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EraseUserResponse(_message.Message):
    __slots__ = ("erase_time", "existed")
    ERASE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    erase_time: _timestamp_pb2.Timestamp
    existed: bool
    def __init__(self, erase_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., existed: bool = ...) -> None: ...
