"""The words of a push between the wire and core: strategies, tones, spans."""

from collections.abc import Mapping

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import device_pb2 as device_pb
from magpie_services.core.decisions import Copy, Span


def enum_name(prefix: str, full: str) -> str:
    """The core name of a wire enum value: STRATEGY_PRICE_DROP is "price_drop"; the zero value is ""."""
    name = full.removeprefix(f"{prefix}_").lower()
    return "" if name == "unspecified" else name


def enum_number(prefix: str, name: str, values: Mapping[str, int]) -> int:
    """The wire number of a core name; 0 for "" and for names that this contract lacks."""
    return values.get(f"{prefix}_{name.upper()}", 0) if name else 0


_STRATEGIES = dict(content_pb.Strategy.items())
_TONES = dict(content_pb.Tone.items())
_PARTS = dict(content_pb.MessagePart.items())
_WRITERS = dict(content_pb.Writer.items())
_CHANNELS = dict(device_pb.Channel.items())
_STRATEGY_NAMES = {int(number): enum_name("STRATEGY", name) for name, number in _STRATEGIES.items()}
_TONE_NAMES = {int(number): enum_name("TONE", name) for name, number in _TONES.items()}
_PART_NAMES = {int(number): enum_name("MESSAGE_PART", name) for name, number in _PARTS.items()}
_WRITER_NAMES = {int(number): enum_name("WRITER", name) for name, number in _WRITERS.items()}
_CHANNEL_NAMES = {int(number): enum_name("CHANNEL", name) for name, number in _CHANNELS.items()}


def strategy_name(number: int) -> str:
    """For example "price_drop"; "" for unspecified."""
    return _STRATEGY_NAMES.get(number, "")


def strategy_number(name: str) -> content_pb.Strategy.ValueType:
    """The wire number of a strategy's name."""
    return content_pb.Strategy.ValueType(enum_number("STRATEGY", name, _STRATEGIES))


def channel_name(number: int) -> str:
    """For example "web_push"; "" for unspecified."""
    return _CHANNEL_NAMES.get(number, "")


def channel_number(name: str) -> device_pb.Channel.ValueType:
    """The wire number of a channel's name."""
    return device_pb.Channel.ValueType(enum_number("CHANNEL", name, _CHANNELS))


def copy_from_proto(message: content_pb.Message) -> Copy:
    """The message in core's words."""
    return Copy(
        strategy=strategy_name(message.strategy),
        tone=_TONE_NAMES.get(message.tone, ""),
        locale=message.locale,
        title=message.title,
        body=message.body,
        description=message.description,
        image_uri=message.image_uri,
        link=message.link,
        variant_id=message.variant_id,
        propensity=message.propensity,
        safe_template=message.safe_template,
        context=message.context,
        writer=_WRITER_NAMES.get(message.writer, ""),
        spans=[
            Span(
                part=_PART_NAMES.get(span.part, ""),
                start=span.start,
                end=span.end,
                field=span.field,
                value=span.value,
                source=span.source,
                version=span.version,
            )
            for span in message.spans
        ],
    )


def copy_to_proto(copy: Copy) -> content_pb.Message:
    """The words as a message."""
    return content_pb.Message(
        title=copy.title,
        body=copy.body,
        description=copy.description,
        spans=[
            content_pb.Span(
                part=content_pb.MessagePart.ValueType(enum_number("MESSAGE_PART", span.part, _PARTS)),
                start=span.start,
                end=span.end,
                field=span.field,
                value=span.value,
                source=span.source,
                version=span.version,
            )
            for span in copy.spans
        ],
        strategy=strategy_number(copy.strategy),
        tone=content_pb.Tone.ValueType(enum_number("TONE", copy.tone, _TONES)),
        locale=copy.locale,
        variant_id=copy.variant_id,
        propensity=copy.propensity,
        safe_template=copy.safe_template,
        context=copy.context,
        writer=content_pb.Writer.ValueType(enum_number("WRITER", copy.writer, _WRITERS)),
        image_uri=copy.image_uri,
        link=copy.link,
    )
