from magpie.v1 import device_pb2 as _device_pb2
from magpie.v1 import item_pb2 as _item_pb2
from magpie.v1 import portrait_pb2 as _portrait_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Strategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRATEGY_UNSPECIFIED: _ClassVar[Strategy]
    STRATEGY_PLAIN: _ClassVar[Strategy]
    STRATEGY_PRICE_DROP: _ClassVar[Strategy]
    STRATEGY_BACK_IN_STOCK: _ClassVar[Strategy]
    STRATEGY_LOW_STOCK: _ClassVar[Strategy]
    STRATEGY_CART_REMINDER: _ClassVar[Strategy]
    STRATEGY_BECAUSE_YOU_VIEWED: _ClassVar[Strategy]
    STRATEGY_COMPLEMENT: _ClassVar[Strategy]
    STRATEGY_REPLENISH: _ClassVar[Strategy]
    STRATEGY_NEW_FROM_BRAND: _ClassVar[Strategy]
    STRATEGY_TRENDING: _ClassVar[Strategy]
    STRATEGY_WELL_REVIEWED: _ClassVar[Strategy]
    STRATEGY_SEASONAL: _ClassVar[Strategy]
    STRATEGY_PREMIUM: _ClassVar[Strategy]
    STRATEGY_NEW_ARRIVAL: _ClassVar[Strategy]

