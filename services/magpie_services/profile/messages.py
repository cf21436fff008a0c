"""Users' states and audience expressions between the wire and the domain."""

import base64
import hashlib
import re

import msgspec

from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie_services.kit.errors import Invalid
from magpie_services.profile import audience
from magpie_services.profile.audience import All, AnyOf, Compare, Expression, Not, Operator
from magpie_services.profile.state import Channel, Consent, Device, Purpose, UserState
from magpie_services.wire import portraits, values

_PURPOSE_NUMBERS = values.numbers(Purpose, "PURPOSE", dict(device_pb.Purpose.items()))
_PURPOSES = {number: purpose for purpose, number in _PURPOSE_NUMBERS.items()}
_CHANNEL_NUMBERS = values.numbers(Channel, "CHANNEL", dict(device_pb.Channel.items()))
_CHANNELS = {number: channel for channel, number in _CHANNEL_NUMBERS.items()}
_OPERATOR_NUMBERS = values.numbers(Operator, "OPERATOR", dict(profile_pb.Audience.Compare.Operator.items()))
_OPERATORS = {number: name for name, number in _OPERATOR_NUMBERS.items()}
_MAX_SCANNED = 1 << 53


class Place(msgspec.Struct, array_like=True, frozen=True):
    """How far a walk over all users has come: within partition number `part`, past the user `after`."""

    part: int = 0
    after: str = ""
    scanned: int = 0
    # Of the request, so that a token is not used for another audience.
    fingerprint: bytes = b""


def consent_from_proto(message: device_pb.Consent, field: str, now_ms: int) -> Consent:
    """An answer in the domain's words; without a time, given now. Raises Invalid naming `field`.purpose."""
    purpose = _PURPOSES.get(message.purpose)
    if purpose is None:
        raise Invalid(f"{field}.purpose", "is required")
    return Consent(
        purpose=purpose,
        granted=message.granted,
        at_ms=values.milliseconds(message.time) if message.HasField("time") else now_ms,
        text_version=message.text_version,
        source=message.source,
    )


def consents_to_proto(state: UserState) -> list[device_pb.Consent]:
    """The newest answer for each purpose that was asked."""
    return [
        device_pb.Consent(
            purpose=device_pb.Purpose.ValueType(_PURPOSE_NUMBERS[consent.purpose]),
            granted=consent.granted,
            time=values.timestamp(consent.at_ms),
            text_version=consent.text_version,
            source=consent.source,
        )
        for consent in state.consents.values()
    ]


def device_from_proto(message: device_pb.Device, field: str) -> Device:
    """A device in the domain's words. Raises Invalid naming `field`.channel."""
    channel = _CHANNELS.get(message.channel)
    if channel is None:
        raise Invalid(f"{field}.channel", "is required")
    return Device(
        device_id=message.device_id,
        channel=channel,
        address=message.address,
        platform=message.platform,
        locale=message.locale,
        timezone=message.timezone,
    )


def devices_to_proto(state: UserState) -> list[device_pb.Device]:
    """All devices, newest first."""
    return [
        device_pb.Device(
            device_id=device.device_id,
            channel=device_pb.Channel.ValueType(_CHANNEL_NUMBERS[device.channel]),
            address=device.address,
            platform=device.platform,
            locale=device.locale,
            timezone=device.timezone,
            update_time=values.timestamp(device.updated_ms),
        )
        for device in state.devices
    ]


def state_to_proto(state: UserState, now_ms: int, *, snapshot_only: bool = False) -> profile_pb.UserState:
    """Portrait, consent and devices; decayed counts as they are at `now_ms`."""
    portrait = portraits.to_snapshot if snapshot_only else portraits.to_proto
    return profile_pb.UserState(
        portrait=portrait(state.portrait, now_ms),
        consents=consents_to_proto(state),
        devices=devices_to_proto(state),
    )


def audience_from_proto(message: profile_pb.Audience) -> Expression:
    """The expression, unchecked; an empty one selects everybody. Raises Invalid when it is too deep."""
    if message.WhichOneof("expression") is None:
        return audience.EVERYBODY
    return _expression(message, 1)


def _expression(message: profile_pb.Audience, depth: int) -> Expression:
    if depth > audience.MAX_DEPTH:
        raise Invalid("audience", f"is more than {audience.MAX_DEPTH} levels deep")
    match message.WhichOneof("expression"):
        case "all":
            return All(tuple(_expression(part, depth + 1) for part in message.all.of))
        case "any":
            return AnyOf(tuple(_expression(part, depth + 1) for part in message.any.of))
        case "not":
            return Not(_expression(getattr(message, "not"), depth + 1))
        case "compare":
            compare = message.compare
            return Compare(compare.field, _OPERATORS.get(compare.operator), compare.text, compare.number)
        case _:
            return None


def fingerprint(request: profile_pb.SelectAudienceRequest) -> bytes:
    """Tells audiences apart."""
    text = request.audience.SerializeToString(deterministic=True) + bytes([request.reachable_only])
    return hashlib.blake2b(text, digest_size=8).digest()


def place_to_token(place: Place) -> str:
    """The place as an opaque text."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode()


def place_from_token(token: str, expected: bytes, parts: int) -> Place:
    """The place a token names, within `parts`; the start for an empty one. Raises Invalid("page_token")."""
    if not token:
        return Place(fingerprint=expected)
    try:
        place = msgspec.msgpack.decode(base64.urlsafe_b64decode(token), type=Place)
    except ValueError:  # binascii's and msgspec's errors are ValueErrors too
        raise Invalid("page_token", "is not one of ours") from None
    if not (0 <= place.part < parts and 0 <= place.scanned < _MAX_SCANNED):
        raise Invalid("page_token", "is not one of ours")
    if place.fingerprint != expected:
        raise Invalid("page_token", "was given for another audience")
    return place


def entry_from_token(token: str) -> str:
    """The place in the log that a page token of ExportUser names. Raises Invalid("page_token")."""
    if token and not re.fullmatch(r"[0-9]{1,15}-[0-9]{1,15}", token):
        raise Invalid("page_token", "is not one of ours")
    return token
