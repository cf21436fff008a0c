import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Channel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_UNSPECIFIED: _ClassVar[Channel]
    CHANNEL_CONSOLE: _ClassVar[Channel]
    CHANNEL_WEBHOOK: _ClassVar[Channel]
    CHANNEL_FCM: _ClassVar[Channel]
    CHANNEL_APNS: _ClassVar[Channel]
    CHANNEL_WEB_PUSH: _ClassVar[Channel]
    CHANNEL_HUAWEI: _ClassVar[Channel]
    CHANNEL_HONOR: _ClassVar[Channel]
    CHANNEL_OPPO: _ClassVar[Channel]
    CHANNEL_VIVO: _ClassVar[Channel]
    CHANNEL_XIAOMI: _ClassVar[Channel]
    CHANNEL_IN_APP: _ClassVar[Channel]
    CHANNEL_EMAIL: _ClassVar[Channel]

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_MARKETING_PUSH: _ClassVar[Purpose]
    PURPOSE_PERSONALISATION: _ClassVar[Purpose]
    PURPOSE_MODEL_TRAINING: _ClassVar[Purpose]
CHANNEL_UNSPECIFIED: Channel
CHANNEL_CONSOLE: Channel
CHANNEL_WEBHOOK: Channel
CHANNEL_FCM: Channel
CHANNEL_APNS: Channel
CHANNEL_WEB_PUSH: Channel
CHANNEL_HUAWEI: Channel
CHANNEL_HONOR: Channel
CHANNEL_OPPO: Channel
CHANNEL_VIVO: Channel
CHANNEL_XIAOMI: Channel
CHANNEL_IN_APP: Channel
CHANNEL_EMAIL: Channel
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_MARKETING_PUSH: Purpose
PURPOSE_PERSONALISATION: Purpose
PURPOSE_MODEL_TRAINING: Purpose

class Device(_message.Message):
    __slots__ = ("device_id", "channel", "address", "platform", "locale", "timezone", "update_time")
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    device_id: str
    channel: Channel
    address: str
    platform: str
    locale: str
    timezone: str
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, device_id: _Optional[str] = ..., channel: _Optional[_Union[Channel, str]] = ..., address: _Optional[str] = ..., platform: _Optional[str] = ..., locale: _Optional[str] = ..., timezone: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("purpose", "granted", "time", "text_version", "source")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TEXT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    purpose: Purpose
    granted: bool
    time: _timestamp_pb2.Timestamp
    text_version: str
    source: str
    def __init__(self, purpose: _Optional[_Union[Purpose, str]] = ..., granted: bool = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text_version: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...
