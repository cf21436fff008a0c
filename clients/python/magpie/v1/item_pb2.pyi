import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from magpie.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ItemText(_message.Message):
    __slots__ = ("title", "description")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    title: str
    description: str
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class AttributeValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("item_id", "version", "text", "locale", "translations", "categories", "brand", "vendor", "price", "list_price", "stock", "attributes", "image_uri", "link", "rating", "rating_count", "publish_time", "update_time", "withdrawn")
    class TranslationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ItemText
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ItemText, _Mapping]] = ...) -> None: ...
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: AttributeValues
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[AttributeValues, _Mapping]] = ...) -> None: ...
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    BRAND_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    LIST_PRICE_FIELD_NUMBER: _ClassVar[int]
    STOCK_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URI_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    RATING_COUNT_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    version: int
    text: ItemText
    locale: str
    translations: _containers.MessageMap[str, ItemText]
    categories: _containers.RepeatedScalarFieldContainer[str]
    brand: str
    vendor: str
    price: _money_pb2.Money
    list_price: _money_pb2.Money
    stock: int
    attributes: _containers.MessageMap[str, AttributeValues]
    image_uri: str
    link: str
    rating: float
    rating_count: int
    publish_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    withdrawn: bool
    def __init__(self, item_id: _Optional[str] = ..., version: _Optional[int] = ..., text: _Optional[_Union[ItemText, _Mapping]] = ..., locale: _Optional[str] = ..., translations: _Optional[_Mapping[str, ItemText]] = ..., categories: _Optional[_Iterable[str]] = ..., brand: _Optional[str] = ..., vendor: _Optional[str] = ..., price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., list_price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., stock: _Optional[int] = ..., attributes: _Optional[_Mapping[str, AttributeValues]] = ..., image_uri: _Optional[str] = ..., link: _Optional[str] = ..., rating: _Optional[float] = ..., rating_count: _Optional[int] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdrawn: bool = ...) -> None: ...
