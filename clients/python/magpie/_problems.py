"""What a failed call says: the status, the fields at fault, when to come back."""

from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class Problem:
    """A failed call in plain words. `violations` are (field, reason) pairs of a request that was refused."""

    code: grpc.StatusCode
    message: str
    violations: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    request_id: str = ""
    retry_after_seconds: float = 0.0

    def __str__(self) -> str:
        if self.violations:
            return "; ".join(f"{field}: {reason}" for field, reason in self.violations)
        return self.message or self.code.name


def problem_of(error: grpc.aio.AioRpcError) -> Problem:
    """The problem behind a failed call, from its status details where the service sent any."""
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                status.ParseFromString(value)
            except DecodeError:  # not one of our services: the plain status must do
                status.Clear()
    bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    request, retry = error_details_pb2.RequestInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        for message in (bad, info, request, retry):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    return Problem(
        code=error.code(),
        message=error.details() or "",
        violations=tuple((entry.field, entry.description) for entry in bad.field_violations),
        reason=info.reason,
        request_id=request.request_id,
        retry_after_seconds=retry.retry_delay.ToMilliseconds() / 1000,
    )