class Tone(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TONE_UNSPECIFIED: _ClassVar[Tone]
    TONE_PLAIN: _ClassVar[Tone]
    TONE_PLAYFUL: _ClassVar[Tone]
    TONE_PREMIUM: _ClassVar[Tone]

class MessagePart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_PART_UNSPECIFIED: _ClassVar[MessagePart]
    MESSAGE_PART_TITLE: _ClassVar[MessagePart]
    MESSAGE_PART_BODY: _ClassVar[MessagePart]
    MESSAGE_PART_DESCRIPTION: _ClassVar[MessagePart]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_WARN: _ClassVar[Severity]
    SEVERITY_NEEDS_EVIDENCE: _ClassVar[Severity]
    SEVERITY_BLOCK: _ClassVar[Severity]
STRATEGY_UNSPECIFIED: Strategy
STRATEGY_PLAIN: Strategy
STRATEGY_PRICE_DROP: Strategy
STRATEGY_BACK_IN_STOCK: Strategy
STRATEGY_LOW_STOCK: Strategy
STRATEGY_CART_REMINDER: Strategy
STRATEGY_BECAUSE_YOU_VIEWED: Strategy
STRATEGY_COMPLEMENT: Strategy
STRATEGY_REPLENISH: Strategy
STRATEGY_NEW_FROM_BRAND: Strategy
STRATEGY_TRENDING: Strategy
STRATEGY_WELL_REVIEWED: Strategy
STRATEGY_SEASONAL: Strategy
STRATEGY_PREMIUM: Strategy
STRATEGY_NEW_ARRIVAL: Strategy
TONE_UNSPECIFIED: Tone
TONE_PLAIN: Tone
TONE_PLAYFUL: Tone
TONE_PREMIUM: Tone
MESSAGE_PART_UNSPECIFIED: MessagePart
MESSAGE_PART_TITLE: MessagePart
MESSAGE_PART_BODY: MessagePart
MESSAGE_PART_DESCRIPTION: MessagePart
SEVERITY_UNSPECIFIED: Severity
SEVERITY_WARN: Severity
SEVERITY_NEEDS_EVIDENCE: Severity
SEVERITY_BLOCK: Severity

class Brief(_message.Message):
    __slots__ = ("item", "portrait", "strategy", "tone", "locale", "channel", "because_item", "excluded_variant_ids", "seed", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    TONE_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_ITEM_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_VARIANT_IDS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    item: _item_pb2.Item
    portrait: _portrait_pb2.Portrait
    strategy: Strategy
    tone: Tone
    locale: str
    channel: _device_pb2.Channel
    because_item: _item_pb2.Item
    excluded_variant_ids: _containers.RepeatedScalarFieldContainer[str]
    seed: int
    facts: _containers.ScalarMap[str, str]
    def __init__(self, item: _Optional[_Union[_item_pb2.Item, _Mapping]] = ..., portrait: _Optional[_Union[_portrait_pb2.Portrait, _Mapping]] = ..., strategy: _Optional[_Union[Strategy, str]] = ..., tone: _Optional[_Union[Tone, str]] = ..., locale: _Optional[str] = ..., channel: _Optional[_Union[_device_pb2.Channel, str]] = ..., because_item: _Optional[_Union[_item_pb2.Item, _Mapping]] = ..., excluded_variant_ids: _Optional[_Iterable[str]] = ..., seed: _Optional[int] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("part", "start", "end", "field", "value", "source", "version")
    PART_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    part: MessagePart
    start: int
    end: int
    field: str
    value: str
    source: str
    version: int
    def __init__(self, part: _Optional[_Union[MessagePart, str]] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., field: _Optional[str] = ..., value: _Optional[str] = ..., source: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("title", "body", "description", "spans", "strategy", "tone", "locale", "variant_id", "propensity", "safe_template", "image_uri", "link")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    TONE_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_ID_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    SAFE_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URI_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    title: str
    body: str
    description: str
    spans: _containers.RepeatedCompositeFieldContainer[Span]
    strategy: Strategy
    tone: Tone
    locale: str
    variant_id: str
    propensity: float
    safe_template: bool
    image_uri: str
    link: str
    def __init__(self, title: _Optional[str] = ..., body: _Optional[str] = ..., description: _Optional[str] = ..., spans: _Optional[_Iterable[_Union[Span, _Mapping]]] = ..., strategy: _Optional[_Union[Strategy, str]] = ..., tone: _Optional[_Union[Tone, str]] = ..., locale: _Optional[str] = ..., variant_id: _Optional[str] = ..., propensity: _Optional[float] = ..., safe_template: bool = ..., image_uri: _Optional[str] = ..., link: _Optional[str] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("severity", "check", "part", "start", "end", "reason")
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    severity: Severity
    check: str
    part: MessagePart
    start: int
    end: int
    reason: str
    def __init__(self, severity: _Optional[_Union[Severity, str]] = ..., check: _Optional[str] = ..., part: _Optional[_Union[MessagePart, str]] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ComposeMessagesRequest(_message.Message):
    __slots__ = ("briefs", "variants", "with_description")
    BRIEFS_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    WITH_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    briefs: _containers.RepeatedCompositeFieldContainer[Brief]
    variants: int
    with_description: bool
    def __init__(self, briefs: _Optional[_Iterable[_Union[Brief, _Mapping]]] = ..., variants: _Optional[int] = ..., with_description: bool = ...) -> None: ...

class Composition(_message.Message):
    __slots__ = ("messages", "eligible_strategies")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    eligible_strategies: _containers.RepeatedScalarFieldContainer[Strategy]
    def __init__(self, messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., eligible_strategies: _Optional[_Iterable[_Union[Strategy, str]]] = ...) -> None: ...

class ComposeMessagesResponse(_message.Message):
    __slots__ = ("compositions",)
    COMPOSITIONS_FIELD_NUMBER: _ClassVar[int]
    compositions: _containers.RepeatedCompositeFieldContainer[Composition]
    def __init__(self, compositions: _Optional[_Iterable[_Union[Composition, _Mapping]]] = ...) -> None: ...

class Draft(_message.Message):
    __slots__ = ("title", "body", "description", "item", "because_item", "locale", "channel", "traits", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_ITEM_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    title: str
    body: str
    description: str
    item: _item_pb2.Item
    because_item: _item_pb2.Item
    locale: str
    channel: _device_pb2.Channel
    traits: _containers.RepeatedScalarFieldContainer[str]
    facts: _containers.ScalarMap[str, str]
    def __init__(self, title: _Optional[str] = ..., body: _Optional[str] = ..., description: _Optional[str] = ..., item: _Optional[_Union[_item_pb2.Item, _Mapping]] = ..., because_item: _Optional[_Union[_item_pb2.Item, _Mapping]] = ..., locale: _Optional[str] = ..., channel: _Optional[_Union[_device_pb2.Channel, str]] = ..., traits: _Optional[_Iterable[str]] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class VerifyMessagesRequest(_message.Message):
    __slots__ = ("drafts",)
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    drafts: _containers.RepeatedCompositeFieldContainer[Draft]
    def __init__(self, drafts: _Optional[_Iterable[_Union[Draft, _Mapping]]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("passed", "findings")
    PASSED_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    passed: bool
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, passed: bool = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class VerifyMessagesResponse(_message.Message):
    __slots__ = ("verdicts",)
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ...) -> None: ...

class RenderCardRequest(_message.Message):
    __slots__ = ("item", "locale", "aspect_ratio")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    item: _item_pb2.Item
    locale: str
    aspect_ratio: float
    def __init__(self, item: _Optional[_Union[_item_pb2.Item, _Mapping]] = ..., locale: _Optional[str] = ..., aspect_ratio: _Optional[float] = ...) -> None: ...

class RenderCardResponse(_message.Message):
    __slots__ = ("image", "media_type", "width", "height", "plain")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    media_type: str
    width: int
    height: int
    plain: bool
    def __init__(self, image: _Optional[bytes] = ..., media_type: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., plain: bool = ...) -> None: ...
