"""The one table from our errors to gRPC statuses and back; google.rpc.Status details in trailing metadata."""

from typing import TypeVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from magpie_services.kit import errors

AnyMessage = TypeVar("AnyMessage", bound=Message)

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "magpie"
INTERNAL_TEXT = "internal error"
# A status with more than 8 KiB of metadata may be lost on its way (gRPC's default), and with it the code.
MAX_TEXT_CHARS = 256
MAX_VIOLATIONS_BYTES = 2_500

CODES: dict[type[errors.MagpieError], grpc.StatusCode] = {
    errors.Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.NotAllowed: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.TooMany: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
}


def code_of(error: errors.MagpieError) -> grpc.StatusCode:
    """The status of an error, by its nearest class in the table; INTERNAL for a class that is not there."""
    for kind in type(error).__mro__:
        if kind in CODES:
            return CODES[kind]
    return grpc.StatusCode.INTERNAL


def encode(error: errors.MagpieError, request_id: str) -> tuple[grpc.StatusCode, str, bytes]:
    """Code, text, and the serialized google.rpc.Status for `grpc-status-details-bin`.

    Of many violations the first that fit are told; long text is cut.
    """
    code = code_of(error)
    text = INTERNAL_TEXT if code is grpc.StatusCode.INTERNAL else _short(error.message)
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN)
    request = error_details_pb2.RequestInfo(request_id=request_id)
    details: list[any_pb2.Any] = [_packed(info), _packed(request)]
    if isinstance(error, errors.Invalid):
        bad = error_details_pb2.BadRequest()
        for field, problem in error.violations:
            bad.field_violations.add(field=_short(field), description=_short(problem))
            if bad.ByteSize() > MAX_VIOLATIONS_BYTES and len(bad.field_violations) > 1:
                del bad.field_violations[-1]
                break
        details.append(_packed(bad))
    if isinstance(error, errors.TooMany):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(error.retry_after_ms)
        details.append(_packed(retry))
    status = status_pb2.Status(code=code.value[0], message=text, details=details)
    return code, text, status.SerializeToString()


def encode_unexpected(request_id: str) -> tuple[grpc.StatusCode, str, bytes]:
    """What the caller learns of an exception nobody planned for: a fixed text and the id to report."""
    return encode(errors.MagpieError(INTERNAL_TEXT, reason="INTERNAL"), request_id)


def translate(error: grpc.aio.AioRpcError) -> errors.MagpieError:
    """The failure of an outgoing call in our own words: `raise translate(error) from error`.

    Text is kept only when one of our services wrote it. Failures that nobody planned for become Unavailable:
    to the caller of a dependency they are the same, it cannot answer.
    """
    status = _details(error)
    info = _find(status, error_details_pb2.ErrorInfo())
    ours = info is not None and info.domain == DOMAIN
    text = status.message if ours else ""
    reason = info.reason if info is not None and ours else None
    match error.code():
        case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.OUT_OF_RANGE:
            bad = _find(status, error_details_pb2.BadRequest())
            if ours and bad is not None and bad.field_violations:
                return errors.Invalid.many((v.field, v.description) for v in bad.field_violations)
            return errors.Invalid("request", "refused by a service that this one depends on")
        case grpc.StatusCode.NOT_FOUND:
            return errors.NotFound(text or "not found", reason=reason)
        case grpc.StatusCode.ALREADY_EXISTS:
            return errors.AlreadyExists(text or "exists already", reason=reason)
        case grpc.StatusCode.FAILED_PRECONDITION:
            return errors.NotAllowed(text or "not allowed in this state", reason=reason)
        case grpc.StatusCode.ABORTED:
            return errors.Conflict(text or "a concurrent change won", reason=reason)
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            retry = _find(status, error_details_pb2.RetryInfo())
            delay_ms = retry.retry_delay.ToMilliseconds() if retry is not None else 1_000
            return errors.TooMany(text or "overloaded", retry_after_ms=delay_ms, reason=reason)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return errors.DeadlineExceeded(
                text or "a service that this one depends on did not answer in time"
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return errors.Unimplemented(
                text or "not served by a service that this one depends on", reason=reason
            )
        case grpc.StatusCode.UNAVAILABLE if text:
            return errors.Unavailable(text, reason=reason)
        case _:
            return errors.Unavailable("a service that this one depends on is unavailable")


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else f"{text[: MAX_TEXT_CHARS - 3]}..."


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _details(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                status.ParseFromString(value)
            except DecodeError:  # whatever answered, it is not one of ours
                return status_pb2.Status()
    return status


def _find(status: status_pb2.Status, empty: AnyMessage) -> AnyMessage | None:
    for detail in status.details:
        if detail.Is(empty.DESCRIPTOR):
            detail.Unpack(empty)
            return empty
    return None
